"""How many bytes new weights are, and what sending them takes. Arithmetic, nothing measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sparring.envs.core import BadInput

BFLOAT16, FLOAT32 = 2, 4
"""Bytes of a number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder of Llama's kind: grouped-query attention, a gated MLP, RMS norms, no biases."""

    name: str
    layers: int
    hidden: int
    intermediate: int
    """Width inside the MLP."""
    heads: int
    """Of queries."""
    kv_heads: int
    """Of keys, and of values."""
    head_dim: int
    vocabulary: int
    tied: bool
    """The output layer is the embedding."""

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of the linear layers of one block, by their names."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def parameters(self) -> int:
        """layers × (Σ inputs × outputs + 2 hidden) + (1 or, untied, 2) × vocabulary × hidden +
        hidden: the linear layers, two norms a block, the embeddings, the last norm."""
        block = sum(i * o for i, o in self.linears.values()) + 2 * self.hidden
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden
        return self.layers * block + embeddings + self.hidden

    def lora_parameters(self, rank: int, targets: Sequence[str] = ()) -> int:
        """layers × Σ rank × (inputs + outputs) over the targets, by default all linear layers.

        Source: Hu et al. (2021), LoRA: ΔW = B·A, A rank × inputs, B outputs × rank.

        Raises:
            BadInput: no such target, or a rank below 1.
        """
        if rank < 1:
            raise BadInput(f"a rank of {rank}; an adapter has at least 1")
        linears = self.linears
        for target in targets:
            if target not in linears:
                raise BadInput(f"no layer {target!r}; there are: {', '.join(linears)}")
        return self.layers * sum(rank * sum(linears[t]) for t in set(targets or linears))


LLAMAS = (
    Shape("Llama-3.2-1B", 16, 2048, 8192, 32, 8, 64, 128256, tied=True),
    Shape("Llama-3.1-8B", 32, 4096, 14336, 32, 8, 128, 128256, tied=False),
    Shape("Llama-3.1-70B", 80, 8192, 28672, 64, 8, 128, 128256, tied=False),
)
"""As their public config.json say."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """Seconds until all of M nodes have one version of B bytes, over links of r bytes a second.

    The learner's node is not among the M, and nodes have one copy for all their workers.
    """

    sequential: float
    """M × B / r: every copy leaves the learner's uplink. This is what it takes at most, if
    nothing else is on the link, and what to expect where all nodes ask at the same moment: nobody
    else has a copy then."""
    tree: float
    """ceil(log2(M + 1)) × B / r. ASSUMPTION: in each round everybody who has a copy sends it to
    one more node. Ray has no such plan: each node pulls from one picked at random among those that
    are listed with the object (PullFromRandomLocation in its pull_manager), which comes near to
    this where nodes ask one after the other."""


def fan_out(size: float, nodes: int, bandwidth: float) -> FanOut:
    """What sending ``size`` bytes to each of ``nodes`` nodes takes at ``bandwidth`` bytes a second.

    Raises:
        BadInput: a negative size or number of nodes, or no bandwidth.
    """
    if size < 0 or nodes < 0 or not bandwidth > 0:
        raise BadInput(f"{size} bytes to {nodes} nodes at {bandwidth} bytes a second")
    once = size / bandwidth
    return FanOut(nodes * once, math.ceil(math.log2(nodes + 1)) * once)

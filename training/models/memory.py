"""How much memory a run will take, before its first step, term by term."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sparring.training.models.costs import Costs, costs
from sparring.training.update import UpdateConfig
from sparring.training.weights import trained

GIB = 1 << 30
SLACK = 0.5
"""Of activations and logits. glibc's malloc serves tensors of a pass from holes that those of other
sizes left; measured it took 1.3 to 1.6 times what was in use."""


@dataclass(frozen=True, slots=True)
class Load:
    """The sizes that memory depends on.

    ``tokens``: of the largest pass through the model, fill included; ``line``: of its lines.
    ``outputs``: places of that pass that the output layer reads. ``trained``: trained tokens of
    the whole batch. ``spoken``: tokens whose keys and values the engine would keep, in the
    ``engine`` bytes that it may have for them.
    """

    tokens: int
    line: int
    outputs: int
    trained: int
    spoken: int = 0
    engine: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the estimate, in bytes, and how it comes about."""

    name: str
    bytes: int
    formula: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """``there``: what of it is taken already, since the weights are loaded; ``free``: what is
    left beside that, where the system says."""

    terms: tuple[Term, ...]
    there: int
    free: int | None

    @property
    def total(self) -> int:
        return sum(term.bytes for term in self.terms)

    @property
    def fits(self) -> bool:
        return self.free is None or self.total - self.there <= self.free

    def __str__(self) -> str:
        """A line for each term, largest first."""
        lines = [f"memory: at most about {size(self.total)}{self._left()}"]
        terms = sorted(self.terms, key=lambda term: -term.bytes)
        lines += [f"  {size(t.bytes):>9}  {t.name}: {t.formula}" for t in terms if t.bytes]
        return "\n".join(lines)

    def _left(self) -> str:
        if self.free is None:
            return ""
        return f", {size(self.there)} of it there already and {size(self.free)} free"

    def warning(self) -> str:
        """One line, where it does not fit; else empty."""
        if self.fits:
            return ""
        return (
            f"this may need {size(self.total)} of memory{self._left()}; lower "
            "--update.tokens-at-once or --games, say --gradient-checkpointing, or train an "
            "adapter with --lora.rank 16"
        )


def size(number: int) -> str:
    """Bytes for a person: "3.1 GiB", "12 MiB"."""
    if number >= GIB:
        return f"{number / GIB:.1f} GiB"
    return f"{number / (1 << 20):.{0 if number >= 1 << 20 else 2}f} MiB"


def estimate(model: Any, config: UpdateConfig, load: Load, players: int = 1) -> Estimate:
    """For one model; ``players``: how many adapters of it learn, as many as are active now."""
    learned = _bytes(trained(model).values()) * players
    weights = _bytes((*model.parameters(), *model.buffers()))
    copies = bool(config.magnet) + bool(config.reference)
    cost = costs(model)
    passes = (_activations(cost, load), _logits(model, config, copies, load))
    slack = SLACK * sum(term.bytes for term in passes) if model.device.type == "cpu" else 0.0
    engine = min(int(load.spoken * cost.cache), load.engine)
    terms = (
        Term("weights", weights, "all numbers × their bytes"),
        Term("gradients", learned, "of what is trained"),
        Term("optimiser", 2 * learned, "two moments of what is trained"),
        Term("copies", copies * learned, f"{copies} (magnet, reference) of what is trained"),
        *passes,
        Term("allocator", int(slack), "half of both again: what malloc keeps for later"),
        _policies(model, config, copies, load),
        Term(
            "engine",
            engine,
            f"{load.spoken:,} tokens × {cost.cache:,.0f} bytes, at most {size(load.engine)}",
        ),
    )
    return Estimate(terms, weights, free(model.device))


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


def _activations(cost: Costs, load: Load) -> Term:
    """What autograd keeps of a pass, and the gradients of one layer on the way back."""
    layer = cost.token(load.line) / cost.layers
    if cost.recomputed:
        each = cost.inputs + 2 * layer
        text = f"inputs of {cost.layers} layers, and two of the layers"
    else:
        each = cost.token(load.line) + layer
        text = f"{cost.flat:,.0f} + {cost.square:,.1f} × {load.line:,} of the line, a layer twice"
    return Term(
        "activations", int(load.tokens * each), f"{load.tokens:,} tokens at once × ({text}) bytes"
    )


def _logits(model: Any, config: UpdateConfig, copies: int, load: Load) -> Term:
    """Tables [outputs, vocabulary] in float32: logits, log-probabilities and their gradients, and
    two for each KL term that is exact."""
    vocabulary = model.config.get_text_config().vocab_size
    exact = copies + 1 if config.kl == "exact" else 0
    tables = 4 + 2 * exact + bool(config.entropy)
    text = f"{tables} tables of {load.outputs:,} tokens × {vocabulary:,} words × 4 bytes"
    return Term("logits", tables * load.outputs * vocabulary * 4, text)


def _policies(model: Any, config: UpdateConfig, copies: int, load: Load) -> Term:
    """Log-probabilities of the whole batch: old, magnet, reference, new, three to compare them."""
    each = 4 * model.config.get_text_config().vocab_size if config.kl == "exact" else 4
    held = copies + 5
    text = f"{held} of {load.trained:,} trained tokens × {each:,} bytes"
    return Term("policies", held * load.trained * each, text)


def free(device: torch.device) -> int | None:
    """Bytes that are left where the model is; ``None`` where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [_meminfo(), _group()]
    return min((n for n in found if n is not None), default=None)


def _meminfo() -> int | None:
    file = Path("/proc/meminfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    return next((int(x.split()[1]) << 10 for x in lines if x.startswith("MemAvailable:")), None)


def _group() -> int | None:
    """What the limit of a container leaves."""
    folder = Path("/sys/fs/cgroup")
    values: Sequence[str] = []
    if (folder / "memory.max").is_file() and (folder / "memory.current").is_file():
        values = [(folder / f"memory.{name}").read_text().strip() for name in ("max", "current")]
    if not values or not values[0].isdecimal():
        return None
    return max(int(values[0]) - int(values[1]), 0)

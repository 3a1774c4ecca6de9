"""Off-line rounds: each step's samples are trained on together with those of the rounds before.

    Rounds(Cloning(), keep=2)                       the data of two rounds, from the latest weights
    Rounds(Cloning(epochs=3), keep=10, start="base")   all data so far, from the first weights anew

A step of self-play is a round: many games, filtered, then one update of the method inside. Games of
earlier rounds were sampled by earlier policies, which ratios of the method inside take into account
only where their reference is the policy that sampled. An estimator that remembers (RAE) would count
them once a round; use one that does not.

From the base weights each time: STaR-GATE (arXiv 2403.19154), the last training of STP (arXiv
2502.00212). Data of two rounds: SPIN (arXiv 2401.01335), the debates of arXiv 2409.16636.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sparring.training.core import Metrics, Sample
from sparring.training.learner import Learner
from sparring.training.methods.core import Method
from sparring.training.packing import pack, unpack


@dataclass
class Rounds:
    """``method`` on the samples of the last ``keep`` rounds, from the "latest" or "base" weights.

    ``kept``: for each player the samples of its rounds before the present one, oldest first. They
    are in the checkpoint; the base weights are the learner's ``reference``, which is there too.
    """

    method: Method
    keep: int = 2
    start: Literal["latest", "base"] = "latest"
    kept: dict[str, list[list[Sample]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ValueError(f"keep is at least 1 round, not {self.keep}")

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        if self.start == "base":
            learner.restart()
        player = samples[0].player
        rounds = [*self.kept.get(player, []), list(samples)][-self.keep :]
        data = [sample for some in rounds for sample in some]
        metrics = self.method.learn(learner, data, progress)
        self.kept[player] = rounds[-self.keep + 1 :] if self.keep > 1 else []
        return {**metrics, "rounds": float(len(rounds)), "round_samples": float(len(data))}

    def state_dict(self) -> dict[str, Any]:
        kept = {player: [pack(some) for some in rounds] for player, rounds in self.kept.items()}
        return {"method": self.method.state_dict(), "kept": kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.method.load_state_dict(state["method"])
        self.kept = {
            player: [unpack(some) for some in rounds] for player, rounds in state["kept"].items()
        }

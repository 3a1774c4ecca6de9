"""Role-conditioned advantage estimation (RAE), from SPIRAL (arXiv 2506.24119, algorithm 1).

In a zero-sum game played against oneself the rewards of the two seats cancel, and seats are not
equally good: a common baseline would reward a seat for being first. So each (game, role) has its
own baseline, an exponential moving average of the rewards of that role. Where seats play hidden
parts (spy, civilian), the part takes the place of the role:

    A = R − b[game, role]          read first ...
    b ← d·b + (1 − d)·R            ... then updated, game by game; d = 0.95, b starts at 0

Reading before updating keeps b independent of R, so the policy gradient stays unbiased. The paper's
pseudocode updates first (``order="update_first"``), which makes every advantage d times that.
``per="batch"`` reads all baselines before the batch and updates each once with the batch's mean, as
SPIRAL's later code does: the same decay then forgets over batches, not over games. No division by a
standard deviation. There is one copy of the baselines, and it is part of the checkpoint.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sparring.training.advantages.keys import Key, game_and_role
from sparring.training.core import Advantages, Sample


@dataclass
class RAE:
    """Reward minus the moving average of its key.

    ``decay``: d above, in [0, 1). ``key``: what has a baseline of its own. ``baselines``: what it
    has learned, in the reward's unit.
    """

    decay: float = 0.95
    order: Literal["read_first", "update_first"] = "read_first"
    per: Literal["game", "batch"] = "game"
    key: Key = game_and_role
    baselines: dict[tuple[str | int, ...], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay is in [0, 1), not {self.decay}")

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        if self.per == "game":
            return [advantages for s in samples for advantages in self._batch([s])]
        return self._batch(samples)

    def _batch(self, samples: Sequence[Sample]) -> list[tuple[float, ...]]:
        before = {self.key(s): self.baselines.get(self.key(s), 0.0) for s in samples}
        rewards: dict[tuple[str | int, ...], list[float]] = {key: [] for key in before}
        for sample in samples:
            rewards[self.key(sample)].append(sample.reward)
        for key, some in rewards.items():
            mean = sum(some) / len(some)
            self.baselines[key] = self.decay * before[key] + (1 - self.decay) * mean
        read = before if self.order == "read_first" else self.baselines
        return [s.spread(s.reward - read[self.key(s)]) for s in samples]

    def state_dict(self) -> dict[str, Any]:
        return {"baselines": [[list(key), b] for key, b in self.baselines.items()]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        saved: Iterable[tuple[list[str | int], float]] = state["baselines"]
        self.baselines = {tuple(key): b for key, b in saved}

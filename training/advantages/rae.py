"""Role-conditioned advantage estimation (RAE), from SPIRAL (arXiv 2506.24119, algorithm 1).

In a zero-sum game played against oneself the rewards of the two seats cancel, and seats are not
equally good: a common baseline would reward a seat for being first. So each (game, role) has its
own baseline, an exponential moving average of the rewards of that role. Where seats play hidden
parts (spy, civilian), the part takes the place of the role:

    A = R − b[game, role]          read first ...
    b ← d·b + (1 − d)·R            ... then updated, game by game; d = 0.95, b starts at 0

Reading before updating keeps b independent of R, so the policy gradient stays unbiased. (The
paper's pseudocode updates first, which scales every advantage by d.) No division by a standard
deviation. There is one copy of the baselines, and it is part of the checkpoint.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparring.envs.core import Episode, Role
from sparring.training.core import Advantages


@dataclass
class RAE:
    """Reward minus the moving average of its (game, role).

    ``decay``: d above, in [0, 1). ``baselines``: what it has learned, in the game's payoff unit.
    """

    decay: float = 0.95
    baselines: dict[tuple[str, Role], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay is in [0, 1), not {self.decay}")

    def __call__(
        self, episodes: Sequence[Episode], rewards: Sequence[Mapping[Role, float]]
    ) -> Advantages:
        advantages = []
        for episode, reward in zip(episodes, rewards, strict=True):
            own = {}
            for role, r in reward.items():
                key = episode.game, episode.parts.get(role, role)
                b = self.baselines.get(key, 0.0)
                own[role] = r - b
                self.baselines[key] = self.decay * b + (1 - self.decay) * r
            advantages.append(own)
        return advantages

    def state_dict(self) -> dict[str, Any]:
        return {"baselines": [[*key, b] for key, b in self.baselines.items()]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        saved: Iterable[tuple[str, Role, float]] = state["baselines"]
        self.baselines = {(game, role): b for game, role, b in saved}

"""Reward minus one constant for all: with 0, plain REINFORCE without a baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparring.envs.core import Episode, Role
from sparring.training.core import Advantages


@dataclass
class Constant:
    """A = R − ``baseline``."""

    baseline: float = 0.0

    def __call__(
        self, episodes: Sequence[Episode], rewards: Sequence[Mapping[Role, float]]
    ) -> Advantages:
        return [{role: r - self.baseline for role, r in reward.items()} for reward in rewards]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """It has no state."""

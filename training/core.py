"""The types that estimators, rewards and the loop speak in."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sparring.envs.core import Episode, Role

Rewards = Sequence[Mapping[Role, float]]
"""One mapping an episode: the training reward of each learning role (no other role is in it)."""

Advantages = Sequence[Mapping[Role, float]]
"""One mapping an episode, with the same roles as its rewards."""

Metrics = dict[str, float]


class Estimator(Protocol):
    """Turns rewards into advantages. What it remembers is in its state, hence in the checkpoint."""

    def __call__(
        self, episodes: Sequence[Episode], rewards: Sequence[Mapping[Role, float]]
    ) -> Advantages: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...

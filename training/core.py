"""The types that rewards, estimators, filters and the loop speak in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sparring.envs.core import Episode, Role, Turn

Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """One learning role's part in one episode: what is rewarded, filtered and trained as one.

    ``reward``: of the whole game, in the payoff unit unless a reward says otherwise.
    ``credit``: for each of the role's turns, the share of the advantage that it gets.
    ``weight``: how much the sample counts; filters change it, and 1 is the usual.
    ``player``: whose parameters learn from it, by its name in ``SelfPlay.players``.
    ``version``: of the policy that said all its turns, in updates; ``None`` where nobody counts.
    """

    episode: Episode
    role: Role
    reward: float
    credit: tuple[float, ...]
    weight: float = 1.0
    player: str = "learner"
    version: int | None = None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The role's own turns, in order."""
        return self.episode.turns_of(self.role)

    @property
    def part(self) -> str:
        """The hidden part that the role plays (spy, civilian), or the role where there is none."""
        return self.episode.parts.get(self.role, self.role)

    def spread(self, advantage: float) -> tuple[float, ...]:
        """One advantage for the whole game as one for each turn, by ``credit``."""
        return tuple(advantage * share for share in self.credit)


Reward = Callable[[Episode, Role], float]
"""The training reward of one role in one finished episode. The raw payoff stays in the episode."""

Split = Callable[[int], tuple[float, ...]]
"""From the number of a role's turns in a game to the share of the advantage that each gets."""

Filter = Callable[[Sequence[Sample]], list[Sample]]
"""Drops samples or changes their weights, and leaves everything else as it is."""

Advantages = Sequence[Sequence[float]]
"""For each sample one advantage a turn."""


class Estimator(Protocol):
    """Turns rewards into advantages. What it remembers is in its state, hence in the checkpoint.

    Most are: advantage = (reward − baseline[key]) / scale[key], given to the turns by ``credit``.
    """

    def __call__(self, samples: Sequence[Sample]) -> Advantages: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Stateless:
    """For what has nothing to remember between two updates."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """There is nothing to load."""

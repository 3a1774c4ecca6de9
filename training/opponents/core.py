"""Who sits where in each game of a batch, and which seats learn."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sparring.agents.core import Agent
from sparring.envs.core import Episode, Game, Role


@dataclass(frozen=True, slots=True)
class Seating:
    """An agent for every role; only the seats in ``learning`` make training data.

    ``owner``: the player that learns from a seat, where it is not the one of the role (a league).
    ``against``: the opponent's name, for those that keep a record of who beats whom.
    """

    seats: Mapping[Role, Agent]
    learning: frozenset[Role]
    owner: Mapping[Role, str] = field(default_factory=dict)
    against: str = ""


Weighted = Mapping[Role, Sequence[tuple[float, Agent]]]
"""For each role, agents with their weights: the role's player draws one of them for each game."""


class Opponents:
    """Decides who sits where. Subclass it and write ``seat``; the rest is for those that remember.

    A step calls ``begin`` once, ``seat`` once for every game, ``record`` once for every game that
    was played, in order, and ``updated`` when the learner has been updated. Where playing runs
    ahead of learning, later steps are seated before an earlier one is recorded.
    """

    def within(self) -> list["Opponents"]:
        """These, and all that they are made of."""
        return [self]

    def begin(self) -> None:
        """The games of a step are about to be seated."""

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        """The seats of one game. ``own``: the learning agent of each role, as it is now."""
        raise NotImplementedError

    def record(self, seating: Seating, episode: Episode) -> None:
        """A game was played."""

    def updated(self, step: int) -> None:
        """``step`` updates are done: the moment for a snapshot of the learner."""

    def forget(self) -> None:
        """Empty the memories of engines: a step is about to begin."""

    def metrics(self) -> dict[str, float]:
        """What to log after a step."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """All that shapes later seatings: it is part of the checkpoint."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state_dict``."""


@runtime_checkable
class HasMixture(Protocol):
    """Opponents whose result is a mixture of policies: an average, a Nash mixture."""

    def mixture(self, game: Game) -> Weighted:
        """The mixture for a game, as it is now; empty where there is none yet."""
        ...

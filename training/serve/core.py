"""What the parts of the page speak of: what was chosen, what was answered, how fast it goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.envs.core import Action, Observation, Role

YOU = "you"
"""The name of the person in a seat."""

Chances = dict[str, float] | None
"""How likely an agent was to give each legal answer, where it can say."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What was chosen and drawn; with the answers, enough to play the game again.

    ``seats``: role to agent, ``YOU`` in the person's seat. ``person``: that seat, if any.
    """

    game: str
    seats: Mapping[Role, str]
    person: Role | None
    seed: int
    luck: int


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer, and how likely the agent was to give each of the listed ones."""

    seen: Observation
    action: Action
    chances: Chances
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """How many messages of its view each role had, and what was then answered."""

    seen: Mapping[Role, int]
    answers: tuple[Heard, ...]


@dataclass
class Pace:
    """How fast a game without a person goes on: a move every ``delay`` s, or one at a time."""

    running: bool = True
    delay: float = 1.0
    allowed: int = 0  # moments that may be played even while it is paused
    last: float = 0.0  # when the last one was, in the clock of time.monotonic


class Refused(Exception):
    """What a page asked of a game cannot be done now; the text says why."""

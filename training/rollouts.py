"""Where the games of a step are played: the seam between the loop and what it runs on.

A step's games are *planned* from (seed, step) and what the opponents remember, and nothing else; so
whoever has that much plays the same games, in this process or in another.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sparring.agents.play import Match, play_all
from sparring.envs.core import Episode
from sparring.training.branching import Branching
from sparring.training.collector import paused
from sparring.training.core import Metrics
from sparring.training.opponents.core import Seating

if TYPE_CHECKING:
    from sparring.training.selfplay import SelfPlay


@dataclass(frozen=True, slots=True)
class Planned:
    """One game of a step, before it is played."""

    match: Match
    seating: Seating


@dataclass(frozen=True, slots=True)
class Played:
    """A game of a step, and those that branch off it.

    ``version``: of the policy that played it, in updates.
    """

    seating: Seating
    episodes: Sequence[Episode]
    version: int


class Rollouts(Protocol):
    """Plays the games of a loop's steps."""

    def play(self, loop: "SelfPlay") -> list[Played]:
        """The games of the step that the loop is at, in the order of ``loop.plan``."""
        ...

    def updated(self, loop: "SelfPlay") -> None:
        """The loop has learned from a step, and is at the next one."""

    def metrics(self) -> Metrics:
        """What to log of the last step."""
        ...


class InProcess(Rollouts):
    """Plays with the very players that learn, when it is asked to.

    ``pieces``: all games of a step at once, or in so many pieces one after the other, as workers
    play them. What is played together decides the last digits of the log-probabilities, which
    training amplifies; so the same pieces give the same run, bit for bit.
    """

    def __init__(self, pieces: int = 1):
        self.pieces = pieces

    def play(self, loop: "SelfPlay") -> list[Played]:
        planned = loop.plan(loop.step)
        found: list[list[Episode]] = [[] for _ in planned]
        for part in range(self.pieces):
            loop.forget()  # each begins as if it were the only one
            own = planned[part :: self.pieces]
            found[part :: self.pieces] = play_out(own, loop.branching, loop.retries)
        return [Played(p.seating, some, loop.step) for p, some in zip(planned, found, strict=True)]

    def updated(self, loop: "SelfPlay") -> None:
        """The players are the same."""

    def metrics(self) -> Metrics:
        return {}


def play_out(
    planned: Sequence[Planned], branching: Branching | None, retries: int
) -> list[list[Episode]]:
    """Play these games all at once: of each its episode, then those that branch off it."""
    found = [[episode] for episode in _play([p.match for p in planned], retries)]
    if branching is None:
        return found
    teeth = []
    for i, p in enumerate(planned):
        luck = random.Random(f"{p.match.luck}/branches")
        teeth += [(i, m) for m in branching(p.match, p.seating, found[i][0], luck)]
    for (i, _), episode in zip(teeth, _play([m for _, m in teeth], retries), strict=True):
        found[i].append(episode)
    return found


def _play(matches: Sequence[Match], retries: int) -> list[Episode]:
    with paused():
        return asyncio.run(play_all(matches, at_once=len(matches) or 1, retries=retries))

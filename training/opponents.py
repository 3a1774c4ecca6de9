"""Who sits where in each game of a batch, and which seats learn."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sparring.agents.core import Agent
from sparring.envs.core import Game, Role


@dataclass(frozen=True, slots=True)
class Seating:
    """An agent for every role; only the seats in ``learning`` make training data."""

    seats: Mapping[Role, Agent]
    learning: frozenset[Role]


Opponents = Callable[[Game, Agent, random.Random], Seating]
"""(game, the learning agent, this game's luck) to a seating."""


def mirror(game: Game, learner: Agent, luck: random.Random) -> Seating:
    """The learner in every seat, all of them learning."""
    return Seating(dict.fromkeys(game.roles, learner), frozenset(game.roles))


def against(opponent: Agent) -> Opponents:
    """The learner in one seat, drawn anew for each game; ``opponent`` in all the others."""

    def seat(game: Game, learner: Agent, luck: random.Random) -> Seating:
        own = luck.choice(game.roles)
        seats = {role: learner if role == own else opponent for role in game.roles}
        return Seating(seats, frozenset({own}))

    return seat

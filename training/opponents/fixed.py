"""One agent of any kind that does not change: scripted, another model, a person."""

import random
from collections.abc import Mapping

from sparring.agents.core import Agent
from sparring.envs.core import Game, Role
from sparring.training.opponents.core import Opponents, Seating


def one_learning_seat(
    game: Game, own: Mapping[Role, Agent], opponent: Agent, luck: random.Random
) -> Seating:
    """The learner in one seat, drawn anew for each game; ``opponent`` in all the others."""
    role = luck.choice(game.roles)
    seats = {r: own[r] if r == role else opponent for r in game.roles}
    return Seating(seats, frozenset({role}))


class Against(Opponents):
    """The learner in one seat, drawn anew for each game; ``opponent`` in all the others."""

    def __init__(self, opponent: Agent):
        self.opponent = opponent

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        return one_learning_seat(game, own, self.opponent, luck)

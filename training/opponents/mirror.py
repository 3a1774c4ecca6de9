"""The current policy in every seat."""

import random
from collections.abc import Mapping

from sparring.agents.core import Agent
from sparring.envs.core import Game, Role
from sparring.training.opponents.core import Opponents, Seating


class Mirror(Opponents):
    """The learner in every seat, all of them learning."""

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        return Seating(dict(own), frozenset(game.roles))

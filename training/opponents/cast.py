"""Some roles played by agents that do not learn: a judge, a user, a guesser."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sparring.agents.core import Agent
from sparring.envs.core import Episode, Game, Role
from sparring.training.opponents.core import Opponents, Seating
from sparring.training.opponents.mirror import Mirror


class Cast(Opponents):
    """``fixed`` agents in their roles, in every game that has them; ``others`` seats the rest."""

    def __init__(self, fixed: Mapping[Role, Agent], others: Opponents | None = None):
        self.fixed = dict(fixed)
        self.others = others or Mirror()

    def within(self) -> list[Opponents]:
        return [self, *self.others.within()]

    def begin(self) -> None:
        self.others.begin()

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        seating = self.others.seat(game, own, luck)
        here = {role: agent for role, agent in self.fixed.items() if role in game.roles}
        seats = {**seating.seats, **here}
        return replace(seating, seats=seats, learning=seating.learning - here.keys())

    def record(self, seating: Seating, episode: Episode) -> None:
        self.others.record(seating, episode)

    def updated(self, step: int) -> None:
        self.others.updated(step)

    def forget(self) -> None:
        self.others.forget()

    def metrics(self) -> dict[str, float]:
        return self.others.metrics()

    def state_dict(self) -> dict[str, Any]:
        return self.others.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.others.load_state_dict(state)

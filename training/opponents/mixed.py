"""Several strategies in one batch: each game is seated by one of them, drawn by weight."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparring.agents.core import Agent
from sparring.agents.random import RandomAgent
from sparring.envs.core import Episode, Game, Role
from sparring.training.opponents.core import Opponents, Seating
from sparring.training.opponents.fixed import Against
from sparring.training.opponents.mirror import Mirror


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn(Seating):
    """A seating, and which of the strategies made it: ``of`` is as that one gave it."""

    drawn: int
    of: Seating


class Mixed(Opponents):
    """``parts`` are (weight, strategy): half mirror games and half against a fixed agent, say."""

    def __init__(self, *parts: tuple[float, Opponents]):
        if not parts or min(weight for weight, _ in parts) <= 0:
            raise ValueError("a mixture of opponents needs at least one, all of positive weight")
        self._weights = [weight for weight, _ in parts]
        self.strategies = tuple(strategy for _, strategy in parts)

    def within(self) -> list[Opponents]:
        return [self, *(one for strategy in self.strategies for one in strategy.within())]

    def begin(self) -> None:
        for strategy in self.strategies:
            strategy.begin()

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        (drawn,) = luck.choices(self.strategies, self._weights)
        of = drawn.seat(game, own, luck)
        number = self.strategies.index(drawn)
        return _Drawn(of.seats, of.learning, of.owner, of.against, drawn=number, of=of)

    def record(self, seating: Seating, episode: Episode) -> None:
        assert isinstance(seating, _Drawn)
        self.strategies[seating.drawn].record(seating.of, episode)

    def updated(self, step: int) -> None:
        for strategy in self.strategies:
            strategy.updated(step)

    def forget(self) -> None:
        for strategy in self.strategies:
            strategy.forget()

    def metrics(self) -> dict[str, float]:
        return {name: x for strategy in self.strategies for name, x in strategy.metrics().items()}

    def state_dict(self) -> dict[str, Any]:
        return {"strategies": [strategy.state_dict() for strategy in self.strategies]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for strategy, saved in zip(self.strategies, state["strategies"], strict=True):
            strategy.load_state_dict(saved)


def with_random(share: float) -> Mixed:
    """Mirror games, and in a ``share`` of the games, from 0 to 1, one seat against random play."""
    parts: list[tuple[float, Opponents]] = [(1 - share, Mirror()), (share, Against(RandomAgent()))]
    return Mixed(*(part for part in parts if part[0]))

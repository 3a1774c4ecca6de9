"""A game that can be followed while it is played."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sparring.envs.core import Declaration, Game, Observation, Payoffs, Role, State


class Live:
    """A game that tells of every position as it comes, before the next answer is asked for."""

    def __init__(self, game: Game, *tell: Callable[[State], None]):
        self.game = game
        self.tell = tell

    @property
    def name(self) -> str:
        return self.game.name

    @property
    def roles(self) -> tuple[Role, ...]:
        return self.game.roles

    @property
    def declares(self) -> Declaration:
        return self.game.declares

    def rules(self, role: Role) -> str:
        return self.game.rules(role)

    def start(self, seed: int) -> "LiveState":
        return self._told(self.game.start(seed))

    def _told(self, state: State) -> "LiveState":
        for tell in self.tell:
            tell(state)
        return LiveState(self, state)


@dataclass(frozen=True)
class LiveState:
    """A position of a live game; what a state may have besides comes from the game's own."""

    live: Live
    inner: State

    @property
    def to_act(self) -> tuple[Role, ...]:
        return self.inner.to_act

    @property
    def payoffs(self) -> Payoffs:
        return self.inner.payoffs

    def observe(self, role: Role) -> Observation:
        return self.inner.observe(role)

    def step(self, answers: Mapping[Role, str]) -> "LiveState":
        return self.live._told(self.inner.step(answers))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

"""What all have in common that draw their opponents from a pool.

A past self is an engine of its own, and an engine's cost is mostly by call, not by game. So where
more members than ``at_once`` could come up, only so many are drawn for a step, and its games are
dealt among them. They are drawn by systematic sampling: with p the cumulated weights and u uniform
in [0, 1), member i as often as (u + k)/at_once, k = 0, 1, ..., falls in its part of [0, 1). So each
game still meets member i with probability weight_i: the expected gradient is that of drawing anew
for every game; only games of one step are alike more often.
"""

import random
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from sparring.agents.core import Agent
from sparring.envs.core import BadInput, Episode, Game, Role
from sparring.envs.specs import describe
from sparring.training.opponents.core import Opponents, Seating, Weighted
from sparring.training.opponents.past_self import own_engine
from sparring.training.opponents.pool import Pool

LEARNER = "learner"  # in the records of a pool with one learner
CURRENT = ""  # stands for the current policy among the members


class Pooled(Opponents):
    """The learner in one seat, drawn anew for each game; a member of the pool in all the others.

    Subclass it and write ``weights``. The policy at the start of the run is the first past self.

    Args:
        pool: its members; this fills it.
        every: updates between two snapshots of the learner.
        mirror: the probability of a game of the current policy against itself, all seats learning.
        at_once: at most so many members are met in one step, for each seat of the learner.

    Raises:
        BadInput: a number is out of its range, or a player's engine can have no past selves.
    """

    def __init__(self, pool: Pool, *, every: int, mirror: float = 0.0, at_once: int = 4):
        if every < 1 or at_once < 1 or not 0 <= mirror <= 1:
            raise BadInput("every and at_once are at least 1, and mirror is in [0, 1]")
        for player in pool.players.values():
            own_engine(player)
        self.pool = pool
        self.every = every
        self.mirror = mirror
        self.at_once = at_once
        self._point: float | None = None  # u of this step
        self._drawn: dict[tuple[str, Role], list[tuple[str, float]]] = {}

    def weights(self, game: Game, role: Role) -> Mapping[str, float]:
        """The probability of each member, by name, when the learner sits in ``role``; ``CURRENT``
        is the current policy. They count by their ratios; those that are missing have none."""
        raise NotImplementedError

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        if self._point is None:
            self._begin_step(luck)
        if self.mirror and luck.random() < self.mirror:
            return Seating(dict(own), frozenset(game.roles))
        role = luck.choice(game.roles)
        name = self._opponent(game, role, luck)
        if name == CURRENT:
            return Seating(dict(own), frozenset({role}))
        seats = {r: own[r] if r == role else self.pool.seated(name, r) for r in game.roles}
        return Seating(seats, frozenset({role}), against=name)

    def _begin_step(self, luck: random.Random) -> None:
        if not self.pool.past:
            self.pool.add(0)
        self._point = luck.random()

    def _opponent(self, game: Game, role: Role, luck: random.Random) -> str:
        assert self._point is not None
        key = describe(game), role
        if key not in self._drawn:
            some = {name: w for name, w in self.weights(game, role).items() if w > 0}
            self._drawn[key] = drawn(some, self.at_once, self._point)
        names, shares = zip(*self._drawn[key], strict=True)
        name: str = luck.choices(names, shares)[0]
        return name

    def record(self, seating: Seating, episode: Episode) -> None:
        if seating.against in self.pool.members and episode.void is None:
            for role in seating.learning:
                self.pool.records.add(LEARNER, seating.against, episode, role)

    def begin(self) -> None:
        self._point = None
        self._drawn = {}

    def updated(self, step: int) -> None:
        self.pool.records.updated()
        if step % self.every == 0:
            self.snapshot(step)

    def snapshot(self, step: int) -> None:
        """The learner joins the pool."""
        self.pool.add(step)

    def forget(self) -> None:
        self.pool.forget()

    def metrics(self) -> dict[str, float]:
        """The size of the pool, and the least win rate against a member that was met."""
        records, names = self.pool.records, self.pool.members
        rates = [records.win_rate(LEARNER, name) for name in names if records.games(LEARNER, name)]
        found = {"pool/members": float(len(names))}
        return found | ({"pool/win_rate_min": min(rates)} if rates else {})

    def state_dict(self) -> dict[str, Any]:
        return {"pool": self.pool.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.pool.load_state_dict(state["pool"])


def drawn(weights: Mapping[str, float], number: int, point: float) -> list[tuple[str, float]]:
    """(Member, share of the games) for one step: all of them where they are at most ``number``,
    else ``number`` by systematic sampling from ``point`` in [0, 1)."""
    if len(weights) <= number:
        return list(weights.items())
    ends = list(accumulate(weights.values()))
    found: dict[str, float] = {}
    at, names = 0, list(weights)
    for k in range(number):
        while at < len(ends) - 1 and (point + k) / number * ends[-1] >= ends[at]:
            at += 1
        found[names[at]] = found.get(names[at], 0.0) + 1 / number
    return list(found.items())


def equally(pool: Pool, names: list[str], game: Game) -> Weighted:
    """All of ``names`` with the same weight, in every role."""
    return {role: [(1.0, pool.seated(name, role)) for name in names] for role in game.roles}

"""Who plays whom, on which deal, from which seat.

A *pairing* is two agents, or one with itself. On every deal of a pairing the game's *sides* are
split between the two agents, and played again with the agents exchanged (a *duplicate*): luck and
seats help both alike. A side is a role, or a team where the game has teams; with n sides there are
2^(n−1) − 1 ways to split them, and the deals take them in turn. Every pairing of a game plays the
same deals.
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Protocol

import polars as pl

from sparring.agents.core import Agent
from sparring.envs.core import BadInput, Game, Role, Sum
from sparring.envs.referee import Refereed
from sparring.envs.specs import describe

Pairing = tuple[str, str]


@dataclass(frozen=True)
class Contest:
    """One game of a tournament: the agents that are compared in it, by name, and the agents that
    hold a seat in all of its games (a judge)."""

    game: Game
    agents: Mapping[str, Agent]
    fixed: Mapping[Role, Agent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [role for role in self.fixed if role not in self.game.roles]
        if unknown:
            roles = ", ".join(self.game.roles)
            raise BadInput(f"{self.game.name} has no role {unknown[0]!r}; roles: {roles}")
        if len(self.fixed) == len(self.game.roles):
            raise BadInput(f"every seat of {self.game.name} is fixed; leave one to the agents")

    @cached_property
    def spec(self) -> str:
        return describe(self.game)

    @cached_property
    def _has_teams(self) -> bool:
        return bool(Refereed(self.game).start(0).teams)

    def sides(self, seed: int) -> dict[Role, str]:
        """The side of each free seat on the deal of ``seed``."""
        teams = Refereed(self.game).start(seed).teams if self._has_teams else {}
        return {role: teams.get(role, role) for role in self.game.roles if role not in self.fixed}

    def pairings(self) -> list[Pairing]:
        """Each agent with each other, and with itself where that says something: in a game whose
        payoffs add up to a constant, playing oneself is always a draw."""
        adds_up = self.game.declares.sum in (Sum.ZERO, Sum.CONSTANT)
        alone = [] if adds_up else [(name, name) for name in self.agents]
        return [*combinations(self.agents, 2), *alone]


@dataclass(frozen=True, slots=True)
class Fixture:
    """One game to be played: the deal, and the name of the agent in each free seat."""

    contest: Contest
    round: int
    deal: int
    pairing: Pairing
    sides: Mapping[Role, str]
    names: Mapping[Role, str]
    seed: int
    luck: int


def splits(sides: Collection[str]) -> list[frozenset[str]]:
    """Every way to give some sides to one agent and the rest to another, the first side fixed with
    the one; exchanging the two agents gives the others. One side alone: it goes from one to the
    other."""
    first, *rest = sorted(sides)
    if not rest:
        return [frozenset({first})]
    some = [frozenset({first, *more}) for n in range(len(rest)) for more in combinations(rest, n)]
    return sorted(some, key=lambda split: abs(2 * len(split) - len(sides)))  # even splits first


def deal_seed(spec: str, seed: int, deal: int) -> int:
    """The seed of the ``deal``-th deal of a game in the tournament of ``seed``."""
    return _drawn(f"deal/{spec}/{seed}/{deal}")


def _drawn(key: str) -> int:
    return random.Random(key).getrandbits(63)


def fixtures(
    contest: Contest, pairings: Sequence[Pairing], deals: range, *, seed: int, round: int = 0
) -> Iterator[Fixture]:
    """The games of these pairings on these deals: two a deal, one where an agent plays itself.

    Deal after deal, so that a tournament that is stopped has played the same deals for all. The
    luck of a game hangs on who plays it, not on who else is in the tournament.
    """
    for deal in deals:
        dealt = deal_seed(contest.spec, seed, deal)
        sides = contest.sides(dealt)
        options = splits(set(sides.values()))
        split = options[deal % len(options)]
        for one, two in pairings:
            for swap in (False,) if one == two else (False, True):
                names = {r: one if (s in split) != swap else two for r, s in sides.items()}
                luck = _drawn(f"luck/{contest.spec}/{seed}/{deal}/{one}/{two}/{swap}")
                yield Fixture(contest, round, deal, (one, two), sides, names, dealt, luck)


@dataclass(frozen=True, slots=True)
class Batch:
    """Part of a round: these pairings of one game, on these deals."""

    contest: Contest
    pairings: Sequence[Pairing]
    deals: range

    @property
    def games(self) -> int:
        return len(self.deals) * sum(1 if one == two else 2 for one, two in self.pairings)


class Schedule(Protocol):
    """What is played: round after round, each planned from the table of the rounds before it and
    from nothing else, so that a tournament that was stopped goes on as if it had not been."""

    def plan(self, contests: Sequence[Contest], round: int, table: pl.DataFrame) -> Sequence[Batch]:
        """The next round; empty at the end of the tournament."""
        ...


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Everybody with everybody: ``games`` games of each pairing in each game, half as many deals.
    ``pairings``: only these.

    Raises:
        BadInput: ``games`` is not an even number of at least 2.
    """

    games: int
    pairings: Sequence[Pairing] | None = None

    def __post_init__(self) -> None:
        check_games(self.games)

    def plan(self, contests: Sequence[Contest], round: int, table: pl.DataFrame) -> Sequence[Batch]:
        if round:
            return []
        deals = range(self.games // 2)
        return [Batch(c, self.pairings or c.pairings(), deals) for c in contests]


def check_games(games: int) -> None:
    """Every deal is played twice: raises ``BadInput`` where ``games`` cannot be halved."""
    if games < 2 or games % 2:
        raise BadInput(
            f"games must be an even number of at least 2, both seatings of each deal, not {games}"
        )

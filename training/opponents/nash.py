"""Against the Nash mixture of the pool: double oracle, policy-space response oracles (PSRO).

    pool = {the policy at the start} and the fixed agents
    repeat: U = payoffs of all members against each other             (matrix.py)
            x, y = the equilibrium of U, of greatest entropy          (agents/arena/zero_sum.py)
            for ``every`` updates learn in either seat, the other seat's member drawn from y or x
            the learner joins the pool

(McMahan, Gordon & Blum 2003; Lanctot et al. 2017, arXiv 1711.00832.) With exact best responses the
mixture becomes an equilibrium of the whole game. A role's player draws its member for itself, so
the mixture may be another in each role, and it is the result: ``mixture``.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, Literal

from sparring.agents.arena.zero_sum import Solution, solve
from sparring.agents.core import Agent
from sparring.envs.core import Game, Role
from sparring.envs.specs import describe
from sparring.training.deals import Deals, independent
from sparring.training.opponents.core import Seating, Weighted
from sparring.training.opponents.matrix import Matrix, check_two_sided
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.pooled import Pooled
from sparring.training.opponents.restart import restart

USED = 1e-6  # a weight below it is none


def _independent(game: Game) -> Deals:
    return independent


class Nash(Pooled):
    """Members by their weight in the Nash mixture. A phase has ``every`` updates.

    Args:
        games: played for each cell of the payoff matrix: with n members, 2n + 1 cells for the next.
            ``matrix/games`` counts them all, so that methods can be compared at equal games.
        deals: of a game for these games; ``assembly.deals_of`` balances them.
        begin_from: where the learner goes on after a phase: from where it is, or anew from the
            start of the run.
        seed, retries: of these games.

    A pool with a capacity drops the oldest past self whose weight is 0 in all games. Members with
    weight stay, and so does the start where it is needed; if all do, the pool outgrows its
    capacity, which ``pool/members`` shows. For the rest see ``Pooled``.

    Raises:
        BadInput: a number is out of its range, or a game is no zero-sum game of two.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        every: int,
        games: int = 128,
        deals: Callable[[Game], Deals] = _independent,
        begin_from: Literal["last", "start"] = "last",
        seed: int = 0,
        retries: int = 0,
        mirror: float = 0.0,
        at_once: int = 4,
    ):
        super().__init__(pool, every=every, mirror=mirror, at_once=at_once)
        self.matrix = Matrix(pool, games=games, deals=deals, seed=seed, retries=retries)
        self.begin_from = begin_from
        self.met: dict[str, Game] = {}  # the run's games, as they come
        self._solutions: dict[str, tuple[list[str], Solution]] = {}

    def _solved(self, game: Game) -> tuple[list[str], Solution]:
        """The members' names and the equilibrium of their payoffs."""
        spec = describe(game)
        if spec not in self._solutions:
            names, payoffs = self.matrix.payoffs(game)
            self._solutions[spec] = names, solve(payoffs)
        return self._solutions[spec]

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        if describe(game) not in self.met:
            check_two_sided(game)
            self.met[describe(game)] = game
        return super().seat(game, own, luck)

    def weights(self, game: Game, role: Role) -> Mapping[str, float]:
        """Those of the other role's mixture."""
        names, found = self._solved(game)
        shares = found.columns if role == game.roles[0] else found.rows
        return {n: float(w) for n, w in zip(names, shares, strict=True) if w > USED}

    def mixture(self, game: Game) -> Weighted:
        if not self.pool.past:
            return {}
        first, second = game.roles
        by_role = {first: self.weights(game, second), second: self.weights(game, first)}
        return {
            role: [(weight, self.pool.seated(name, role)) for name, weight in some.items()]
            for role, some in by_role.items()
        }

    def snapshot(self, step: int) -> None:
        keep = {name for game in self.met.values() for name in self._relied_on(game)}
        start = self.pool.past[0]
        if self.begin_from == "start":
            keep.add(start.name)
        _, gone = self.pool.add(step, keep=keep)
        for name in gone:
            self.matrix.drop(name)
        self._solutions = {}
        for game in self.met.values():
            self._solved(game)
        if self.begin_from == "start":
            for name, copy in start.copies.items():
                restart(self.pool.players[name], copy)

    def _relied_on(self, game: Game) -> set[str]:
        return {name for role in game.roles for name in self.weights(game, role)}

    def metrics(self) -> dict[str, float]:
        """Besides those of ``Pooled``: the games of the matrix so far, and of each game the value
        of its mixture to the first role and how many members have weight in it."""
        found = super().metrics() | {"matrix/games": float(self.matrix.played)}
        for spec, game in self.met.items():
            mark = f"/{spec}" if len(self.met) > 1 else ""
            found[f"nash/value{mark}"] = self._solved(game)[1].value
            found[f"nash/support{mark}"] = float(len(self._relied_on(game)))
        return found

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "matrix": self.matrix.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.matrix.load_state_dict(state["matrix"])
        self._solutions = {}

"""The empirical game of a pool: who gets how much against whom, found by playing.

U[i, j] is the mean payoff of the game's first role when member i sits there and member j in the
second. Every pair is played both ways round and every member against itself, ``games`` games a
cell; all cells that are filled together play the same deals, so that cards are no difference
between them. A cell of payoffs with standard deviation s is known to s/√games.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sparring.agents.arena.cells import Floats
from sparring.agents.play import Match, play_all
from sparring.envs.core import BadInput, Episode, Game, Sum
from sparring.envs.specs import describe
from sparring.training.collector import paused
from sparring.training.deals import Deals
from sparring.training.opponents.pool import Pool

Cells = dict[tuple[str, str], float]
"""(Member in the first role, member in the second) to the first role's mean payoff."""


def check_two_sided(game: Game) -> None:
    """Raises ``BadInput`` where a Nash mixture makes no sense: not two roles, or not zero-sum."""
    if len(game.roles) != 2 or game.declares.sum not in (Sum.ZERO, Sum.CONSTANT):
        raise BadInput(
            f"{game.name} is no zero-sum game of two, so it has no Nash mixture to play against; "
            "use UniformPast or PFSP"
        )


class Matrix:
    """The cells of every game, filled as members come.

    ``played``: how many games that took so far.
    """

    def __init__(
        self, pool: Pool, *, games: int, deals: Callable[[Game], Deals], seed: int, retries: int
    ):
        if games < 1:
            raise BadInput(f"a cell of the payoff matrix takes at least 1 game, not {games}")
        self.pool = pool
        self.games = games
        self.deals = deals
        self.seed = seed
        self.retries = retries
        self.cells: dict[str, Cells] = {}
        self.played = 0

    def payoffs(self, game: Game) -> tuple[list[str], Floats]:
        """The members' names and U [n, n]; plays what is missing."""
        cells = self.cells.setdefault(describe(game), {})
        names = list(self.pool.members)
        missing = [(i, j) for i in names for j in names if (i, j) not in cells]
        if missing:
            cells |= self._play(game, missing)
        return names, np.array([[cells[i, j] for j in names] for i in names])

    def _play(self, game: Game, missing: Sequence[tuple[str, str]]) -> Cells:
        check_two_sided(game)
        first, second = game.roles
        luck = random.Random(f"matrix/{self.seed}/{describe(game)}/{missing[-1]}")
        dealt = self.deals(game)(luck, self.games)
        seats = [
            {first: self.pool.seated(i, first), second: self.pool.seated(j, second)}
            for i, j in missing
        ]
        matches = [Match(game, s, deal, luck.getrandbits(63)) for s in seats for deal in dealt]
        with paused():
            episodes = asyncio.run(play_all(matches, at_once=4096, retries=self.retries))
        self.pool.forget()
        self.played += len(episodes)
        found = {}
        for number, cell in enumerate(missing):
            found[cell] = _mean(episodes[number * len(dealt) :][: len(dealt)], first, cell)
        return found

    def drop(self, name: str) -> None:
        """A member has left the pool."""
        for spec, cells in self.cells.items():
            self.cells[spec] = {pair: u for pair, u in cells.items() if name not in pair}

    def state_dict(self) -> dict[str, Any]:
        cells = {
            spec: [[*pair, u] for pair, u in some.items()] for spec, some in self.cells.items()
        }
        return {"cells": cells, "played": self.played}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.played = state["played"]
        self.cells = {
            spec: {(i, j): u for i, j, u in some} for spec, some in state["cells"].items()
        }


def _mean(episodes: Sequence[Episode], role: str, cell: tuple[str, str]) -> float:
    counted = [e.payoffs[role] for e in episodes if e.void is None]
    if not counted:
        raise BadInput(f"every game of {cell[0]} against {cell[1]} was void: {episodes[0].void}")
    return sum(counted) / len(counted)

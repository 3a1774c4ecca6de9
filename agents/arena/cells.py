"""A tournament's table cut into what the statistics count: games that count, and comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import block_diag, csr_matrix

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def counted(games: pl.DataFrame) -> pl.DataFrame:
    """The rows of games that count, in the order of the games.

    Where a game is void, all games of its pairing on that deal are left out: what is left of a
    half-played duplicate has one agent's luck in it.
    """
    a, b = pl.col("agent"), pl.col("opponent")
    rated = games.filter("rated").with_columns(
        pl.when(a < b).then(a).otherwise(b).alias("one"),
        pl.when(a < b).then(b).otherwise(a).alias("two"),
    )
    pairing = ["one", "two", "deal"]
    void = rated.filter(pl.col("end") == "void").select(pairing).unique()
    dropped = rated.join(void, on=pairing, how="semi").select("index").unique()
    kept = games.filter(pl.col("end") != "void").join(dropped, on="index", how="anti")
    return kept.sort("index", "seat")


def matches(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that are rated, without those of an agent against itself."""
    return rows.filter(pl.col("rated") & (pl.col("agent") != pl.col("opponent")))


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Who got more than whom, by deal.

    Cell c compares agent ``cells[c, 0]`` on side ``cells[c, 1]`` with agent ``cells[c, 2]`` on side
    ``cells[c, 3]`` (numbers into ``agents`` and ``sides``); ``won[d, c]`` and ``lost[d, c]`` are
    its wins and losses on deal d, a draw half of each. ``strata``: the number of deals of each
    game, whose rows follow each other.
    """

    agents: tuple[str, ...]
    sides: tuple[str, ...]
    cells: Ints
    won: csr_matrix
    lost: csr_matrix
    strata: tuple[int, ...]

    @property
    def deals(self) -> Ints:
        """How many deals each agent, then each side, was compared on."""
        return (self._seen() > 0).sum(axis=0)  # type: ignore[no-any-return]

    def _seen(self) -> Floats:
        there = (self.won + self.lost > 0).astype(np.float64)
        n, k = len(self.agents), len(self.sides)
        members = np.zeros((len(self.cells), n + k))
        for column, shift in enumerate((0, n, 0, n)):
            members[np.arange(len(self.cells)), self.cells[:, column] + shift] = 1.0
        return np.asarray(there @ members)


def comparisons(rows: pl.DataFrame) -> Comparisons | None:
    """Every pair of seats of different agents on different sides in one game, higher payoff wins.

    Each game counts once: the weights of its pairs add up to 1. ``None`` where no two agents meet
    inside a game.
    """
    seats = rows.select("index", "deal", "agent", "side", "payoff")
    pairs = seats.join(seats.drop("deal"), on="index", maintain_order="left_right").filter(
        (pl.col("agent") < pl.col("agent_right")) & (pl.col("side") != pl.col("side_right"))
    )
    if pairs.is_empty():
        return None
    more, equal = (
        pl.col("payoff") > pl.col("payoff_right"),
        pl.col("payoff") == pl.col("payoff_right"),
    )
    won = more.cast(pl.Float64) + equal.cast(pl.Float64) / 2
    weight = 1 / pl.len().over("index")
    cell = ["agent", "side", "agent_right", "side_right"]
    sums = (
        pairs.select("deal", *cell, (won * weight).alias("won"), ((1 - won) * weight).alias("lost"))
        .group_by("deal", *cell, maintain_order=True)
        .sum()
    )
    agents = sorted({*sums["agent"], *sums["agent_right"]})
    sides = sorted({*sums["side"], *sums["side_right"]})
    found = sums.select(cell).unique(maintain_order=True).sort(cell)
    deals = sums["deal"].unique().sort()
    at = sums.join(found.with_row_index("cell"), on=cell, maintain_order="left")["cell"].to_numpy()
    on = deals.search_sorted(sums["deal"]).to_numpy()
    shape = len(deals), len(found)
    numbered = [
        [names.index(name) for name in found[column]]
        for column, names in zip(cell, (agents, sides, agents, sides), strict=True)
    ]
    return Comparisons(
        agents=tuple(agents),
        sides=tuple(sides),
        cells=np.array(numbered, dtype=np.int64).T,
        won=csr_matrix((sums["won"].to_numpy(), (on, at)), shape),
        lost=csr_matrix((sums["lost"].to_numpy(), (on, at)), shape),
        strata=(len(deals),),
    )


def together(found: Sequence[Comparisons]) -> Comparisons:
    """Several games as one: the same agents, sides of their own, every game with the same weight.

    The weights add up to the number of games (of play) in all, so that pseudo-counts mean the same.
    """
    agents = sorted({name for one in found for name in one.agents})
    totals = [float(one.won.sum() + one.lost.sum()) for one in found]
    share = sum(totals) / len(found)
    cells: list[Ints] = []
    sides: list[str] = []
    for game, one in enumerate(found):
        numbers = np.array([agents.index(name) for name in one.agents], dtype=np.int64)
        moved = one.cells + np.array([0, len(sides), 0, len(sides)])
        moved[:, [0, 2]] = numbers[one.cells[:, [0, 2]]]
        cells.append(moved)
        sides += [f"{game}/{side}" for side in one.sides]
    return Comparisons(
        agents=tuple(agents),
        sides=tuple(sides),
        cells=np.concatenate(cells),
        won=block_diag(
            [one.won * (share / n) for one, n in zip(found, totals, strict=True)], "csr"
        ),
        lost=block_diag(
            [one.lost * (share / n) for one, n in zip(found, totals, strict=True)], "csr"
        ),
        strata=tuple(n for one in found for n in one.strata),
    )

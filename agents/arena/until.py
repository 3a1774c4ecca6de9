"""Playing until the intervals are as narrow as was asked for."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sparring.agents.arena.power import deals_for
from sparring.agents.arena.schedule import Batch, Contest, Pairing, check_games
from sparring.envs.core import BadInput

PILOT = 100  # games of each pairing from which the spread is first guessed
GROWTH = 8  # a round plays at most so many times as many deals as there are: guesses improve


def nobody(line: str) -> None:
    """Told nothing."""


@dataclass(frozen=True, slots=True)
class Until:
    """Everybody with everybody, until the 95 % interval of every pairing's mean payoff is
    x̄ ± ``half_width`` or narrower, or its ``games`` games are played.

    A pilot of each pairing shows the spread; the games that are still needed follow from it, and
    are said to ``tell`` before they are played. Stopping where the interval is narrow, not where it
    is favourable, leaves its coverage intact in the limit (Chow & Robbins 1965).
    """

    half_width: float
    games: int
    tell: Callable[[str], None] = nobody

    def __post_init__(self) -> None:
        check_games(self.games)
        if not (self.half_width > 0 and math.isfinite(self.half_width)):
            raise BadInput(f"until takes a half width above 0, as in ±0.02, not {self.half_width}")

    def plan(self, contests: Sequence[Contest], round: int, table: pl.DataFrame) -> Sequence[Batch]:
        cap = self.games // 2
        if not round:
            return [Batch(c, c.pairings(), range(min(PILOT // 2, cap))) for c in contests]
        batches = []
        for contest in contests:
            paid = table.filter(pl.col("rated") & (pl.col("game") == contest.spec))["payoff"]
            span = float(paid.max() - paid.min())  # type: ignore[operator, arg-type]
            for pairing in contest.pairings():
                deals = _deals(table, contest.spec, pairing)
                need = min(self._needed(deals, span), GROWTH * len(deals), cap)
                if need > len(deals):
                    batches.append(Batch(contest, [pairing], range(len(deals), need)))
        if batches:
            more = sum(batch.games for batch in batches)
            self.tell(f"{more:,} more games until ±{self.half_width:g}, by the spread seen so far")
        return batches

    def _needed(self, deals: np.ndarray, span: float) -> int:
        """How many deals are needed, by the spread of those that count."""
        known = deals[~np.isnan(deals)]
        if len(known) < 2:  # nothing is known of the spread
            return len(deals) + PILOT // 2
        return deals_for(self.half_width, float(known.std(ddof=1)), span)


def _deals(table: pl.DataFrame, spec: str, pairing: Pairing) -> np.ndarray:
    """The first agent's mean payoff on each deal of a pairing, NaN where a game was void."""
    one, two = pairing
    found = (
        table.filter(
            pl.col("rated")
            & (pl.col("game") == spec)
            & (pl.col("agent") == one)
            & (pl.col("opponent") == two)
        )
        .group_by("deal")
        .agg(
            pl.when((pl.col("end") == "void").any())
            .then(math.nan)
            .otherwise(pl.col("payoff").mean())
            .alias("mean")
        )
        .sort("deal")
    )
    return found["mean"].to_numpy()

"""How each agent did on each side, how it answers, and what its games measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sparring.agents.arena.estimates import (
    SHARE,
    UNKNOWN,
    Bounds,
    Estimate,
    Key,
    best_first,
    ratios,
)
from sparring.agents.arena.table import OUTCOME


@dataclass(frozen=True, slots=True)
class Record:
    """One agent on one side (a role or a team): shares of games, and its mean payoff a seat.

    A game is won where the side got more than every other side, lost where another got more, else
    drawn. Where nobody is compared (all are paid alike, or there is one side) the shares are NaN.
    """

    games: int
    win: Estimate
    draw: Estimate
    loss: Estimate
    payoff: Estimate


@dataclass(frozen=True, slots=True)
class Habits:
    """How an agent answers: share of legal answers, share of games forfeited, answers a game, and
    tokens an answer (0 without tokens). Where it holds several seats each is a game of its own."""

    legal: Estimate
    forfeits: Estimate
    answers: Estimate
    tokens: Estimate


def records(rows: pl.DataFrame, bounds: Bounds, *, compared: bool) -> dict[str, dict[str, Record]]:
    """By agent and side, the sides in falling order of what they are paid.

    ``bounds`` of payoffs. ``compared``: whether a game has winners.
    """
    sides = rows.group_by("index", "side", maintain_order=True).agg(
        pl.col("agent", "deal").first(), pl.col("payoff").mean()
    )
    best, second = pl.col("payoff").max(), pl.col("payoff").top_k(2).min()
    against = sides.with_columns(
        # the best of the other sides: the second best for the one that is best
        pl.when(pl.col("payoff") == best).then(second).otherwise(best).over("index").alias("other"),
        (pl.len().over("index") > 1).alias("met"),
        pl.lit(1.0).alias("weight"),
    )
    keys = ["agent", "side"]
    own, other = pl.col("payoff"), pl.col("other")
    met = against.filter("met") if compared else against.clear()
    shares = [
        ratios(met.with_columns(won.cast(pl.Float64).alias("value")), *keys, bounds=SHARE)
        for won in (own > other, own == other, own < other)
    ]
    paid = ratios(rows.with_columns(value=own, weight=pl.lit(1.0)), *keys, bounds=bounds)
    games: dict[Key, int] = {(a, s): n for a, s, n in sides.group_by(*keys).len().iter_rows()}
    worth = sides.group_by("side").agg(pl.col("payoff").mean()).sort("payoff", "side")
    order = list(reversed(worth["side"].to_list()))
    made: dict[str, dict[str, Record]] = {}
    for key in sorted(paid, key=lambda key: (key[0], order.index(key[1]))):
        win, draw, loss = (share.get(key, UNKNOWN) for share in shares)
        made.setdefault(key[0], {})[key[1]] = Record(games[key], win, draw, loss, paid[key])
    return made


def habits(rows: pl.DataFrame) -> dict[str, Habits]:
    """By agent."""

    def mean(value: str, weight: str, bounds: Bounds | None = None) -> Mapping[Key, Estimate]:
        named = rows.with_columns(
            pl.col(value).cast(pl.Float64).alias("value"), pl.col(weight).alias("weight")
        )
        return ratios(named, "agent", bounds=bounds)

    rows = rows.with_columns(pl.lit(1.0).alias("seat"))
    legal = mean("legal", "answers", bounds=SHARE)
    forfeits = mean("forfeited", "seat", bounds=SHARE)
    answers, tokens = mean("answers", "seat"), mean("tokens", "answers")
    return {
        key[0]: Habits(
            legal=legal.get(key, UNKNOWN),
            forfeits=forfeits[key],
            answers=answers[key],
            tokens=tokens.get(key, UNKNOWN),
        )
        for key in answers
    }


def measures(rows: pl.DataFrame) -> dict[str, dict[str, Estimate]]:
    """By the measure's name and agent: its mean over the games in which the agent had any seat.

    A measure that is only ever 0 or 1 ("agreed") is a share.
    """
    made = {}
    for column in rows.columns:
        if not column.startswith(OUTCOME):
            continue
        games = (
            rows.filter(pl.col(column).is_not_nan())  # nor null
            .group_by("index", "agent", maintain_order=True)
            .agg(pl.col("deal").first(), pl.col(column).first().alias("value"))
            .with_columns(pl.lit(1.0).alias("weight"))
        )
        if not games.is_empty():
            shares = bool(games["value"].is_in([0.0, 1.0]).all())
            found = ratios(games, "agent", bounds=SHARE if shares else None)
            made[column.removeprefix(OUTCOME)] = best_first({k[0]: v for k, v in found.items()})
    return made

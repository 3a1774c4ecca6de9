"""All that a tournament's table shows, as one value: what the reports print and draw.

Agents and sides are keyed by name, best first. Means of payoffs are in the game's own unit;
every interval counts deals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sparring.agents.arena import averaging
from sparring.agents.arena.cells import Comparisons, comparisons, counted, matches, together
from sparring.agents.arena.estimates import Bounds, Estimate, best_first, ratios
from sparring.agents.arena.paired import Paired as Paired
from sparring.agents.arena.paired import paired
from sparring.agents.arena.ratings import rate
from sparring.agents.arena.records import Habits as Habits
from sparring.agents.arena.records import Record as Record
from sparring.agents.arena.records import habits, measures, records
from sparring.envs.core import BadInput, Sum

ByAgent = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class GameSummary:
    """One game. ``None`` stands where a statistic does not apply: ratings in a game where all are
    paid alike, Nash averaging and alpha-rank where payoffs do not add up to a constant.

    ``games``: all that were played, ``void`` of them did not count. ``deals``: of those that count.
    ``scores``: mean payoff over all opponents, each with the same weight. ``cross``: of the row's
    agent against the column's, both seatings. ``records``: by agent and side. ``measures``: the
    game's own measures (by their name) of the games that each agent was in. ``ratings``: Elo
    points, mean 0. ``sides``: Elo points that each side is worth, mean 0. ``nash``: maximum-entropy
    Nash averaging, the weight of each agent. ``alpha_rank``: its share of the stationary
    distribution. ``finite``: whether maximum likelihood gave the ratings; else pseudo-counts did
    (an agent or a side won or lost everything).
    """

    game: str
    sum: str
    games: int
    deals: int
    void: int
    scores: ByAgent
    cross: Mapping[str, ByAgent]
    records: Mapping[str, Mapping[str, Record]]
    habits: Mapping[str, Habits]
    measures: Mapping[str, ByAgent]
    paired: tuple[Paired, ...]
    ratings: ByAgent | None
    sides: ByAgent | None
    nash: ByAgent | None
    alpha_rank: ByAgent | None
    finite: bool = True


@dataclass(frozen=True, slots=True)
class Summary:
    """``ratings``: Elo points over all games that have winners, every game with the same weight;
    ``None`` where there is but one game, or none with winners. ``finite``: as in a game."""

    games: Mapping[str, GameSummary]
    ratings: ByAgent | None
    finite: bool = True


def summarise(table: pl.DataFrame, sums: Mapping[str, str], *, seed: int = 0) -> Summary:
    """Every statistic of a tournament's table (``table.py``).

    ``sums``: of each game, how its payoffs add up (``Sum``). ``seed`` fixes the bootstrap. Only
    rated seats are counted, and games of an agent against itself only in ``cross`` and
    ``measures``; measures count every seat.

    Raises:
        BadInput: no game counts: all were void.
    """
    names = table["game"].unique(maintain_order=True).to_list()
    played = {name: table.filter(pl.col("game") == name) for name in names}
    rows = {name: counted(games) for name, games in played.items()}
    if all(found.is_empty() for found in rows.values()):
        void = table.filter(pl.col("end") == "void")
        left = table["index"].n_unique() - (lost := void["index"].n_unique())
        beside = f", and the other {left} were on the same deals" if left else ""
        raise BadInput(f"nothing to count: {lost} games were void ({void['why'][0]}){beside}")
    compared = {
        name: None if sums[name] == Sum.COOPERATIVE else comparisons(matches(found))
        for name, found in rows.items()
    }
    made = {
        name: _game(played[name], rows[name], sums[name], compared[name], [seed, at])
        for at, name in enumerate(names)
    }
    rated = [found for found in compared.values() if found is not None]
    if len(rated) < 2:
        return Summary(made, None)
    overall = rate(together(rated), np.random.default_rng([seed, len(names)]))
    return Summary(made, overall.agents, overall.finite)


def _game(
    played: pl.DataFrame,
    rows: pl.DataFrame,
    sum: str,
    compared: Comparisons | None,
    seed: Sequence[int],
) -> GameSummary:
    """One game: of all ``played`` rows, ``rows`` count."""
    met = matches(rows)
    bounds = _bounds(met)
    scores = _scores(met, bounds)
    order = list(scores)
    ratings = None if compared is None else rate(compared, np.random.default_rng(seed))
    recorded = records(met, bounds, compared=sum != Sum.COOPERATIVE)
    answering = habits(met)
    nash, alpha_rank = None, None
    adds_up = sum in (Sum.ZERO, Sum.CONSTANT) and compared is not None
    if adds_up and (against := averaging.payoffs(met, order)) is not None:
        nash = averaging.nash_weights(against, np.random.default_rng([*seed, 1]))
        alpha_rank = averaging.alpha_shares(against, np.random.default_rng([*seed, 2]))
    return GameSummary(
        game=str(played["game"][0]),
        sum=str(sum),
        games=played["index"].n_unique(),
        deals=rows["deal"].n_unique(),
        void=played.filter(pl.col("end") == "void")["index"].n_unique(),
        scores=scores,
        cross=_cross(rows.filter("rated"), order),
        records={name: recorded[name] for name in order},
        habits={name: answering[name] for name in order},
        measures=measures(rows),
        paired=paired(met, order),
        ratings=None if ratings is None else ratings.agents,
        sides=None if ratings is None else ratings.sides,
        nash=nash,
        alpha_rank=alpha_rank,
        finite=ratings is None or ratings.finite,
    )


def _bounds(rows: pl.DataFrame) -> Bounds:
    """The least and the greatest payoff that was seen."""
    least, most = rows["payoff"].min(), rows["payoff"].max()
    return (least, most) if isinstance(least, float) and isinstance(most, float) else (0.0, 0.0)


def _scores(rows: pl.DataFrame, bounds: Bounds) -> dict[str, Estimate]:
    """Each agent's mean payoff, every opponent with the same weight however often they met."""
    weight = pl.len().over("agent") / pl.len().over("agent", "opponent")
    weighed = rows.with_columns(value=pl.col("payoff") * weight, weight=weight)
    found = ratios(weighed, "agent", bounds=bounds)
    return best_first({key[0]: score for key, score in found.items()})


def _cross(rows: pl.DataFrame, order: Sequence[str]) -> dict[str, dict[str, Estimate]]:
    """Mean payoffs by agent and opponent, the agents in ``order``, those that only met themselves
    last."""
    paid = rows.with_columns(value=pl.col("payoff"), weight=pl.lit(1.0))
    own = pl.col("agent") == pl.col("opponent")
    found = {
        key: e
        for part in (paid.filter(~own), paid.filter(own))
        for key, e in ratios(part, "agent", "opponent", bounds=_bounds(part)).items()
    }
    names = [*order, *sorted({key[0] for key in found} - set(order))]
    return {one: {two: found[one, two] for two in names if (one, two) in found} for one in names}

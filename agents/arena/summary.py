"""All that a tournament's table shows, as one value: what the reports print and draw.

Agents and sides are keyed by name, best first. Means of payoffs are in the game's own unit;
every interval counts deals.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sparring.agents.arena.estimates import Estimate

ByAgent = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Record:
    """One agent on one side (a role or a team): shares of games, and its mean payoff."""

    games: int
    win: Estimate
    draw: Estimate
    loss: Estimate
    payoff: Estimate


@dataclass(frozen=True, slots=True)
class Habits:
    """How an agent answers: share of legal answers, share of games forfeited, answers a game, and
    tokens an answer (0 without tokens)."""

    legal: Estimate
    forfeits: Estimate
    answers: Estimate
    tokens: Estimate


@dataclass(frozen=True, slots=True)
class Paired:
    """Two agents on the same deals against the same third agents: the mean difference of their
    payoffs (``one`` − ``two``), and the two-sided p-value of 0, Holm-adjusted over all pairs."""

    one: str
    two: str
    difference: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class GameSummary:
    """One game. ``None`` stands where a statistic does not apply: ratings in a game where all are
    paid alike, Nash averaging and alpha-rank where payoffs do not add up to a constant.

    ``scores``: mean payoff over all opponents. ``cross``: of the row's agent against the column's,
    both seatings. ``records``: by agent and side. ``measures``: the game's own measures (by their
    name) of the games that each agent was in. ``ratings``: Elo points, mean 0. ``sides``: Elo
    points that each side is worth, mean 0. ``nash``: maximum-entropy Nash averaging, the weight of
    each agent. ``alpha_rank``: its share of the stationary distribution.
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


@dataclass(frozen=True, slots=True)
class Summary:
    """``ratings``: Elo points over all games that have winners, every game with the same weight;
    ``None`` where there is but one game, or none with winners."""

    games: Mapping[str, GameSummary]
    ratings: ByAgent | None


def summarise(table: pl.DataFrame, sums: Mapping[str, str], *, seed: int = 0) -> Summary:
    """Every statistic of a tournament's table (``table.py``).

    ``sums``: of each game, how its payoffs add up (``Sum``). ``seed`` fixes the bootstrap.

    Raises:
        BadInput: no game counts: all were void.
    """
    raise NotImplementedError

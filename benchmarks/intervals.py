"""How often the arena's 95 % intervals hold the truth, in simulated tournaments of known strengths.

    python benchmarks/intervals.py             prints the table
    python benchmarks/intervals.py --check     exits 1 if a goal is missed

Every pair of agents meets twice on every deal, once from each seat; ρ is how much of a game's luck
is its deal's (agents/arena/simulation.py). Of all intervals in all tournaments the table shows the
share that hold the truth: for the mean payoff of each pair, the rating of each agent, the worth of
the seats; then the same where the games are counted, as if no two shared their luck. Goal: 93 to
97 % for payoffs and for ratings, wherever nobody is close to undefeated.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import tyro
from rich.console import Console
from rich.table import Table

from sparring.agents.arena.cells import comparisons, counted, matches
from sparring.agents.arena.estimates import Estimate, ratios
from sparring.agents.arena.ratings import rate
from sparring.agents.arena.simulation import SEATS, Setting, simulate

LOW, HIGH = 0.93, 0.97

THREE, SIX = (100, 0, -100), (150, 90, 30, -30, -90, -150)
PLAIN = [
    Setting(elo, deals, seat, shared)
    for elo in (THREE, SIX)
    for deals in (20, 50, 200)
    for seat, shared in ((0, 0.0), (100, 0.8))
]
HARD = [
    *(
        Setting(elo, deals, 100, 0.8)
        for elo in ((600, 0, 0), (600, 0, 0, 0, 0, 0))
        for deals in (20, 50, 200)
    ),
    Setting((1000, 0, 0), 50, 100, 0.8),
    Setting((50, -50), 5, 100, 0.8),
]
WHAT = ("payoff", "rating", "seat")
Covered = dict[str, list[bool]]


@dataclass(frozen=True)
class Options:
    """Measure coverage."""

    tournaments: int = 1000
    """Simulated tournaments of each setting."""
    contrast: int = 100
    """Of them, those in which the games are counted too (slow)."""
    seed: int = 0
    check: bool = False
    """Exit with 1 if a goal is missed."""


def holds(found: Estimate, truth: float) -> bool:
    return bool(found.low <= truth <= found.high)


def covered(setting: Setting, table: pl.DataFrame, seed: int) -> Iterator[tuple[str, bool]]:
    """Whether each interval of one tournament holds the truth, and what it is of."""
    rows = matches(counted(table))
    paid = rows.with_columns(value=pl.col("payoff"), weight=pl.lit(1.0))
    cross = ratios(paid, "agent", "opponent", bounds=(-1.0, 1.0))
    found = comparisons(rows)
    assert found is not None
    rated = rate(found, np.random.default_rng(seed))
    payoffs, ratings = setting.payoffs(), setting.ratings()
    for i, one in enumerate(setting.agents):
        yield "rating", holds(rated.agents[one], ratings[i])
        for j, two in enumerate(setting.agents[:i]):
            yield "payoff", holds(cross[one, two], payoffs[i, j])
    yield "seat", holds(rated.sides[SEATS[0]], setting.seat / 2)


def measure(setting: Setting, options: Options) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of intervals that hold the truth: counting deals, counting games."""
    deals: Covered = {what: [] for what in WHAT}
    games: Covered = {what: [] for what in WHAT}
    for number in range(options.tournaments):
        table = simulate(setting, np.random.default_rng([options.seed, number]))
        for what, held in covered(setting, table, number):
            deals[what].append(held)
        if number < options.contrast:
            for what, held in covered(setting, table.with_columns(deal=pl.col("index")), number):
                games[what].append(held)
    first, second = (
        {what: float(np.mean(held)) if held else np.nan for what, held in found.items()}
        for found in (deals, games)
    )
    return first, second


def main(options: Options) -> int:
    console = Console()
    out = Table("agents (Elo)", "deals", "seat", "ρ", title="95 % intervals that hold the truth")
    for counting in ("", ", by games"):
        for what in WHAT:
            out.add_column(f"{what}{counting}", justify="right")
    missed = []
    for setting in [*PLAIN, *HARD]:
        deals, games = measure(setting, options)
        name = (
            " ".join(f"{e:g}" for e in setting.elo),
            setting.deals,
            setting.seat,
            setting.shared,
        )
        shares = [f"{100 * found[what]:.1f} %" for found in (deals, games) for what in WHAT]
        out.add_row(*map(str, name), *shares)
        print(*name, *shares, file=sys.stderr, flush=True)
        if setting in PLAIN:
            missed += [
                f"{what} with {name}: {100 * deals[what]:.1f} %"
                for what in ("payoff", "rating")
                if not LOW <= deals[what] <= HIGH
            ]
    console.print(out)
    for line in missed:
        console.print(f"missed: {line}")
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))

"""Fictitious self-play and PSRO against mirror self-play, at the same number of games.

    python benchmarks/psro.py --out runs/psro             plays what is missing, prints
    python benchmarks/psro.py --out runs/psro --check     exits 1 if a goal is missed

The embedded model learns Kuhn and Leduc poker with one and the same update, against its past
selves, against the Nash mixture of a pool (Kuhn only), and against itself. Fictitious self-play is
that over the newer half of the past, with four games in five against the current policy. What comes
out of it and of PSRO is a mixture of policies, and its exact NashConv is measured; of mirror
self-play it is the last policy. The games of PSRO's payoff matrix count, so its runs have fewer
updates. Printed are means over the seeds with the t interval of 95 %, at the end and over the last
quarter of each run. Goals: in both games the mixture of fictitious self-play or of PSRO ends below
mirror self-play.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean

import tyro
from rich.console import Console
from rich.table import Table

from runs import Lines, RunOptions, canvas, draw, interval, tail
from sparring.training.recipes.psro import Config

GAMES = {
    "KuhnPoker-v0": Config(steps=150, games=1024),
    "LeducPoker-v0": Config(
        steps=80, games=1024, imitation_games=64, evaluate_every=5, show_legal=False
    ),
}
METHODS = {
    # name: (options of the recipe, what comes out)
    "mirror self-play": ({"against": "mirror"}, "nash_conv"),
    "fictitious self-play": (
        {"against": "past", "every": 2, "since": 0.5, "mirror": 0.8},
        "nash_conv_average",
    ),
    "PSRO": ({"against": "nash", "every": 10}, "nash_conv_average"),
}
WITHOUT = {("LeducPoker-v0", "PSRO")}
"""In so few games its pool would have seven members, each after ten updates."""
SHOWN = "shown"


@dataclass(frozen=True)
class Options(RunOptions):
    """Play, tabulate and draw the comparison."""

    check: bool = False
    """Exit with 1 if a goal is missed."""


def games_played(config: Config, lines: Lines) -> float:
    """Of self-play and for the payoff matrix."""
    return config.games * lines[-1]["step"] + lines[-1].get("matrix/games", 0.0)


def config_of(game: str, method: str) -> Config:
    """PSRO has as many updates as leave room for its payoff matrix: n² cells for n members."""
    options, _ = METHODS[method]
    config = replace(GAMES[game], game=game, **options)
    if config.against != "nash":
        return config
    budget = config.steps * config.games

    def fits(steps: int) -> bool:
        members = 1 + steps // config.every
        return steps * config.games + members**2 * config.matrix_games <= budget

    return replace(config, steps=max(s for s in range(1, config.steps) if fits(s)))


def picture_of(results: Mapping[str, Mapping[str, Sequence[Lines]]], picture: Path) -> None:
    """One game a column; each method by what comes out of it."""
    with canvas(picture, 1, len(results), size=(11, 4)) as grid:
        for axes, (game, methods) in zip(grid[0], results.items(), strict=True):
            shown = {
                name: [_renamed(run, METHODS[name][1]) for run in runs]
                for name, runs in methods.items()
            }
            draw(axes, shown, SHOWN, ylabel="NashConv", title=game)
        grid[0][0].legend(frameon=False, fontsize=8)


def _renamed(lines: Lines, metric: str) -> Lines:
    """What a method is measured by, under one name for all methods."""
    return [{**line, SHOWN: line[metric]} for line in lines if metric in line]


def main() -> int:
    options = tyro.cli(Options)
    table = Table(title=f"NashConv, seeds {options.seeds}")
    for column in ("game", "method", "at the end", "last quarter", "games"):
        table.add_column(column)
    results: dict[str, dict[str, list[Lines]]] = {}
    ends: dict[str, dict[str, float]] = {}
    for game, (name, (_, metric)) in product(GAMES, METHODS.items()):
        if (game, name) in WITHOUT:
            continue
        config = config_of(game, name)
        runs = options.played("psro", config, f"{game}-{config.against}")
        results.setdefault(game, {})[name] = runs
        last = [tail(run, metric, 1) for run in runs]
        ends.setdefault(game, {})[name] = mean(last)
        quarter = [tail(run, metric, config.steps // 4) for run in runs]
        number = f"{games_played(config, runs[0]):,.0f}"
        table.add_row(game, name, interval(last), interval(quarter), number)
    Console(width=120).print(table)
    if options.picture:
        picture_of(results, options.picture)
    missed = any(
        min(end for name, end in found.items() if name != "mirror self-play")
        >= found["mirror self-play"]
        for found in ends.values()
    )
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Self-play with and without role-conditioned advantages, in games with uneven seats.

    python benchmarks/rae_ablation.py --out runs/rae                plays what is missing, prints
    python benchmarks/rae_ablation.py --out runs/rae --picture rae.png

One embedded model learns three small games at once, whose seats are worth different amounts under
perfect play: Liar's Dice with two-sided dice (+1/2 for the first seat), Nim of piles 1, 2 and 3
(−1) and Kuhn poker (−1/18). With a baseline for each (game, role), and with none: one for both
roles of a zero-sum game would be zero too, but for noise. Under two updates: PPO's clip alone, as
in SPIRAL, and the proximal update of the kuhn recipe. All games are against itself. Prints NashConv
of the last policy and the mean over the last fifty updates, as mean over the seeds with the t
interval of 95 %. There is no goal: it says what it finds.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from runs import Lines, RunOptions, canvas, draw, interval, tail
from sparring.training.recipes.spiral import PPO, Config
from sparring.training.update import UpdateConfig

GAMES = ("LiarsDice-v0(sides=2)", "Nim-v0(piles=(1,2,3))", "KuhnPoker-v0")
BASE = Config(
    mix=GAMES,
    steps=100,
    games=192,
    imitation_steps=100,
    imitation_games=96,
    against_random=0.0,
)
UPDATES = {"PPO clip": PPO, "proximal": UpdateConfig()}
ADVANTAGES = {"rae": "(game, role)", "none": "none"}
TAIL = 50  # updates


@dataclass(frozen=True)
class Options(RunOptions):
    """Play, tabulate and draw the ablation."""


def measured(results: Mapping[str, Mapping[str, Sequence[Lines]]]) -> list[str]:
    """The metrics of NashConv, one a game."""
    last = results["PPO clip"]["(game, role)"][0][-1]
    return [metric for metric in last if metric.startswith("nash_conv/")]


def picture_of(results: Mapping[str, Mapping[str, Sequence[Lines]]], picture: Path) -> None:
    """One row an update, one column a game."""
    games = measured(results)
    with canvas(picture, 2, len(games), size=(11, 6), sharex=True) as grid:
        for axes_row, (update, runs) in zip(grid, results.items(), strict=True):
            for axes, metric in zip(axes_row, games, strict=True):
                title = f"{metric.partition('/')[2]}, {update}"
                draw(axes, runs, metric, ylabel="NashConv", title=title)
        grid[0][0].legend(frameon=False, fontsize=8)


def main() -> int:
    options = tyro.cli(Options)
    results: dict[str, dict[str, list[Lines]]] = {}
    for update, settings in UPDATES.items():
        for advantage, shown in ADVANTAGES.items():
            config = replace(BASE, update=settings, advantage=advantage)
            name = f"{update.replace(' ', '-')}-{advantage}"
            results.setdefault(update, {})[shown] = options.played("spiral", config, name)
    games = measured(results)
    table = Table(title=f"NashConv after {BASE.steps} updates: last policy | last {TAIL} updates")
    for column in ("update", "baseline for each", *(m.partition("/")[2] for m in games), "legal"):
        table.add_column(column)
    for update, variants in results.items():
        for shown, runs in variants.items():
            cells = [
                f"{interval([r[-1][m] for r in runs])} | "
                f"{interval([tail(r, m, TAIL) for r in runs])}"
                for m in games
            ]
            legal = interval([r[-1]["legal"] for r in runs])
            table.add_row(update, shown, *cells, legal)
    Console(width=200).print(table)
    if options.picture:
        picture_of(results, options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The collapse of self-play that others document, and what it takes to prevent it.

    python benchmarks/collapse.py --out runs/collapse             plays what is missing, prints
    python benchmarks/collapse.py --out runs/collapse --check     exits 1 if a goal is missed

tinker-cookbook's tic-tac-toe centres the advantages over the two seats of each game and takes one
step of plain policy gradient on every batch; its README tells of a run in which one seat wins
everything after some 80 updates. In a zero-sum game that advantage is the payoff itself: whatever
the better seat says becomes likelier in every game that it wins, and whatever the other says, legal
or not, less likely. Here the embedded model plays TicTacToe with

    seats     that advantage and that update
    RAE       role-conditioned advantages, the same update
    ours      role-conditioned advantages and the proximal update with a magnet

A run has collapsed when one seat has won at least 95 % more games than it lost in ten updates
running. Goals: "seats" collapses in every seed, "ours" in none.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf
from pathlib import Path

import torch
import tyro
from rich.console import Console
from rich.table import Table

from runs import Lines, RunOptions, draw, played
from sparring.training.recipes.spiral import Config
from sparring.training.update import Ramp, UpdateConfig

GAME = "TicTacToe-v0(board=False)"
PLAIN = UpdateConfig(
    inner_steps=1,
    learning_rate=Ramp(1e-3, 1e-3),
    step_size=Ramp(inf, inf),
    magnet=0.0,
)
BASE = Config(
    mix=(GAME,), steps=150, games=192, imitation_steps=300, imitation_games=48, max_tokens=4
)
VARIANTS = {
    "seats": replace(BASE, advantage="seats", update=PLAIN),
    "RAE": replace(BASE, update=PLAIN),
    "ours": replace(BASE, update=UpdateConfig(inner_steps=2, magnet_every=1 << 20)),
}
ONE_SIDED, RUNNING = 0.95, 10
REWARD = "reward/player_0"


@dataclass(frozen=True)
class Options(RunOptions):
    """Play, tabulate and draw the collapse."""

    check: bool = False
    """Exit with 1 if a goal is missed."""


def collapsed(lines: Lines) -> int | None:
    """The first update of the first ten running that are one-sided, if there are any."""
    for one_sided, some in _stretches(lines):
        if one_sided and len(some) >= RUNNING:
            return int(some[0]["step"])
    return None


def _stretches(lines: Lines) -> Iterator[tuple[bool, Lines]]:
    steps = [line for line in lines if REWARD in line]
    for one_sided, some in groupby(steps, key=lambda line: abs(line[REWARD]) >= ONE_SIDED):
        yield one_sided, list(some)


def picture_of(results: dict[str, Sequence[Lines]], picture: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    draw(left, results, REWARD, ylabel="reward of player_0", title="one seat wins everything")
    draw(right, results, "legal", ylabel="share of legal answers", title="legal answers")
    left.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def main() -> int:
    options = tyro.cli(Options)
    torch.set_num_threads(options.threads)
    results = {
        name: [
            played("spiral", replace(config, seed=seed), options.out / f"{name}-{seed}")
            for seed in options.seeds
        ]
        for name, config in VARIANTS.items()
    }
    table = Table(title=f"{GAME}, {BASE.steps} updates, seeds {options.seeds}")
    for column in ("variant", "collapsed at update", "last reward of player_0", "last legal"):
        table.add_column(column)
    found = {name: [collapsed(lines) for lines in runs] for name, runs in results.items()}
    for name, runs in results.items():
        when = " ".join("–" if step is None else str(step) for step in found[name])
        rewards = " ".join(f"{lines[-1][REWARD]:+.2f}" for lines in runs)
        table.add_row(name, when, rewards, " ".join(f"{lines[-1]['legal']:.2f}" for lines in runs))
    Console(width=120).print(table)
    if options.picture:
        picture_of(results, options.picture)
    missed = None in found["seats"] or found["ours"] != [None] * len(options.seeds)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

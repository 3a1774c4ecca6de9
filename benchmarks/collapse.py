"""The collapse of self-play that others document, and what it takes to prevent it.

    python benchmarks/collapse.py --out runs/collapse             plays what is missing, prints
    python benchmarks/collapse.py --out runs/collapse --check     exits 1 if a goal is missed

tinker-cookbook's tic-tac-toe centres the advantages over the two seats of each game and takes one
step of plain policy gradient on every batch. Its runs are reported to end with one seat winning
everything after some 80 updates, to swing back, and to settle in a way of playing that is worse
than the model before training. In a zero-sum game that advantage is the payoff itself: whatever the
winning seat says becomes likelier, and whatever the other says, legal or not, less likely.

Here the embedded model plays TicTacToe, all games against itself, with

    theirs              that advantage and that update
    role-conditioned    role-conditioned advantages, the same update
    ours                role-conditioned advantages, and the proximal update with a magnet that the
                        tictactoe recipe has

A run has collapsed when for ten updates running its games have nothing left to teach: one seat wins
at least 95 % more games than it loses, or the answers no longer vary (less than 0.02 nats). Goals:
"theirs" collapses in every seed, "ours" in none. "after" are games of the last policy against
random legal play, half in each seat: its mean payoff with the interval of 95 %.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import inf
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from runs import Lines, RunOptions, canvas, draw
from sparring.agents.arena.estimates import Estimate
from sparring.agents.arena.match import match
from sparring.agents.random import RandomAgent
from sparring.agents.registry import agent
from sparring.envs.registry import game
from sparring.training.recipes.spiral import Config
from sparring.training.recipes.tictactoe import UPDATE
from sparring.training.update import Ramp, UpdateConfig

GAME = "TicTacToe-v0(board=False)"
BASE = Config(
    mix=(GAME,),
    steps=150,
    games=96,
    imitation_steps=120,
    imitation_games=48,
    max_tokens=4,
    against_random=0.0,
)
PLAIN = UpdateConfig(
    inner_steps=1,
    learning_rate=Ramp(1e-3, 1e-3),
    step_size=Ramp(inf, inf),
    magnet=0.0,
)
VARIANTS = {
    "theirs": replace(BASE, advantage="seats", update=PLAIN),
    "role-conditioned": replace(BASE, advantage="rae", update=PLAIN),
    "ours": replace(BASE, advantage="rae", update=UPDATE),
}
ONE_SIDED, SETTLED, RUNNING = 0.95, 0.02, 10
REWARD = "reward/player_0"


@dataclass(frozen=True)
class Options(RunOptions):
    """Play, tabulate and draw the collapse."""

    against_random: int = 1000
    """Games of each last policy against random legal play."""
    check: bool = False
    """Exit with 1 if a goal is missed."""


def taught_nothing(line: dict[str, Any]) -> bool:
    """Whether one seat won nearly all games of this update, or they were nearly all the same."""
    return abs(line[REWARD]) >= ONE_SIDED or line["entropy"] < SETTLED


def collapsed(lines: Lines) -> int | None:
    """The first update of the first ten running that taught nothing, if there are any."""
    steps = [line for line in lines if REWARD in line]
    for nothing, stretch in groupby(steps, key=taught_nothing):
        some = list(stretch)
        if nothing and len(some) >= RUNNING:
            return int(some[0]["step"])
    return None


def swings(lines: Lines) -> int:
    """How often all games going to one seat turned into all games going to the other."""
    sides = [line[REWARD] > 0 for line in lines if abs(line.get(REWARD, 0)) >= ONE_SIDED]
    return sum(a != b for a, b in pairwise(sides))


def against_random(run: Path, games: int) -> Estimate:
    """The mean payoff of a run's last policy, from both seats."""
    last = agent(f"run:{run}", GAME)
    return asyncio.run(match(game(GAME), last, RandomAgent(), games=games)).payoff


def picture_of(results: Mapping[str, Sequence[Lines]], picture: Path) -> None:
    shared = {"sharex": True, "sharey": "row"}
    with canvas(picture, 2, len(results), size=(13, 5), **shared) as grid:
        for column, (name, runs) in zip(grid.T, results.items(), strict=True):
            draw(column[0], {name: runs}, REWARD, ylabel="reward of player_0", title=name)
            draw(column[1], {name: runs}, "entropy", ylabel="entropy, nats")
        for axes in grid.flat:
            axes.label_outer()


def main() -> int:
    options = tyro.cli(Options)
    table = Table(title=f"{GAME}, {BASE.steps} updates, seeds {options.seeds}")
    for column in ("variant", "collapsed at", "swings", "last legal", "after"):
        table.add_column(column)
    found, curves = {}, {}
    for name, config in VARIANTS.items():
        curves[name] = options.played("spiral", config, name)
        found[name] = [collapsed(lines) for lines in curves[name]]
        table.add_row(
            name,
            " ".join("–" if step is None else str(step) for step in found[name]),
            " ".join(str(swings(lines)) for lines in curves[name]),
            " ".join(f"{lines[-1]['legal']:.2f}" for lines in curves[name]),
            "  ".join(
                str(against_random(folder, options.against_random))
                for folder in options.folders(name)
            ),
        )
    Console(width=160).print(table)
    if options.picture:
        picture_of(curves, options.picture)
    missed = None in found["theirs"] or found["ours"] != [None] * len(options.seeds)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

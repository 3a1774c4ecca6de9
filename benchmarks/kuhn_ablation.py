"""The kuhn recipe with each of its parts switched off, over several seeds.

    python benchmarks/kuhn_ablation.py --out runs/ablation            plays what is missing, prints
    python benchmarks/kuhn_ablation.py --out runs/ablation --check    exits 1 if the goal is missed

Every run is an ordinary run folder, so a stopped benchmark goes on where it was. The goal: NashConv
of the last policy at most 0.10 and at least 99 % legal answers, for every seed of the recipe as it
is. Prints one table: NashConv of the last policy (uniform play: 0.917), the mean over the last
fifty steps, and the time relative to the recipe as it is.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from runs import Lines, RunOptions, canvas, draw, tail
from sparring.training.recipes.kuhn import Config
from sparring.training.update import Ramp

BASE = Config()
VARIANTS: dict[str, Config] = {
    "the recipe": BASE,
    "RAE off (baseline 0)": replace(BASE, advantage="none"),
    "magnet off": replace(BASE, update=replace(BASE.update, magnet=0.0)),
    "one inner step": replace(BASE, update=replace(BASE.update, inner_steps=1)),
    "proximal term off": replace(BASE, update=replace(BASE.update, step_size=Ramp(inf, inf))),
    "independent deals": replace(BASE, deals="independent"),
}
GOAL = {"nash_conv": 0.10, "legal": 0.99}
TAIL = 50  # steps


@dataclass(frozen=True)
class Options(RunOptions):
    """Play, tabulate and draw the ablation."""

    only: tuple[str, ...] = field(default=tuple(VARIANTS))
    """The variants to run."""
    check: bool = False
    """Exit with 1 if the goal is missed."""


def name_of(variant: str) -> str:
    """Of its folders."""
    return variant.split(" (")[0].replace(" ", "-")


def row(runs: Sequence[Lines]) -> dict[str, list[float]]:
    """One figure a seed."""
    return {
        "last": [lines[-1]["nash_conv"] for lines in runs],
        "tail": [tail(lines, "nash_conv", TAIL) for lines in runs],
        "legal": [lines[-1]["legal"] for lines in runs],
        "seconds": [lines[-1]["seconds"] for lines in runs],
    }


def picture_of(results: dict[str, list[Lines]], picture: Path) -> None:
    """NashConv over time: a thin line a seed, one colour a variant."""
    with canvas(picture, size=(8, 4.5)) as grid:
        axes = grid[0][0]
        draw(axes, results, "nash_conv", yscale="log", ylabel="NashConv", title="Kuhn by self-play")
        axes.axhline(0.1, color="grey", linestyle=":", linewidth=1)
        axes.legend(frameon=False, fontsize=8, ncols=2)


def main() -> int:
    options = tyro.cli(Options)
    results = {v: options.played("kuhn", VARIANTS[v], name_of(v)) for v in options.only}
    rows = {variant: row(runs) for variant, runs in results.items()}
    table = Table(title=f"NashConv after {BASE.steps} updates, seeds {options.seeds}")
    for column in ("variant", "last policy", "mean of last 50", "legal answers", "time"):
        table.add_column(column)
    unit = sum(next(iter(rows.values()))["seconds"])
    for variant, r in rows.items():
        figures = [" ".join(f"{x:.3f}" for x in r[k]) for k in ("last", "tail", "legal")]
        table.add_row(variant, *figures, f"×{sum(r['seconds']) / unit:.2f}")
    Console(width=120).print(table)
    print(json.dumps(rows))
    if options.picture:
        picture_of(results, options.picture)
    base = rows.get("the recipe")
    missed = base and (max(base["last"]) > GOAL["nash_conv"] or min(base["legal"]) < GOAL["legal"])
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

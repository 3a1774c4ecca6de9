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
from typing import Any

import torch
import tyro
from rich.console import Console
from rich.table import Table

from sparring.training.curves import read_metrics
from sparring.training.learner import Ramp
from sparring.training.recipes.kuhn import Config
from sparring.training.run import drive

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
class Options:
    """Play, tabulate and draw the ablation."""

    out: Path
    """Folder of the runs."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One run of every variant for each."""
    only: tuple[str, ...] = field(default=tuple(VARIANTS))
    """The variants to run."""
    picture: Path | None = None
    """Where to draw the curves."""
    threads: int = 1
    """Threads of torch."""
    check: bool = False
    """Exit with 1 if the goal is missed."""


def run(variant: str, seed: int, out: Path) -> list[dict[str, Any]]:
    """The metrics of one run, which is played first if it is not there or not finished."""
    name = variant.split(" (")[0].replace(" ", "-")
    folder, config = out / f"{name}-{seed}", replace(VARIANTS[variant], seed=seed)
    metrics = folder / "metrics.jsonl"
    lines = read_metrics(metrics) if metrics.exists() else []
    if not lines or lines[-1]["step"] < config.steps:
        drive("kuhn", config, folder, quiet=True)
        lines = read_metrics(metrics)
    return lines


def row(runs: Sequence[list[dict[str, Any]]]) -> dict[str, list[float]]:
    """One figure a seed."""
    tails = [[r["nash_conv"] for r in lines[-TAIL:] if "nash_conv" in r] for lines in runs]
    return {
        "last": [lines[-1]["nash_conv"] for lines in runs],
        "tail": [sum(tail) / len(tail) for tail in tails],
        "legal": [lines[-1]["legal"] for lines in runs],
        "seconds": [lines[-1]["seconds"] for lines in runs],
    }


def draw(results: dict[str, list[list[dict[str, Any]]]], picture: Path) -> None:
    """NashConv over time: a thin line a seed, one colour a variant."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5))
    for i, (variant, runs) in enumerate(results.items()):
        for n, lines in enumerate(runs):
            points = [(r["step"], r["nash_conv"]) for r in lines if "nash_conv" in r]
            axes.plot(
                *zip(*points, strict=True),
                color=f"C{i}",
                linewidth=2 if i == 0 else 1,
                alpha=0.9 if i == 0 else 0.6,
                label=variant if n == 0 else None,
            )
    axes.axhline(0.1, color="grey", linestyle=":", linewidth=1)
    axes.set(yscale="log", xlabel="update", ylabel="NashConv", title="Kuhn poker by self-play")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    axes.grid(alpha=0.25)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def main() -> int:
    options = tyro.cli(Options)
    torch.set_num_threads(options.threads)
    results = {v: [run(v, seed, options.out) for seed in options.seeds] for v in options.only}
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
        draw(results, options.picture)
    base = rows.get("the recipe")
    missed = base and (max(base["last"]) > GOAL["nash_conv"] or min(base["legal"]) < GOAL["legal"])
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs as the data of a benchmark: played where they are missing, read, drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from scipy.stats import t as student

from sparring.training.config import RunConfig
from sparring.training.curves import read_metrics
from sparring.training.run import drive


@dataclass(frozen=True)
class RunOptions:
    """What every benchmark of runs has."""

    out: Path
    """Folder of the runs."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One run of every variant for each."""
    picture: Path | None = None
    """Where to draw the curves."""
    threads: int = 1
    """Threads of torch."""


Lines = list[dict[str, Any]]
"""The metrics of a run, a step each."""


def played(recipe: str, config: RunConfig, folder: Path) -> Lines:
    """The metrics of one run, which is played first if it is not there or not finished."""
    metrics = folder / "metrics.jsonl"
    lines = read_metrics(metrics) if metrics.exists() else []
    if not lines or lines[-1]["step"] < config.steps:
        drive(recipe, config, folder, quiet=True)
        lines = read_metrics(metrics)
    return lines


def tail(lines: Lines, metric: str, steps: int) -> float:
    """The mean of a metric over the last steps of a run that have it."""
    values = [line[metric] for line in lines[-steps:] if metric in line]
    return sum(values) / len(values)


def interval(values: Sequence[float]) -> str:
    """Mean over the seeds with the half-width of its t interval of 95 %."""
    if len(values) < 2:
        return f"{mean(values):.3f}"
    half = student.ppf(0.975, len(values) - 1) * stdev(values) / sqrt(len(values))
    return f"{mean(values):.3f} ± {half:.3f}"


def draw(axes: Any, results: Mapping[str, Sequence[Lines]], metric: str, **settings: Any) -> None:
    """A metric over time: a thin line a run, one colour a variant, the first one stronger."""
    for i, (variant, runs) in enumerate(results.items()):
        for n, lines in enumerate(runs):
            points = [(line["step"], line[metric]) for line in lines if metric in line]
            axes.plot(
                *zip(*points, strict=True),
                color=f"C{i}",
                linewidth=2 if i == 0 else 1,
                alpha=0.9 if i == 0 else 0.6,
                label=variant if n == 0 else None,
            )
    axes.set(xlabel="update", **settings)
    axes.grid(alpha=0.25)

"""Runs as the data of a benchmark: played where they are missing, read, drawn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparring.agents.arena.estimates import estimate
from sparring.training.config import SelfPlayConfig
from sparring.training.curves import read_metrics
from sparring.training.run import drive

Lines = list[dict[str, Any]]
"""The metrics of a run, a step each."""


@dataclass(frozen=True)
class RunOptions:
    """What every benchmark of runs has."""

    out: Path
    """Folder of the runs."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One run of every variant for each."""
    picture: Path | None = None
    """Where to draw the curves."""
    threads: int | None = None
    """Threads of torch; by default as many as a run takes by itself."""

    def folders(self, name: str) -> list[Path]:
        """Of the runs of one variant, a seed each."""
        return [self.out / f"{name}-{seed}" for seed in self.seeds]

    def played(self, recipe: str, config: SelfPlayConfig, name: str) -> list[Lines]:
        """The metrics of the runs of one variant, which are played first if they are missing."""
        configs = [replace(config, seed=seed, threads=self.threads) for seed in self.seeds]
        pairs = zip(configs, self.folders(name), strict=True)
        return [played(recipe, own, folder) for own, folder in pairs]


def played(recipe: str, config: SelfPlayConfig, folder: Path) -> Lines:
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
    found = estimate(values)
    if len(values) < 2:
        return f"{found.mean:.3f}"
    return f"{found.mean:.3f} ± {found.high - found.mean:.3f}"


@contextmanager
def canvas(
    picture: Path, rows: int = 1, columns: int = 1, *, size: tuple[float, float], **shared: Any
) -> Iterator[Any]:
    """Axes to draw on, [rows, columns], which are written to ``picture`` in the end."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, **shared)
    yield grid
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


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

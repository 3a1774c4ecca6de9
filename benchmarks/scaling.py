"""Runs on Ray against runs without: what it costs, what workers and staleness bring.

    python benchmarks/scaling.py --out runs/scaling             plays what is missing, prints
    python benchmarks/scaling.py --out runs/scaling --check     exits 1 if a goal is missed

*Time of a step*: the median over the steps of a run, without the first two, as a ratio to the same
recipe without Ray; *games a second* while games are played, as a ratio to one worker. Goal: with
one worker a step takes at most 1.1 times as long as without.

*Publishing*: weights of models of several sizes go into the object store and from there into a
model in another process. As a ratio to copying as many bytes in memory, which is the limit.

*Staleness*: whole runs of Kuhn poker over several seeds, synchronous, and asynchronous with
truncated importance weights (cap 2) of tokens and of whole games: NashConv with the t interval of
95 %, the share of its time that the learner waits, and the age of the policy that played. Goals:
the age stays within the bound; NashConv with weights of games ends no higher than synchronous, by
the t interval of 95 % of the differences, seed by seed.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import mean, median
from typing import Any

import numpy as np
import ray
import torch
import tyro
from conversations import MODELS
from rich.console import Console
from rich.table import Table

from runs import Lines, RunOptions, canvas, draw, interval, tail
from sparring.agents.arena.estimates import estimate
from sparring.training.cluster.parcels import Receiver, Sender
from sparring.training.config import SelfPlayConfig
from sparring.training.models import lora
from sparring.training.models.options import LoraOptions
from sparring.training.recipes import kuhn, tictactoe
from sparring.training.update import UpdateConfig
from sparring.training.weights import put, trained

OVERHEAD = 1.1
SHORT: Mapping[str, SelfPlayConfig] = {
    "kuhn": kuhn.Config(steps=20, evaluate_every=20),
    "tictactoe": tictactoe.Config(steps=12, evaluate_every=12, games=128),
}
WAYS: Mapping[str, Mapping[str, Any]] = {
    "without Ray": {},
    "1 worker": {"ray": "local", "rollout_workers": 1},
    "2 workers": {"ray": "local", "rollout_workers": 2},
}
STALE: Mapping[str, Mapping[str, Any]] = {
    "synchronous": {},
    "asynchronous, weights of tokens": {
        "staleness": 1,
        "update": UpdateConfig(importance_cap=2.0),
    },
    "asynchronous, weights of games": {
        "staleness": 1,
        "update": UpdateConfig(importance_cap=2.0, importance="game"),
    },
}
RANK = 16


@dataclass(frozen=True)
class Options(RunOptions):
    """Play, measure, tabulate and draw."""

    parts: tuple[str, ...] = ("steps", "publishing", "staleness")
    """Which of them."""
    steps: int = 200
    """Of the runs that are compared for staleness."""
    models: tuple[str, ...] = ("1M", "5M", "20M", "135M")
    """Sizes that are published."""
    check: bool = False
    """Exit with 1 if a goal is missed."""


def step_seconds(lines: Lines) -> float:
    """The median; the first steps wait for processes to start."""
    return median(b["seconds"] - a["seconds"] for a, b in pairwise(lines[2:]))


def steps(options: Options, console: Console) -> list[str]:
    """The first table."""
    table = Table(title="Runs on Ray, ratios")
    for column in ("recipe", "way", "time of a step", "games a second", "learner waits"):
        table.add_column(column)
    missed = []
    for recipe, config in SHORT.items():
        found: dict[str, Lines] = {}
        for way, how in WAYS.items():
            name = f"{recipe}-{way.replace(' ', '-')}"
            own = replace(config, **how)
            (found[way],) = replace(options, seeds=(0,)).played(recipe, own, name)
        base, one = step_seconds(found["without Ray"]), _rate(found["1 worker"])
        for way, lines in found.items():
            ratio = step_seconds(lines) / base
            on_ray = "ray/workers" in lines[-1]
            table.add_row(
                recipe,
                way,
                f"{ratio:.2f}",
                f"{_rate(lines) / one:.2f}" if on_ray else "",
                f"{median(x['ray/learner_idle'] for x in lines[3:]):.0%}" if on_ray else "",
            )
            if way == "1 worker" and ratio > OVERHEAD:
                missed.append(f"{recipe}: {ratio:.2f} of the time without Ray")
    console.print(table)
    return missed


def _rate(lines: Lines) -> float:
    return median(x["games"] / x["ray/play_seconds"] for x in lines[3:])


class Copy:
    """A model in another process, which takes what is published."""

    def __init__(self, make: Callable[[], Any]):
        self.model = make()
        self.receiver = Receiver(ray.get)

    def take(self, parcel: Any) -> float:
        """Its seconds."""
        began = time.perf_counter()
        (copy,) = self.receiver.open(parcel).values()
        put(self.model, copy)
        return time.perf_counter() - began


def publishing(options: Options, console: Console) -> list[str]:
    """The second table."""
    table = Table(title="Publishing weights to one process")
    for column in ("model", "MB", "put (ms)", "fetch and load (ms)", "ratio to a copy"):
        table.add_column(column)
    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    whole = [(name, _made(name, None)) for name in options.models]
    for name, make in [*whole, (f"{options.models[-1]}, LoRA", _made(options.models[-1], RANK))]:
        model = make()
        there: Any = ray.remote(Copy).remote(make)
        sender = Sender(ray.put)
        ray.get(there.take.remote(sender.pack({"learner": _weights(model)})))
        puts, takes = [], []
        for _ in range(5):
            weights = _weights(model)  # a new dict, as after every update
            began = time.perf_counter()
            parcel = sender.pack({"learner": weights})
            puts.append(time.perf_counter() - began)
            takes.append(ray.get(there.take.remote(parcel)))
        size = sum(w.numel() * w.element_size() for w in weights.values())
        ratio = (median(puts) + median(takes)) / _copying(size)
        cells = f"{size / 1e6:.1f}", f"{median(puts) * 1e3:.1f}", f"{median(takes) * 1e3:.1f}"
        table.add_row(name, *cells, f"{ratio:.1f}")
        ray.kill(there)
    ray.shutdown()
    console.print(table)
    return []


def _made(name: str, rank: int | None) -> Callable[[], Any]:
    def make() -> Any:
        torch.manual_seed(0)
        model = MODELS[name]()
        return model if rank is None else lora.with_adapter(model, LoraOptions(rank=rank), 0)

    return make


def _weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: p.detach() for name, p in trained(model).items()}


def _copying(size: int) -> float:
    source = np.ones(size, np.uint8)
    target = np.zeros_like(source)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - began)
    return median(times)


def staleness(options: Options, console: Console) -> list[str]:
    """The third table."""
    table = Table(title=f"Kuhn poker, two workers, {options.steps} steps, seeds {options.seeds}")
    for column in ("run", "NashConv", "last quarter", "learner waits", "age", "oldest"):
        table.add_column(column)
    results: dict[str, list[Lines]] = {}
    missed = []
    for name, how in STALE.items():
        config = kuhn.Config(steps=options.steps, ray="local", rollout_workers=2, **how)
        runs = options.played(
            "kuhn", config, f"stale-{config.staleness}-{config.update.importance}"
        )
        results[name] = runs
        oldest = max(x["ray/staleness_max"] for run in runs for x in run[1:])
        table.add_row(
            name,
            interval([tail(run, "nash_conv", 1) for run in runs]),
            interval([tail(run, "nash_conv", options.steps // 4) for run in runs]),
            f"{mean(median(x['ray/learner_idle'] for x in run[3:]) for run in runs):.0%}",
            f"{mean(mean(x['ray/staleness_mean'] for x in run[1:]) for run in runs):.2f}",
            f"{oldest:.0f}",
        )
        if oldest > config.staleness:
            missed.append(f"{name}: an age of {oldest:.0f}")
    console.print(table)
    missed += _apart(results)
    if options.picture:
        with canvas(options.picture, size=(7, 4)) as grid:
            draw(grid[0][0], results, "nash_conv", ylabel="NashConv")
            grid[0][0].legend(frameon=False)
    return missed


def _apart(results: Mapping[str, Sequence[Lines]]) -> list[str]:
    """Whether the ends differ by more than the interval of their differences, seed by seed."""
    first, *_, second = results.values()
    pairs = zip(first, second, strict=True)
    found = estimate([tail(b, "nash_conv", 1) - tail(a, "nash_conv", 1) for a, b in pairs])
    return [f"NashConv differs by {found.mean:+.3f}"] if found.low > 0 else []


def main() -> int:
    options = tyro.cli(Options)
    console = Console(width=110)
    parts = {"steps": steps, "publishing": publishing, "staleness": staleness}
    missed = [line for name in options.parts for line in parts[name](options, console)]
    for line in missed:
        console.print(f"missed: {line}")
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

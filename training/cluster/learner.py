"""The processes that learn: a run as on one machine, whose games are played by workers.

Their owner looks and stops them from outside: ``events`` says what happened, ``stop`` asks them to
end. In a group rank 0 is the run; the others do the same sums beside it (``accompany``).
"""

import importlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray

from sparring.agents.runs import checkpoints, find_checkpoint
from sparring.training import checkpoint
from sparring.training.cluster.on_ray import OnRay
from sparring.training.config import RunConfig
from sparring.training.core import Metrics
from sparring.training.group import ALONE, joined
from sparring.training.models.memory import Estimate
from sparring.training.recipes import RECIPES
from sparring.training.run import follow
from sparring.training.show import Shows
from sparring.training.tracking.watch import News

Event = tuple[str, tuple[Any, ...]]
"""A method of ``Shows``, or ``begin``, and what it was called with."""


class Learner:
    """Runs a recipe in ``folder``; ``home`` is the working directory of whoever started it."""

    def __init__(self, recipe: str, config: RunConfig, folder: Path, home: str):
        self.recipe, self.config, self.folder, self.home = recipe, config, folder, home
        self._events: list[Event] = []
        self._news = threading.Condition()
        self._stopping = threading.Event()

    def meeting(self) -> tuple[str, int]:
        """Where a group with this rank 0 can meet."""
        with socket.socket() as free:
            free.bind(("", 0))
            address: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
            return address, free.getsockname()[1]

    def run(
        self, workers: list[Any], evaluator: Any, rank: int, size: int, meeting: tuple[str, int]
    ) -> bool:
        """From where the folder stands to the end, as ``training.run.drive``, with the games of
        ``workers`` and what ``evaluator`` measures, as the ``rank``-th of a group."""
        os.chdir(self.home)
        device = "cuda:0" if self.config.resources.learner_gpus else "cpu"
        group = joined(rank, size, *meeting, device=device) if size > 1 else ALONE
        execution = OnRay(
            workers, evaluator, self.config, group, lambda line: self._tell("says", line)
        )
        try:
            if rank:
                return accompany(self.recipe, self.config, self.folder, execution)
            stopping = self._stopping.is_set
            return follow(self.recipe, self.config, self.folder, execution, self._show, stopping)
        finally:
            execution.close()

    def events(self, after: int, seconds: float) -> list[Event]:
        """What happened since ``after`` events, or nothing after so many seconds."""
        with self._news:
            self._news.wait_for(lambda: len(self._events) > after, seconds)
            return self._events[after:]

    def stop(self) -> None:
        """Stop after the step that is going on, as Ctrl-C does."""
        self._stopping.set()

    def _show(self, folder: Path, steps: int) -> Shows:
        self._tell("begin", folder, steps)
        return Relay(self._tell)

    def _tell(self, what: str, *how: Any) -> None:
        with self._news:
            self._events.append((what, how))
            self._news.notify_all()


def accompany(recipe: str, config: RunConfig, folder: Path, execution: OnRay) -> bool:
    """What ``follow`` does where the group has to do it together, and nothing else: the same loop,
    the same saves."""
    newest = find_checkpoint(folder) if checkpoints(folder) else None
    build: Any = importlib.import_module(RECIPES[recipe]).build
    loop = build(execution.options(config), newest).loop
    loop.rollouts = execution
    if newest:
        loop.load_state_dict(checkpoint.load_state(newest))
    execution.begin(loop)
    if newest is None:
        execution.evaluate(loop, {})
        checkpoint.save(folder, loop)
    for _ in loop.run():
        last = execution.agreed(False)
        if last or loop.step % config.save_every == 0:
            checkpoint.save(folder, loop)
        if last:
            break
    return bool(loop.step >= loop.steps)


class Relay(Shows):
    """Passes on what it is told."""

    def __init__(self, tell: Callable[..., None]):
        self._tell = tell

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *fault: object) -> None:
        """There is nothing open."""

    def stage_one(self, metrics: Metrics, total: int) -> None:
        self._tell("stage_one", metrics, total)

    def step(self, metrics: Metrics) -> None:
        self._tell("step", metrics)

    def alarm(self, news: News) -> None:
        self._tell("alarm", news)

    def memory(self, estimate: Estimate) -> None:
        self._tell("memory", estimate)

    def says(self, line: str) -> None:
        self._tell("says", line)

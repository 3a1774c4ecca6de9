"""The process that learns: a run as on one machine, whose games are played by workers.

Its owner looks and stops it from outside: ``events`` says what happened, ``stop`` asks it to end.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import ray

from sparring.training.cluster.on_ray import OnRay
from sparring.training.cluster.replica import Replica
from sparring.training.config import RunConfig
from sparring.training.core import Metrics
from sparring.training.models.memory import Estimate
from sparring.training.run import follow
from sparring.training.show import Shows
from sparring.training.tracking.watch import News

Event = tuple[str, tuple[Any, ...]]
"""A method of ``Shows``, or ``begin``, and what it was called with."""


class Learner:
    """Runs a recipe in ``folder``; ``home`` is the working directory of whoever started it."""

    def __init__(self, home: str):
        os.chdir(home)
        self._events: list[Event] = []
        self._news = threading.Condition()
        self._stopping = threading.Event()

    def run(self, recipe: str, config: RunConfig, folder: Path, workers: list[Any]) -> bool:
        """From where the folder stands to the end, as ``training.run.drive``."""
        kind = ray.remote(Replica).options(num_cpus=1, max_restarts=-1)
        evaluator = kind.remote(recipe, config, str(Path.cwd()), ray.get)
        execution = OnRay(
            workers,
            evaluator,
            pieces=config.rollout_pieces or len(workers),
            staleness=config.staleness,
            resources=config.resources,
            says=lambda line: self._tell("says", line),
        )

        def show(folder: Path, steps: int) -> Shows:
            self._tell("begin", folder, steps)
            return Relay(self._tell)

        try:
            return follow(recipe, config, folder, execution, show, self._stopping.is_set)
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

    def process(self) -> int:
        """The number of this process."""
        return os.getpid()

    def _tell(self, what: str, *how: Any) -> None:
        with self._news:
            self._events.append((what, how))
            self._news.notify_all()


class Relay(Shows):
    """Passes on what it is told."""

    def __init__(self, tell: Callable[..., None]):
        self._tell = tell

    def __enter__(self) -> "Relay":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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

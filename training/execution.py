"""What a run runs on: who plays the games of a step, and who measures between two steps.

A recipe does not know. ``Local`` is this process; ``cluster/on_ray.py`` is processes of a cluster.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Protocol

from sparring.envs.solve import Tree
from sparring.training.config import RunConfig
from sparring.training.core import Metrics
from sparring.training.measure import evaluate
from sparring.training.report.keep import Looked, look
from sparring.training.rollouts import InProcess, Rollouts
from sparring.training.selfplay import SelfPlay


class Execution(Rollouts, Protocol):
    """Rollouts, and exact measurement that need not hold up the steps after it."""

    def options(self, config: RunConfig) -> RunConfig:
        """What the loop of this process is built from."""
        ...

    def begin(self, loop: SelfPlay) -> None:
        """The first step, or the first after going on, is about to be played."""

    def evaluate(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> "Future[Metrics]":
        """What ``measure.evaluate`` says of the loop as it is now."""
        ...

    def look(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> Looked:
        """What ``keep.look`` says of it."""
        ...

    def agreed(self, last: bool) -> bool:
        """Whether the step that is done is the last, for all processes that learn together."""
        ...


class Local(InProcess):
    """Everything in this process, one after the other."""

    def options(self, config: RunConfig) -> RunConfig:
        return config

    def begin(self, loop: SelfPlay) -> None:
        """All is there."""

    def look(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> Looked:
        return look(loop, trees)

    def agreed(self, last: bool) -> bool:
        return last

    def evaluate(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> "Future[Metrics]":
        return known(evaluate(loop, trees))


def known(metrics: Metrics) -> "Future[Metrics]":
    """A result that is there."""
    found: Future[Metrics] = Future()
    found.set_result(metrics)
    return found


class InOrder:
    """Lines in the order of their steps, although what belongs to one may come after later ones.

    ``log`` is called with a line when it and all before it are whole. "seconds" is when the line
    came, by ``clock``.
    """

    def __init__(self, log: "Log", clock: Callable[[], float]):
        self.log = log
        self.clock = clock
        self._open: list[tuple[Metrics, Future[Metrics]]] = []

    def add(self, metrics: Metrics, more: "Future[Metrics]") -> None:
        """One more line, to which ``more`` belongs."""
        self._open.append(({**metrics, "seconds": self.clock()}, more))
        while self._open and self._open[0][1].done():
            self._write()

    def wait(self) -> None:
        """Until nothing is open."""
        while self._open:
            self._write()

    def _write(self) -> None:
        metrics, more = self._open[0]
        seconds = metrics.pop("seconds")
        self.log({**metrics, **more.result(), "seconds": seconds})
        self._open.pop(0)


class Log(Protocol):
    """Takes the metrics of a step."""

    def __call__(self, metrics: Metrics) -> None: ...

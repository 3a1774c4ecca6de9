"""A run on Ray, as the learner sees it: games are played elsewhere, and measuring is done there.

Synchronous (``staleness`` 0): the games of a step are played with the weights of that step, in the
same way wherever and by however many they are played. Asynchronous: the games of up to
``staleness`` later steps are handed out while the learner learns, each piece with the newest
weights of its hand-out; so a game that step s learns from was played with the weights of a step in
[s − staleness, s], and its age is the difference. Workers wait when all these are handed out, the
learner waits when those of its step are not all back.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from sparring.envs.solve import Tree
from sparring.training.cluster.dispatch import Answer, Dispatcher
from sparring.training.cluster.options import Resources
from sparring.training.cluster.parcels import Parcel, Sender
from sparring.training.cluster.replica import Moment, own_weights
from sparring.training.cluster.wire import unpacked
from sparring.training.core import Metrics
from sparring.training.execution import Execution
from sparring.training.rollouts import Planned, Played
from sparring.training.selfplay import SelfPlay

TRIES = 3  # at an evaluation whose process dies


class OnRay(Execution):
    """Plays on ``workers``, measures on ``evaluator``: actors of the kind ``Replica``.

    ``says`` is told what a person should know.
    """

    def __init__(
        self,
        workers: Sequence[Any],
        evaluator: Any,
        *,
        pieces: int,
        staleness: int,
        resources: Resources,
        says: Callable[[str], None],
    ):
        self.workers = workers
        self.evaluator = evaluator
        self.staleness = staleness
        self.pieces = pieces
        self.says = says
        self.dispatcher = Dispatcher(
            workers, patience=resources.patience, timeout=resources.timeout
        )
        self._weights, self._memory = Sender(ray.put), Sender(ray.put)
        self._planned: dict[int, list[Planned]] = {}
        self._published: tuple[int, Parcel] | None = None
        self._clock = _Clock()
        self._metrics: Metrics = {}

    def play(self, loop: SelfPlay) -> list[Played]:
        if loop.step not in self._planned:
            self.updated(loop)
        self._clock.waits()
        answers, seconds = self.dispatcher.collect(loop.step)
        self._clock.goes_on()
        planned = self._planned.pop(loop.step)
        self._metrics = by_worker(answers) | ages(answers, loop.step)
        self._metrics["ray/play_seconds"] = seconds
        while self.dispatcher.warnings:
            self.says(self.dispatcher.warnings.pop(0))
        found = [Played(p.seating, (), 0) for p in planned]
        for answer in answers:
            own = range(answer.part, len(planned), self.pieces)
            for i, episodes in zip(own, unpacked(answer.report.episodes), strict=True):
                found[i] = Played(planned[i].seating, episodes, answer.version)
        return found

    def updated(self, loop: SelfPlay) -> None:
        self._clock.learned()
        self._publish(loop)
        first = max(self._planned, default=loop.step - 1) + 1
        for step in range(first, min(loop.step + self.staleness + 1, loop.steps)):
            memory = self._memory_of(loop)  # before planning, which may change it
            self._planned[step] = loop.plan(step)
            self.dispatcher.submit(step, memory, self.pieces)

    def _publish(self, loop: SelfPlay) -> None:
        if self._published is None or self._published[0] != loop.step:
            players = {name: own_weights(p) for name, p in loop.players.items()}
            self._published = loop.step, self._weights.pack(players)
            self.dispatcher.publish(*self._published)
            self._clock.published()

    def _memory_of(self, loop: SelfPlay) -> Parcel:
        memory = {
            "mixture": loop.mixture.state_dict(),
            "opponents": loop.opponents.state_dict(),
        }
        return self._memory.pack(memory)

    def metrics(self) -> Metrics:
        counts = self.dispatcher.counts
        return {
            **self._metrics,
            **self._clock.metrics(),
            "ray/workers": float(len(self.workers)),
            "ray/replayed": float(counts.replayed),
            "ray/discarded": float(counts.discarded),
            "ray/deaths": float(counts.deaths),
        }

    def evaluate(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> "Future[Metrics]":
        self._publish(loop)
        assert self._published is not None
        at = Moment(self._published[1], self._memory_of(loop))
        found: Future[Metrics] = Future()
        self._measure(at, found, TRIES)
        return found

    def _measure(self, at: Moment, found: "Future[Metrics]", tries: int) -> None:
        def back(done: "Future[Metrics]") -> None:
            fault = done.exception()
            if fault is None:
                found.set_result(done.result())
            elif isinstance(fault, RayTaskError):
                found.set_exception(fault.cause)
            elif isinstance(fault, RayError) and tries > 1:
                self.says("the evaluator died; it measures again")
                self._measure(at, found, tries - 1)
            else:
                found.set_exception(fault)

        self.evaluator.evaluate.remote(at).future().add_done_callback(back)

    def close(self) -> None:
        """Hand out nothing more."""
        self.dispatcher.close()


def by_worker(answers: Sequence[Answer]) -> Metrics:
    """What each worker did in a step, and what all of them did together."""
    found: Metrics = {}
    for number in sorted({a.worker for a in answers}):
        own = [a.report for a in answers if a.worker == number]
        seconds = sum(r.seconds for r in own)
        found[f"ray/games_per_second@worker-{number}"] = sum(r.games for r in own) / seconds
        found[f"ray/tokens_per_second@worker-{number}"] = sum(r.tokens for r in own) / seconds
    reports = [a.report for a in answers]
    seconds = sum(r.seconds for r in reports)
    found["ray/worker_games_per_second"] = sum(r.games for r in reports) / seconds
    found["ray/worker_tokens_per_second"] = sum(r.tokens for r in reports) / seconds
    found["ray/load_seconds"] = max(r.load_seconds for r in reports)
    asked = sum(r.asked for r in reports)
    if asked:
        found["ray/cache_hits"] = 1 - sum(r.read for r in reports) / asked
    return found


def ages(answers: Sequence[Answer], step: int) -> Metrics:
    """How many updates behind the policy was that played: over games, mean and maximum."""
    games = sum(a.report.games for a in answers)
    return {
        "ray/staleness_mean": sum((step - a.version) * a.report.games for a in answers) / games,
        "ray/staleness_max": float(max(step - a.version for a in answers)),
    }


class _Clock:
    """How the learner's time goes: it waits for games, it learns, it publishes."""

    def __init__(self) -> None:
        self._began = self._at = time.monotonic()
        self._waited = self._learning = self._publishing = 0.0
        self._found: Metrics = {}

    def waits(self) -> None:
        self._at = time.monotonic()

    def goes_on(self) -> None:
        now = time.monotonic()
        self._waited, self._at = now - self._at, now

    def learned(self) -> None:
        now = time.monotonic()
        self._learning, self._at = now - self._at, now

    def published(self) -> None:
        now = time.monotonic()
        self._publishing, self._at = now - self._at, now
        whole = now - self._began
        self._began = now
        self._found = {
            "ray/learn_seconds": self._learning,
            "ray/publish_seconds": self._publishing,
            "ray/learner_idle": self._waited / whole if whole else 0.0,
        }

    def metrics(self) -> Metrics:
        return self._found

"""A run on Ray, as the learner sees it: games are played elsewhere, and measuring is done there.

Synchronous (``staleness`` 0): the games of a step are played with the weights of that step, in the
same way wherever and by however many they are played. Asynchronous: the games of up to
``staleness`` later steps are handed out while the learner learns, each piece with the newest
weights of its hand-out; so a game that step s learns from was played with the weights of a step in
[s − staleness, s], and its age is the difference. Workers wait when all these are handed out, the
learner waits when those of its step are not all back.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from sparring.envs.core import BadInput
from sparring.envs.solve import Tree
from sparring.training.cluster.clock import Clock, by_worker
from sparring.training.cluster.dispatch import Answer, Counts, Dispatcher
from sparring.training.cluster.parcels import Parcel, Sender
from sparring.training.cluster.replica import Moment, own_weights
from sparring.training.cluster.wire import unpacked
from sparring.training.config import RunConfig, SelfPlayConfig
from sparring.training.core import Metrics
from sparring.training.execution import Execution, known
from sparring.training.group import Group
from sparring.training.opponents.lodging import lodges
from sparring.training.opponents.nash import Nash
from sparring.training.report.keep import Looked
from sparring.training.rollouts import Planned, Played
from sparring.training.selfplay import SelfPlay
from sparring.training.sharded import shard

TRIES = 3  # at an evaluation whose process dies


class OnRay(Execution):
    """Plays on ``workers``, measures on what ``evaluator`` makes: actors of the kind ``Replica``.

    ``group``: the processes that learn together. All of them run the same loop; rank 0 is the one
    that hands out, and the others get what it got. ``says`` is told what a person should know.
    """

    def __init__(
        self,
        workers: Sequence[Any],
        evaluator: Callable[[], Any],
        config: RunConfig,
        group: Group,
        says: Callable[[str], None],
    ):
        given = config.resources
        self.workers = workers
        self.evaluator = cache(evaluator)
        self.staleness = config.staleness
        self.pieces = config.rollout_pieces or config.rollout_workers
        self.group = group
        self.says = says
        self.dispatcher = (
            Dispatcher(workers, patience=given.patience, timeout=given.timeout)
            if group.rank == 0
            else None
        )
        self._weights, self._memory = Sender(ray.put), Sender(ray.put)
        self._planned: dict[int, list[Planned]] = {}
        self._published: tuple[int, Parcel] | None = None
        self._clock = Clock()
        self._metrics: Metrics = {}

    def options(self, config: RunConfig) -> RunConfig:
        return learning(config)

    def begin(self, loop: SelfPlay) -> None:
        if self.group.size > 1:
            check_shardable(loop)
        for player in loop.players.values():
            shard(player.learner, self.group)

    def agreed(self, last: bool) -> bool:
        return self.group.share(last)

    def play(self, loop: SelfPlay) -> list[Played]:
        if loop.step not in self._planned:
            self.updated(loop)
        self._clock.waits()
        answers, seconds = self.group.share(self._collected(loop.step))
        self._clock.goes_on()
        planned = self._planned.pop(loop.step)
        self._metrics = by_worker(answers, loop.step) | {"ray/play_seconds": seconds}
        found = [Played(p.seating, (), 0) for p in planned]
        for answer in answers:
            own = range(answer.part, len(planned), self.pieces)
            for i, episodes in zip(own, unpacked(answer.report.episodes), strict=True):
                found[i] = Played(planned[i].seating, episodes, answer.version)
        return found

    def _collected(self, step: int) -> tuple[list[Answer], float] | None:
        if self.dispatcher is None:
            return None
        found = self.dispatcher.collect(step)
        while self.dispatcher.warnings:
            self.says(self.dispatcher.warnings.pop(0))
        return found

    def updated(self, loop: SelfPlay) -> None:
        self._clock.learned()
        self._publish(loop)
        first = max(self._planned, default=loop.step - 1) + 1
        for step in range(first, min(loop.step + self.staleness + 1, loop.steps)):
            if self.dispatcher:  # first, for planning may change what is remembered
                memory = self._memory_of(loop)
                self.dispatcher.submit(step, memory, self.pieces, loop.games_a_step)
            self._planned[step] = loop.plan(step)

    def _publish(self, loop: SelfPlay) -> None:
        if self._published is None or self._published[0] != loop.step:
            players = {name: own_weights(p) for name, p in loop.players.items()}
            self._published = loop.step, self._weights.pack(players if self.dispatcher else {})
            if self.dispatcher:
                self.dispatcher.publish(*self._published)
            self._clock.published()

    def _memory_of(self, loop: SelfPlay) -> Parcel:
        memory = {
            "mixture": loop.mixture.state_dict(),
            "opponents": loop.opponents.state_dict(),
        }
        return self._memory.pack(memory)

    def metrics(self) -> Metrics:
        counts = self.dispatcher.counts if self.dispatcher else Counts()
        return {
            **self._metrics,
            **self._clock.metrics(),
            "ray/workers": float(len(self.workers)),
            "ray/queue": float(self.dispatcher.waiting if self.dispatcher else 0),
            "ray/replayed": float(counts.replayed),
            "ray/discarded": float(counts.discarded),
            "ray/deaths": float(counts.deaths),
        }

    def evaluate(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> "Future[Metrics]":
        self._publish(loop)
        if self.dispatcher is None or not trees:
            return known({})
        at = self._moment(loop)
        return self._asked(lambda: self.evaluator().evaluate.remote(at))

    def look(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> Looked:
        at, step, shown = self._moment(loop), loop.step, loop.shown
        found: Looked = self._asked(lambda: self.evaluator().look.remote(at, step, shown)).result()
        return found

    def _moment(self, loop: SelfPlay) -> Moment:
        assert self._published is not None
        return Moment(self._published[1], self._memory_of(loop))

    def _asked(self, ask: Callable[[], Any]) -> "Future[Any]":
        """What the evaluator answers; it is asked again where it dies."""
        found: Future[Any] = Future()

        def back(done: "Future[Any]", tries: int) -> None:
            fault = done.exception()
            if fault is None:
                found.set_result(done.result())
            elif isinstance(fault, RayError) and not isinstance(fault, RayTaskError) and tries:
                self.says("the evaluator died; it measures again")
                ask().future().add_done_callback(lambda again: back(again, tries - 1))
            else:
                found.set_exception(fault.cause if isinstance(fault, RayTaskError) else fault)

        ask().future().add_done_callback(lambda done: back(done, TRIES))
        return found

    def close(self) -> None:
        """Hand out nothing more."""
        if self.dispatcher:
            self.dispatcher.close()


def learning(config: RunConfig) -> RunConfig:
    """The options of a process that does not generate: no engine of its own is started."""
    if not isinstance(config, SelfPlayConfig):
        return config
    return replace(config, engine="local")


def check_shardable(loop: SelfPlay) -> None:
    """Raises ``BadInput`` where opponents need a model that is whole where it learns."""
    opponents = loop.opponents
    pool = getattr(opponents, "pool", None)
    lodging = pool is not None and any(lodges(player) for player in loop.players.values())
    if lodging or isinstance(opponents, Nash):
        raise BadInput(
            "with several --learners no model is whole where it learns, and these opponents need "
            "one: past selves with LoRA, and the Nash mixture; use one learner for them"
        )

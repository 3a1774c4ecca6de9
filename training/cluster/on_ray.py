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
from functools import partial
from typing import Any

import ray

from sparring.envs.solve import Tree
from sparring.training.cluster.books import Answer, Counts
from sparring.training.cluster.checks import check, without_engine
from sparring.training.cluster.clock import Clock, by_worker
from sparring.training.cluster.dispatch import AGAIN, Dispatcher
from sparring.training.cluster.faults import cause_of, is_fault_of_ray, later
from sparring.training.cluster.parcels import Parcel, Sender
from sparring.training.cluster.replica import Moment, own_weights
from sparring.training.cluster.wire import unpacked
from sparring.training.config import RunConfig
from sparring.training.core import Metrics
from sparring.training.execution import Execution, known
from sparring.training.group import Group
from sparring.training.report.keep import Looked
from sparring.training.rollouts import Planned, Played
from sparring.training.selfplay import SelfPlay
from sparring.training.sharded import shard


class OnRay(Execution):
    """Plays on ``workers``, measures on ``evaluator``: actors of the kind ``Replica``.

    ``group``: the processes that learn together. All of them run the same loop; rank 0 is the one
    that hands out, and the others get what it got. ``says`` is told what a person should know.
    """

    def __init__(
        self,
        workers: Sequence[Any],
        evaluator: Any,
        config: RunConfig,
        group: Group,
        says: Callable[[str], None],
    ):
        given = config.resources
        self.workers = workers
        self.evaluator = evaluator
        self.staleness = config.staleness
        self.pieces = config.pieces
        self.timeout = given.timeout
        self.group = group
        self.says = says
        self.dispatcher = (
            Dispatcher(workers, patience=given.patience, timeout=given.timeout, says=says)
            if group.rank == 0
            else None
        )
        self._weights, self._memory = Sender(ray.put), Sender(ray.put)
        self._planned: dict[int, list[Planned]] = {}
        self._published: tuple[int, Parcel] | None = None
        self._clock = Clock()
        self._metrics: Metrics = {}

    def options(self, config: RunConfig) -> RunConfig:
        return without_engine(config)

    def begin(self, loop: SelfPlay) -> None:
        check(loop, self.staleness, self.group)
        self.group.agree(loop.step)
        for player in loop.players.values():
            shard(player.learner, self.group)
        caps = [player.learner.config.importance_cap for player in loop.players.values()]
        if self.staleness and None in caps:
            self.says("games of older policies count as if they were new: set importance-cap")

    def agreed(self, last: bool) -> bool:
        return self.group.share(last)

    def play(self, loop: SelfPlay) -> list[Played]:
        if loop.step not in self._planned:
            self.updated(loop)
        self._clock.waits()
        queue = self.dispatcher.waiting if self.dispatcher else 0
        collected = self.dispatcher.collect(loop.step) if self.dispatcher else None
        answers, seconds = self.group.share(collected)
        self._clock.goes_on()
        self._metrics = by_worker(answers, loop.step)
        self._metrics |= {"ray/play_seconds": seconds, "ray/queue": float(queue)}
        return put_together(self._planned.pop(loop.step), answers, self._pieces(loop))

    def updated(self, loop: SelfPlay) -> None:
        self._clock.learned()
        first = max(self._planned, default=loop.step - 1) + 1
        memories = {}
        for step in range(first, min(loop.step + self.staleness + 1, loop.steps)):
            if self.dispatcher:  # as it is before planning, which may change it
                memories[step] = self._memory.pack(memory_of(loop))
            self._planned[step] = loop.plan(step)
        self._publish(loop)  # a plan may give players other weights
        for step, memory in memories.items():
            assert self.dispatcher is not None
            self.dispatcher.submit(step, memory, self._pieces(loop), loop.games_a_step)

    def _pieces(self, loop: SelfPlay) -> int:
        return min(self.pieces, loop.games_a_step)

    def _publish(self, loop: SelfPlay) -> None:
        self._clock.publishes()
        players = {name: own_weights(p) for name, p in loop.players.items()}
        self._published = loop.step, self._weights.pack(players if self.dispatcher else {})
        if self.dispatcher:
            self.dispatcher.publish(*self._published)
        self._clock.published()

    def metrics(self) -> Metrics:
        counts = self.dispatcher.counts if self.dispatcher else Counts()
        return {
            **self._metrics,
            **self._clock.metrics(),
            "ray/workers": float(len(self.workers)),
            "ray/replayed": float(counts.replayed),
            "ray/discarded": float(counts.discarded),
            "ray/deaths": float(counts.deaths),
        }

    def evaluate(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> "Future[Metrics]":
        if self._published is None or self._published[0] != loop.step:
            self._publish(loop)
        if self.dispatcher is None or not trees:
            return known({})
        at = self._moment(loop)
        return asked(lambda: self.evaluator.evaluate.remote(at), self.timeout, self.says)

    def look(self, loop: SelfPlay, trees: Mapping[str, Tree]) -> Looked:
        at, step, shown = self._moment(loop), loop.step, loop.shown
        ask = partial(self.evaluator.look.remote, at, step, shown)
        found: Looked = asked(ask, self.timeout, self.says).result()
        return found

    def _moment(self, loop: SelfPlay) -> Moment:
        assert self._published is not None
        return Moment(self._published[1], self._memory.pack(memory_of(loop)))

    def close(self) -> None:
        """Hand out nothing more."""
        if self.dispatcher:
            self.dispatcher.close()


def memory_of(loop: SelfPlay) -> dict[str, Any]:
    """What a replica needs beside the weights to plan as ``loop`` would."""
    return {"mixture": loop.mixture.state_dict(), "opponents": loop.opponents.state_dict()}


def put_together(
    planned: Sequence[Planned], answers: Sequence[Answer], pieces: int
) -> list[Played]:
    """The games of a step in the order of their plan.

    Raises:
        RuntimeError: a worker planned other games.
    """
    found = [Played(p.seating, (), 0) for p in planned]
    for answer in answers:
        own = range(answer.part, len(planned), pieces)
        for i, episodes in zip(own, unpacked(answer.report.episodes), strict=True):
            match, first = planned[i].match, episodes[0]
            seated = {role: match.seats[role].name for role in first.seats}
            if (first.seed, first.seats) != (match.seed, seated):
                raise RuntimeError(
                    "a worker planned another game than the learner: what opponents or the mixture "
                    "remember is not all in their state_dict"
                )
            found[i] = Played(planned[i].seating, episodes, answer.version)
    return found


def asked(ask: Callable[[], Any], patience: float, says: Callable[[str], None]) -> "Future[Any]":
    """What an actor answers. Where it dies it is asked again, until it is back; ``patience``
    seconds after the first death it is an error."""
    found: Future[Any] = Future()
    died: list[float] = []

    def go() -> None:
        try:
            ask().future().add_done_callback(back)
        except Exception as fault:  # nobody else would hear of it
            found.set_exception(fault)

    def back(done: "Future[Any]") -> None:
        fault = done.exception()
        if fault is None:
            found.set_result(done.result())
        elif is_fault_of_ray(fault) and (not died or time.monotonic() - died[0] < patience):
            if not died:
                says("the evaluator died; it is asked again")
            died.append(time.monotonic())
            later(AGAIN, go)
        else:
            found.set_exception(cause_of(fault))

    go()
    return found

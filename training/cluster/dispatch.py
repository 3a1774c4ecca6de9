"""Handing out: which worker plays which piece of which step, and what happens when one dies.

One thread waits for events and is the only one to touch the books; workers' answers, new steps and
new weights are events. A piece is handed to a worker when it is free, with the newest weights of
that moment. A piece whose worker dies is handed out again; one that takes unusually long is handed
to a free worker too, and the first answer counts.
"""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from sparring.training.cluster.parcels import Parcel
from sparring.training.cluster.replica import Moment, Order, Report

TICK = 0.2  # seconds between looks at who is late
SOONEST = 5.0  # seconds that any piece may take, however short the others are
DEATHS = 5  # of one worker, one after the other, without an answer in between


@dataclass(frozen=True, slots=True)
class Answer:
    """A piece that was played: by which worker, with the weights after how many updates."""

    part: int
    worker: int
    version: int
    report: Report


@dataclass
class Counts:
    """What went wrong so far: games handed out again, answers that came second, workers' deaths."""

    replayed: int = 0
    discarded: int = 0
    deaths: int = 0


@dataclass
class _Step:
    """A step that is being played."""

    games: int
    pieces: dict[int, Order]
    answers: dict[int, Answer] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class _Flight:
    """A piece that a worker has."""

    order: Order
    version: int
    began: float


class Dispatcher:
    """Hands the pieces of steps to ``workers``, actors of the kind ``Replica``.

    ``patience``: times the median that a piece may take before another worker gets it as well;
    ``timeout``: seconds after which a worker that does not answer is killed.
    """

    def __init__(self, workers: Sequence[Any], *, patience: float, timeout: float):
        self.workers = workers
        self.patience = patience
        self.timeout = timeout
        self.counts = Counts()
        self.warnings: list[str] = []
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._changed = threading.Condition()
        self._steps: dict[int, _Step] = {}
        self._waiting: deque[Order] = deque()
        self._flights: dict[int, _Flight] = {}
        self._idle: deque[int] = deque()
        self._deaths = dict.fromkeys(range(len(workers)), 0)
        self._usual: deque[float] = deque(maxlen=50)
        self._newest: tuple[int, Parcel] | None = None
        self._fault: BaseException | None = None
        for number in range(len(workers)):
            self._revive(number)
        threading.Thread(target=self._run, name="dispatcher", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Pieces that no worker has yet."""
        return len(self._waiting)

    # -- for the loop -------------------------------------------------------------------------

    def publish(self, version: int, weights: Parcel) -> None:
        """From now on pieces are handed out with these weights."""
        self._events.put(lambda: self._set_newest(version, weights))

    def submit(self, step: int, memory: Parcel, pieces: int, games: int) -> None:
        """Have the games of a step played in so many pieces, with the weights of the hand-out."""
        self._events.put(lambda: self._add(step, memory, pieces, games))

    def collect(self, step: int) -> tuple[list[Answer], float]:
        """Wait for all pieces of a step; they in order, and the seconds that it was played.

        Raises:
            Exception: what a worker raised; or workers die again and again.
        """
        with self._changed:
            while self._fault is None:
                found = self._steps.get(step)
                if found is not None and found.ended:
                    del self._steps[step]
                    answers = [found.answers[part] for part in sorted(found.answers)]
                    return answers, found.ended - found.began
                self._changed.wait(1.0)
            raise self._fault

    def close(self) -> None:
        """Hand out nothing more."""
        self._events.put(None)

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                try:
                    event = self._events.get(timeout=TICK)
                except Empty:
                    event = self._look_for_late
                if event is None:
                    return
                event()
                self._hand_out()
        except BaseException as fault:  # nobody else would hear of it
            self._fail(fault)

    def _fail(self, fault: BaseException) -> None:
        with self._changed:
            self._fault = self._fault or fault
            self._changed.notify_all()

    def _set_newest(self, version: int, weights: Parcel) -> None:
        self._newest = version, weights

    def _add(self, step: int, memory: Parcel, pieces: int, games: int) -> None:
        assert self._newest is not None
        at = Moment(self._newest[1], memory)
        orders = {part: Order(step, part, pieces, at) for part in range(pieces)}
        with self._changed:
            self._steps[step] = _Step(games, orders)
        self._waiting.extend(orders.values())

    def _hand_out(self) -> None:
        while self._idle and self._waiting:
            self._send(self._idle.popleft(), self._waiting.popleft())

    def _send(self, number: int, order: Order) -> None:
        assert self._newest is not None
        version, weights = self._newest
        order = replace(order, at=replace(order.at, weights=weights))
        flight = _Flight(order, version, time.monotonic())
        self._flights[number] = flight
        step = self._steps.get(order.step)
        if step is not None and not step.began:
            step.began = flight.began
        future: Future[Report] = self.workers[number].play.remote(order).future()
        future.add_done_callback(
            lambda done: self._events.put(lambda: self._back(number, flight, done))
        )

    def _back(self, number: int, flight: _Flight, done: "Future[Report]") -> None:
        del self._flights[number]
        fault = done.exception()
        if fault is None:
            self._deaths[number] = 0
            self._usual.append(time.monotonic() - flight.began)
            self._idle.append(number)
            self._take(number, flight, done.result())
        elif isinstance(fault, RayTaskError) or not isinstance(fault, RayError):
            self._fail(fault.cause if isinstance(fault, RayTaskError) else fault)
        else:
            self._died(number, fault)
            self._again(flight.order)
            self._revive(number)

    def _take(self, number: int, flight: _Flight, report: Report) -> None:
        order = flight.order
        self.warnings += [f"worker {number}: {line}" for line in report.warnings]
        with self._changed:
            step = self._steps.get(order.step)
            if step is None or order.part in step.answers:
                self.counts.discarded += report.games
                return
            step.answers[order.part] = Answer(order.part, number, flight.version, report)
            if len(step.answers) == len(step.pieces):
                step.ended = time.monotonic()
                self._changed.notify_all()

    def _open(self, order: Order) -> bool:
        """Whether nobody has answered it."""
        step = self._steps.get(order.step)
        return step is not None and order.part not in step.answers

    def _again(self, order: Order) -> None:
        """Play a piece once more, before all others."""
        in_hand = any(self._same(f.order, order) for f in self._flights.values())
        if self._open(order) and not in_hand:
            self._waiting.appendleft(order)
            self._count_again(order)

    def _count_again(self, order: Order) -> None:
        step = self._steps.get(order.step)
        if step is not None:
            self.counts.replayed += len(range(order.part, step.games, order.of))

    @staticmethod
    def _same(a: Order, b: Order) -> bool:
        return (a.step, a.part) == (b.step, b.part)

    def _died(self, number: int, fault: BaseException) -> None:
        self.counts.deaths += 1
        self._deaths[number] += 1
        self.warnings.append(f"worker {number} died; its games are played again")
        if self._deaths[number] >= DEATHS:
            raise RuntimeError(
                f"rollout worker {number} died {DEATHS} times in a row without playing a game: "
                f"{str(fault).splitlines()[0]}"
            )

    def _revive(self, number: int) -> None:
        """Ray starts it again; it is free when it says so."""
        future: Future[int] = self.workers[number].ready.remote().future()
        future.add_done_callback(lambda done: self._events.put(lambda: self._is_up(number, done)))

    def _is_up(self, number: int, done: "Future[int]") -> None:
        fault = done.exception()
        if fault is None:
            self._idle.append(number)
        elif isinstance(fault, RayTaskError):
            self._fail(fault.cause)
        else:
            self._died(number, fault)
            threading.Timer(1.0, self._events.put, [lambda: self._revive(number)]).start()

    def _look_for_late(self) -> None:
        now = time.monotonic()
        usual = statistics.median(self._usual) if self._usual else self.timeout
        for number, flight in list(self._flights.items()):
            late = now - flight.began
            if late > self.timeout:
                ray.kill(self.workers[number], no_restart=False)
            alone = sum(self._same(f.order, flight.order) for f in self._flights.values()) == 1
            if (
                self._idle
                and not self._waiting
                and alone
                and late > max(self.patience * usual, SOONEST)
                and self._open(flight.order)
            ):
                self._count_again(flight.order)
                self._send(self._idle.popleft(), flight.order)

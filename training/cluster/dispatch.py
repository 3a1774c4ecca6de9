"""Handing out: which worker plays which piece of which step, and what happens when one dies.

Events are workers' answers, new steps and new weights; one thread takes them one by one, so that
nothing happens between two looks at the books. The lock is for what ``collect`` waits for. A piece
is handed to a worker when it is free, with the newest weights of that moment. A piece whose worker
dies is handed out again; one that takes unusually long is handed to a free worker too, and the
first answer counts.
"""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

import ray

from sparring.training.cluster.books import Answer, Counts, Flight, Piece, Step, pieces
from sparring.training.cluster.faults import cause_of, is_fault_of_ray, later
from sparring.training.cluster.parcels import Parcel
from sparring.training.cluster.replica import Report

TICK = 0.2  # seconds between looks at who is late
SOONEST = 5.0  # seconds that any piece may take, however short the others are
AGAIN = 1.0  # seconds between two questions whether a worker is back
DEATHS = 5  # of one worker amid a piece, one after the other, without an answer in between


class Dispatcher:
    """Hands the pieces of steps to ``workers``, actors of the kind ``Replica``.

    ``patience``: times the median that a piece may take before another worker gets it as well;
    ``timeout``: seconds after which a worker that does not answer is killed, and after which it is
    an error that none is there. ``says`` is told what a person should know.
    """

    def __init__(
        self,
        workers: Sequence[Any],
        *,
        patience: float,
        timeout: float,
        says: Callable[[str], None],
    ):
        self.workers = workers
        self.patience = patience
        self.timeout = timeout
        self.says = says
        self.counts = Counts()
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._changed = threading.Condition()
        self._steps: dict[int, Step] = {}
        self._waiting: deque[Piece] = deque()
        self._flights: dict[int, Flight] = {}
        self._idle: deque[int] = deque()
        self._deaths = dict.fromkeys(range(len(workers)), 0)
        self._down: dict[int, float] = {}  # workers that are not there, since when
        self._usual: deque[float] = deque(maxlen=50)
        self._newest: tuple[int, Parcel] | None = None
        self._fault: BaseException | None = None
        self._looked = 0.0
        for number in range(len(workers)):
            self._revive(number)
        threading.Thread(target=self._run, name="dispatcher", daemon=True).start()

    # -- for the loop -------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Pieces that no worker has yet."""
        return len(self._waiting)

    def publish(self, version: int, weights: Parcel) -> None:
        """From now on pieces are handed out with these weights."""
        self._events.put(lambda: self._set_newest(version, weights))

    def submit(self, step: int, memory: Parcel, of: int, games: int) -> None:
        """Have the games of a step played in so many pieces, with the weights of the hand-out."""
        self._events.put(lambda: self._add(step, memory, of, games))

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
                    if event is None:
                        return
                    event()
                except Empty:
                    pass
                self._hand_out()
                if time.monotonic() - self._looked >= TICK:
                    self._look_for_late()
        except BaseException as fault:  # nobody else would hear of it
            self._fail(fault)

    def _fail(self, fault: BaseException) -> None:
        with self._changed:
            self._fault = self._fault or fault
            self._changed.notify_all()

    def _set_newest(self, version: int, weights: Parcel) -> None:
        self._newest = version, weights

    def _add(self, step: int, memory: Parcel, of: int, games: int) -> None:
        with self._changed:
            self._steps[step] = Step(of)
        self._waiting.extend(pieces(step, of, games, memory))

    def _hand_out(self) -> None:
        while self._idle and self._waiting:
            self._send(self._idle.popleft(), self._waiting.popleft())

    def _send(self, number: int, piece: Piece) -> None:
        assert self._newest is not None, "weights are published before a step is submitted"
        version, weights = self._newest
        flight = Flight(piece, version, time.monotonic())
        self._flights[number] = flight
        step = self._steps.get(piece.step)
        if step is not None and not step.began:
            step.began = flight.began
        future: Future[Report] = self.workers[number].play.remote(piece.order(weights)).future()
        future.add_done_callback(
            lambda done: self._events.put(lambda: self._back(number, flight, done))
        )

    def _back(self, number: int, flight: Flight, done: "Future[Report]") -> None:
        del self._flights[number]
        fault = done.exception()
        if fault is None:
            self._deaths[number] = 0
            self._usual.append(time.monotonic() - flight.began)
            self._idle.append(number)
            self._take(number, flight, done.result())
        elif is_fault_of_ray(fault):
            self._died(number, flight, fault)
        else:
            self._fail(cause_of(fault))

    def _take(self, number: int, flight: Flight, report: Report) -> None:
        piece = flight.piece
        for line in report.warnings:
            self.says(f"worker {number}: {line}")
        with self._changed:
            step = self._steps.get(piece.step)
            if step is None or piece.part in step.answers:
                self.counts.discarded += report.games
                return
            step.answers[piece.part] = Answer(piece.part, number, flight.version, report)
            if len(step.answers) == step.pieces:
                step.ended = time.monotonic()
                self._changed.notify_all()

    def _died(self, number: int, flight: Flight, fault: BaseException) -> None:
        """Its games are played again, unless another has them or had."""
        self.counts.deaths += 1
        self._deaths[number] += 1
        why = "took too long and was stopped" if flight.stopped else "died"
        if self._deaths[number] >= DEATHS:
            raise RuntimeError(
                f"rollout worker {number} {why} {DEATHS} times in a row without playing a piece: "
                f"{str(fault).splitlines()[0]}"
            )
        self.says(f"worker {number} {why}; its games are played again")
        if self._open(flight.piece) and not self._in_hand(flight.piece):
            self._waiting.appendleft(flight.piece)
            self.counts.replayed += flight.piece.size
        self._revive(number)

    def _open(self, piece: Piece) -> bool:
        """Whether nobody has answered it."""
        step = self._steps.get(piece.step)
        return step is not None and piece.part not in step.answers

    def _in_hand(self, piece: Piece) -> int:
        """How many workers have it."""
        return sum(flight.piece is piece for flight in self._flights.values())

    def _revive(self, number: int) -> None:
        """Ray starts it again; it is free when it says so."""
        self._down.setdefault(number, time.monotonic())
        future: Future[int] = self.workers[number].ready.remote().future()
        future.add_done_callback(lambda done: self._events.put(lambda: self._is_up(number, done)))

    def _is_up(self, number: int, done: "Future[int]") -> None:
        fault = done.exception()
        if fault is None:
            del self._down[number]
            self._idle.append(number)
        elif not is_fault_of_ray(fault):
            self._fail(cause_of(fault))
        else:  # while it starts, Ray says that it is not there
            now = time.monotonic()
            if all(now - self._down.get(n, now) > self.timeout for n in range(len(self.workers))):
                raise RuntimeError(f"no rollout worker came back within {self.timeout:g} seconds")
            later(AGAIN, lambda: self._events.put(lambda: self._revive(number)))

    def _look_for_late(self) -> None:
        self._looked = now = time.monotonic()
        usual = statistics.median(self._usual) if self._usual else self.timeout
        for number, flight in list(self._flights.items()):
            late = now - flight.began
            if late > self.timeout and not flight.stopped:
                flight.stopped = True
                ray.kill(self.workers[number], no_restart=False)
            free = self._idle and not self._waiting
            alone = self._open(flight.piece) and self._in_hand(flight.piece) == 1
            if free and alone and late > max(self.patience * usual, SOONEST):
                self.counts.replayed += flight.piece.size
                self._send(self._idle.popleft(), flight.piece)

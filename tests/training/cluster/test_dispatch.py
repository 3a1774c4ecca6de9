"""Who plays what when workers are slow, die, or hang: with workers that do as they are told."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra ray")

from ray.exceptions import ActorDiedError, RayTaskError

from sparring.envs.core import BadInput
from sparring.training.cluster import dispatch
from sparring.training.cluster.books import Answer
from sparring.training.cluster.dispatch import DEATHS, Dispatcher
from sparring.training.cluster.parcels import Parcel
from sparring.training.cluster.replica import Order, Report

MEMORY = Parcel("memory", {}, {})


def report(games: int = 3, warnings: tuple[str, ...] = ()) -> Report:
    return Report(b"", games, 9, 1.0, 0.0, 0, 0, warnings)


class Ref:
    """What a call of a worker returns."""

    def __init__(self, future: "Future[Any]"):
        self._future = future

    def future(self) -> "Future[Any]":
        return self._future


class Worker:
    """Notes what it is asked; a test answers in its place."""

    def __init__(self) -> None:
        self.asked: list[tuple[Order, Future[Report]]] = []
        self.revived = 0
        self.comes_up = True

    @property
    def play(self) -> Any:
        return type("Method", (), {"remote": staticmethod(self._play)})

    @property
    def ready(self) -> Any:
        return type("Method", (), {"remote": staticmethod(self._ready)})

    def _play(self, order: Order) -> Ref:
        self.asked.append((order, Future()))
        return Ref(self.asked[-1][1])

    def _ready(self) -> Ref:
        self.revived += 1
        future: Future[int] = Future()
        if self.comes_up:
            future.set_result(0)
        else:
            future.set_exception(ActorDiedError())
        return Ref(future)

    def answer(self, games: int = 3, **about: Any) -> None:
        """To what was asked last."""
        self.asked[-1][1].set_result(report(games, **about))

    def die(self) -> None:
        self.asked[-1][1].set_exception(ActorDiedError())


def until(true: Any) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "TICK", 0.01)
    monkeypatch.setattr(dispatch, "AGAIN", 0.01)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes longer than the others is late at once."""
    monkeypatch.setattr(dispatch, "SOONEST", 0.15)


@pytest.fixture
def made() -> Iterator[Any]:
    """Makes a dispatcher with weights of version 0 and so many workers."""
    open_: list[Dispatcher] = []

    def make(workers: int, **options: float) -> tuple[Dispatcher, list[Worker]]:
        some = [Worker() for _ in range(workers)]
        given = {"patience": 2.0, "timeout": 60.0, **options}
        said: list[str] = []
        found = Dispatcher(some, says=said.append, **given)
        found.said = said  # type: ignore[attr-defined]
        found.publish(0, Parcel("weights-0", {}, {}))
        open_.append(found)
        return found, some

    yield make
    for one in open_:
        one.close()


def both_asked(workers: list[Worker]) -> None:
    until(lambda: all(worker.asked for worker in workers))


def parts(answers: list[Answer]) -> list[int]:
    return [answer.part for answer in answers]


def test_pieces_go_to_free_workers_and_come_back_in_order(made: Any) -> None:
    dispatcher, (a, b) = made(2)
    dispatcher.submit(0, MEMORY, 3, 11)
    both_asked([a, b])
    b.answer()
    until(lambda: len(b.asked) == 2)
    assert len(a.asked) == 1, "it is still at its first"
    b.answer()
    a.answer()
    answers, seconds = dispatcher.collect(0)
    assert parts(answers) == [0, 1, 2]
    assert [x.worker for x in answers] == [0, 1, 1]
    assert seconds > 0
    assert vars(dispatcher.counts) == {"replayed": 0, "discarded": 0, "deaths": 0}


def test_a_piece_is_played_with_the_newest_weights_of_its_hand_out(made: Any) -> None:
    dispatcher, (a,) = made(1)
    dispatcher.submit(0, MEMORY, 1, 5)
    dispatcher.submit(1, MEMORY, 2, 8)
    until(lambda: a.asked)
    dispatcher.publish(1, Parcel("weights-1", {}, {}))
    a.answer()
    assert [x.version for x in dispatcher.collect(0)[0]] == [0]
    for asked in (2, 3):
        until(lambda asked=asked: len(a.asked) == asked)
        assert a.asked[-1][0].at.weights.label == "weights-1"
        a.answer()
    assert [x.version for x in dispatcher.collect(1)[0]] == [1, 1]


def test_the_games_of_a_worker_that_dies_are_played_again(made: Any) -> None:
    dispatcher, (a, b) = made(2)
    dispatcher.submit(0, MEMORY, 2, 8)
    both_asked([a, b])
    before, died = a.asked[0][0], a.revived
    a.die()
    until(lambda: a.revived == died + 1)
    b.answer()
    until(lambda: len(a.asked) + len(b.asked) == 3)
    (again,) = [w for w in (a, b) if len(w.asked) == 2]
    assert again.asked[-1][0] == before, "the same games with the same luck"
    again.answer()
    answers, _ = dispatcher.collect(0)
    assert parts(answers) == [0, 1]
    assert (dispatcher.counts.deaths, dispatcher.counts.replayed) == (1, 4)
    assert "worker 0 died" in dispatcher.said[0]


def test_a_slow_worker_does_not_hold_the_step_and_nothing_counts_twice(
    made: Any, hasty: None
) -> None:
    dispatcher, (a, b) = made(2)
    dispatcher.submit(0, MEMORY, 2, 8)
    both_asked([a, b])
    b.answer()
    until(lambda: len(b.asked) == 2)
    assert b.asked[1][0] == a.asked[0][0]
    b.answer(games=5)
    answers, _ = dispatcher.collect(0)
    assert [(x.part, x.worker, x.report.games) for x in answers] == [(0, 1, 5), (1, 1, 3)]
    a.answer(games=5)  # late, and the same
    dispatcher.submit(1, MEMORY, 1, 5)
    until(lambda: len(a.asked) + len(b.asked) == 4)
    assert (dispatcher.counts.replayed, dispatcher.counts.discarded) == (4, 5)


def test_a_late_death_brings_nothing_back(made: Any, hasty: None) -> None:
    dispatcher, (a, b) = made(2)
    dispatcher.submit(0, MEMORY, 2, 8)
    both_asked([a, b])
    b.answer()
    until(lambda: len(b.asked) == 2)
    b.answer()
    dispatcher.collect(0)
    a.die()  # with a piece that another has answered
    until(lambda: a.revived == 2)
    time.sleep(0.05)
    assert (len(a.asked), len(b.asked)) == (1, 2)


def test_a_worker_that_hangs_is_stopped(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[Any, bool]] = []
    monkeypatch.setattr(
        dispatch.ray, "kill", lambda who, no_restart: killed.append((who, no_restart))
    )
    dispatcher, (a,) = made(1, timeout=0.1)
    dispatcher.submit(0, MEMORY, 1, 5)
    until(lambda: killed)
    assert killed[0] == (a, False), "Ray is to start it again"
    a.die()
    until(lambda: len(a.asked) == 2)
    a.answer()
    assert parts(dispatcher.collect(0)[0]) == [0]


def test_a_worker_that_only_dies_is_an_error(made: Any) -> None:
    dispatcher, (a, b) = made(2)
    dispatcher.submit(0, MEMORY, 1, 5)
    until(lambda: a.asked or b.asked)
    for n in range(DEATHS):
        until(lambda n=n: len(a.asked) + len(b.asked) == n + 1)
        (last,) = [w for w in (a, b) if w.asked and not w.asked[-1][1].done()]
        last.die()
        if max(len(a.asked), len(b.asked)) == DEATHS:
            break
    for _ in range(2 * DEATHS):
        time.sleep(0.01)
        for w in (a, b):
            if w.asked and not w.asked[-1][1].done():
                w.die()
    with pytest.raises(RuntimeError, match=f"died {DEATHS} times in a row"):
        dispatcher.collect(0)


def test_what_a_game_raises_ends_the_run(made: Any) -> None:
    dispatcher, (a,) = made(1)
    dispatcher.submit(0, MEMORY, 1, 5)
    until(lambda: a.asked)
    a.asked[0][1].set_exception(RayTaskError("play", "trace", ArithmeticError("a rule is wrong")))
    with pytest.raises(ArithmeticError, match="a rule is wrong"):
        dispatcher.collect(0)


def test_what_a_worker_warns_of_is_passed_on(made: Any) -> None:
    dispatcher, (a,) = made(1)
    dispatcher.submit(0, MEMORY, 1, 5)
    until(lambda: a.asked)
    a.answer(warnings=("out of memory",))
    dispatcher.collect(0)
    assert dispatcher.said == ["worker 0: out of memory"]


def test_a_worker_may_take_its_time_to_come_back(made: Any) -> None:
    dispatcher, (a, b) = made(2)
    dispatcher.submit(0, MEMORY, 2, 6)
    both_asked([a, b])
    a.comes_up = False  # Ray says so of one that is being made again
    before = a.revived
    a.die()
    until(lambda: a.revived > before + 3 * DEATHS)
    b.answer()
    until(lambda: len(b.asked) == 2)
    b.answer()
    dispatcher.collect(0)
    assert dispatcher.counts.deaths == 1
    assert len(dispatcher.said) == 1
    a.comes_up = True
    dispatcher.submit(1, MEMORY, 2, 6)
    until(lambda: len(a.asked) == 2)


def test_it_is_an_error_that_nobody_comes_back(made: Any) -> None:
    dispatcher, (a,) = made(1, timeout=0.05)
    a.comes_up = False
    dispatcher.submit(0, MEMORY, 1, 3)
    until(lambda: a.asked)
    a.die()
    with pytest.raises(RuntimeError, match="no rollout worker came back"):
        dispatcher.collect(0)


def test_a_worker_that_cannot_be_made_says_why(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(self: Worker) -> Ref:
        future: Future[int] = Future()
        future.set_exception(RayTaskError("ready", "trace", BadInput("vLLM is not installed")))
        return Ref(future)

    monkeypatch.setattr(Worker, "_ready", cannot)
    dispatcher, _ = made(1)
    with pytest.raises(BadInput, match="vLLM is not installed"):
        dispatcher.collect(0)


def test_an_object_that_was_lost_is_no_fault_of_the_game(made: Any) -> None:
    dispatcher, (a,) = made(1)
    dispatcher.submit(0, MEMORY, 1, 3)
    until(lambda: a.asked)
    a.asked[0][1].set_exception(RayTaskError("play", "trace", ActorDiedError()))
    until(lambda: len(a.asked) == 2)
    a.answer()
    assert parts(dispatcher.collect(0)[0]) == [0]

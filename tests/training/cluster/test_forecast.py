"""The simulation of a cluster against closed forms, and against a second way to compute it."""

import math
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.envs.core import BadInput
from sparring.training.cluster.forecast import Forecast, fitted, forecast
from sparring.training.cluster.inputs import Cluster
from sparring.training.cluster.simulation import simulate

SIMPLE = Cluster(workers=1, games=12, game_seconds=2.0, learn_seconds=5.0)


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    seconds = st.floats(0, 20)
    games = draw(st.integers(1, 20))
    return Cluster(
        workers=draw(st.integers(1, 6)),
        games=games,
        game_seconds=draw(st.floats(0.01, 5)),
        chunk_seconds=draw(seconds),
        learn_seconds=draw(seconds),
        put_seconds=draw(seconds),
        load_seconds=draw(seconds),
        staleness=draw(st.integers(0, 3)),
        chunks=draw(st.integers(0, games)),
        spread=draw(st.sampled_from([0, 0.3, 2])),
        weight_bytes=draw(st.sampled_from([0.0, 10.0])),
        bandwidth=draw(st.sampled_from([1.0, 5.0, math.inf])),
        per_node=draw(st.integers(1, 3)),
        beside=draw(st.integers(0, 2)),
        seed=draw(st.integers(0, 9)),
    )


def test_one_worker_in_step_with_the_learner() -> None:
    """step = load + C·a + G·b + learn + put."""
    one = replace(SIMPLE, chunk_seconds=0.5, put_seconds=1.0, load_seconds=3.0, tokens_per_game=7)
    found = forecast(one, steps=10)
    step = 3 + 4 * 0.5 + 12 * 2 + 5 + 1
    assert found.step_seconds == pytest.approx(step)
    assert found.games_per_second == pytest.approx(12 / step)
    assert found.tokens_per_second == pytest.approx(84 / step)
    assert found.play_seconds == pytest.approx(29)
    assert found.learner_idle == pytest.approx(29 / step)
    assert found.worker_busy == pytest.approx(29 / step)
    assert found.worker_idle == pytest.approx(6 / step)
    assert (found.age_mean, found.age_max) == (0, 0)


@pytest.mark.parametrize(("workers", "rounds"), [(1, 6), (2, 3), (3, 2), (4, 2), (5, 2), (6, 1)])
def test_workers_in_step_with_the_learner(workers: int, rounds: int) -> None:
    """step = load + ceil(C / N) chunks + learn: here 6 chunks of 4 s."""
    cluster = replace(SIMPLE, workers=workers, chunks=6, load_seconds=3.0)
    found = forecast(cluster, steps=10)
    assert found.step_seconds == pytest.approx(3 + rounds * 4 + 5)
    assert found.worker_busy == pytest.approx(
        (24 + min(workers, 6) * 3) / workers / found.step_seconds
    )


@pytest.mark.parametrize("learn", [1.0, 14.0, 15.0, 16.0, 40.0])
@pytest.mark.parametrize(("workers", "chunks"), [(1, 1), (1, 4), (2, 2), (2, 4), (4, 4), (4, 12)])
def test_one_step_ahead(learn: float, workers: int, chunks: int) -> None:
    """step = max(U, load + W / N), where every worker plays as many equal chunks."""
    each = Cluster(
        workers=workers,
        games=12,
        game_seconds=workers,  # so that all together take 12 s
        learn_seconds=learn - 0.5,
        put_seconds=0.5,
        load_seconds=3.0,
        staleness=1,
        chunks=chunks,
    )
    found = forecast(each, steps=40)
    assert found.step_seconds == pytest.approx(max(learn, 15.0))
    assert found.learner_idle == pytest.approx(max(0.0, 1 - learn / 15), abs=1e-12)
    assert found.age_max == 1


@pytest.mark.parametrize("staleness", range(4))
@pytest.mark.parametrize("workers", range(1, 6))
def test_one_chunk_a_step(staleness: int, workers: int) -> None:
    """step = max(U, c / N, (c + U) / (K + 1)): learner, workers, or the way round from a version
    to the update that its games go into, of which K + 1 may be under way."""
    cluster = Cluster(
        workers=workers,
        games=1,
        game_seconds=10.0,
        learn_seconds=1.0,
        staleness=staleness,
        chunks=1,
    )
    found = forecast(cluster, steps=60 * (staleness + 1) * workers)
    least = max(1.0, 10 / workers, 11 / (staleness + 1))
    assert found.step_seconds == pytest.approx(least, rel=1e-2)


def test_two_workers_and_three_chunks_by_hand() -> None:
    """Chunks of 1 s, an update of 1 s: one worker plays 2 chunks of 3, the other 1, in 3 s."""
    cluster = Cluster(workers=2, games=3, game_seconds=1.0, learn_seconds=1.0, chunks=3)
    found = forecast(cluster, steps=8)
    shares = found.step_seconds, found.learner_idle, found.worker_busy, found.worker_idle
    assert shares == pytest.approx((3, 2 / 3, 1 / 2, 1 / 2))


def test_copies_leave_the_learner_one_by_one() -> None:
    """The last of N nodes has the weights after N × bytes / bandwidth."""
    cluster = Cluster(
        workers=4,
        games=4,
        game_seconds=1.0,
        learn_seconds=5.0,
        load_seconds=0.5,
        chunks=4,
        weight_bytes=20.0,
        bandwidth=10.0,
    )
    found = forecast(cluster, steps=10)
    assert found.step_seconds == pytest.approx(4 * 2 + 0.5 + 1 + 5)
    assert (found.copies, found.weight_bytes) == (4, 80)
    shared = forecast(replace(cluster, per_node=2), steps=10)
    assert shared.step_seconds == pytest.approx(2 * 2 + 0.5 + 1 + 5)
    assert (shared.copies, shared.weight_bytes) == (2, 40)
    here = forecast(replace(cluster, beside=4), steps=10)
    assert here.step_seconds == pytest.approx(0.5 + 1 + 5)
    assert here.weight_bytes == 0
    assert forecast(replace(cluster, workers=1), steps=10).step_seconds == pytest.approx(
        2 + 0.5 + 4 + 5
    ), "one worker is faster than four that wait for their copies"


@settings(deadline=None, max_examples=200)
@given(clusters())
def test_the_rules_hold(cluster: Cluster) -> None:
    steps = 8
    trace = simulate(cluster, steps)
    assert len(trace.published) == steps + 1
    order = [(p.step, p.chunk) for p in trace.plays]
    assert order == [divmod(i, cluster.pieces) for i in range(len(order))]
    for play in trace.plays:
        assert 0 <= play.age <= cluster.staleness
        assert trace.published[play.version] <= play.start <= play.ready <= play.end
        newer = trace.published[play.version + 1 :]
        assert not newer or newer[0] >= play.start, "the newest when it was handed out"
    for worker in range(cluster.workers):
        own = [p for p in trace.plays if p.worker == worker]
        assert all(a.end <= b.start for a, b in pairwise(own))
    for step in range(steps):
        back = max(p.end for p in trace.plays if p.step == step)
        start = max(back, trace.published[step])
        assert trace.published[step + 1] == pytest.approx(start + cluster.update)
    sent = [(cluster.node(p.worker), p.version) for p in trace.plays if p.sent]
    assert len(set(sent)) == len(sent), "a node gets a version once"
    assert all(node >= 0 for node, _ in sent), "and the learner's own node never"


@settings(deadline=None)
@given(clusters())
def test_shares_add_up(cluster: Cluster) -> None:
    found = forecast(cluster, steps=6)
    assert found.worker_busy + found.worker_idle == pytest.approx(1)
    assert 0 <= found.learner_idle <= 1
    assert 0 <= found.age_mean <= found.age_max <= cluster.staleness
    assert found.step_seconds >= cluster.update * (1 - 1e-9)
    assert found == forecast(cluster, steps=6), "the same again"


def by_recurrence(cluster: Cluster, steps: int) -> tuple[list[float], list[float]]:
    """(when versions are published, when chunks are handed out), without events: chunk by chunk,
    each to the worker free first, no earlier than version s - K. For copies that take no time."""
    published, starts = [0.0], list[float]()
    free = [(0.0, worker) for worker in range(cluster.workers)]
    held = [-1] * cluster.workers
    for step in range(steps):
        ends = []
        for chunk in range(cluster.pieces):
            since, worker = min(free)
            start = max(since, published[max(0, step - cluster.staleness)])
            version = max(v for v, time in enumerate(published) if time <= start)
            load = cluster.load_seconds if held[worker] != version else 0.0
            held[worker] = version
            end = start + load + cluster.playing(step, chunk)
            free[free.index((since, worker))] = end, worker
            starts.append(start)
            ends.append(end)
        published.append(max(published[-1], *ends) + cluster.update)
    return published, starts


@settings(deadline=None, max_examples=200)
@given(clusters())
def test_the_events_agree_with_a_recurrence(cluster: Cluster) -> None:
    cluster = replace(cluster, weight_bytes=0.0, spread=cluster.spread or 0.1)  # no ties
    published, starts = by_recurrence(cluster, 8)
    trace = simulate(cluster, 8)
    assert trace.published == pytest.approx(published)
    assert [p.start for p in trace.plays][: len(starts)] == pytest.approx(
        starts[: len(trace.plays)]
    )


@settings(deadline=None)
@given(clusters(), st.integers(1, 4))
def test_more_workers_are_never_slower_with_equal_chunks(cluster: Cluster, each: int) -> None:
    """Where loading takes no time: chunks start in order, and chunk i no later than chunk i - N
    ends. With weights to send it is not so: see test_copies_leave_the_learner_one_by_one."""
    chunks = cluster.chunks or 1
    cluster = replace(
        cluster, games=chunks * each, chunks=chunks, spread=0, load_seconds=0, weight_bytes=0
    )
    fewer = simulate(cluster, 8).published
    more = simulate(replace(cluster, workers=cluster.workers + 1), 8).published
    assert all(b <= a + 1e-6 for a, b in zip(fewer, more, strict=True))


def test_staleness_pays_most_where_both_take_as_long() -> None:
    def gain(learn: float) -> float:
        in_step = replace(SIMPLE, learn_seconds=learn)
        return forecast(in_step).step_seconds / forecast(replace(in_step, staleness=1)).step_seconds

    assert [gain(t) for t in (6, 24, 72)] == pytest.approx([30 / 24, 2, 96 / 72])


def test_the_spread_is_what_it_says_and_belongs_to_the_chunk() -> None:
    cluster = replace(SIMPLE, spread=0.5, chunks=12)
    drawn = [cluster.playing(step, chunk) for step in range(200) for chunk in range(12)]
    assert fmean(drawn) == pytest.approx(2, rel=0.05)
    assert stdev(drawn) == pytest.approx(1, rel=0.05)
    assert drawn[100] == replace(cluster, workers=9).playing(*divmod(100, 12))
    assert drawn[100] != replace(cluster, seed=1).playing(*divmod(100, 12))


def test_games_are_cut_evenly() -> None:
    cluster = replace(SIMPLE, workers=2, games=21)
    assert [cluster.size(c) for c in range(cluster.pieces)] == [3, 3, 3, 3, 3, 2, 2, 2]
    assert replace(cluster, workers=50).pieces == 21


def test_a_line_through_measured_chunks() -> None:
    assert fitted([(1, 5), (3, 9), (5, 13)]) == pytest.approx((3, 2))
    # Σ(g - 2)(t - 3.5) / Σ(g - 2)² = 5 / 2 and 3.5 - 5 < 0: through the origin, Σgt / Σg²
    assert fitted([(1, 1), (3, 6)]) == pytest.approx((0, 19 / 10))


@pytest.mark.parametrize(
    "bad",
    [
        {"workers": 0},
        {"games": 0},
        {"learn_seconds": -1.0},
        {"learn_seconds": math.inf},
        {"game_seconds": math.nan},
        {"staleness": -1},
        {"chunks": 13},
        {"bandwidth": 0.0},
        {"bandwidth": math.nan},
        {"spread": 1e9},
        {"per_node": 0},
        {"game_seconds": 0.0, "learn_seconds": 0.0},
    ],
)
def test_inputs_out_of_range(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        replace(SIMPLE, **bad)


@pytest.mark.parametrize("points", [[], [(3.0, 4.0), (3.0, 5.0)], [(1.0, 5.0), (2.0, 5.0)]])
def test_points_that_make_no_line(points: list[tuple[float, float]]) -> None:
    with pytest.raises(BadInput):
        fitted(points)


def test_a_forecast_of_nothing() -> None:
    with pytest.raises(BadInput):
        forecast(SIMPLE, steps=0)
    assert isinstance(forecast(SIMPLE, steps=1), Forecast)

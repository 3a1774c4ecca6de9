"""The simulation of a cluster: its rules, and a second way to compute it."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.training.cluster.forecast import forecast
from sparring.training.cluster.inputs import Cluster
from sparring.training.cluster.simulation import simulate


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    seconds = st.floats(0, 20)
    games = draw(st.integers(1, 20))
    return Cluster(
        workers=draw(st.integers(1, 6)),
        games=games,
        game_seconds=draw(st.floats(0.01, 5)),
        piece_seconds=draw(seconds),
        learn_seconds=draw(seconds),
        put_seconds=draw(seconds),
        load_seconds=draw(seconds),
        staleness=draw(st.integers(0, 3)),
        rollout_pieces=draw(st.integers(0, games)),
        spread=draw(st.sampled_from([0, 0.3, 2])),
        weight_bytes=draw(st.sampled_from([0.0, 10.0])),
        bandwidth=draw(st.sampled_from([1.0, 5.0, math.inf])),
        per_node=draw(st.integers(1, 3)),
        beside=draw(st.integers(0, 2)),
        seed=draw(st.integers(0, 9)),
    )


@settings(deadline=None, max_examples=200)
@given(clusters())
def test_the_rules_hold(cluster: Cluster) -> None:
    steps = 8
    trace = simulate(cluster, steps)
    assert len(trace.published) == steps + 1
    order = [(p.step, p.piece) for p in trace.plays]
    assert order == [divmod(i, cluster.pieces) for i in range(len(order))]
    since = [0.0] * cluster.workers
    for play in trace.plays:
        assert 0 <= play.age <= cluster.staleness
        assert trace.published[play.version] <= play.start <= play.ready <= play.end
        newer = trace.published[play.version + 1 :]
        assert not newer or newer[0] >= play.start, "the newest when it was handed out"
        assert since[play.worker] == min(since), "to the one that is free longest"
        since[play.worker] = play.end
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
    """(when versions are published, when pieces are handed out), without events: piece by piece,
    each to the worker free first, no earlier than version s - K. For copies that take no time."""
    published, starts = [0.0], list[float]()
    free = [(0.0, worker) for worker in range(cluster.workers)]
    held = [-1] * cluster.workers
    for step in range(steps):
        ends = []
        for piece in range(cluster.pieces):
            since, worker = min(free)
            start = max(since, published[max(0, step - cluster.staleness)])
            version = max(v for v, time in enumerate(published) if time <= start)
            load = cluster.load_seconds if held[worker] != version else 0.0
            held[worker] = version
            end = start + load + cluster.playing(step, piece)
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
def test_more_workers_are_never_slower_with_equal_pieces(cluster: Cluster, each: int) -> None:
    """Where loading takes no time: pieces start in order, and piece i no later than piece i - N
    ends. With weights to send it is not so: see test_copies_leave_the_learner_one_by_one."""
    pieces = cluster.rollout_pieces or 1
    cluster = replace(
        cluster,
        games=pieces * each,
        rollout_pieces=pieces,
        spread=0,
        load_seconds=0,
        weight_bytes=0,
    )
    fewer = simulate(cluster, 8).published
    more = simulate(replace(cluster, workers=cluster.workers + 1), 8).published
    assert all(b <= a + 1e-6 for a, b in zip(fewer, more, strict=True))

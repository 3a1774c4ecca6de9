"""Forecasts of a cluster against closed forms."""

from dataclasses import replace

import pytest

from sparring.envs.core import BadInput
from sparring.training.cluster.forecast import Forecast, forecast
from sparring.training.cluster.inputs import Cluster

SIMPLE = Cluster(workers=1, games=12, game_seconds=2.0, learn_seconds=5.0)


def test_one_worker_in_step_with_the_learner() -> None:
    """step = load + C·a + G·b + learn + put."""
    one = replace(
        SIMPLE,
        rollout_pieces=4,
        piece_seconds=0.5,
        put_seconds=1.0,
        load_seconds=3.0,
        tokens_per_game=7,
    )
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
    """step = load + ceil(C / N) pieces + learn: here 6 pieces of 4 s."""
    cluster = replace(SIMPLE, workers=workers, rollout_pieces=6, load_seconds=3.0)
    found = forecast(cluster, steps=10)
    assert found.step_seconds == pytest.approx(3 + rounds * 4 + 5)
    assert found.worker_busy == pytest.approx(
        (24 + min(workers, 6) * 3) / workers / found.step_seconds
    )


@pytest.mark.parametrize("learn", [1.0, 14.0, 15.0, 16.0, 40.0])
@pytest.mark.parametrize(("workers", "pieces"), [(1, 1), (1, 4), (2, 2), (2, 4), (4, 4), (4, 12)])
def test_one_step_ahead(learn: float, workers: int, pieces: int) -> None:
    """step = max(U, load + W / N), where every worker plays as many equal pieces."""
    each = Cluster(
        workers=workers,
        games=12,
        game_seconds=workers,  # so that all together take 12 s
        learn_seconds=learn - 0.5,
        put_seconds=0.5,
        load_seconds=3.0,
        staleness=1,
        rollout_pieces=pieces,
    )
    found = forecast(each, steps=40)
    assert found.step_seconds == pytest.approx(max(learn, 15.0))
    assert found.learner_idle == pytest.approx(max(0.0, 1 - learn / 15), abs=1e-12)
    assert found.age_max == 1


@pytest.mark.parametrize("staleness", range(4))
@pytest.mark.parametrize("workers", range(1, 6))
def test_one_piece_a_step(staleness: int, workers: int) -> None:
    """step = max(U, c / N, (c + U) / (K + 1)): learner, workers, or the way round from a version
    to the update that its games go into, of which K + 1 may be under way."""
    cluster = Cluster(
        workers=workers,
        games=1,
        game_seconds=10.0,
        learn_seconds=1.0,
        staleness=staleness,
        rollout_pieces=1,
    )
    found = forecast(cluster, steps=60 * (staleness + 1) * workers)
    least = max(1.0, 10 / workers, 11 / (staleness + 1))
    assert found.step_seconds == pytest.approx(least, rel=1e-2)


def test_two_workers_and_three_pieces_by_hand() -> None:
    """Pieces of 1 s, an update of 1 s: one worker plays 2 pieces of 3, the other 1, in 3 s."""
    cluster = Cluster(workers=2, games=3, game_seconds=1.0, learn_seconds=1.0, rollout_pieces=3)
    found = forecast(cluster, steps=8)
    shares = found.step_seconds, found.learner_idle, found.worker_busy, found.worker_idle
    assert shares == pytest.approx((3, 2 / 3, 1 / 2, 1 / 2))


def test_ages_by_hand() -> None:
    """Pieces of 2 s and 1 s, an update of 0.5 s: the first of each step goes out while the learner
    is at the step before, 0.5 s before the new version; the second with that version."""
    cluster = Cluster(
        workers=1, games=3, game_seconds=1.0, learn_seconds=0.5, staleness=1, rollout_pieces=2
    )
    found = forecast(cluster, steps=8)
    assert (found.step_seconds, found.age_mean, found.age_max) == pytest.approx((3, 2 / 3, 1))


def test_what_is_published_at_that_moment_is_played_with() -> None:
    at_once = replace(SIMPLE, learn_seconds=0.0, staleness=1)
    assert forecast(at_once, steps=8).age_max == 0


def test_copies_leave_the_learner_one_by_one() -> None:
    """The last of N nodes has the weights after N × bytes / bandwidth."""
    cluster = Cluster(
        workers=4,
        games=4,
        game_seconds=1.0,
        learn_seconds=5.0,
        load_seconds=0.5,
        rollout_pieces=4,
        weight_bytes=20.0,
        bandwidth=10.0,
    )
    found = forecast(cluster, steps=10)
    assert found.step_seconds == pytest.approx(4 * 2 + 0.5 + 1 + 5)
    assert (found.copies, found.weight_bytes) == (4, 80)
    shared = forecast(replace(cluster, per_node=2), steps=10)
    assert shared.step_seconds == pytest.approx(2 * 2 + 0.5 + 1 + 5)
    assert (shared.copies, shared.weight_bytes) == (2, 40)
    assert forecast(replace(cluster, workers=3, per_node=2, beside=1), steps=10).copies == 1
    here = forecast(replace(cluster, beside=4), steps=10)
    assert here.step_seconds == pytest.approx(0.5 + 1 + 5)
    assert here.weight_bytes == 0
    assert forecast(replace(cluster, workers=1), steps=10).step_seconds == pytest.approx(
        2 + 0.5 + 4 + 5
    ), "one worker is faster than four that wait for their copies"


def test_staleness_pays_most_where_both_take_as_long() -> None:
    def gain(learn: float) -> float:
        in_step = replace(SIMPLE, learn_seconds=learn)
        return forecast(in_step).step_seconds / forecast(replace(in_step, staleness=1)).step_seconds

    assert [gain(t) for t in (6, 24, 72)] == pytest.approx([30 / 24, 2, 96 / 72])


def test_a_forecast_of_nothing() -> None:
    with pytest.raises(BadInput):
        forecast(SIMPLE, steps=0)
    assert isinstance(forecast(SIMPLE, steps=1), Forecast)

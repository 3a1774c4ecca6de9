"""Thinned curves keep their lowest and highest values."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sparring.training.report.thin import MOST, running_mean, smoothing, thin

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


@given(values, st.integers(4, 60))
def test_what_is_kept(numbers: list[float], most: int) -> None:
    points = [(float(3 * i), y) for i, y in enumerate(numbers)]
    kept = thin(points, most)
    assert len(kept) <= max(most, 4)
    assert kept == [p for p in points if p in set(kept)], "in order, and none made up"
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert max(y for _, y in kept) == max(numbers)
    assert min(y for _, y in kept) == min(numbers)
    if len(points) <= most:
        assert kept == points


def test_every_stretch_keeps_its_extremes() -> None:
    """Spikes of one step that are further apart than a stretch is long are all still there."""
    luck = random.Random(0)
    points = [(float(i), luck.random()) for i in range(10_000)]
    spikes = [luck.randrange(i, i + 15) for i in range(0, 10_000, 100)]
    for i in spikes:
        points[i] = (float(i), 5.0)
    kept = thin(points)
    assert len(kept) <= MOST
    assert {x for x, y in kept if y == 5.0} == {float(i) for i in spikes}


def test_steps_that_do_not_move_and_a_single_point() -> None:
    assert thin([(1.0, 2.0)]) == [(1.0, 2.0)]
    assert len(thin([(1.0, float(y)) for y in range(500)])) <= MOST


def test_running_mean_by_hand() -> None:
    points = [(0.0, 1.0), (1.0, 4.0), (2.0, 7.0), (3.0, 0.0), (4.0, 2.0)]
    assert running_mean(points, 3) == [
        (0.0, 1.0),
        (1.0, 4.0),
        (2.0, 11 / 3),
        (3.0, 3.0),
        (4.0, 2.0),
    ]
    assert running_mean(points, 1) == points


def test_only_long_curves_are_smoothed() -> None:
    assert smoothing({"a": [(0.0, 0.0)] * 59}) == 0
    assert smoothing({"a": [(0.0, 0.0)] * 60, "b": []}) == 7
    assert smoothing({"a": [(0.0, 0.0)] * 2000}) == 201
    assert smoothing({}) == 0

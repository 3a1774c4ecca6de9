"""The inputs of a forecast: what pieces take, and what is out of range."""

import math
from dataclasses import replace
from statistics import fmean, stdev

import pytest

from sparring.envs.core import BadInput
from sparring.training.cluster.forecast import fitted
from sparring.training.cluster.inputs import Cluster

SIMPLE = Cluster(workers=1, games=12, game_seconds=2.0, learn_seconds=5.0)


def test_the_spread_is_what_it_says_and_belongs_to_the_piece() -> None:
    cluster = replace(SIMPLE, spread=0.5, rollout_pieces=12)
    drawn = [cluster.playing(step, piece) for step in range(200) for piece in range(12)]
    assert fmean(drawn) == pytest.approx(2, rel=0.05)
    assert stdev(drawn) == pytest.approx(1, rel=0.05)
    assert drawn[100] == replace(cluster, workers=9).playing(*divmod(100, 12))
    assert drawn[100] != replace(cluster, seed=1).playing(*divmod(100, 12))


def test_games_are_cut_evenly() -> None:
    cluster = replace(SIMPLE, games=21, rollout_pieces=8)
    assert [cluster.size(c) for c in range(cluster.pieces)] == [3, 3, 3, 3, 3, 2, 2, 2]
    assert replace(cluster, rollout_pieces=0, workers=5).pieces == 5
    assert replace(cluster, rollout_pieces=0, workers=50).pieces == 21


def test_a_line_through_measured_pieces() -> None:
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
        {"rollout_pieces": 13},
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

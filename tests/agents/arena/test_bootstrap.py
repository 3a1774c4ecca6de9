"""Resampling deals: unbiased spread, Student's width, Efron's correction."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from sparring.agents.arena import bootstrap
from sparring.agents.arena.bootstrap import expanded, percentiles, weights
from sparring.agents.arena.estimates import quantile


def test_the_spread_of_a_resampled_mean_is_unbiased() -> None:
    """s²/D with five deals, not 4/5 of it; and each game's deals are drawn among themselves."""
    values = np.array([1.0, -2.0, 0.5, 4.0, 3.0, 10.0, 20.0])
    drawn = np.concatenate(list(weights((5, 2), 40_000, np.random.default_rng(0))))
    assert drawn.shape == (40_000, 7)
    assert drawn[:, :5].sum(axis=1) == pytest.approx(np.full(40_000, 5.0))
    assert drawn[:, 5:].sum(axis=1) == pytest.approx(np.full(40_000, 2.0))
    for part in (slice(0, 5), slice(5, 7)):
        means = drawn[:, part] @ values[part] / len(values[part])
        assert means.mean() == pytest.approx(values[part].mean(), rel=0.02)
        assert means.var() == pytest.approx(values[part].var(ddof=1) / len(values[part]), rel=0.03)


def test_a_game_of_one_deal_keeps_it() -> None:
    (drawn,) = weights((1, 3), 10, np.random.default_rng(0))
    assert (drawn[:, 0] == 1).all()


def test_large_tables_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CHUNK", 100)
    pieces = list(weights((10,), 35, np.random.default_rng(0)))
    assert [len(piece) for piece in pieces] == [10, 10, 10, 5]
    narrow = list(weights((10,), 35, np.random.default_rng(0), columns=50))
    assert {len(piece) for piece in narrow} == {2, 1}
    assert sum(map(len, narrow)) == 35


@pytest.mark.parametrize("clusters", [3, 10, 1000])
def test_symmetric_resamples_give_students_interval(clusters: int) -> None:
    drawn = 5 + 2 * norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for corrected in (False, True):
        found = expanded(5.0, drawn, clusters, corrected=corrected)
        assert found.high - 5 == pytest.approx(2 * quantile(clusters), rel=1e-3)
        assert 5 - found.low == pytest.approx(2 * quantile(clusters), rel=1e-3)
        assert found.clusters == clusters


def test_the_correction_for_bias() -> None:
    """60 % of the resamples are below the estimate: percentiles at Φ(2·0.2533 ± 1.96)."""
    drawn = (np.arange(10_000) + 0.5) / 10_000
    found = expanded(0.6, drawn, 10**6, corrected=True)
    assert found.low == pytest.approx(norm.cdf(2 * norm.ppf(0.6) - norm.ppf(0.975)), abs=1e-3)
    assert found.high == pytest.approx(norm.cdf(2 * norm.ppf(0.6) + norm.ppf(0.975)), abs=1e-3)
    plain = expanded(0.6, drawn, 10**6, corrected=False)
    assert (plain.low, plain.high) == pytest.approx((0.025, 0.975), abs=1e-3)


def test_the_estimate_is_inside_and_one_deal_says_nothing() -> None:
    drawn = np.linspace(1, 2, 50)
    for found in (percentiles(0.0, drawn, 9), expanded(0.0, drawn, 9, corrected=False)):
        assert found.low == found.mean == 0 < 1 < found.high
    for found in (percentiles(1.5, drawn, 1), expanded(1.5, drawn, 1, corrected=True)):
        assert (found.low, found.high) == (-math.inf, math.inf)

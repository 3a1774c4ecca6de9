"""How much an answer takes, against known numbers and against the interval itself."""

import math

import numpy as np
import pytest

from sparring.agents.arena.estimates import bounded, quantile
from sparring.agents.arena.power import deals_for, deals_to_tell, games_to_tell


def test_games_to_tell_a_win_rate_from_one_half() -> None:
    known = {0.51: 19_620, 0.52: 4_904, 0.55: 783, 0.60: 194, 0.70: 47}
    assert {rate: games_to_tell(rate) for rate in known} == known
    assert games_to_tell(0.45) == games_to_tell(0.55)


@pytest.mark.parametrize(("half_width", "spread"), [(0.02, 0.7), (0.5, 1.0), (1.0, 0.1), (0.1, 0)])
def test_the_fewest_deals_whose_interval_is_that_narrow(half_width: float, spread: float) -> None:
    def half(n: int) -> float:
        return quantile(n) * spread / math.sqrt(n)

    n = deals_for(half_width, spread)
    assert n >= 2
    assert half(n) <= half_width
    assert n == 2 or half(n - 1) > half_width


def test_deals_that_all_say_the_same_are_asked_for_more() -> None:
    assert deals_for(0.02, 0.0) == 2
    n = deals_for(0.02, 0.0, span=2.0)
    shown, before = (bounded(1.0, 0.0, k, (-1.0, 1.0)) for k in (n, n - 1))
    assert (shown.high - shown.low) / 2 <= 0.02 < (before.high - before.low) / 2
    assert deals_for(0.02, 1.0, span=2.0) == deals_for(0.02, 1.0), "where they differ, no matter"


def test_a_difference_is_told_as_often_as_promised() -> None:
    n, luck = deals_to_tell(0.2, 1.0), np.random.default_rng(0)
    assert n == 197  # ((1.959964 + 0.841621) / 0.2)² = 196.2
    values = luck.normal(0.2, 1.0, (4000, n))
    error = values.std(axis=1, ddof=1) / math.sqrt(n)
    told = abs(values.mean(axis=1)) > quantile(n) * error
    assert told.mean() == pytest.approx(0.8, abs=0.02)
    assert deals_to_tell(-0.2, 1.0) == n


def test_what_has_no_answer() -> None:
    for wrong in [(0.0, 1.0), (-0.1, 1.0), (0.1, math.nan), (0.1, math.inf), (math.nan, 1.0)]:
        with pytest.raises(ValueError, match="no number of deals for"):
            deals_for(*wrong)
    with pytest.raises(ValueError, match="tells 0"):
        deals_to_tell(0.0, 1.0)
    with pytest.raises(ValueError, match=r"win rate of 0\.5"):
        games_to_tell(0.5)

"""Paired tests by hand and against scipy."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_1samp

from sparring.agents.arena.estimates import Estimate, estimate
from sparring.agents.arena.paired import holm, p_value, paired


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_p_value_is_students() -> None:
    values = [0.3, -0.1, 0.7, 0.2, 0.5]
    assert p_value(estimate(values)) == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert p_value(Estimate(0.0, 0.0, 0.0, 9)) == 1
    assert p_value(estimate([5.0])) == 1
    assert p_value(estimate([0.5] * 6)) == 1 / 32, "six deals, all the same: 2 · 2⁻⁶"


def test_same_deals_and_third_agents(duels: Callable[..., pl.DataFrame]) -> None:
    """a and b differ by 1 on every deal, whatever the deals do; their own game does not count."""
    luck = np.random.default_rng(0).normal(size=8) * 50
    games = []
    for deal, lucky in enumerate(luck):
        games += [("a", "c", lucky + 1 + 0.1 * (deal % 2), deal), ("b", "c", lucky, deal)]
        games += [("a", "b", -40.0, deal)]
    games += [("b", "c", 1000.0, 99)]  # a did not play this deal
    found = {(t.one, t.two): t for t in paired(duels(games), ["a", "b", "c"])}
    difference = found["a", "b"].difference
    expected = estimate([1 + 0.1 * (deal % 2) for deal in range(8)])
    assert [difference.mean, difference.low, difference.high] == pytest.approx(
        [expected.mean, expected.low, expected.high]
    )
    assert difference.clusters == 8
    assert found["a", "b"].p < 1e-6
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["a", "c"].difference.mean == pytest.approx(-40 + luck.mean()), "against b"


def test_two_agents_are_compared_in_their_match(duels: Callable[..., pl.DataFrame]) -> None:
    payoff = [1.0, -1.0, 1.0, 1.0]
    (found,) = paired(duels([("a", "b", v, d) for d, v in enumerate(payoff)]), ["b", "a"])
    assert (found.one, found.two) == ("b", "a")
    assert found.difference.mean == -1.0, "twice its payoff: the other lost what it won"
    assert found.p == pytest.approx(ttest_1samp(payoff, 0).pvalue)


def test_no_third_agent_in_common_is_no_test(duels: Callable[..., pl.DataFrame]) -> None:
    swiss = duels([("a", "b", 1.0, 0), ("c", "d", 1.0, 0), ("a", "c", 1.0, 1), ("b", "d", 1.0, 1)])
    assert paired(swiss, list("abcd")) == ()

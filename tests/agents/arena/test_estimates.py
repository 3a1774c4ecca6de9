"""Means clustered by deal, against formulas worked out by hand."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as student

from sparring.agents.arena.estimates import (
    SHARE,
    UNKNOWN,
    Estimate,
    best_first,
    bounded,
    estimate,
    ratios,
)


def rows(found: list[tuple[str, int, float, float]]) -> pl.DataFrame:
    return pl.DataFrame(found, schema=["name", "deal", "value", "weight"], orient="row")


def test_one_row_a_deal_is_the_plain_mean() -> None:
    values = [0.5, -1.0, 2.0, 0.25]
    found = ratios(rows([("a", d, v, 1.0) for d, v in enumerate(values)]), "name")["a",]
    plain = estimate(values)
    assert found.clusters == plain.clusters == 4
    assert [found.mean, found.low, found.high] == pytest.approx([plain.mean, plain.low, plain.high])


def test_rows_of_a_deal_are_one_value() -> None:
    """Ten copies of a deal say no more than one."""
    once = rows([("a", d, v, 1.0) for d, v in enumerate([1.0, -1.0, 0.5])])
    tenfold = pl.concat([once] * 10)
    one, ten = ratios(once, "name")["a",], ratios(tenfold, "name")["a",]
    assert [ten.low, ten.high] == pytest.approx([one.low, one.high])
    assert ten.clusters == 3


def test_unequal_deals_by_hand() -> None:
    """S = (3, 0, 1), N = (2, 1, 1): m = 1, residuals (1, −1, 0), se² = 3/2 · 2/16."""
    found = ratios(
        rows([("a", 0, 3.0, 2.0), ("a", 1, 0.0, 1.0), ("a", 2, 1.0, 1.0), ("b", 0, 1.0, 0.0)]),
        "name",
    )
    half = student.ppf(0.975, 2) * math.sqrt(3 / 16)
    assert list(found) == [("a",)], "without weight there is nothing to say"
    assert found["a",].mean == 1
    assert found["a",].high - 1 == pytest.approx(half)
    assert 1 - found["a",].low == pytest.approx(half)


def test_one_deal_says_nothing_of_the_spread() -> None:
    one = rows([("a", 7, 1.0, 1.0), ("a", 7, 0.0, 1.0)])
    assert ratios(one, "name")["a",] == Estimate(0.5, -math.inf, math.inf, 1)
    assert ratios(one, "name", bounds=(-1.0, 1.0))["a",] == ratios(one, "name")["a",]
    assert ratios(one, "name", bounds=SHARE)["a",] == Estimate(0.5, 0.0, 1.0, 1)


@pytest.mark.parametrize("seen", [0.0, 0.25, 1.0])
def test_never_seen_is_not_impossible(seen: float) -> None:
    """Wilson's interval of 0 in n is [0, t²/(n + t²)]: so far may the mean go to either bound."""
    found = ratios(rows([("a", d, seen, 1.0) for d in range(20)]), "name", bounds=SHARE)["a",]
    t = student.ppf(0.975, 19)
    edge = t * t / (20 + t * t)
    assert (found.low, found.high) == pytest.approx((seen - seen * edge, seen + (1 - seen) * edge))


def test_a_share_of_independent_deals_is_wilsons() -> None:
    """30 of 100: (p + t²/2n ± t√(p(1−p)/n + t²/4n²)) / (1 + t²/n), n one less (s has n − 1)."""
    table = rows([("a", d, float(d < 30), 1.0) for d in range(100)])
    found = ratios(table, "name", bounds=SHARE)["a",]
    t, n, p = student.ppf(0.975, 99), 99, 0.3
    centre, spread = p + t * t / (2 * n), t * math.sqrt(p * (1 - p) / n + t * t / (4 * n * n))
    expected = [(centre - spread) / (1 + t * t / n), (centre + spread) / (1 + t * t / n)]
    assert [found.low, found.high] == pytest.approx(expected)


def test_bounds_move_with_the_unit() -> None:
    """Payoffs of −1 and +1 are shares stretched twofold; wide bounds leave Student's interval."""
    shares = [("a", d, float(d % 7 < 2), 1.0) for d in range(40)]
    once = ratios(rows(shares), "name", bounds=SHARE)["a",]
    duels = rows([(n, d, 2 * v - 1, w) for n, d, v, w in shares])
    duel = ratios(duels, "name", bounds=(-1.0, 1.0))["a",]
    for part in ("mean", "low", "high"):
        assert getattr(duel, part) == pytest.approx(2 * getattr(once, part) - 1)
    far, plain = (ratios(duels, "name", bounds=b)["a",] for b in ((-1e5, 1e5), None))
    assert [far.low, far.high] == pytest.approx([plain.low, plain.high], abs=1e-4)
    assert bounded(3.0, 0.0, 9, (3.0, 3.0)) == Estimate(3.0, 3.0, 3.0, 9)


def test_a_share_knows_that_a_deal_is_one() -> None:
    """50 deals of 10 equal games are 50, not 500."""
    once = rows([("a", d, float(d % 5 == 0), 1.0) for d in range(50)])
    one, ten = (ratios(r, "name", bounds=SHARE)["a",] for r in (once, pl.concat([once] * 10)))
    assert [ten.low, ten.high] == pytest.approx([one.low, one.high])


def test_intervals_stay_within_their_bounds() -> None:
    luck = np.random.default_rng(0)
    for _ in range(200):
        p, error = luck.random(), luck.random()
        found = bounded(p, error, int(luck.integers(2, 30)))
        assert 0 <= found.low <= p <= found.high <= 1


def test_intervals_cover_at_their_level() -> None:
    """Deals of 1 to 4 games that share their luck: means and shares cover 95 % of the time."""
    luck = np.random.default_rng(0)
    tables = []
    for name in range(1500):
        size = luck.integers(1, 5, 30)
        deal = np.repeat(np.arange(30), size)
        shared = np.repeat(luck.normal(0.3, 1.0, 30), size)
        games = shared + luck.normal(0.0, 0.5, len(deal))
        tables.append(
            pl.DataFrame({"name": str(name), "deal": deal, "value": games, "weight": 1.0})
        )
    whole = pl.concat(tables)
    covered = [e.low <= 0.3 <= e.high for e in ratios(whole, "name").values()]
    assert 0.935 < np.mean(covered) < 0.965  # ± 0.006 is one standard error
    truth = 0.5 * math.erfc(-0.3 / math.sqrt(2 * 1.25))  # P(N(0.3, 1.25) > 0)
    wins = whole.with_columns((pl.col("value") > 0).cast(pl.Float64).alias("value"))
    covered = [e.low <= truth <= e.high for e in ratios(wins, "name", bounds=SHARE).values()]
    assert 0.935 < np.mean(covered) < 0.965


def test_best_first() -> None:
    a, b = Estimate(1.0, 0.0, 2.0, 3), Estimate(2.0, 0.0, 2.0, 3)
    assert list(best_first({"x": UNKNOWN, "a": a, "b": b, "c": b})) == ["b", "c", "a", "x"]

"""Nash averaging and alpha-rank: known numbers, optimality, OpenSpiel."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sparring.agents.arena.averaging import (
    alpha_rank,
    alpha_shares,
    nash,
    nash_weights,
    payoffs,
)
from sparring.agents.arena.cells import Floats

CYCLE = 0.6 * np.array([[0.0, 1, -1], [-1, 0, 1], [1, -1, 0]])  # 80:20 as payoffs of ±1
CLONED = [0, 1, 2, 2]


def antisymmetric(n: int, luck: np.random.Generator) -> Floats:
    found = luck.normal(size=(n, n))
    return np.asarray((found - found.T) / 2)


def test_a_cycle_and_a_clone() -> None:
    assert nash(CYCLE) == pytest.approx([1 / 3] * 3, abs=1e-9)
    assert alpha_rank(CYCLE) == pytest.approx([1 / 3] * 3, abs=1e-9)
    cloned = CYCLE[np.ix_(CLONED, CLONED)]
    weights = nash(cloned)
    assert weights == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6], abs=1e-8)
    assert cloned @ weights == pytest.approx(np.zeros(4), abs=1e-8)
    assert alpha_rank(cloned) == pytest.approx([0.2, 0.4, 0.2, 0.2], abs=1e-6)


def test_the_best_takes_all() -> None:
    chain = np.array([[0, 1, 2.0], [-1, 0, 1], [-2, -1, 0]])
    assert nash(chain) == pytest.approx([1, 0, 0], abs=1e-9)
    assert alpha_rank(chain) == pytest.approx([1, 0, 0], abs=1e-9)
    assert nash(np.zeros((4, 4))) == pytest.approx([0.25] * 4)
    assert alpha_rank(np.zeros((4, 4))) == pytest.approx([0.25] * 4)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(0, 10_000))
def test_nash_is_an_equilibrium_and_copies_change_nothing(n: int, seed: int) -> None:
    payoff = antisymmetric(n, np.random.default_rng(seed))
    found = nash(payoff)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    assert (payoff @ found).max() < 1e-8, "nobody gains against it"
    copied = [*range(n), 0, n - 1, n - 1]
    again = nash(payoff[np.ix_(copied, copied)])
    assert np.bincount(copied, again) == pytest.approx(found, abs=1e-6)
    assert again[0] == pytest.approx(again[n], abs=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_of_many_equilibria_the_one_of_greatest_entropy(seed: int) -> None:
    """Games of few distinct payoffs have many equilibria. Entropy is concave: p has the most where
    its slope, −log p, takes no equilibrium q higher than p itself."""
    luck = np.random.default_rng(seed)
    upper = np.triu(luck.integers(-1, 2, (7, 7)), 1).astype(float)
    payoff = upper - upper.T
    found = nash(payoff)
    assert (payoff @ found).max() < 1e-7
    slope = -np.log(np.maximum(found, 1e-12))  # steep where p is 0: no equilibrium goes there
    best = linprog(-slope, A_ub=payoff, b_ub=np.zeros(7), A_eq=np.ones((1, 7)), b_eq=[1.0])
    assert -best.fun <= slope @ found + 1e-5


@pytest.mark.parametrize("alpha", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("n", [2, 3, 7])
def test_alpha_rank_is_openspiels(n: int, alpha: float) -> None:
    theirs = pytest.importorskip("open_spiel.python.egt.alpharank")
    payoff = antisymmetric(n, np.random.default_rng(n))
    expected = theirs.compute([payoff], m=50, alpha=alpha)[2]
    assert alpha_rank(payoff, alpha) == pytest.approx(expected, abs=1e-9)


def test_alpha_rank_is_stable_where_numbers_underflow() -> None:
    """At u = 10⁵ a takeover the wrong way has probability e^(−49·10⁵): still one chain."""
    found = alpha_rank(np.stack([CYCLE, -CYCLE, antisymmetric(3, np.random.default_rng(0))]), 1e5)
    assert np.isfinite(found).all()
    assert found[:2] == pytest.approx(np.full((2, 3), 1 / 3))
    assert found.sum(axis=1) == pytest.approx(np.ones(3))
    chain = alpha_rank(np.array([[0, 1, 1.0], [-1, 0, 1], [-1, -1, 0]]), 1e5)
    assert chain == pytest.approx([1, 0, 0])


def test_from_a_table(duels: Callable[..., pl.DataFrame]) -> None:
    """A cycle with luck: the weights are near a third each, inside their intervals."""
    luck = np.random.default_rng(1)
    games = [
        (one, two, 1.0 if luck.random() < 0.8 else -1.0, deal)
        for deal in range(60)
        for one, two in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    table = duels(games)
    found = payoffs(table, ["a", "b", "c"])
    assert found is not None
    for average in (nash_weights, alpha_shares):
        shares = average(found, np.random.default_rng(0))
        assert sum(e.mean for e in shares.values()) == pytest.approx(1)
        assert all(e.low <= 1 / 3 <= e.high for e in shares.values())
        assert all(e.low <= e.mean <= e.high and e.clusters == 60 for e in shares.values())
        assert average(found, np.random.default_rng(0)) == shares
    weights = nash_weights(found, np.random.default_rng(0))
    assert all(e.high - e.low > 0.1 for e in weights.values())
    never = table.filter((pl.col("agent") != "c") | (pl.col("opponent") != "a"))
    assert payoffs(never, ["a", "b", "c"]) is None

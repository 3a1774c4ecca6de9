"""Zero-sum matrix games: known solutions, optimality, copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.agents.arena.zero_sum import solve


@pytest.mark.parametrize(
    ("payoff", "rows", "columns", "value"),
    [
        ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], [1 / 3] * 3, [1 / 3] * 3, 0),
        ([[2, -1], [-1, 1]], [2 / 5, 3 / 5], [2 / 5, 3 / 5], 1 / 5),
        ([[2, 3], [1, 0]], [1, 0], [1, 0], 2),  # a saddle point
        ([[3, 1, 4], [2, 5, 6]], [3 / 5, 2 / 5], [4 / 5, 1 / 5, 0], 13 / 5),
        ([[7]], [1], [1], 7),
        ([[1, 2]], [1], [1, 0], 1),
        ([[1], [2]], [0, 1], [1], 2),
        ([[4, 4], [4, 4]], [1 / 2] * 2, [1 / 2] * 2, 4),
        ([[2, -1], [-1, 1], [-1, 1]], [2 / 5, 3 / 10, 3 / 10], [2 / 5, 3 / 5], 1 / 5),  # a copy
    ],
)
def test_by_hand(
    payoff: list[list[float]], rows: list[float], columns: list[float], value: float
) -> None:
    found = solve(np.array(payoff, dtype=float))
    assert found.rows == pytest.approx(rows, abs=1e-6)
    assert found.columns == pytest.approx(columns, abs=1e-6)
    assert found.value == pytest.approx(value, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10_000), st.booleans())
def test_neither_side_gains(n: int, m: int, seed: int, ties: bool) -> None:
    payoff = 3 * np.random.default_rng(seed).normal(size=(n, m)) - 5
    payoff = payoff.round() if ties else payoff
    found = solve(payoff)
    for side in (found.rows, found.columns):
        assert side.min() >= 0
        assert side.sum() == pytest.approx(1)
    assert (payoff @ found.columns).max() <= found.value + 1e-5
    assert (found.rows @ payoff).min() >= found.value - 1e-5

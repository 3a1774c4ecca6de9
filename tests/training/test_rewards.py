"""Training rewards from payoffs, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.core import Episode
from sparring.training.rewards import fined, mixed, payoff


def episode(*payoffs: float, forfeits: tuple[str, ...] = ()) -> Episode:
    paid = {f"player_{i}": x for i, x in enumerate(payoffs)}
    return Episode("G", 0, (), paid, {}, {}, forfeits=forfeits)


def test_the_payoff_itself() -> None:
    assert payoff(episode(3, -1), "player_1") == -1


def test_others_payoffs_are_mixed_in() -> None:
    """X_i + λ·Σ X_j with payoffs 7, 4 and 1."""
    game = episode(7, 4, 1)
    for weight, expected in ((0, 7), (1, 12), (-1, 2), (0.5, 9.5)):
        assert mixed(weight)(game, "player_0") == expected
    assert mixed(1)(game, "player_2") == 12
    assert mixed(-1)(game, "player_2") == -10


scores = st.integers(-1000, 1000).map(lambda n: n / 8)


@given(scores, scores)
def test_competing_on_deal_or_no_deal_is_zero_sum_for_any_payoffs(x: float, y: float) -> None:
    """λ = −1: (x − y) + (y − x) = 0, and each gets the difference."""
    compete = mixed(-1)
    first, second = (compete(episode(x, y), role) for role in ("player_0", "player_1"))
    assert first + second == 0
    assert first == x - y


@given(scores, scores)
def test_co_operating_on_it_pays_both_the_same(x: float, y: float) -> None:
    together = mixed(1)
    assert together(episode(x, y), "player_0") == together(episode(x, y), "player_1") == x + y


def test_who_forfeits_is_fined_and_nobody_else() -> None:
    """SPIRAL's −1.5 for the role that cannot be parsed; the other keeps what it has."""
    reward = fined(payoff, -1.5)
    game = episode(-1, 1, forfeits=("player_0",))
    assert [reward(game, role) for role in game.payoffs] == [-1.5, 1]
    assert [reward(episode(-1, 1), role) for role in game.payoffs] == [-1, 1]
    assert fined(mixed(-1), -9)(game, "player_1") == pytest.approx(2)

"""Preference losses: hand-worked numbers, closed-form gradients, limits."""

from collections.abc import Callable
from math import exp, log, log1p
from typing import Any

import pytest
import torch

from sparring.training.losses.preference import dpo, spin, sppo
from sparring.training.losses.utterance import squared

T = torch.tensor
CHOSEN, REJECTED = T([-2.0, -1.0]), T([-3.0, -4.0])
REFERENCE = T([-2.5, -1.0]), T([-2.0, -3.0])
DELTA = [0.5 + 1.0, 0.0 + 1.0]
"""u = (0.5, 0) of the chosen ones, (−1, −1) of the rejected ones."""


def softplus(x: float) -> float:
    """−log σ(−x)."""
    return log1p(exp(x))


def gradients(loss: Callable[..., torch.Tensor], **options: Any) -> tuple[list[float], list[float]]:
    """By the log-probability of the chosen and of the rejected sequences."""
    own = CHOSEN.clone().requires_grad_(), REJECTED.clone().requires_grad_()
    loss(*own, *REFERENCE, **options).sum().backward()
    assert own[0].grad is not None
    assert own[1].grad is not None
    return own[0].grad.tolist(), own[1].grad.tolist()


# -- DPO --------------------------------------------------------------------------------------


def test_dpo_against_hand_worked_numbers() -> None:
    found = dpo(CHOSEN, REJECTED, *REFERENCE, beta=0.2)
    assert found.tolist() == pytest.approx([softplus(-0.3), softplus(-0.2)])
    assert found.tolist() == pytest.approx([0.554355, 0.598139], abs=1e-6)
    assert dpo(*REFERENCE, *REFERENCE).tolist() == pytest.approx([log(2)] * 2)


def test_the_gradient_is_the_published_one() -> None:
    """−β·σ(−βΔ)·(∇ log π(chosen) − ∇ log π(rejected)): equation 7's gradient in the paper."""
    up, down = gradients(dpo, beta=0.2)
    pull = [0.2 / (1 + exp(0.2 * delta)) for delta in DELTA]
    assert up == pytest.approx([-x for x in pull])
    assert down == pytest.approx(pull)


def test_a_certain_soft_target_is_the_hard_one() -> None:
    hard = dpo(CHOSEN, REJECTED, *REFERENCE)
    assert torch.equal(dpo(CHOSEN, REJECTED, *REFERENCE, T([1.0, 1.0])), hard)
    turned = dpo(REJECTED, CHOSEN, *REFERENCE[::-1], T([0.0, 0.0]))
    assert torch.allclose(turned, hard)  # the other one wins


def test_label_smoothing_is_a_soft_target() -> None:
    """(1 − ε)·L(chosen first) + ε·L(rejected first), ε = 0.1: conservative DPO."""
    found = dpo(CHOSEN, REJECTED, *REFERENCE, 0.9, beta=0.2)
    expected = [0.9 * softplus(-0.2 * d) + 0.1 * softplus(0.2 * d) for d in DELTA]
    assert found.tolist() == pytest.approx(expected)


def test_a_soft_target_is_met_where_the_loss_is_least() -> None:
    """σ(βΔ) = p, and p/(p + q) where both are given."""
    for p, q, odds in ((0.8, None, 4.0), (0.6, 0.3, 2.0)):
        delta = log(odds) / 0.2
        own = T([delta]).requires_grad_(), T([0.0]).requires_grad_()
        dpo(*own, T([0.0]), T([0.0]), p, q, beta=0.2).sum().backward()
        assert own[0].grad is not None
        assert float(own[0].grad) == pytest.approx(0.0, abs=1e-7)
    own = T([3.0]).requires_grad_(), T([0.0])
    dpo(*own, T([0.0]), T([0.0]), 0.8, beta=0.2).sum().backward()
    assert own[0].grad is not None
    assert abs(float(own[0].grad)) > 0.01


def test_the_loss_of_the_debates() -> None:
    """α·(−log p_chosen) + (1 − α)·[−p·log σ(βΔ) − (1 − p)·log σ(−βΔ)], α = 0.005, β = 0.5."""
    target = T([0.9, 0.6])
    found = dpo(CHOSEN, REJECTED, *REFERENCE, target, beta=0.5, likelihood=0.005)
    first = 0.9 * softplus(-0.75) + 0.1 * softplus(0.75)
    second = 0.6 * softplus(-0.5) + 0.4 * softplus(0.5)
    expected = [0.005 * 2 + 0.995 * first, 0.005 * 1 + 0.995 * second]
    assert found.tolist() == pytest.approx(expected)


# -- SPIN -------------------------------------------------------------------------------------


def test_spin_is_the_logistic_loss_of_demonstration_over_own_answer() -> None:
    found = spin(CHOSEN, REJECTED, *REFERENCE, beta=0.1)
    assert found.tolist() == pytest.approx([softplus(-0.15), softplus(-0.1)])
    assert torch.equal(spin(CHOSEN, REJECTED, *REFERENCE, T([0.3, 0.3]), beta=0.1), found)


# -- SPPO -------------------------------------------------------------------------------------


def test_sppo_against_hand_worked_numbers() -> None:
    """β = 0.5, p = (0.9, 0.5): the log-ratios should be ±0.8 and 0."""
    found = sppo(CHOSEN, REJECTED, *REFERENCE, T([0.9, 0.5]), beta=0.5)
    first = ((0.5 - 0.8) ** 2 + (-1 + 0.8) ** 2) / 2
    assert found.tolist() == pytest.approx([first, (0**2 + 1**2) / 2])
    found = sppo(CHOSEN, REJECTED, *REFERENCE, T([0.9, 0.5]), T([0.4, 0.4]), beta=0.5)
    first = ((0.5 - 0.8) ** 2 + (-1 + 0.2) ** 2) / 2
    assert found.tolist() == pytest.approx([first, (0**2 + (-1 + 0.2) ** 2) / 2])


def test_sppo_is_least_where_the_log_ratios_are_the_win_rates() -> None:
    chosen = (REFERENCE[0] + (0.7 - 0.5) / 0.1).requires_grad_()
    rejected = (REFERENCE[1] + (0.2 - 0.5) / 0.1).requires_grad_()
    sppo(chosen, rejected, *REFERENCE, 0.7, 0.2, beta=0.1).sum().backward()
    assert chosen.grad is not None
    assert rejected.grad is not None
    assert chosen.grad.tolist() == pytest.approx([0.0, 0.0], abs=1e-5)
    assert rejected.grad.tolist() == pytest.approx([0.0, 0.0], abs=1e-5)


def test_hard_sppo_is_half_of_the_formula_that_trl_publishes() -> None:
    """``sppo_hard``: (a − 0.5/β)² + (b + 0.5/β)², a and b the log-ratios."""
    found = sppo(CHOSEN, REJECTED, *REFERENCE, beta=0.5)
    assert (2 * found).tolist() == pytest.approx([0.5**2 + 0, 1**2 + 0])  # a: 0.5, 0; b: −1


def test_sppo_is_the_square_of_its_two_answers() -> None:
    wins, loses = T([0.9, 0.5]), T([0.4, 0.4])
    ones = T([1, 1])
    halves = squared(CHOSEN, REFERENCE[0], ones, wins - 0.5, step=2.0)
    halves = halves + squared(REJECTED, REFERENCE[1], ones, loses - 0.5, step=2.0)
    found = sppo(CHOSEN, REJECTED, *REFERENCE, wins, loses, beta=0.5)
    assert found.tolist() == pytest.approx((halves / 2).tolist())


def test_its_gradient_does_not_fade_where_dpo_is_satisfied() -> None:
    """With Δ large, DPO stops pulling; SPPO pulls the chosen one towards its own target."""
    far = T([50.0])
    own = far.clone().requires_grad_(), T([0.0])
    dpo(*own, T([0.0]), T([0.0]), beta=1.0).sum().backward()
    assert own[0].grad is not None
    assert abs(float(own[0].grad)) < 1e-20
    own = far.clone().requires_grad_(), T([0.0])
    sppo(*own, T([0.0]), T([0.0]), beta=1.0).sum().backward()
    assert own[0].grad is not None
    assert float(own[0].grad) == pytest.approx(50 - 0.5)

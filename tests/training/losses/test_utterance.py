"""Losses of whole utterances against numbers worked out by hand."""

from math import exp, log

import pytest
import torch

from sparring.training.losses.utterance import clipped, imitation, squared

T = torch.tensor


def slope(logprobs: torch.Tensor) -> list[float]:
    assert logprobs.grad is not None
    return [float(x) for x in logprobs.grad]


def test_the_ratio_is_the_geometric_mean_of_the_tokens() -> None:
    """Two tokens: π 0.6 and 0.3 where 0.4 and 0.2 sampled, each 1.5 times as likely: ρ = 1.5."""
    own, reference = T([log(0.6 * 0.3)]), T([log(0.4 * 0.2)])
    found = clipped(own, reference, T([2]), T([1.0]), clip=9.0, kl=0.0)
    assert found.tolist() == pytest.approx([-1.5])


def test_clipped_against_hand_worked_numbers() -> None:
    length = T([4, 4, 4, 4])
    reference = T([-8.0] * 4)
    found = clipped(reference, reference, length, T([2.0, -2.0, 1.0, 0.0]))  # ρ = 1
    assert found.tolist() == [-2.0, 2.0, -1.0, 0.0]
    own = reference + 4 * T([log(1.5), log(1.5), log(0.5), log(0.5)])
    found = clipped(own, reference, length, T([2.0, -2.0, 2.0, -2.0]), clip=0.2, kl=0.0)
    assert found.tolist() == pytest.approx([-2 * 1.2, 2 * 1.5, -2 * 0.5, 2 * 0.8])
    found = clipped(own, reference, length, T([2.0, -2.0, 2.0, -2.0]), clip=0.2, kl=0.2)
    up, down = 0.2 * log(1.5), 0.2 * log(0.5)
    expected = [-(2 - up) * 1.2, (2 + up) * 1.5, -(2 - down) * 0.5, (2 + down) * 0.8]
    assert found.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("attached", "pull"), [(True, 0.2), (False, 0.0)])
def test_the_gradient_where_it_starts(attached: bool, pull: float) -> None:
    """At ρ = 1 it is −(A − κ)/T with the pull attached, −A/T without."""
    own = T([-3.0, -5.0]).requires_grad_()
    clipped(own, own.detach(), T([3, 10]), T([1.0, -0.5]), attached=attached).sum().backward()
    assert slope(own) == pytest.approx([-(1 - pull) / 3, -(-0.5 - pull) / 10])


@pytest.mark.parametrize(
    ("ratio", "advantage", "flat"), [(1.5, 1.0, True), (1.5, -1.0, False), (0.5, -1.0, True)]
)
def test_the_clip_stops_the_gradient(ratio: float, advantage: float, flat: bool) -> None:
    own = T([-4.0 + 2 * log(ratio)]).requires_grad_()
    clipped(own, T([-4.0]), T([2]), T([advantage]), kl=0.0).sum().backward()
    assert slope(own) == pytest.approx([0.0 if flat else -advantage * ratio / 2])


def test_the_pull_alone() -> None:
    """With A = 0 and κ = 0.2 the loss is κ·ρ·log ρ without a clip: least at ρ = 1/e."""
    for ratio in (0.2, 0.5, 1.5):
        own = T([2 * log(ratio)]).requires_grad_()
        clipped(own, T([0.0]), T([2]), T([0.0]), clip=9.0).sum().backward()
        assert slope(own) == pytest.approx([0.2 * ratio * (log(ratio) + 1) / 2])
    own = T([-2.0]).requires_grad_()
    clipped(own, T([0.0]), T([2]), T([0.0]), clip=9.0).sum().backward()
    assert slope(own) == pytest.approx([0.0])


def test_imitation() -> None:
    own, reference, length = T([-2.0, -6.0]), T([-4.0, -6.0]), T([2, 3])
    found = imitation(own, reference, length, T([0.0, 0.0]), kl=0.1)
    assert found.tolist() == pytest.approx([1 + 0.1 * exp(-1) * (-1 + 2), 2.0])


def test_the_square_is_least_at_the_multiplicative_weights_step() -> None:
    own = T([-3.0, -1.0]).requires_grad_()
    reference, advantage = T([-2.0, -2.0]), T([0.25, -0.5])
    loss = squared(own, reference, T([7, 7]), advantage, step=2.0)
    assert loss.tolist() == pytest.approx([(-1 - 0.5) ** 2, (1 + 1) ** 2])
    best = (reference + 2.0 * advantage).requires_grad_()
    squared(best, reference, T([7, 7]), advantage, step=2.0).sum().backward()
    assert slope(best) == pytest.approx([0.0, 0.0])

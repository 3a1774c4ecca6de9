"""Loss terms against numbers worked out by hand."""

from math import log

import pytest
import torch

from sparring.training.losses.kl import KL, exact, k1, k2, k3
from sparring.training.losses.policy_gradient import entropy, likelihood, surrogate, truncated

T = torch.tensor


def test_surrogate() -> None:
    logprobs, behaviour = T([log(0.5), log(0.2)]), T([log(0.25), log(0.4)])  # ratios 2 and 1/2
    found = surrogate(logprobs, behaviour, gain=T([3.0, 1.0]), cost=T([1.0, 4.0]))
    assert found.tolist() == pytest.approx([1 * 2 - 3 * 2, 4 * 0.5 - 1 * 0.5])


def test_the_clip_stops_gains_above_and_costs_below() -> None:
    logprobs = T(
        [log(0.5), log(0.2)],
    ).requires_grad_()
    behaviour = T([log(0.25), log(0.4)])  # ratios 2 and 1/2, clipped to [0.8, 1.2]
    found = surrogate(logprobs, behaviour, gain=T([3.0, 1.0]), cost=T([1.0, 4.0]), clip=0.2)
    assert found.tolist() == pytest.approx([1 * 2 - 3 * 1.2, 4 * 0.8 - 1 * 0.5])
    found.sum().backward()
    assert logprobs.grad is not None
    assert logprobs.grad.tolist() == pytest.approx([1 * 2, -1 * 0.5])  # the clipped parts are flat


def test_another_clip_above() -> None:
    logprobs, behaviour = T([log(0.5), log(0.2)]), T([log(0.25), log(0.4)])  # ratios 2 and 1/2
    both = T([3.0, 1.0]), T([1.0, 4.0])
    found = surrogate(logprobs, behaviour, *both, clip=0.2, clip_high=0.5)
    assert found.tolist() == pytest.approx([1 * 2 - 3 * 1.5, 4 * 0.8 - 1 * 0.5])


def test_at_the_sampling_policy_the_gradient_is_reinforce() -> None:
    logprobs = T([-0.3, -1.2, -2.0]).requires_grad_()
    advantages = T([1.5, -0.5, 2.0])
    gain, cost = advantages.clamp(min=0), (-advantages).clamp(min=0)
    surrogate(logprobs, logprobs.detach(), gain, cost).sum().backward()
    assert logprobs.grad is not None
    assert logprobs.grad.tolist() == pytest.approx((-advantages).tolist())  # of −A·log π


def test_truncated_importance_weights() -> None:
    old, behaviour = T([log(0.4), log(0.4), log(0.1)]), T([log(0.2), log(0.1), log(0.2)])
    assert truncated(old, behaviour, 3.0).tolist() == pytest.approx([2.0, 3.0, 0.5])


@pytest.mark.parametrize(("cap", "exact"), [(100.0, True), (1.0, False)])
def test_weights_correct_for_who_sampled_as_far_as_the_cap_lets_them(
    cap: float, exact: bool
) -> None:
    """Every token as often as μ says: the expected gradient is that of sampling from π_old."""
    old, behaviour = T([0.6, 0.3, 0.1]), T([0.2, 0.3, 0.5])
    advantage = T([1.0, -2.0, 0.5])

    def gradient(chance: torch.Tensor, held: torch.Tensor) -> list[float]:
        logits = old.log().clone().requires_grad_()
        up, down = chance * advantage.clamp(min=0) * held, chance * (-advantage).clamp(min=0) * held
        surrogate(logits.log_softmax(-1), old.log(), up, down).sum().backward()
        assert logits.grad is not None
        return logits.grad.tolist()

    found = gradient(behaviour, truncated(old.log(), behaviour.log(), cap))
    wanted = pytest.approx(gradient(old, torch.ones(3)), abs=1e-6)
    assert (found == wanted) == exact


def test_kl_and_entropy() -> None:
    p, q = T([[0.5, 0.25, 0.25]]), T([[0.25, 0.25, 0.5]])
    expected = 0.5 * log(2) + 0 + 0.25 * log(0.5)
    assert float(exact(p.log(), q.log())) == pytest.approx(expected)
    assert float(exact(p.log(), p.log())) == 0.0
    assert float(entropy(p.log())) == pytest.approx(1.5 * log(2))


def test_estimates_of_kl() -> None:
    own, other = T([log(0.5), log(0.25)]), T([log(0.25), log(0.5)])  # other/own: 1/2 and 2
    assert k1(own, other).tolist() == pytest.approx([log(2), -log(2)])
    assert k2(own, other).tolist() == pytest.approx([log(2) ** 2 / 2] * 2)
    assert k3(own, other).tolist() == pytest.approx([0.5 - 1 + log(2), 2 - 1 - log(2)])


def test_what_the_estimates_and_their_gradients_are_in_expectation() -> None:
    p, q = T([0.5, 0.25, 0.25]), T([0.25, 0.25, 0.5])

    def gradient(name: str) -> torch.Tensor:
        logits = p.log().clone().requires_grad_()
        own = logits.log_softmax(-1)
        value = KL[name](own, q.log())
        (p * value).sum().backward()  # each token as often as π says it
        assert logits.grad is not None
        return logits.grad

    for name in ("k1", "k3"):
        assert float((p * KL[name](p.log(), q.log())).sum()) == pytest.approx(0.25 * log(2))
    logits = p.log().clone().requires_grad_()
    exact(logits.log_softmax(-1)[None], q.log()[None]).backward()
    assert logits.grad is not None
    assert gradient("k2").tolist() == pytest.approx(logits.grad.tolist(), abs=1e-6)
    assert gradient("k1").tolist() == pytest.approx([0.0] * 3, abs=1e-6)
    assert gradient("k3").tolist() == pytest.approx((p - q).tolist(), abs=1e-6)  # ∇KL(q‖π)


def test_likelihood() -> None:
    assert likelihood(T([log(0.5)]), T([3.0])).tolist() == pytest.approx([3 * log(2)])
    assert likelihood(T([log(0.5)]), T([-2.0])).tolist() == pytest.approx([-2 * log(2)])


def test_the_minimum_is_the_mirror_descent_step() -> None:
    """−A·ρ + β·KL(π‖old) + τ·KL(π‖magnet) is least at π ∝ (old^β · magnet^τ · exp A)^(1/(β+τ))."""
    old, magnet = T([0.5, 0.3, 0.2]), T([0.2, 0.2, 0.6])
    advantage, beta, tau = T([1.0, -1.0, 0.0]), 2.0, 0.5
    logits = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-9)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        policy = logits.log_softmax(-1)
        gain, cost = old * advantage.clamp(min=0), old * (-advantage).clamp(min=0)
        loss = surrogate(policy, old.log(), gain, cost).sum()  # every token as often as old says
        loss = loss + beta * exact(policy[None], old.log()[None]).sum()
        loss = loss + tau * exact(policy[None], magnet.log()[None]).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    target = ((beta * old.log() + tau * magnet.log() + advantage) / (beta + tau)).softmax(-1)
    assert logits.softmax(-1).tolist() == pytest.approx(target.tolist(), abs=1e-4)

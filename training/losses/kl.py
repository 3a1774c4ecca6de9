"""KL(π ‖ other) at trained tokens: exact over a vocabulary, or estimated from what was sampled.

The estimators k1, k2, k3 are Schulman's (joschu.net/blog/kl-approx.html). With d = log other −
log π at a token sampled from π, E[k1] = E[k3] = KL(π‖other), k1 with a large variance, and k2 is
close to it where the policies are close. As terms of a loss their gradients differ: ∇k2 is an
unbiased estimate of ∇KL, ∇k1 is zero in expectation, ∇k3 is that of the reverse KL.
"""

from collections.abc import Callable

import torch


def exact(policy: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """KL(π ‖ other) = Σ_v π(v)·(log π(v) − log other(v)).

    Shapes: log-probabilities [N, V] each; ``policy`` carries the gradient. Returns [N].
    """
    return (policy.exp() * (policy - other)).sum(-1)


def k1(policy: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """log π − log other. Shapes: log-probabilities of the said tokens [N] each. Returns [N]."""
    return policy - other


def k2(policy: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """(log π − log other)² / 2. Shapes: as ``k1``."""
    return (policy - other).square() / 2


def k3(policy: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """e^d − 1 − d with d = log other − log π; never negative. Shapes: as ``k1``."""
    d = other - policy
    return d.exp() - 1 - d


KL: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "exact": exact,
    "k1": k1,
    "k2": k2,
    "k3": k3,
}

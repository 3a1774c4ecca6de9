"""Losses of whole utterances, by their mean log-probability a token.

With _T_s the number of tokens of utterance s, l̄ = Σ_t log π / T is the mean log-probability of its
tokens under the policy in training and l̄_ref the same under a reference. A long answer moves as
much as a short one, and the ratio exp(l̄ − l̄_ref) is the geometric mean of the tokens' ratios.
Every function takes Σ_t log-probabilities and returns one number an utterance.
"""

import torch


def clipped(
    logprobs: torch.Tensor,
    reference: torch.Tensor,
    length: torch.Tensor,
    advantage: torch.Tensor,
    *,
    clip: float = 0.2,
    kl: float = 0.2,
    attached: bool = True,
) -> torch.Tensor:
    """−min(ρ·Â, clip(ρ, 1 ± ε)·Â), ρ = exp(l̄ − l̄_ref), Â = A − κ·(l̄ − l̄_ref).

    SPAG (arXiv 2404.10642), with ε = ``clip`` and κ = ``kl`` both 0.2, and the policy that sampled
    as the reference. Its code lets the gradient flow through the κ term too (``attached``); then
    at ρ = 1 the gradient is that of −(A − κ)·l̄. Detached, the term only shrinks the advantage, and
    the gradient at ρ = 1 is that of −A·l̄.

    Shapes: all [S]; ``logprobs`` carries the gradient. Returns [S].
    """
    drift = (logprobs - reference) / length
    ratio = drift.exp()
    pulled = advantage - kl * (drift if attached else drift.detach())
    return -torch.minimum(ratio * pulled, ratio.clamp(1 - clip, 1 + clip) * pulled)


def imitation(
    logprobs: torch.Tensor,
    reference: torch.Tensor,
    length: torch.Tensor,
    advantage: torch.Tensor,
    *,
    kl: float = 0.1,
) -> torch.Tensor:
    """−l̄ + κ·e^l̄·(l̄ − l̄_ref): SPAG's first stage, on games of a better player, κ = 0.1.

    The likelihood with a pull to the model of the start. ``advantage`` is not used: what should not
    be imitated is filtered out or weighted down before.

    Shapes: all [S]; ``logprobs`` carries the gradient. Returns [S].
    """
    mean, anchor = logprobs / length, reference / length
    return -mean + kl * mean.exp() * (mean - anchor)


def squared(
    logprobs: torch.Tensor,
    reference: torch.Tensor,
    length: torch.Tensor,
    advantage: torch.Tensor,
    *,
    step: float = 1.0,
) -> torch.Tensor:
    """(log π − log π_ref − η·A)², of sums of log-probabilities; ``length`` is not used.

    Least at π = π_ref·exp(η·A), the multiplicative-weights step, up to normalisation. With A the
    probability of winning against the policy minus ½ and η = 1/β it is SPPO's loss for one answer
    (arXiv 2405.00675); ``preference.sppo`` is half its sum over a pair.

    Shapes: all [S]; ``logprobs`` carries the gradient. Returns [S].
    """
    return (logprobs - reference - step * advantage).square()

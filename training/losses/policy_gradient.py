"""The policy gradient of a batch, and the terms that hold its update close.

Pure functions of tensors over the _N trained tokens. π is the policy that is being trained, μ the
one that sampled, _V the vocabulary. Every function returns one number a token, [N]; the sum over
tokens divided by the number of rows is the loss.
"""

import torch


def surrogate(
    logprobs: torch.Tensor,
    behaviour: torch.Tensor,
    gain: torch.Tensor,
    cost: torch.Tensor,
    clip: float | None = None,
    clip_high: float | None = None,
) -> torch.Tensor:
    """−Σ_rows A·ρ with ρ = π(token) / μ(token): at π = μ its gradient is REINFORCE's.

    ``gain`` and ``cost`` are the summed positive and negative parts of A over the merged rows.
    With ``clip`` = ε it is PPO's clipped surrogate (arXiv 1707.06347, equation 7), which is
    −A·min(ρ, 1 + ε) where A > 0 and −A·max(ρ, 1 − ε) where A < 0; ``clip_high`` is another ε for
    the first of the two (DAPO, arXiv 2503.14476).

    Shapes: all [N]; ``logprobs`` carries the gradient. Returns [N].
    """
    ratio = torch.exp(logprobs - behaviour)
    up, down = ratio, ratio
    if clip is not None:
        high = clip if clip_high is None else clip_high
        up, down = ratio.clamp(max=1 + high), ratio.clamp(min=1 - clip)
    return cost * down - gain * up


def truncated(before: torch.Tensor, behaviour: torch.Tensor, cap: float) -> torch.Tensor:
    """min(C, π_old/μ): how much a sampled token counts where what sampled it, μ, was not quite the
    policy at the start of the update, π_old (IMPALA's ρ̄, arXiv 1802.01561, section 4.1).

    ``before`` and ``behaviour`` are log π_old and log μ, ``cap`` is C. Shapes: [N]; returns [N].
    """
    return torch.exp(before - behaviour).clamp(max=cap)


def entropy(policy: torch.Tensor) -> torch.Tensor:
    """H(π) = −Σ_v π(v)·log π(v), in nats. Shapes: log-probabilities [N, V]. Returns [N]."""
    return -(policy.exp() * policy).sum(-1)


def likelihood(logprobs: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """−w·log π(token): maximum likelihood of what was said, each token weighted with ``count``.

    In a batch ``count`` is Σ over the rows that said the token of ``Row.weight``, which is the
    weight of the sample (filters change it) over the divisor of the length normalisation.
    ``gain − cost`` in its place weights each answer with its advantage, of either sign.

    Shapes: [N] each; ``logprobs`` carries the gradient. Returns [N].
    """
    return -count * logprobs

"""Losses of pairs: a chosen and a rejected sequence, each under the policy and under a reference.

Pure functions of sequence log-probabilities, [P] each: Σ over the tokens of a sequence, or their
mean where a method averages over length. With u = log π − log π_ref of a sequence, Δ is u of the
chosen one minus u of the rejected one. Every function returns one number a pair, [P].

``target`` p is how often the chosen one wins: 1 for a hard label, 1 − ε for a label that is wrong
with probability ε (label smoothing), anything between for a judge's opinion. ``rejected_target`` q
is the same for the rejected one, 1 − p where it is not given.
"""

import torch
from torch.nn.functional import logsigmoid

Target = torch.Tensor | float


def dpo(
    policy_chosen: torch.Tensor,
    policy_rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    target: Target = 1.0,
    rejected_target: Target | None = None,
    *,
    beta: float = 0.1,
    likelihood: float = 0.0,
) -> torch.Tensor:
    """−p·log σ(βΔ) − q·log σ(−βΔ), and α·(−log π(chosen)) + (1 − α)· that with α = ``likelihood``.

    p = 1, α = 0: direct preference optimisation (arXiv 2305.18290, equation 7). p = 1 − ε: its
    conservative form with label smoothing. A soft p from a judge's scores, α = 0.005, β = 0.5 and
    mean log-probabilities: the loss of the debates in arXiv 2409.16636. Without the α term it is
    least at σ(βΔ) = p/(p + q).

    Shapes: all [P]; the first two carry the gradient. Returns [P].
    """
    delta = beta * (policy_chosen - reference_chosen - policy_rejected + reference_rejected)
    other = 1 - target if rejected_target is None else rejected_target
    loss = -target * logsigmoid(delta) - other * logsigmoid(-delta)
    if likelihood:
        loss = (1 - likelihood) * loss - likelihood * policy_chosen
    return loss


def spin(
    policy_chosen: torch.Tensor,
    policy_rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    target: Target = 1.0,
    rejected_target: Target | None = None,
    *,
    beta: float = 0.1,
) -> torch.Tensor:
    """−log σ(βΔ): a demonstration against the policy's own answer (arXiv 2401.01335, equation 4.7).

    The reference is the policy that gave that answer, the one at the start of the update. The
    targets are not used: a demonstration always wins.

    Shapes: all [P]; the first two carry the gradient. Returns [P].
    """
    given = (policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    return dpo(*given, beta=beta)


def sppo(
    policy_chosen: torch.Tensor,
    policy_rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    target: Target = 1.0,
    rejected_target: Target | None = None,
    *,
    beta: float = 0.001,
) -> torch.Tensor:
    """½·[u_chosen − (p − ½)/β]² + ½·[u_rejected − (q − ½)/β]².

    Self-play preference optimisation (arXiv 2405.00675, equation 4.7 and its code): p and q are the
    probabilities that either answer wins against a sample of the policy, which is also the
    reference. The published β is 0.001. With p = 1 and q = 0 it is half of TRL's ``sppo_hard``.

    Shapes: all [P]; the first two carry the gradient. Returns [P].
    """
    other = 1 - target if rejected_target is None else rejected_target
    chosen = policy_chosen - reference_chosen - (target - 0.5) / beta
    rejected = policy_rejected - reference_rejected - (other - 0.5) / beta
    return (chosen.square() + rejected.square()) / 2

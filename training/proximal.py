"""The loss of a proximal update (the formula at the head of ``learner.py``), and its report."""

import math
from collections.abc import Sequence

import torch

from sparring.training import mismatch
from sparring.training.batch import Batch
from sparring.training.core import Metrics
from sparring.training.forward import said
from sparring.training.losses import kl, policy_gradient
from sparring.training.parts import Part, PartLoss
from sparring.training.update import UpdateConfig


def loss(
    config: UpdateConfig,
    batch: Batch,
    old: torch.Tensor,
    terms: Sequence[tuple[torch.Tensor, float]],
) -> PartLoss:
    """Of a part of ``batch``; ``terms`` are the KL terms: (other policy, weight).

    ``old``, the policy at the start of the update, and the other policies are log-probabilities at
    the trained tokens, as ``Learner.remember`` gives them: [N, V] where the KL terms are exact,
    else [N].
    """
    exact = config.kl == "exact"
    start, held = batch.behaviour, torch.ones_like(batch.behaviour)
    if config.importance_cap is not None:
        start = of_said(config, batch, old)
        if config.importance == "token":
            held = policy_gradient.truncated(start, batch.behaviour, config.importance_cap)

    def share(policy: torch.Tensor, part: Part) -> torch.Tensor:
        here = part.tokens
        gain, cost = batch.gain[here] * held[here], batch.cost[here] * held[here]
        count = batch.count[here]
        own = said(policy, batch, part)
        clips = config.clip, config.clip_high
        total = policy_gradient.surrogate(own, start[here], gain, cost, *clips)
        for other, weight in terms:
            distance = kl.KL[config.kl](policy if exact else own, other[here])
            total = total + count * weight * distance
        if config.entropy:
            total = total - count * config.entropy * policy_gradient.entropy(policy)
        return total.sum() / batch.rows

    return share


@torch.no_grad()
def report(
    config: UpdateConfig,
    batch: Batch,
    old: torch.Tensor,
    new: torch.Tensor,
    magnet: torch.Tensor | None,
) -> Metrics:
    """How far the update went from ``old`` to ``new``, and how far engine and learner are apart."""
    weight = batch.count / batch.count.sum()
    exact = config.kl == "exact"
    distance = kl.KL["exact" if exact else "k3"]
    metrics: Metrics = {}
    before = of_said(config, batch, old)
    if exact:
        metrics["entropy"] = float((policy_gradient.entropy(old) * weight).sum())
    else:
        metrics["entropy"] = float((-old * weight).sum())  # E[−log π(said)], π = μ
    metrics["kl_step"] = float((distance(new, old) * weight).sum())
    if magnet is not None:
        metrics["kl_magnet"] = float((distance(new, magnet) * weight).sum())
    if config.importance_cap is not None and config.importance == "token":
        over = before - batch.behaviour > math.log(config.importance_cap)
        metrics["importance_cut"] = float((over * weight).sum())
    return {**metrics, **mismatch.of_batch(batch, before)}


def of_said(config: UpdateConfig, batch: Batch, policy: torch.Tensor) -> torch.Tensor:
    """Of a policy at the trained tokens, as ``Learner.remember`` gives it: that of what was
    said, [N]."""
    return policy.gather(1, batch.chosen[:, None])[:, 0] if config.kl == "exact" else policy

"""Losses of whole sequences, for a batch that goes through the model part by part.

A loss L of the log-probabilities l_s of segments (answers or rows, ``segments.py``) is no sum over
tokens, so the parts of a batch cannot be back-propagated one by one as they are. By the chain rule

    ∇L = Σ_s c_s·∇l_s      c_s = ∂L/∂l_s at the present weights      l_s = Σ_{n in s} log π(n)

so one pass without gradient gives all l_s, L of them gives all c_s, and then every part adds
Σ_n (Σ_{s with n} c_s)·log π(n). The gradient is that of L itself, for one more pass forward.
"""

from collections.abc import Callable
from typing import Any

import torch

from sparring.training.batch import Batch
from sparring.training.forward import cut, said, said_logprobs
from sparring.training.group import ALONE, Group
from sparring.training.parts import Part, PartLoss
from sparring.training.segments import Segments

SequenceLoss = Callable[[torch.Tensor], torch.Tensor]
"""From the log-probabilities [S] of a batch's segments to the loss, one number."""


def whole(batch: Batch) -> Segments:
    """The segments of a batch.

    Raises:
        ValueError: the batch was made without them.
    """
    if batch.segments is None:
        raise ValueError('the batch has no segments: collate(rows, segments="answer") or "row"')
    return batch.segments


@torch.no_grad()
def logprobs(model: Any, batch: Batch, at_once: int, group: Group = ALONE) -> torch.Tensor:
    """The log-probability of each segment under the model as it is: [S]."""
    return whole(batch).sums(said_logprobs(model, batch, at_once, group))


def by_parts(
    model: Any, batch: Batch, loss: SequenceLoss, at_once: int, group: Group = ALONE
) -> PartLoss:
    """A loss of parts whose sum over them has the value and the gradient of ``loss``.

    It holds at the weights that the model has now, so it is good for one step. Exact where the
    model says the same twice: without dropout.
    """
    segments = whole(batch)
    if group.size == 1 and len(cut(model, batch, at_once)) == 1:
        return lambda policy, part: loss(segments.sums(said(policy, batch, part)))
    with torch.no_grad():
        before = said_logprobs(model, batch, at_once, group)
    sums = segments.sums(before).requires_grad_()
    value = loss(sums)
    (slope,) = torch.autograd.grad(value, sums)
    slopes = torch.zeros_like(before).index_add_(0, segments.token, slope[segments.owner])
    mean = value.detach() / len(before)

    def share(policy: torch.Tensor, part: Part) -> torch.Tensor:
        here = part.tokens
        moved = said(policy, batch, part) - before[here]  # 0, but for the gradient
        return (slopes[here] * moved + mean).sum()

    return share

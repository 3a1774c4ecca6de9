"""A batch through a model: the log-probabilities at its trained tokens, some trees at a time."""

from dataclasses import dataclass
from typing import Any

import torch

from sparring.training.batch import Batch


@dataclass(frozen=True, slots=True)
class Part:
    """Trees [start, stop) of a batch, the largest of ``width`` tokens; their trained tokens [n]."""

    start: int
    stop: int
    width: int
    tokens: torch.Tensor


def parts(batch: Batch, at_once: int) -> list[Part]:
    """The batch cut into runs of trees of like size, of at most ``at_once`` tokens with fill.

    Trees come smallest first; a run ends where filling it up would cost more than a third.
    """
    sizes = batch.sizes.tolist()
    cuts = [0]
    for b, size in enumerate(sizes):
        start = cuts[-1]
        full = (b + 1 - start) * size > at_once
        if b > start and (full or (b - start) * size > 1.34 * sum(sizes[start:b])):
            cuts.append(b)
    owner = batch.where[:, 0]
    return [
        Part(a, b, sizes[b - 1], torch.nonzero((owner >= a) & (owner < b))[:, 0])
        for a, b in zip(cuts, [*cuts[1:], len(sizes)], strict=True)
    ]


def logprobs(model: Any, batch: Batch, at_once: int) -> torch.Tensor:
    """log π(· | tokens before) at every trained token: [N, V]."""
    found = [part_logprobs(model, batch, part) for part in parts(batch, at_once)]
    return torch.cat(found)  # trees come in order, and so do their trained tokens


def said_logprobs(model: Any, batch: Batch, at_once: int) -> torch.Tensor:
    """log π(token | tokens before) of every trained token: [N]; never holds all [N, V]."""
    found = [said(part_logprobs(model, batch, p), batch, p) for p in parts(batch, at_once)]
    return torch.cat(found)


def said(policy: torch.Tensor, batch: Batch, part: Part) -> torch.Tensor:
    """Of log-probabilities [n, V] at a part's tokens those of the tokens that were said: [n]."""
    return policy.gather(1, batch.chosen[part.tokens][:, None])[:, 0]


def part_logprobs(model: Any, batch: Batch, part: Part) -> torch.Tensor:
    """The same for the tokens of one part: [n, V]; the output layer runs on their columns only."""
    here, trees = part.tokens, slice(part.start, part.stop)
    columns, column = torch.unique(batch.before[here], return_inverse=True)
    mask = None
    if batch.sees is not None:
        seen = batch.sees[trees, None, : part.width, : part.width].to(model.device)
        least = torch.finfo(model.dtype).min
        mask = torch.zeros(seen.shape, dtype=model.dtype, device=model.device)
        mask = mask.masked_fill(~seen, least)
    logits = model(
        input_ids=batch.ids[trees, : part.width].to(model.device),
        attention_mask=mask,
        position_ids=batch.depth[trees, : part.width].to(model.device),
        use_cache=False,
        logits_to_keep=columns.to(model.device),
    ).logits
    tree = (batch.where[here, 0] - part.start).to(logits.device)
    picked: torch.Tensor = logits[tree, column.to(logits.device)].float().cpu()
    return picked.log_softmax(-1)

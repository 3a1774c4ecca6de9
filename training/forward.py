"""A batch through a model: the log-probabilities at its trained tokens, some trees at a time.

No token is computed for nothing. Trees stand several to one *line* of the model's input, behind a
mask that keeps them apart; lines of like length go through the model together; and the output
layer reads the places that predict a trained token, and no others.
"""

from typing import Any

import torch

from sparring.training.attention import check_takes, takes
from sparring.training.batch import Batch
from sparring.training.group import ALONE, Group
from sparring.training.outputs import only
from sparring.training.parts import PASS, SHARE, Part, fill_of, lines_of, parts

LONGEST_LINE = 2048
IDLE = 1 << 20  # logits that may be computed for nothing: 4 MiB


def cut(model: Any, batch: Batch, at_once: int, among: int = 1) -> list[Part]:
    """``parts`` for a model: one tree a line where the fill is small, else several.

    Attention within a line is dense, so a line of several is no longer than the model is wide:
    attention then costs at most a sixth of what the rest of a layer does.

    Raises:
        BadInput: the batch has trees that branch, and the model takes no mask of ours.
    """
    if batch.branches:
        check_takes(model, batch)
    plain = parts(batch, at_once, among=among)
    little = fill_of(batch, plain) <= max(PASS, int(batch.sizes.sum()) // SHARE)
    if little or not takes(model, batch):
        return plain
    width = model.config.get_text_config().hidden_size
    packed = parts(batch, at_once, min(width, LONGEST_LINE), among)
    return min(plain, packed, key=lambda found: fill_of(batch, found))


def passes(model: Any, batch: Batch, at_once: int, group: Group = ALONE) -> list[Part]:
    """What this process computes of a batch: of each part its lines. All of a group have as many
    parts, of which some may have no trees.

    Raises:
        BadInput: as ``cut``.
        RuntimeError: the others have another batch.
    """
    if group.size == 1:
        return cut(model, batch, at_once)
    found = cut(model, batch, at_once, group.size)
    order = torch.arange(1, len(batch.chosen) + 1)
    group.agree(len(found), len(order), int((batch.chosen * order).sum()))
    return [lines_of(batch, part, *group.own(part.lines)) for part in found]


def logprobs(model: Any, batch: Batch, at_once: int, group: Group = ALONE) -> torch.Tensor:
    """log π(· | tokens before) at every trained token: [N, V]."""
    own = passes(model, batch, at_once, group)
    return _together(batch, own, [part_logprobs(model, batch, p) for p in own], group)


def said_logprobs(model: Any, batch: Batch, at_once: int, group: Group = ALONE) -> torch.Tensor:
    """log π(token | tokens before) of every trained token: [N]; never holds all [N, V]."""
    own = passes(model, batch, at_once, group)
    found = [said(part_logprobs(model, batch, p), batch, p) for p in own]
    return _together(batch, own, found, group)


def _together(
    batch: Batch, own: list[Part], found: list[torch.Tensor], group: Group
) -> torch.Tensor:
    """What the passes of all processes found at their trained tokens."""
    places = torch.cat([part.tokens for part in own])  # in order: so the trees come
    return group.gather(torch.cat(found), places, len(batch.chosen))


def said(policy: torch.Tensor, batch: Batch, part: Part) -> torch.Tensor:
    """Of log-probabilities [n, V] at a part's tokens those of the tokens that were said: [n]."""
    return policy.gather(1, batch.chosen[part.tokens][:, None])[:, 0]


def part_logprobs(model: Any, batch: Batch, part: Part) -> torch.Tensor:
    """The same for the tokens of one part: [n, V], where the batch is (on the CPU)."""
    places, which = _places(batch, part, IDLE // model.config.get_text_config().vocab_size)
    device = model.device
    inputs = {name: t.to(device) for name, t in _inputs(model, batch, part).items()}
    with only(model, places.to(device)):
        logits = model(**inputs, use_cache=False).logits.flatten(0, 1)
    if len(logits) > len(places):  # the model has no output layer of its own to ask
        logits = logits[places.to(device)]
    picked: torch.Tensor = logits[which.to(device)]
    picked = picked.to(torch.promote_types(picked.dtype, torch.float32))
    return picked.log_softmax(-1).to(batch.chosen.device)


def _places(batch: Batch, part: Part, spare: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The places that predict a part's trained tokens, counted over all lines, and for each trained
    token which of them.

    Where the trees are alike, their places are nearly a grid of lines and columns. It is read whole
    if no more than ``spare`` places are read for nothing: sums over a grid round as those of the
    trees side by side, which the published runs of the embedded model were made with.
    """
    tree = batch.where[part.tokens, 0] - part.start
    line, column = part.line[tree], part.offset[tree] + batch.before[part.tokens]
    places, which = torch.unique(line * part.width + column, return_inverse=True)
    columns, index = torch.unique(column, return_inverse=True)
    lines = part.lines
    if lines * len(columns) - len(places) > spare:
        return places, which
    grid = torch.arange(lines)[:, None] * part.width + columns
    return grid.flatten(), line * len(columns) + index


def _inputs(model: Any, batch: Batch, part: Part) -> dict[str, torch.Tensor]:
    """What the model reads, [lines, width] each and the mask [lines, 1, width, width].

    A part with one row a line needs no mask: a causal model's tokens do not see the fill on their
    right. For a model that takes no mask of ours there is an ordinary one of what is fill. A part
    without trees is a token of fill: its process must call the model when the others do.
    """
    if part.start == part.stop:
        return {"input_ids": torch.full((1, 1), batch.pad)}
    sizes = batch.sizes[part.start : part.stop]
    at = torch.arange(part.width)
    tree, place = torch.nonzero(at[: batch.ids.shape[1]] < sizes[:, None], as_tuple=True)
    line, column = part.line[tree], part.offset[tree] + place
    shape = (part.lines, part.width)
    tree = tree + part.start

    def laid(values: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
        out = fill.expand(shape).clone()
        out[line, column] = values
        return out

    ids = laid(batch.ids[tree, place], torch.full((1,), batch.pad))
    alone = not batch.branches and shape[0] == part.stop - part.start
    if alone and not takes(model, batch):
        return {"input_ids": ids, "attention_mask": laid(torch.ones_like(line), at * 0)}
    if alone:
        return {"input_ids": ids, "position_ids": at.expand(shape)}
    depth = laid(batch.depth[tree, place], at * 0)
    until = laid(batch.until[tree, place] + part.offset[tree - part.start], at + 1)
    sees = (at <= at[:, None]) & (at[:, None] < until[:, None, :])
    mask = torch.zeros((shape[0], 1, *sees.shape[1:]), dtype=model.dtype)
    mask = mask.masked_fill(~sees[:, None], torch.finfo(model.dtype).min)
    return {"input_ids": ids, "position_ids": depth, "attention_mask": mask}

"""A batch through a model: the log-probabilities at its trained tokens, some trees at a time.

No token is computed for nothing. Trees stand several to one *line* of the model's input, behind a
mask that keeps them apart; lines of like length go through the model together; and the output
layer reads the places that predict a trained token, and no others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from sparring.training.attention import check_takes, takes
from sparring.training.batch import Batch
from sparring.training.group import ALONE, Group
from sparring.training.outputs import only

FILL = 0.34  # of a part may be fill, as a share of what is in it,
PASS = 256  # but no more tokens than this, which another pass costs about,
SHARE = 16  # and no more than 1/16 of the tokens that may go through at once
LONGEST_LINE = 2048
IDLE = 1 << 20  # logits that may be computed for nothing: 4 MiB


@dataclass(frozen=True, slots=True)
class Part:
    """Trees [start, stop) of a batch, in lines of at most ``width`` tokens: one pass.

    line    [stop − start]  the line of each tree
    offset  [stop − start]  how many tokens stand before it there
    tokens  [n]             the trained tokens of these trees
    """

    start: int
    stop: int
    width: int
    line: torch.Tensor
    offset: torch.Tensor
    tokens: torch.Tensor

    @property
    def lines(self) -> int:
        """How many lines the model reads; one of a single fill token where there are no trees."""
        return int(self.line[-1]) + 1 if len(self.line) else 1


PartLoss = Callable[[torch.Tensor, Part], torch.Tensor]
"""From the log-probabilities [n, V] at the trained tokens of a part to its share of the loss: a
sum over them, so 0 where there are none."""


def parts(batch: Batch, at_once: int, line: int = 0, among: int = 1) -> list[Part]:
    """The batch cut into passes of at most ``at_once`` tokens with fill (or of one tree), for each
    of the processes that every pass is divided ``among``.

    Trees come smallest first. As many as fit in ``line`` tokens follow each other in one line, and
    lines of like length make a part: it ends where filling up would cost more than another pass.
    """
    sizes = batch.sizes.tolist()
    room = min(line, at_once, -(-sum(sizes) // among))
    loss = min(PASS, at_once // SHARE) * among  # so much in each of them
    lines = [0]  # the first tree of each
    held = 0
    for b, size in enumerate(sizes):
        if b > lines[-1] and held + size > room:
            lines.append(b)
            held = 0
        held += size
    lengths = [sum(sizes[a:b]) for a, b in zip(lines, [*lines[1:], len(sizes)], strict=True)]
    cuts, width, total = [0], 0, 0
    for i, length in enumerate(lengths):
        number, wide, full = i + 1 - cuts[-1], max(width, length), total + length
        fill = number * wide - full
        if total and (-(-number // among) * wide > at_once or fill > min(FILL * total, loss)):
            cuts.append(i)
            wide, full = length, length
        width, total = wide, full
    ends = [*lines, len(sizes)]
    pairs = zip(cuts, [*cuts[1:], len(lines)], strict=True)
    return [_part(batch, ends[a : b + 1], max(lengths[a:b])) for a, b in pairs]


def _part(batch: Batch, lines: list[int], width: int) -> Part:
    """``lines``: the first tree of each line, and the first tree after the last of them."""
    start, stop = lines[0], lines[-1]
    first = torch.tensor(lines[:-1]) - start
    many = torch.tensor(lines[1:]) - start - first
    number = torch.repeat_interleave(torch.arange(len(many)), many)
    before = batch.sizes[start:stop].cumsum(0) - batch.sizes[start:stop]
    owner = batch.where[:, 0]
    tokens = torch.nonzero((owner >= start) & (owner < stop))[:, 0]
    return Part(start, stop, width, number, before - before[first][number], tokens)


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
    if _fill(batch, plain) <= max(PASS, int(batch.sizes.sum()) // SHARE) or not takes(model, batch):
        return plain
    width = model.config.get_text_config().hidden_size
    packed = parts(batch, at_once, min(width, LONGEST_LINE), among)
    return min(plain, packed, key=lambda found: _fill(batch, found))


def passes(model: Any, batch: Batch, at_once: int, group: Group = ALONE) -> list[Part]:
    """What this process computes of a batch: of each part its lines. All of a group have as many
    parts, of which some may have no trees.

    Raises:
        BadInput: as ``cut``.
    """
    if group.size == 1:
        return cut(model, batch, at_once)
    found = cut(model, batch, at_once, group.size)
    return [_lines(batch, part, *group.own(part.lines)) for part in found]


def _lines(batch: Batch, part: Part, first: int, last: int) -> Part:
    """Lines [first, last) of a part, as wide as the widest of them."""
    chosen = (part.line >= first) & (part.line < last)
    trees = torch.nonzero(chosen)[:, 0]
    if not len(trees):
        return Part(part.start, part.start, 1, trees, trees, trees)
    start, stop = part.start + int(trees[0]), part.start + int(trees[-1]) + 1
    offset = part.offset[trees]
    tokens = part.tokens[chosen[batch.where[part.tokens, 0] - part.start]]
    width = int((offset + batch.sizes[start:stop]).max())
    return Part(start, stop, width, part.line[trees] - first, offset, tokens)


def _fill(batch: Batch, found: list[Part]) -> int:
    """How many tokens of fill there are in these passes."""
    read = sum(part.lines * part.width for part in found)
    return read - int(batch.sizes.sum())


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

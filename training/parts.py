"""A batch cut into parts: the trees that go through a model at once, in lines."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from sparring.training.batch import Batch

FILL = 0.34  # of a part may be fill, as a share of what is in it,
PASS = 256  # but no more tokens than this, which another pass costs about,
SHARE = 16  # and no more than 1/16 of the tokens that may go through at once


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


def lines_of(batch: Batch, part: Part, first: int, last: int) -> Part:
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


def fill_of(batch: Batch, found: list[Part]) -> int:
    """How many tokens of fill there are in these passes."""
    read = sum(part.lines * part.width for part in found)
    return read - int(batch.sizes.sum())

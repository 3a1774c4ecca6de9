"""Where new tokens of several rows stand in what a model is given, and in the row memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

Span = tuple[int, int, int]
"""The tokens [begin, end) of a line are one row's, which then holds so many."""


@dataclass(frozen=True)
class Places:
    """New tokens of rows, in n lines of W tokens.

    positions  [n, W], of each token in its sequence
    sees       [n, W, seen], whether it may see a column of its row
    rows       of the row memory, and
    columns    in it, in which tokens are written: indices for [n, heads, W, size], or with
               ``spans`` for [W, heads, size]
    spans      a row each, if all rows stand in one line
    """

    positions: torch.Tensor
    sees: torch.Tensor
    rows: Any
    columns: Any
    spans: tuple[Span, ...] = ()


def aligned(first: int, held: Sequence[int], new: Sequence[int], device: Any) -> Places:
    """Rows [first, first + n), which have ``held`` tokens, get ``new`` more, a line a row,
    right-aligned. Fill on the left is written to the column behind all others, which nobody sees
    before it is written again."""
    wide, last = max(new), first + len(new)
    seen = max(h + n for h, n in zip(held, new, strict=True))
    start = torch.tensor(held) + torch.tensor(new) - wide
    places = start[:, None] + torch.arange(wide)
    positions = places.clamp(min=0)
    sees = torch.arange(seen) <= positions[:, :, None]
    rows: Any
    columns: Any
    if min(new) == wide and len(set(held)) == 1:
        rows, columns = slice(first, last), slice(held[0], held[0] + wide)
    else:
        real = places >= torch.tensor(held)[:, None]
        rows = torch.arange(first, last, device=device)
        columns = torch.where(real, places, seen).to(device)
        if wide == 1:
            columns = columns[:, 0]
        else:
            rows = rows[:, None]
    return Places(positions.to(device), sees.to(device), rows, columns)


def in_line(first: int, held: Sequence[int], new: Sequence[int], device: Any) -> Places:
    """The same rows, one behind the other in one line, without fill."""
    spans, end = [], 0
    for h, n in zip(held, new, strict=True):
        spans.append((end, end + n, h + n))
        end += n
    more = torch.tensor(new)
    rows = torch.arange(first, first + len(new)).repeat_interleave(more)
    starts = torch.tensor([seen - end for _, end, seen in spans]).repeat_interleave(more)
    positions = torch.arange(end) + starts
    sees = torch.arange(max(seen for _, _, seen in spans)) <= positions[:, None]
    positions, sees = positions.to(device), sees.to(device)
    return Places(positions[None], sees[None], rows.to(device), positions, tuple(spans))

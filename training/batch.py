"""From rows to tensors. What several rows share is computed once, and their advantages summed.

Self-play says the same things again and again: thousands of games of Kuhn poker are two dozen
different rows, and those share most of their beginnings. Rows with a common prefix become one
*tree* of tokens: a token attends to its ancestors only, so its prediction is what it would be in a
row of its own. The loss is a sum over trained tokens of count-weighted terms and of terms that are
linear in the positive and in the negative part of the advantage, so equal tokens after equal
prefixes merge exactly if those two sums are kept apart (a clipped ratio treats them differently).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from sparring.agents.engines.core import Tokens
from sparring.training.rows import Row
from sparring.training.segments import Segments
from sparring.training.segments import segments as of_rows

TREE_TOKENS = 512  # attention within a tree is dense: its cost grows with the square of this
SHARED_PART = 0.25  # a row that shares less than this with its neighbour starts a new tree


@dataclass(frozen=True, slots=True)
class Batch:
    """Shapes: _B trees, _L tokens of the largest, _N different trained (sampled) tokens in all.

    ids        [B, L]     token ids, filled on the right; smaller trees first
    depth      [B, L]     how many tokens stand before each one
    until      [B, L]     one past the last token that attends to each one: those in between all do
    sizes      [B]        how many tokens of each tree are not fill
    where      [N, 2]     (tree, place) of every trained token, in order of trees
    before     [N]        the place in its tree of the token that predicts it
    chosen     [N]        its id, ids[where]
    behaviour  [N]        its log-probability when sampled (weighted mean over what was merged)
    gain       [N]        Σ weight·max(A, 0) over the rows that sampled it
    cost       [N]        Σ weight·max(−A, 0)
    count      [N]        the summed weight of the rows that sampled it: how many, at weight 1
    rows       how many rows there were before merging
    branches   whether any tree is more than one row
    pad        what the ids are filled with
    segments   the answers or rows as wholes, for losses of sequences; None where not asked for
    """

    ids: torch.Tensor
    depth: torch.Tensor
    until: torch.Tensor
    sizes: torch.Tensor
    where: torch.Tensor
    before: torch.Tensor
    chosen: torch.Tensor
    behaviour: torch.Tensor
    gain: torch.Tensor
    cost: torch.Tensor
    count: torch.Tensor
    rows: int
    branches: bool
    pad: int = 0
    segments: Segments | None = None

    @property
    def sees(self) -> torch.Tensor:
        """[B, L, L]: whether the token of a row attends to the token of a column."""
        at = torch.arange(self.ids.shape[1])
        return (at <= at[:, None]) & (at[:, None] < self.until[:, None, :])


@dataclass(slots=True)
class _Tree:
    """Tokens by place: each with its parent's place (-1: none), its depth, and what is trained."""

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    children: dict[tuple[int, int], int] = field(default_factory=dict)
    trained: dict[int, list[float]] = field(default_factory=dict)  # behaviour, gain, cost, count

    def add(self, row: Row) -> list[list[int]]:
        """Take up a row; returns the places of the tokens of each of its spans."""
        path, at = [], -1
        for depth, token in enumerate(row.tokens):
            parent, at = at, self.children.setdefault((at, token), len(self.ids))
            if at == len(self.ids):
                self.ids.append(token)
                self.parents.append(parent)
                self.depth.append(depth)
            path.append(at)
        spans = [path[start:stop] for start, stop in row.spans]
        logprobs, w = iter(row.logprobs), row.weight
        for places, advantage in zip(spans, row.advantages, strict=True):
            gain, cost = max(advantage, 0.0) * w, max(-advantage, 0.0) * w
            for place in places:
                sums = self.trained.setdefault(place, [0.0, 0.0, 0.0, 0.0])
                for i, term in enumerate((next(logprobs) * w, gain, cost, w)):
                    sums[i] += term
        return spans

    def until(self) -> list[int]:
        """One past the last token of the subtree of each. Rows come sorted, or alone, so a tree is
        written depth first and a subtree is a run of places."""
        last = list(range(1, len(self.ids) + 1))
        for place in range(len(self.ids) - 1, 0, -1):
            parent = self.parents[place]
            if parent >= 0:
                last[parent] = max(last[parent], last[place])
        return last


def _shared(a: Tokens, b: Tokens) -> int:
    """How many tokens two rows have in common at their start."""
    short = min(len(a), len(b))
    return next((i for i in range(short) if a[i] != b[i]), short)


def _forest(rows: Sequence[Row], share: bool) -> Iterator[tuple[_Tree, int, list[list[int]]]]:
    """Every row's tree, the row's number and its spans' places; equal trees come together."""
    tree, last = _Tree(), Tokens()
    numbers = range(len(rows))
    for i in sorted(numbers, key=lambda i: rows[i].tokens) if share else numbers:
        row = rows[i]
        shared = _shared(last, row.tokens) if share else 0
        new = len(row.tokens) - shared
        full = new > 0 and len(tree.ids) + new > TREE_TOKENS
        if last and (full or not share or shared < SHARED_PART * len(row.tokens)):
            tree = _Tree()
        yield tree, i, tree.add(row)
        last = row.tokens


def collate(
    rows: Sequence[Row],
    *,
    share: bool = True,
    pad: int = 0,
    segments: Literal["answer", "row"] | None = None,
) -> Batch:
    """All rows as one batch on the CPU. ``share=False`` gives every row a tree of its own.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("no rows to train on: no learning seat took a turn")
    placed = list(_forest(rows, share))
    trees = sorted({id(tree): tree for tree, *_ in placed}.values(), key=lambda t: len(t.ids))
    width = len(trees[-1].ids)
    ids = torch.full((len(trees), width), pad)
    depth = torch.zeros((len(trees), width), dtype=torch.long)
    until = torch.arange(1, width + 1).repeat(len(trees), 1)
    where, before, sums = [], [], []
    for b, tree in enumerate(trees):
        size = len(tree.ids)
        ids[b, :size] = torch.tensor(tree.ids)
        depth[b, :size] = torch.tensor(tree.depth)
        until[b, :size] = torch.tensor(tree.until())
        where += [(b, place) for place in tree.trained]
        before += [tree.parents[place] for place in tree.trained]
        sums += list(tree.trained.values())
    at, totals = torch.tensor(where), torch.tensor(sums)
    whole = None
    if segments is not None:
        number = {(id(tree), place): 0 for tree in trees for place in tree.trained}
        number = {key: n for n, key in enumerate(number)}
        spans = {i: [[number[id(t), p] for p in span] for span in own] for t, i, own in placed}
        whole = of_rows(rows, [spans[i] for i in range(len(rows))], segments)
    return Batch(
        ids=ids,
        depth=depth,
        until=until,
        sizes=torch.tensor([len(tree.ids) for tree in trees]),
        where=at,
        before=torch.tensor(before),
        chosen=ids[at[:, 0], at[:, 1]],
        behaviour=totals[:, 0] / totals[:, 3],
        gain=totals[:, 1],
        cost=totals[:, 2],
        count=totals[:, 3],
        rows=len(rows),
        branches=any(len(set(tree.parents)) < len(tree.parents) for tree in trees),
        pad=pad,
        segments=whole,
    )

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

import numpy as np
import torch

from sparring.agents.engines.core import Tokens
from sparring.training.rows import Row

TREE_TOKENS = 512  # attention within a tree is dense: its cost grows with the square of this
SHARED_PART = 0.25  # a row that shares less than this with its neighbour starts a new tree


@dataclass(frozen=True, slots=True)
class Batch:
    """Shapes: _B trees, _L tokens of the largest, _N different trained (sampled) tokens in all.

    ids        [B, L]     token ids, filled on the right; smaller trees first
    depth      [B, L]     how many tokens stand before each one
    sees       [B, L, L]  which tokens each token attends to; None where every tree is one row
    sizes      [B]        how many tokens of each tree are not fill
    where      [N, 2]     (tree, place) of every trained token, in order of trees
    before     [N]        the place in its tree of the token that predicts it
    chosen     [N]        its id, ids[where]
    behaviour  [N]        its log-probability when it was sampled (mean over what was merged)
    gain       [N]        Σ max(A, 0) over the rows that sampled it
    cost       [N]        Σ max(−A, 0)
    count      [N]        how many rows sampled it
    rows       how many rows there were before merging
    """

    ids: torch.Tensor
    depth: torch.Tensor
    sees: torch.Tensor | None
    sizes: torch.Tensor
    where: torch.Tensor
    before: torch.Tensor
    chosen: torch.Tensor
    behaviour: torch.Tensor
    gain: torch.Tensor
    cost: torch.Tensor
    count: torch.Tensor
    rows: int


@dataclass(slots=True)
class _Tree:
    """Tokens by place: each with its parent's place (-1: none), its depth, and what is trained."""

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    children: dict[tuple[int, int], int] = field(default_factory=dict)
    trained: dict[int, list[float]] = field(default_factory=dict)  # behaviour, gain, cost, count

    def add(self, row: Row) -> None:
        path, at = [], -1
        for depth, token in enumerate(row.tokens):
            parent, at = at, self.children.setdefault((at, token), len(self.ids))
            if at == len(self.ids):
                self.ids.append(token)
                self.parents.append(parent)
                self.depth.append(depth)
            path.append(at)
        gain, cost = max(row.advantage, 0.0), max(-row.advantage, 0.0)
        sampled = [place for start, stop in row.spans for place in path[start:stop]]
        for place, logprob in zip(sampled, row.logprobs, strict=True):
            sums = self.trained.setdefault(place, [0.0, 0.0, 0.0, 0.0])
            for i, term in enumerate((logprob, gain, cost, 1.0)):
                sums[i] += term

    def sees(self) -> np.ndarray:
        """[L, L]: whether the token of a row attends to the token of a column: its ancestors."""
        seen = np.eye(len(self.ids), dtype=bool)
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                seen[place] |= seen[parent]
        return seen


def _shared(a: Tokens, b: Tokens) -> int:
    """How many tokens two rows have in common at their start."""
    short = min(len(a), len(b))
    return next((i for i in range(short) if a[i] != b[i]), short)


def _trees(rows: Sequence[Row]) -> Iterator[_Tree]:
    tree, last = _Tree(), Tokens()
    for row in sorted(rows, key=lambda row: row.tokens):
        shared = _shared(last, row.tokens)
        full = len(tree.ids) + len(row.tokens) - shared > TREE_TOKENS
        if last and (full or shared < SHARED_PART * len(row.tokens)):
            yield tree
            tree = _Tree()
        tree.add(row)
        last = row.tokens
    yield tree


def collate(rows: Sequence[Row], *, share: bool = True, pad: int = 0) -> Batch:
    """All rows as one batch on the CPU. ``share=False`` gives every row a tree of its own.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("no rows to train on: no learning seat took a turn")
    if share:
        trees = list(_trees(rows))
    else:
        trees = [_Tree() for _ in rows]
        for tree, row in zip(trees, rows, strict=True):
            tree.add(row)
    trees.sort(key=lambda tree: len(tree.ids))
    width = len(trees[-1].ids)
    ids = torch.full((len(trees), width), pad)
    depth = torch.zeros((len(trees), width), dtype=torch.long)
    sees = torch.eye(width, dtype=torch.bool).repeat(len(trees), 1, 1) if share else None
    where, before, sums = [], [], []
    for b, tree in enumerate(trees):
        size = len(tree.ids)
        ids[b, :size] = torch.tensor(tree.ids)
        depth[b, :size] = torch.tensor(tree.depth)
        if sees is not None:
            sees[b, :size, :size] = torch.from_numpy(tree.sees())
        where += [(b, place) for place in tree.trained]
        before += [tree.parents[place] for place in tree.trained]
        sums += list(tree.trained.values())
    at, totals = torch.tensor(where), torch.tensor(sums)
    return Batch(
        ids=ids,
        depth=depth,
        sees=sees,
        sizes=torch.tensor([len(tree.ids) for tree in trees]),
        where=at,
        before=torch.tensor(before),
        chosen=ids[at[:, 0], at[:, 1]],
        behaviour=totals[:, 0] / totals[:, 3],
        gain=totals[:, 1],
        cost=totals[:, 2],
        count=totals[:, 3],
        rows=len(rows),
    )

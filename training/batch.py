"""From rows to tensors. Identical rows become one, with their advantages summed.

Self-play in a small game says the same things again and again: thousands of games of Kuhn poker
are two dozen different rows. The loss is a sum over rows of count-weighted terms and of terms that
are linear in the positive and in the negative part of the advantage, so rows with equal tokens
merge exactly if those two sums are kept apart (a clipped ratio treats them differently).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sparring.training.rows import Row


@dataclass(frozen=True, slots=True)
class Batch:
    """Shapes: _U different rows, _T tokens of the longest, _N trained (sampled) tokens in all.

    ids        [U, T]  token ids, filled on the right; shorter rows first
    lengths    [U]     how many tokens of each row are not fill
    where      [N, 2]  (row, position) of every trained token
    chosen     [N]     its id, ids[where]
    behaviour  [N]     its log-probability when it was sampled (mean over merged rows)
    gain       [N]     Σ max(A, 0) over the merged rows it stands for
    cost       [N]     Σ max(−A, 0)
    count      [N]     how many rows it stands for
    rows       how many rows there were before merging
    """

    ids: torch.Tensor
    lengths: torch.Tensor
    where: torch.Tensor
    chosen: torch.Tensor
    behaviour: torch.Tensor
    gain: torch.Tensor
    cost: torch.Tensor
    count: torch.Tensor
    rows: int


def collate(rows: Sequence[Row], *, merge: bool = True, pad: int = 0) -> Batch:
    """All rows as one batch on the CPU. ``merge=False`` keeps identical rows apart (for tests).

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("no rows to train on: no learning seat took a turn")
    groups: dict[object, list[Row]] = {}
    for i, row in enumerate(rows):
        groups.setdefault((row.tokens, row.spans) if merge else i, []).append(row)
    merged = sorted(groups.values(), key=lambda group: len(group[0].tokens))  # alike widths together
    where: list[tuple[int, int]] = []
    columns: dict[str, list[float]] = {"behaviour": [], "gain": [], "cost": [], "count": []}
    for u, group in enumerate(merged):
        first, n = group[0], len(group)
        gain = sum(max(row.advantage, 0.0) for row in group)
        cost = sum(max(-row.advantage, 0.0) for row in group)
        places = [at for start, stop in first.spans for at in range(start, stop)]
        where += [(u, at) for at in places]
        columns["behaviour"] += [sum(c) / n for c in zip(*(r.logprobs for r in group), strict=True)]
        for name, value in (("gain", gain), ("cost", cost), ("count", float(n))):
            columns[name] += [value] * len(places)
    ids = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(group[0].tokens) for group in merged],
        batch_first=True,
        padding_value=pad,
    )
    at = torch.tensor(where)
    tensors = {name: torch.tensor(values) for name, values in columns.items()}
    lengths = torch.tensor([len(group[0].tokens) for group in merged])
    chosen = ids[at[:, 0], at[:, 1]]
    return Batch(ids=ids, lengths=lengths, where=at, chosen=chosen, rows=len(rows), **tensors)

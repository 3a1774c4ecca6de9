"""Whole answers, or whole rows, for losses that are functions of a sequence's log-probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from sparring.training.rows import Row


@dataclass(frozen=True, slots=True)
class Segments:
    """Sequences of trained tokens that a loss takes as one: _S of them, of _M tokens in all.

    An "answer" is one span of a row, a "row" all its spans; they stand in the order of the rows.

    token      [M]  which of the batch's N trained tokens
    owner      [M]  the segment that it belongs to
    length     [S]  how many tokens it has
    behaviour  [S]  Σ of the log-probabilities of its tokens when they were sampled
    advantage  [S]  of the answer; of a row the mean over its answers
    weight     [S]  of its row
    """

    token: torch.Tensor
    owner: torch.Tensor
    length: torch.Tensor
    behaviour: torch.Tensor
    advantage: torch.Tensor
    weight: torch.Tensor

    def sums(self, values: torch.Tensor) -> torch.Tensor:
        """Σ of ``values`` [N] over the tokens of each segment: [S]; carries the gradient."""
        return values.new_zeros(len(self.length)).index_add(0, self.owner, values[self.token])


def segments(
    rows: Sequence[Row], spans: Sequence[Sequence[Sequence[int]]], by: Literal["answer", "row"]
) -> Segments:
    """``spans``: for each row and each of its answers, which of the N trained tokens it is."""
    token: list[int] = []
    length, behaviour, advantage, weight = [], [], [], []
    for i, row in enumerate(rows):
        logprobs = iter(row.logprobs)
        said = [sum(next(logprobs) for _ in span) for span in spans[i]]
        groups = [[k] for k in range(len(said))] if by == "answer" else [list(range(len(said)))]
        for group in groups:
            tokens = [t for k in group for t in spans[i][k]]
            token += tokens
            length.append(len(tokens))
            behaviour.append(sum(said[k] for k in group))
            advantage.append(sum(row.advantages[k] for k in group) / len(group))
            weight.append(row.weight)
    lengths = torch.tensor(length)
    return Segments(
        token=torch.tensor(token),
        owner=torch.repeat_interleave(torch.arange(len(length)), lengths),
        length=lengths,
        behaviour=torch.tensor(behaviour),
        advantage=torch.tensor(advantage),
        weight=torch.tensor(weight),
    )

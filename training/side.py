"""A supervised side loss: demonstrations that every inner step also makes a little more likely.

It keeps a model from forgetting what self-play does not ask for. SPAG (arXiv 2404.10642) adds 0.5
times the likelihood of instruction data, SPC 0.15, Self-RedTeam 1.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sparring.envs.core import BadInput
from sparring.training.batch import Batch, collate
from sparring.training.core import Sample
from sparring.training.forward import said
from sparring.training.losses.policy_gradient import likelihood
from sparring.training.parts import Part, PartLoss
from sparring.training.rows import Length, Row, learning_rows


def likelihood_of(batch: Batch, divisor: float) -> PartLoss:
    """1/divisor · Σ_tokens −count·log π of what the rows of a batch say."""

    def loss(policy: torch.Tensor, part: Part) -> torch.Tensor:
        own = said(policy, batch, part)
        return likelihood(own, batch.count[part.tokens]).sum() / divisor

    return loss


@dataclass(frozen=True, slots=True)
class Side:
    """``weight`` times the mean over the rows of ``batch`` of −Σ_tokens w·log π, in one update."""

    batch: Batch
    weight: float

    @property
    def loss(self) -> PartLoss:
        """Not yet weighted."""
        return likelihood_of(self.batch, self.batch.rows)


class Demonstrations:
    """Rows to imitate, of which each update takes ``rows_a_step`` drawn anew without repetition.

    What an update draws depends on ``seed`` and its number only, so there is nothing to save.

    Raises:
        BadInput: there are no rows, or the weight is not positive.
    """

    def __init__(self, rows: Sequence[Row], weight: float, rows_a_step: int = 64, seed: int = 0):
        if not rows or weight <= 0 or rows_a_step < 1:
            raise BadInput("a side loss needs rows to imitate, a weight above 0 and rows-a-step")
        self.rows = tuple(rows)
        self.weight = weight
        self.rows_a_step = min(rows_a_step, len(self.rows))
        self.seed = seed

    @classmethod
    def of(
        cls,
        samples: Sequence[Sample],
        weight: float,
        rows_a_step: int = 64,
        *,
        length: Length = "mean",
        seed: int = 0,
    ) -> "Demonstrations":
        """From samples of play; with ``length`` "mean" each counts the same, however long."""
        rows = learning_rows(samples, [s.spread(0.0) for s in samples], length)
        return cls(rows, weight, rows_a_step, seed)

    def draw(self, update: int, share: bool) -> Side:
        """The side batch of update number ``update``; ``share`` as in ``collate``."""
        luck = random.Random(f"side/{self.seed}/{update}")
        return Side(collate(luck.sample(self.rows, self.rows_a_step), share=share), self.weight)

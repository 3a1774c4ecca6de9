"""Filtered behaviour cloning: make what was kept likelier, nothing else.

    L = 1/rows · Σ_tokens w·(−log π)

Which games are kept, and with which weights, is the filters' work: those above the mean for Deal or
No Deal (arXiv 2406.18872), the successful ones for a conversation, a prover's short proofs. With an
``estimator``, w is times the advantage of the answer, of either sign: weighted likelihood, as in
EPO's training on returns.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from sparring.training.batch import Batch, collate
from sparring.training.core import Estimator, Metrics, Sample
from sparring.training.forward import said
from sparring.training.learner import Learner
from sparring.training.losses.policy_gradient import likelihood
from sparring.training.parts import Part, PartLoss
from sparring.training.rows import Length, Row, learning_rows
from sparring.training.side import likelihood_of


@dataclass
class Cloning:
    """``epochs`` passes over what was kept, ``rows_a_step`` rows an inner step (None: all at once).

    It takes as many inner steps as that makes, whatever ``UpdateConfig.inner_steps`` says. With
    ``length`` "mean" every game counts the same, with "sum" every token.
    """

    epochs: int = 3
    rows_a_step: int | None = None
    length: Length = "mean"
    estimator: Estimator | None = None

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        given = self.estimator(samples) if self.estimator else [s.spread(0.0) for s in samples]
        rows = learning_rows(samples, given, self.length)
        share = learner.config.share_prefixes
        luck = random.Random(f"cloning/{learner.updates}")
        batches = [collate(some, share=share) for some in self._epoch(rows, luck)]
        steps = [partial(learner.step, batch, self._loss(batch)) for batch in batches]
        return {"rows": float(len(rows)), **learner.run(steps * self.epochs, progress)}

    def _epoch(self, rows: list[Row], luck: random.Random) -> list[list[Row]]:
        """The rows of each inner step of an epoch; every epoch has the same."""
        many = self.rows_a_step or len(rows)
        shuffled = luck.sample(rows, len(rows))
        return [shuffled[i : i + many] for i in range(0, len(rows), many)] or [[]]

    def _loss(self, batch: Batch) -> PartLoss:
        return by_advantage(batch) if self.estimator else likelihood_of(batch, batch.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"estimator": self.estimator.state_dict() if self.estimator else {}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if self.estimator:
            self.estimator.load_state_dict(state["estimator"])


def by_advantage(batch: Batch) -> PartLoss:
    """1/rows · Σ_tokens −w·A·log π."""

    def loss(policy: torch.Tensor, part: Part) -> torch.Tensor:
        signed = (batch.gain - batch.cost)[part.tokens]
        return likelihood(said(policy, batch, part), signed).sum() / batch.rows

    return loss

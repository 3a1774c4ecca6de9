"""How far an engine's log-probabilities are from the learner's: what is trained is what was sampled
only as long as that is little."""

from collections.abc import Sequence

import torch

from sparring.training.batch import Batch
from sparring.training.core import Metrics, Sample
from sparring.training.rows import Row, learning_rows

CHECKED = 32
"""So many samples of a step are enough to see it; methods that compute all of them anyway say it of
all."""


def drift(behaviour: torch.Tensor, before: torch.Tensor, weight: torch.Tensor) -> Metrics:
    """|log π − log μ| of what was sampled: π of the learner before the update, μ as sampled.

    Shapes: [N] each; ``weight`` says how much each counts in the mean. Where the samples are fresh
    it is the difference between engine and learner.
    """
    apart = (before - behaviour).abs()
    return {
        "mismatch_mean": float((apart * weight).sum() / weight.sum()),
        "mismatch_max": float(apart.max()),
    }


def of_batch(batch: Batch, before: torch.Tensor) -> Metrics:
    """Of the trained tokens of a batch."""
    return drift(batch.behaviour, before, batch.count)


def some_rows(samples: Sequence[Sample]) -> list[Row]:
    """The rows of some of the samples, evenly from all that said something."""
    said = [sample for sample in samples if sample.turns and sample.weight]
    some = said[:: -(-len(said) // CHECKED)] if said else []
    return learning_rows(some, [sample.spread(0.0) for sample in some])

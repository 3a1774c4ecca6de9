"""The policy that a loss of sequences compares with."""

from typing import Literal

import torch

from sparring.training import sequences
from sparring.training.batch import Batch
from sparring.training.learner import Learner

Reference = Literal["behaviour", "update", "start"]
"""The policy that sampled, as it sampled; that of the start of this update; that of the run's."""


def logprobs(learner: Learner, batch: Batch, of: Reference) -> torch.Tensor:
    """The log-probability of each segment of ``batch`` under a reference: [S].

    "behaviour" is what the engine reported: of the sampling distribution, temperature and all. The
    other two are the learner's own, at temperature 1. "start" must be asked for before the first
    update of a run, because that is when the copy is made.
    """
    if of == "behaviour":
        return sequences.whole(batch).behaviour
    return learner.remember_sequences(batch, learner.reference if of == "start" else None)

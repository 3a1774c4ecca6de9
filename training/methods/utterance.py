"""One ratio for a whole answer: the method of SPAG (arXiv 2404.10642) and its relatives.

    L = 1/S · Σ_s w_s·ℓ(log π(s), log π_ref(s), T_s, A_s)      over the S answers (or whole games)

ℓ is one of ``losses/utterance.py``. SPAG is this with filters that keep the winners' turns, weigh
the roles evenly and a reward of 1 split by ``credit.geometric(0.8)``; see docs/losses.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from sparring.training import sequences
from sparring.training.batch import Batch, collate
from sparring.training.core import Estimator, Metrics, Sample
from sparring.training.learner import Learner
from sparring.training.losses.utterance import clipped
from sparring.training.methods import reference as references
from sparring.training.methods.policy_gradient import sizes
from sparring.training.mismatch import drift
from sparring.training.rows import learning_rows
from sparring.training.side import Demonstrations

UtteranceLoss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""From (log-probability, reference, length, advantage), [S] each, to the loss of each, [S]."""


@dataclass
class Utterance:
    """``estimator`` gives the advantages, ``by`` says what is taken as one."""

    estimator: Estimator
    loss: UtteranceLoss = clipped
    by: Literal["answer", "row"] = "answer"
    reference: references.Reference = "behaviour"
    side: Demonstrations | None = None

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        share = learner.config.share_prefixes
        advantages = self.estimator(samples)
        rows = learning_rows(samples, advantages)
        batch = collate(rows, share=share, segments=self.by)
        whole = sequences.whole(batch)
        before = references.logprobs(learner, batch, "update")
        known = self.reference == "update"
        anchor = before if known else references.logprobs(learner, batch, self.reference)

        def loss(own: torch.Tensor) -> torch.Tensor:
            each = self.loss(own, anchor, whole.length, whole.advantage)
            return (whole.weight * each).sum() / len(each)

        side = self.side.draw(learner.updates, share) if self.side else None
        found = learner.descend_sequences(batch, loss, progress, side)
        return {**sizes(samples, advantages), **found, **_report(learner, batch, before)}

    def state_dict(self) -> dict[str, Any]:
        return {"estimator": self.estimator.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.estimator.load_state_dict(state["estimator"])


def _report(learner: Learner, batch: Batch, before: torch.Tensor) -> Metrics:
    """Ratios of the update, by mean log-probability a token; and engine against learner before it.

    "utterance_ratio": the mean of exp(l̄ − l̄_before); "utterance_shift": the mean of |l̄ − l̄_before|.
    """
    whole = sequences.whole(batch)
    after = learner.remember_sequences(batch)
    shift = (after - before) / whole.length
    return {
        "utterance_ratio": float(shift.exp().mean()),
        "utterance_shift": float(shift.abs().mean()),
        **drift(whole.behaviour / whole.length, before / whole.length, whole.length),
    }

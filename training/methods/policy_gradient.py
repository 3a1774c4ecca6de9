"""Advantages, rows, one proximal update: REINFORCE, PPO and GRPO are settings of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparring.training.batch import collate
from sparring.training.core import Advantages, Estimator, Metrics, Sample
from sparring.training.learner import Learner
from sparring.training.rows import Length, learning_rows
from sparring.training.side import Demonstrations


@dataclass
class PolicyGradient:
    """``estimator`` says what was better than expected, ``Learner.update`` does more of it.

    ``side``: demonstrations that every inner step makes likelier too.
    """

    estimator: Estimator
    length: Length = "sum"
    side: Demonstrations | None = None

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        advantages = self.estimator(samples)
        rows = learning_rows(samples, advantages, self.length)
        share = learner.config.share_prefixes
        batch = collate(rows, share=share)
        side = self.side.draw(learner.updates, share) if self.side else None
        return {**sizes(samples, advantages), **learner.update(batch, progress, side)}

    def state_dict(self) -> dict[str, Any]:
        return {"estimator": self.estimator.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.estimator.load_state_dict(state["estimator"])


def sizes(samples: Sequence[Sample], advantages: Advantages) -> Metrics:
    """Mean |advantage| over turns, of all and of each game: how much there is to learn there."""
    found: dict[str, list[float]] = {}
    for sample, own in zip(samples, advantages, strict=True):
        found.setdefault(sample.episode.game, []).extend(map(abs, own))
    every = [size for some in found.values() for size in some]
    metrics = {"advantage_size": sum(every) / max(len(every), 1)}
    if len(found) > 1:
        for game, some in found.items():
            metrics[f"advantage_size/{game}"] = sum(some) / max(len(some), 1)
    return metrics

"""Whitening by key: mean 0 and variance 1 in each (game, role), over the batch.

    A = (R − mean[key]) / scale[key],   scale = √(variance[key] + ε), ε = 1e-8

Task-relative REINFORCE++ (TRR++) of Absolute Zero (arXiv 2505.03335) whitens each of its six (role,
task) cells apart, so that an easy task or a favoured role neither hides the others nor drowns them.
The variance is the population's, Σ(R − mean)²/n, so that it becomes 1. Where all rewards of a cell
are equal, and where it holds a single one, the advantages are 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import mean, pvariance

from sparring.training.advantages.keys import Key, game_and_role, shared_rewards
from sparring.training.core import Advantages, Sample, Stateless


@dataclass
class Whitening(Stateless):
    """Reward minus the batch's mean of its key, over the batch's deviation of its key.

    ``alone``: how many samples of the last batch had a cell to themselves.
    """

    key: Key = game_and_role
    epsilon: float = 1e-8
    alone: int = field(default=0, init=False)

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        rewards, self.alone = shared_rewards(samples, self.key)
        baseline = {key: mean(cell) for key, cell in rewards.items()}
        scale = {key: sqrt(pvariance(cell) + self.epsilon) for key, cell in rewards.items()}
        keys = [self.key(s) for s in samples]
        return [
            s.spread((s.reward - baseline[key]) / scale[key])
            for s, key in zip(samples, keys, strict=True)
        ]

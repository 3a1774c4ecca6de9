"""Group-relative advantages: what a game paid beside others from the same start.

    A_i = (R_i − mean[key]) / scale[key]        key: (game, seed, role), the same deal and role

With scale 1 it is the advantage of Dr. GRPO (arXiv 2503.20783). With scale = s + ε it is GRPO's
(arXiv 2402.03300, outcome supervision), s the standard deviation of the group's rewards. The paper
does not say which; here it is the sample's, with n − 1 in the denominator, and ε = 1e-4, both as in
TRL's GRPOTrainer. The division makes groups that nearly agree count more, which is what Dr. GRPO
removes. A sample that is alone in its group has nothing to be compared with: its advantage is 0.

The mean holds the sample itself, so the expected gradient is (n − 1)/n of the true one in a group
of n; ``leave_one_out`` has no such factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Literal

from sparring.training.advantages.keys import Key, deal_and_role, shared_rewards
from sparring.training.core import Advantages, Sample, Stateless


@dataclass
class Group(Stateless):
    """Reward minus the mean of its group, over the group's deviation where ``scale`` says so.

    ``alone``: how many samples of the last batch had a group to themselves.
    """

    scale: Literal["none", "deviation"] = "none"
    key: Key = deal_and_role
    epsilon: float = 1e-4
    alone: int = field(default=0, init=False)

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        rewards, self.alone = shared_rewards(samples, self.key)
        baseline = {key: mean(group) for key, group in rewards.items()}
        scale = {key: self._scale(group) for key, group in rewards.items()}
        keys = [self.key(s) for s in samples]
        return [
            s.spread((s.reward - baseline[key]) / scale[key])
            for s, key in zip(samples, keys, strict=True)
        ]

    def _scale(self, group: Sequence[float]) -> float:
        if self.scale == "none" or len(group) == 1:
            return 1.0
        return stdev(group) + self.epsilon

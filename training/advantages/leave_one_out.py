"""Leave-one-out: reward minus the mean of the others from the same start (RLOO, arXiv 2402.14740).

    A_i = R_i − baseline[key],   baseline = 1/(n − 1) · Σ_{j≠i} R_j over the n samples of the key

A sample's own reward is not in its baseline, so the policy gradient is unbiased for any n ≥ 2. It
is n/(n − 1) times the advantage of ``group``. A sample that is alone has no others: 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sparring.training.advantages.keys import Key, deal_and_role, shared_rewards
from sparring.training.core import Advantages, Sample, Stateless


@dataclass
class LeaveOneOut(Stateless):
    """Reward minus the mean reward of the other samples of its key.

    ``alone``: how many samples of the last batch had no others.
    """

    key: Key = deal_and_role
    alone: int = field(default=0, init=False)

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        rewards, self.alone = shared_rewards(samples, self.key)
        return [s.spread(self._against(s.reward, rewards[self.key(s)])) for s in samples]

    @staticmethod
    def _against(reward: float, group: Sequence[float]) -> float:
        if len(group) == 1:
            return 0.0
        baseline = (sum(group) - reward) / (len(group) - 1)
        return reward - baseline

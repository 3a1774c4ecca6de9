"""Reward minus a constant: one for all, or one for each key.

With 0 for all it is plain REINFORCE without a baseline. A constant by condition is the cheapest
role-conditioned advantage there is: in the debates of arXiv 2409.16636 a debater's reward is
P(win) − 0.67 when it defends the correct answer and P(win) − 0.33 when it does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sparring.training.core import Advantages, Sample, Stateless


@dataclass
class Constant(Stateless):
    """A = R − ``baseline``, which may be a function of the sample."""

    baseline: float | Callable[[Sample], float] = 0.0

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        return [s.spread(s.reward - self._of(s)) for s in samples]

    def _of(self, sample: Sample) -> float:
        return self.baseline(sample) if callable(self.baseline) else self.baseline

"""Return-to-go: every turn gets what came from it on, discounted.

    G_k = Σ_{j≥k} γ^(j−k) · a_j,   a_j = c_j · (R − baseline[key])

The split of credit says at which turns the reward is paid (c_j; for `last` all of it at the end),
and ``estimator`` which baseline is taken off it: none by default, RAE() for a moving average by
role. So with `last` and γ = 1 every turn has the advantage of the whole game, and with γ < 1 early
turns get less of it. With ``normalise`` the G of all turns of the batch together are brought to
mean 0 and variance 1, as REINFORCE++ (arXiv 2501.03262) normalises over its whole batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose, sqrt
from statistics import mean, pvariance
from typing import Any

from sparring.envs.core import BadInput
from sparring.training.advantages.constant import Constant
from sparring.training.core import Advantages, Estimator, Sample

EPSILON = 1e-8  # added to the variance, so that equal returns become 0


@dataclass
class ReturnToGo:
    """What ``estimator`` gives to a turn and to those after it, discounted by γ = ``discount``.

    Raises:
        BadInput: the shares of credit do not add up to 1: the reward would count several times.
    """

    discount: float = 1.0
    estimator: Estimator = field(default_factory=Constant)
    normalise: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.discount <= 1:
            raise BadInput(f"the discount of a return is in [0, 1], not {self.discount}")

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        for sample in samples:
            if sample.credit and not isclose(sum(sample.credit), 1, abs_tol=1e-9):
                raise BadInput(
                    f"a return-to-go needs credit that adds up to 1, not {sum(sample.credit):g}: "
                    "split it with credit.last, equal or geometric"
                )
        paid = self.estimator(samples)
        found = [returns(own, self.discount) for own in paid]
        return whitened(found) if self.normalise else found

    def state_dict(self) -> dict[str, Any]:
        return {"estimator": self.estimator.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.estimator.load_state_dict(state["estimator"])


def returns(paid: Sequence[float], discount: float) -> tuple[float, ...]:
    """G_k = a_k + γ·G_{k+1} for every turn."""
    found, after = [], 0.0
    for a in reversed(paid):
        after = a + discount * after
        found.append(after)
    return tuple(reversed(found))


def whitened(found: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """All turns together brought to mean 0 and variance 1 (the population's)."""
    every = [g for own in found for g in own]
    if not every:
        return [tuple(own) for own in found]
    middle, scale = mean(every), sqrt(pvariance(every) + EPSILON)
    return [tuple((g - middle) / scale for g in own) for own in found]

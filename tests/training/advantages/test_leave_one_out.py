"""Leave-one-out by hand, and its gradient by enumeration of a small bandit."""

import itertools
import math
from collections.abc import Callable, Sequence

import pytest

from sparring.envs.core import BadInput
from sparring.training.advantages.group import Group
from sparring.training.advantages.leave_one_out import LeaveOneOut
from sparring.training.core import Estimator, Sample

New = Callable[..., Sample]


def test_the_mean_of_the_others_is_taken_off(sample: New) -> None:
    """TRL's RLOOTrainer: r_i − (Σ_j r_j − r_i)/(n − 1).

    Rewards 1, 2, 6: 1 − 4 = −3, 2 − 3.5 = −1.5, 6 − 1.5 = 4.5; another seed: 0 − 4, 4 − 0.
    """
    batch = [*(sample(r, seed=1) for r in (1, 2, 6)), *(sample(r, seed=2) for r in (0, 4))]
    assert LeaveOneOut()(batch) == [(-3.0,), (-1.5,), (4.5,), (-4.0,), (4.0,)]


def test_one_alone_is_zero_and_counted(sample: New) -> None:
    loo = LeaveOneOut()
    assert loo([sample(1, seed=1), sample(0, seed=1), sample(9, seed=2)])[2] == (0.0,)
    assert loo.alone == 1
    with pytest.raises(BadInput, match="no two of the 1 samples"):
        loo([sample(9)])


ARMS = (0.0, 1.0, 5.0)  # what each pays


def true_gradient(policy: Sequence[float]) -> list[float]:
    """∇_θ Σ_a π(a)·r(a) for π = softmax(θ): π(b)·(r(b) − mean r)."""
    mean = sum(p * r for p, r in zip(policy, ARMS, strict=True))
    return [p * (r - mean) for p, r in zip(policy, ARMS, strict=True)]


def expected_gradient(
    estimator: Estimator, policy: Sequence[float], n: int, sample: New
) -> list[float]:
    """E[1/n · Σ_i A_i·∇ log π(a_i)] over all 3^n draws of n arms; ∇_b log π(a) = [a = b] − π(b)."""
    total = [0.0, 0.0, 0.0]
    for drawn in itertools.product(range(3), repeat=n):
        chance = math.prod(policy[a] for a in drawn)
        found = estimator([sample(ARMS[a]) for a in drawn])
        for a, (advantage,) in zip(drawn, found, strict=True):
            for b in range(3):
                total[b] += chance * advantage * ((a == b) - policy[b]) / n
    return total


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("policy", [(0.5, 0.25, 0.25), (0.1, 0.8, 0.1)])
def test_its_gradient_is_unbiased(n: int, policy: tuple[float, ...], sample: New) -> None:
    truth = true_gradient(policy)
    assert expected_gradient(LeaveOneOut(), policy, n, sample) == pytest.approx(truth)
    # the group's mean holds the sample itself, which costs a factor
    shrunk = [(n - 1) / n * g for g in truth]
    assert expected_gradient(Group(), policy, n, sample) == pytest.approx(shrunk)

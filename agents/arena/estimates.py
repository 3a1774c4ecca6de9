"""Means with intervals. What is independent in a tournament is the deal, never the single game."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import t as student


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval [``low``, ``high``] from ``clusters`` independent values."""

    mean: float
    low: float
    high: float
    clusters: int

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def estimate(values: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Mean and interval of independent values: x̄ ± t(n−1)·s/√n (Student).

    With fewer than two values the interval is infinite: nothing is known of the spread.

    Raises:
        ValueError: there are no values.
    """
    n = len(values)
    if not n:
        raise ValueError("an estimate needs at least one value")
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean, -math.inf, math.inf, 1)
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    half = float(student.ppf((1 + level) / 2, n - 1)) * spread / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)

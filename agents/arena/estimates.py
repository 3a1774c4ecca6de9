"""Means with intervals. What is independent in a tournament is the deal, never the single game."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
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


UNKNOWN = Estimate(math.nan, math.nan, math.nan, 0)
"""What does not apply, or was never seen."""

Key = tuple[str, ...]


def quantile(clusters: int, level: float = 0.95) -> float:
    """Student's t for a two-sided interval from n ``clusters``: n − 1 degrees of freedom."""
    return float(student.ppf((1 + level) / 2, clusters - 1)) if clusters > 1 else math.inf


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
    half = quantile(n, level) * spread / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)


Bounds = tuple[float, float]
SHARE: Bounds = (0.0, 1.0)


def ratios(rows: pl.DataFrame, *by: str, bounds: Bounds | None = None) -> dict[Key, Estimate]:
    """The mean Σ value / Σ weight of each group of ``by``, clustered by deal.

    ``rows`` have the columns of ``by``, "deal", "value" and "weight". With S_d and N_d the sums on
    deal d of D, the mean is m = ΣS/ΣN and its standard error, of a ratio in cluster sampling
    (Cochran 1977, section 9A.4),

        se² = D/(D−1) · Σ_d (S_d − m·N_d)² / (ΣN)²

    which is s²/D of the deals' means where every deal has the same weight. The interval is
    m ± t(D−1)·se, or with ``bounds`` of value/weight that of ``bounded``. Groups keep the order of
    their first rows; a group without weight is left out.
    """
    value, weight = pl.col("value"), pl.col("weight")
    mean = value.sum() / weight.sum()
    found = (
        rows.group_by(*by, "deal", maintain_order=True)
        .agg(value.sum(), weight.sum().cast(pl.Float64))
        .filter(weight > 0)
        .group_by(*by, maintain_order=True)
        .agg(
            mean.alias("mean"),
            ((value - mean * weight) ** 2).sum().sqrt().alias("spread") / weight.sum(),
            pl.len().alias("deals"),
        )
    )
    made: dict[Key, Estimate] = {}
    for *key, m, spread, deals in found.iter_rows():
        error = spread * math.sqrt(deals / (deals - 1)) if deals > 1 else math.inf
        half = quantile(deals) * error
        plain = Estimate(m, m - half, m + half, deals)
        made[tuple(key)] = plain if bounds is None else bounded(m, error, deals, bounds)
    return made


def bounded(mean: float, error: float, clusters: int, bounds: Bounds = SHARE) -> Estimate:
    """The interval of a mean that can only be within ``bounds``: Wilson's (1927), of the share
    p = (mean − low)/(high − low).

    The standard error says how many independent trials n = p(1 − p)/error² the clusters are worth
    (Korn & Graubard 1998). With t = t(clusters − 1) the interval of p is

        (p + t²/2n ± t·√(p(1−p)/n + t²/4n²)) / (1 + t²/n)

    Where every cluster said the same, another value may come up in a share t²/(clusters + t²) of
    them, Wilson's upper end of 0 in n, and take the mean that far to either bound: what was never
    seen in 20 deals is not shown as impossible. Where both bounds are the same, so is all else.
    """
    low, high = bounds
    if clusters < 2:  # other bounds may be no more than what was seen
        return Estimate(mean, *(SHARE if bounds == SHARE else (-math.inf, math.inf)), clusters)
    span = high - low
    if span <= 0:
        return Estimate(mean, mean, mean, clusters)
    p, t = min(max((mean - low) / span, 0.0), 1.0), quantile(clusters)
    if error <= 1e-9 * span or p in (0.0, 1.0):
        other = t * t / (clusters + t * t)
        return Estimate(mean, mean - p * span * other, mean + (1 - p) * span * other, clusters)
    n = p * (1 - p) * (span / error) ** 2
    centre = (p + t * t / (2 * n)) / (1 + t * t / n)
    half = t * math.sqrt(p * (1 - p) / n + t * t / (4 * n * n)) / (1 + t * t / n)
    ends = max(0.0, centre - half), min(1.0, centre + half)
    return Estimate(mean, low + span * ends[0], low + span * ends[1], clusters)


def best_first(found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """In falling order of the mean; the unknown last."""
    order = sorted(found, key=lambda k: (math.isnan(found[k].mean), -found[k].mean, k))
    return {name: found[name] for name in order}

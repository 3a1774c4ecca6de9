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


def ratios(rows: pl.DataFrame, *by: str, shares: bool = False) -> dict[Key, Estimate]:
    """The mean Σ value / Σ weight of each group of ``by``, clustered by deal.

    ``rows`` have the columns of ``by``, "deal", "value" and "weight". With S_d and N_d the sums on
    deal d of D, m = ΣS/ΣN and

        m ± t(D−1)·se,    se² = D/(D−1) · Σ_d (S_d − m·N_d)² / (ΣN)²

    the ratio estimator of cluster sampling (Cochran 1977, section 9A.4); where every deal has the
    same weight that is ``estimate`` of the deals' means. ``shares``: the values are shares of the
    weights, and the interval is Wilson's (``share``), which stays in [0, 1]. Groups keep the order
    of their first rows; a group without weight is left out.
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
        if deals == 1:
            made[tuple(key)] = Estimate(m, *((0.0, 1.0) if shares else (-math.inf, math.inf)), 1)
            continue
        error = spread * math.sqrt(deals / (deals - 1))
        half = quantile(deals) * error
        made[tuple(key)] = (
            share(m, error, deals) if shares else Estimate(m, m - half, m + half, deals)
        )
    return made


def share(mean: float, error: float, clusters: int) -> Estimate:
    """Wilson's (1927) interval for a share p with standard error ``error``.

    The error says how many independent trials n = p(1−p)/error² the clusters are worth (Korn &
    Graubard 1998); where nothing varied, each cluster is one. With t = t(clusters − 1) it is

        (p + t²/2n ± t·√(p(1−p)/n + t²/4n²)) / (1 + t²/n)

    so that "never seen in 20 deals" is not shown as "impossible".
    """
    p = min(max(mean, 0.0), 1.0)
    n = p * (1 - p) / error**2 if error > 1e-9 and 0 < p < 1 else float(clusters)
    t = quantile(clusters)
    centre = (p + t * t / (2 * n)) / (1 + t * t / n)
    half = t * math.sqrt(p * (1 - p) / n + t * t / (4 * n * n)) / (1 + t * t / n)
    return Estimate(
        mean, max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p)), clusters
    )


def best_first(found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """In falling order of the mean; the unknown last."""
    order = sorted(found, key=lambda k: (math.isnan(found[k].mean), -found[k].mean, k))
    return {name: found[name] for name in order}

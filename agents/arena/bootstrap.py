"""The bootstrap of a tournament: deals are drawn again, with all games that share their luck."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import norm

from sparring.agents.arena.cells import Floats
from sparring.agents.arena.estimates import Estimate, quantile

CHUNK = 2_000_000  # numbers held at once in one array: 16 MB


def weights(
    strata: Sequence[int], resamples: int, luck: np.random.Generator, *, columns: int = 1
) -> Iterator[Floats]:
    """Weights of deals for ``resamples`` resamples, in pieces of shape (resamples, deals), small
    enough for what each becomes: a row of so many ``columns``.

    In each stratum (a game) of D deals, D − 1 are drawn with replacement and weigh D/(D − 1): so
    the variance of a resampled mean is s²/D, not (D − 1)/D of it (Rao & Wu 1988). A stratum of one
    deal keeps it.
    """
    size = max(1, CHUNK // max(sum(strata), columns))
    for start in range(0, resamples, size):
        n = min(size, resamples - start)
        drawn = [
            luck.multinomial(deals - 1, np.full(deals, 1 / deals), n) * (deals / (deals - 1))
            if deals > 1
            else np.ones((n, 1))
            for deals in strata
        ]
        yield np.concatenate(drawn, axis=1)


def percentiles(mean: float, drawn: Floats, clusters: int, level: float = 0.95) -> Estimate:
    """The interval between the percentiles of resampled values.

    ``mean`` stays inside it. With one cluster nothing is known of the spread, and the interval is
    infinite.
    """
    if clusters < 2:
        return Estimate(mean, -math.inf, math.inf, clusters)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(mean, min(float(low), mean), max(float(high), mean), clusters)


def expanded(
    mean: float, drawn: Floats, clusters: int, *, corrected: bool, level: float = 0.95
) -> Estimate:
    """A percentile interval with both distances from ``mean`` stretched by t(clusters − 1)/z: what
    Student's interval is to the normal one (after Hesterberg 2015, section 5.3).

    ``corrected``: for the bias of the estimate (Efron 1981). Where a share P of the resamples is
    below ``mean``, its percentiles are taken at Φ(2·Φ⁻¹(P) ± z) instead of Φ(± z).
    """
    if clusters < 2:
        return Estimate(mean, -math.inf, math.inf, clusters)
    z = float(norm.ppf((1 + level) / 2))
    below = np.mean(drawn < mean) + np.mean(drawn == mean) / 2
    least = 0.5 / len(drawn)
    shift = 2 * float(norm.ppf(np.clip(below, least, 1 - least))) if corrected else 0.0
    low, high = np.quantile(drawn, norm.cdf([shift - z, shift + z]))
    stretch = quantile(clusters, level) / z
    return Estimate(
        mean,
        mean - max(0.0, mean - float(low)) * stretch,
        mean + max(0.0, float(high) - mean) * stretch,
        clusters,
    )

"""The bootstrap of a tournament: whole deals are drawn again, with all games that share their luck."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import norm

from sparring.agents.arena.cells import Floats
from sparring.agents.arena.estimates import Estimate, quantile

CHUNK = 4_000_000  # weights held at once: 32 MB


def weights(strata: Sequence[int], resamples: int, luck: np.random.Generator) -> Iterator[Floats]:
    """Weights of deals for ``resamples`` resamples, in pieces of shape (resamples, deals).

    In each stratum (a game) of D deals, D − 1 are drawn with replacement and weigh D/(D − 1): so
    the variance of a resampled mean is s²/D, not (D − 1)/D of it (Rao & Wu 1988). A stratum of one
    deal keeps it.
    """
    size = max(1, CHUNK // sum(strata))
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
        return Estimate(mean, -np.inf, np.inf, clusters)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(mean, min(float(low), mean), max(float(high), mean), clusters)


def expanded(mean: float, drawn: Floats, clusters: int, level: float = 0.95) -> Estimate:
    """``percentiles``, with both distances from ``mean`` stretched by t(clusters − 1)/z: what
    Student's interval is to the normal one (Hesterberg 2015, section 5.3)."""
    found = percentiles(mean, drawn, clusters, level)
    if clusters < 2:
        return found
    stretch = quantile(clusters, level) / float(norm.ppf((1 + level) / 2))
    low, high = mean - (mean - found.low) * stretch, mean + (found.high - mean) * stretch
    return Estimate(mean, low, high, clusters)

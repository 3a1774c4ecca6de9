"""How many deals, or games, an answer takes: said before a comparison is played.

``spread`` is the standard deviation of one deal's value: for a pairing, of the mean payoff over the
games of the deal. z_q is the q-quantile of the normal distribution.
"""

import math

from scipy.stats import norm

from sparring.agents.arena.estimates import quantile

LEVEL = 0.95


def deals_for(half_width: float, spread: float, span: float = 0.0) -> int:
    """The fewest deals n whose 95 % interval is that narrow: t(n−1)·spread/√n ≤ ``half_width``.

    ``span``: the greatest payoff less the least. The interval of deals that all said the same is
    not empty (``estimates.bounded``), and n is enough for that one too: ½·span·t²/(n + t²) at most.
    Never fewer than 2: one deal says nothing of the spread.

    Raises:
        ValueError: ``half_width`` is not above 0, or ``spread`` is negative or not a number.
    """
    if not half_width > 0 or not 0 <= spread < math.inf or not 0 <= span < math.inf:
        raise ValueError(f"no number of deals for a half width {half_width}, spread {spread}")
    z = _z((1 + LEVEL) / 2)
    same = z * z * (span / 2 / half_width - 1)
    n = max(2, math.ceil((z * spread / half_width) ** 2), math.ceil(same))
    while not _narrow(n, half_width, spread, span):
        n += 1
    return n


def _narrow(n: int, half_width: float, spread: float, span: float) -> bool:
    t = quantile(n)
    same = span / 2 * t * t / (n + t * t)
    return t * spread <= half_width * math.sqrt(n) and same <= half_width


def deals_to_tell(difference: float, spread: float, power: float = 0.8) -> int:
    """The deals after which a true mean of ``difference`` is told from 0, at 5 % two-sided, with
    probability ``power``: ((z_.975 + z_power)·spread/difference)², at least 2.

    Raises:
        ValueError: ``difference`` is 0, or ``power`` is not between 0 and 1.
    """
    if not difference or not 0 < power < 1:
        raise ValueError(f"no number of deals tells {difference} from 0 with probability {power}")
    z = _z((1 + LEVEL) / 2) + _z(power)
    return max(2, math.ceil((z * spread / difference) ** 2))


def games_to_tell(rate: float, power: float = 0.8) -> int:
    """The games, each an independent win or loss, after which a win rate is told from 1/2, at 5 %
    two-sided, with probability ``power`` (the binomial's spread is ½ under the null hypothesis,
    √(p(1−p)) under the truth p):

        ((z_.975·½ + z_power·√(p(1−p))) / (p − ½))²

    .51: 19,620; .52: 4,904; .55: 783; .60: 194; .70: 47.

    Raises:
        ValueError: ``rate`` is 1/2 or not between 0 and 1, or ``power`` is not between 0 and 1.
    """
    if rate == 0.5 or not 0 <= rate <= 1 or not 0 < power < 1:
        raise ValueError(f"no number of games tells a win rate of {rate} from 1/2")
    spread = _z((1 + LEVEL) / 2) / 2 + _z(power) * math.sqrt(rate * (1 - rate))
    return math.ceil((spread / (rate - 0.5)) ** 2)


def _z(q: float) -> float:
    return float(norm.ppf(q))

"""Prioritised fictitious self-play: past selves by how the learner fares against them.

With x_j the learner's win rate against member j in this game (``records.py``),

    P(j) = f(x_j) / Σ_i f(x_i)        (Vinyals et al. 2019, Methods; uniform where the sum is 0)

    f_hard(x) = (1 − x)^p       those that it loses to; p = 2 in AlphaStar ("squared")
    f_var(x)  = x·(1 − x)       those of its own strength
    f_capped(x) = min(½, 1 − x)  hard, but nobody stands out that it loses to ("linear_capped")
"""

from collections.abc import Callable, Mapping, Sequence

from sparring.envs.core import Game, Role
from sparring.envs.specs import describe
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.pooled import LEARNER, Pooled

Weighting = Callable[[float], float]
"""f: from the learner's win rate in [0, 1] to a weight of at least 0."""

NOTHING = 1e-10  # a sum of weights below it says nothing


def hard(power: float = 2.0) -> Weighting:
    """f_hard with p = ``power``."""
    return lambda x: float((1 - x) ** power)


def variance(x: float) -> float:
    """f_var."""
    return x * (1 - x)


def capped(x: float) -> float:
    """f_capped."""
    return min(0.5, 1 - x)


def prioritised(rates: Sequence[float], f: Weighting) -> list[float]:
    """P of each by its win rate."""
    weights = [f(x) for x in rates]
    total = sum(weights)
    if total < NOTHING:
        return [1 / len(rates)] * len(rates)
    return [weight / total for weight in weights]


class PFSP(Pooled):
    """Every member of the pool, past selves and fixed agents, with the probability above.

    A member that was not met yet has the win rate ½. For the rest see ``Pooled``.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        every: int,
        weighting: Weighting = hard(),  # noqa: B008  a pure function
        mirror: float = 0.0,
        at_once: int = 4,
    ):
        super().__init__(pool, every=every, mirror=mirror, at_once=at_once)
        self.weighting = weighting

    def weights(self, game: Game, role: Role) -> Mapping[str, float]:
        names, spec = list(self.pool.members), describe(game)
        rates = [self.pool.records.win_rate(LEARNER, name, spec) for name in names]
        return dict(zip(names, prioritised(rates, self.weighting), strict=True))

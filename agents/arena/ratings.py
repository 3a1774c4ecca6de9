"""Bradley-Terry ratings with a seat term: how strong each agent is, what each side is worth.

    P(agent i on side s gets more than agent j on side t) = 1 / (1 + exp(−(θ_i + γ_s − θ_j − γ_t)))

with mean θ = 0 and mean γ = 0 (Bradley & Terry 1952; the seat term is Agresti's home advantage,
1990, section 10.6). A draw is half a win for each. In Elo points a unit of θ is 400/ln 10 = 173.7,
so that 400 points are odds of 10 to 1.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from sparring.agents.arena.bootstrap import expanded, weights
from sparring.agents.arena.cells import Comparisons, Floats
from sparring.agents.arena.estimates import Estimate, best_first
from sparring.agents.arena.likelihood import Model

ELO = 400 / math.log(10)
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Ratings:
    """In Elo points. ``finite``: maximum likelihood gave them; else with pseudo-counts."""

    agents: dict[str, Estimate]
    sides: dict[str, Estimate]
    finite: bool


def rate(found: Comparisons, luck: np.random.Generator, *, resamples: int = RESAMPLES) -> Ratings:
    """Maximum-likelihood ratings, with bootstrap intervals clustered by deal.

    Maximum likelihood has no finite answer where some agents only win against the rest, or some
    sides (``Model.exists``). Then every pair of agents that met gets half a win each way on equal
    sides, and so does every pair of sides between equal agents. In a resample where that happens
    these pseudo-counts are random with the same mean or less: see ``Model.noise``.

    A rating is relative to agents that are joined by games: where that leaves it open (agents that
    never met, nor through others; an agent that only ever had one side) its interval is infinite.
    """
    model = Model(found)
    won, lost = _sum(found.won), _sum(found.lost)
    finite = bool(model.exists(won, lost)[0])
    point = model.fit(won, lost, model.pseudo(np.array([not finite])))
    drawn = []
    for weight_BD in weights(found.strata, resamples, luck, columns=len(found.cells)):
        won, lost = weight_BD @ found.won, weight_BD @ found.lost
        lacking = ~model.exists(won, lost) if finite else np.ones(len(weight_BD), dtype=bool)
        drawn.append(model.fit(won, lost, model.noise(lacking, luck), point))
    spread_BP = ELO * np.concatenate(drawn)
    # no interval where the comparisons leave it open, or a game has but one deal
    open_ended = ~model.identified() | (min(found.strata) < 2)
    clusters = np.where(open_ended, 1, found.deals)
    names = (*found.agents, *found.sides)
    made = {
        name: expanded(
            float(ELO * point[0, n]), spread_BP[:, n], int(clusters[n]), corrected=finite
        )
        for n, name in enumerate(names)
    }
    split = len(found.agents)
    return Ratings(
        best_first({name: made[name] for name in names[:split]}),
        best_first({name: made[name] for name in names[split:]}),
        finite,
    )


def _sum(found: csr_matrix) -> Floats:
    """Over deals, as one weighting: shape (1, cells)."""
    return np.asarray(found.sum(axis=0)).reshape(1, -1)

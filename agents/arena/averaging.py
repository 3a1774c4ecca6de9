"""Strength where it is not transitive: Nash averaging and alpha-rank.

Both read the matrix of mean payoffs of the row's agent against the column's, made antisymmetric:
half the difference of the two agents' payoffs, so that a constant sum and ties fall out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import linprog, minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp, softmax

from sparring.agents.arena.bootstrap import percentiles, weights
from sparring.agents.arena.cells import Floats
from sparring.agents.arena.estimates import Estimate, best_first

NASH_RESAMPLES = 200
ALPHA_RESAMPLES = 500
ALPHA = 100.0
POPULATION = 50
EDGE = 1e-7  # below it a weight or a gain is 0


def nash(payoff: Floats) -> Floats:
    """The maximum-entropy Nash equilibrium of an antisymmetric game: a weight for each agent.

    The equilibria are {p ≥ 0, Σp = 1, payoff·p ≤ 0}; of them this is the one of greatest entropy,
    so that a copy of an agent shares its weight and changes nobody else's (Balduzzi et al. 2018,
    "Re-evaluating Evaluation").

    1. Some equilibrium has p_i > 0 for every i that has it in any, and (payoff·p)_i < 0 for all
       others (Tucker 1956): max ε s.t. p − payoff·p ≥ ε finds it.
    2. Where that support S has but one equilibrium, this is it: payoff_SS·p = 0.
    3. Else max H(p) s.t. payoff_SS·p = 0, payoff_S'S·p ≤ 0 by its dual,
       min over λ (λ_S' ≥ 0) of log Σ_j exp(−(λ·payoff)_j), whose minimum is finite.
    """
    n = len(payoff)
    scale = np.abs(payoff).max()
    if n == 1 or scale == 0:
        return np.full(n, 1 / n)
    if n == 2:  # the better one has all the weight: no need of a linear program
        return np.array([payoff[0, 1] > 0, payoff[1, 0] > 0], dtype=np.float64)
    a = payoff / scale
    inside = _inside(a)
    support = inside > EDGE
    square = a[np.ix_(support, support)]
    found = np.zeros(n)
    _, values, axes = np.linalg.svd(square)
    if (values > 1e-9).sum() >= len(square) - 1:
        found[support] = np.abs(axes[-1]) / np.abs(axes[-1]).sum()
        return np.asarray(found)
    rows = np.concatenate([square, a[np.ix_(~support, support)]])
    bounds = [(None, None)] * len(square) + [(0.0, None)] * (n - len(square))
    dual = minimize(
        lambda price: (logsumexp(-price @ rows), -rows @ softmax(-price @ rows)),
        np.zeros(n),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"ftol": 0.0, "gtol": 1e-10, "maxiter": 5000, "maxfun": 20000},
    )
    found[support] = softmax(-dual.x @ rows)
    return found


def _inside(a: Floats) -> Floats:
    """Step 1 of ``nash``: an equilibrium inside the set of equilibria."""
    n = len(a)
    eye, zeros, ones = np.eye(n), np.zeros((n, 1)), np.ones((n, 1))
    solved = linprog(
        np.concatenate([np.zeros(n), [-1.0]]),
        A_ub=np.block([[a, zeros], [a - eye, ones]]),
        b_ub=np.zeros(2 * n),
        A_eq=np.concatenate([np.ones(n), [0.0]])[None, :],
        b_eq=[1.0],
        method="highs",
    )
    return np.asarray(np.maximum(solved.x[:n], 0.0))


def alpha_rank(payoff: Floats, alpha: float = ALPHA, population: int = POPULATION) -> Floats:
    """Each agent's share of the stationary distribution of α-rank, for one population.

    ``payoff``: one matrix (n, n) or many (B, n, n), antisymmetric. A population of m plays one
    agent s; a mutant r takes it over with probability (Omidshafiei et al. 2019, equation 11)

        ρ_sr = (1 − e^(−u)) / (1 − e^(−m·u)),   u = α·(payoff_rs − payoff_sr);   1/m where u = 0

    and the chain over agents has transitions ρ_sr/(n − 1). Everything is kept in logarithms, and
    the chain is solved by elimination without subtractions (Grassmann, Taksar & Heyman 1985), so a
    large α is no trouble.
    """
    many = payoff.reshape(-1, *payoff.shape[-2:])
    u = alpha * (np.swapaxes(many, 1, 2) - many)  # from the row's agent s to the column's r
    log_rate = _log_fixation(u, population)
    n = many.shape[-1]
    log_exit = np.zeros((n, len(many)))
    for k in range(n - 1, 0, -1):  # censor state k: paths through it become direct
        log_exit[k] = logsumexp(log_rate[:, k, :k], axis=1)
        through = log_rate[:, :k, k, None] + log_rate[:, k, None, :k] - log_exit[k][:, None, None]
        log_rate[:, :k, :k] = np.logaddexp(log_rate[:, :k, :k], through)
    log_share = np.zeros((len(many), n))
    for k in range(1, n):
        inflow = logsumexp(log_share[:, :k] + log_rate[:, :k, k], axis=1)
        log_share[:, k] = inflow - log_exit[k]
    return np.asarray(softmax(log_share, axis=1)).reshape(payoff.shape[:-1])


def _log_fixation(u: Floats, m: int) -> Floats:
    """log ρ; for u < 0 from ρ = e^((m−1)u)·(1 − e^u)/(1 − e^(mu)), which does not overflow."""
    size = np.maximum(np.abs(u), 1e-12)
    ratio = np.log(-np.expm1(-size)) - np.log(-np.expm1(-m * size))
    return np.asarray(np.where(u < 0, ratio + (m - 1) * u, ratio))


@dataclass(frozen=True, eq=False)
class Payoffs:
    """Sums and numbers of payoffs on each deal: (deals, n·n), of the row's agent against the
    column's."""

    agents: tuple[str, ...]
    sums: csr_matrix
    counts: csr_matrix

    def matrices(self, weight_BD: Floats) -> Floats:
        """Antisymmetric mean payoffs (B, n, n). A pairing that no drawn deal has is even."""
        n = len(self.agents)
        count = weight_BD @ self.counts
        mean = (weight_BD @ self.sums / np.where(count > 0, count, 1.0)).reshape(-1, n, n)
        return np.asarray((mean - np.swapaxes(mean, 1, 2)) / 2)


def payoffs(rows: pl.DataFrame, agents: Sequence[str]) -> Payoffs | None:
    """From the table's rows; ``None`` where some of ``agents`` never met each other."""
    numbers = pl.Enum(sorted(agents))
    sums = (
        rows.group_by("deal", "agent", "opponent", maintain_order=True)
        .agg(pl.col("payoff").sum(), pl.len().cast(pl.Float64).alias("count"))
        .with_columns(pl.col("agent", "opponent").cast(numbers).to_physical().cast(pl.Int64))
    )
    n = len(agents)
    at = (sums["agent"] * n + sums["opponent"]).to_numpy()
    if len(np.unique(at)) < n * (n - 1):
        return None
    deals = sums["deal"].unique().sort()
    on = deals.search_sorted(sums["deal"]).to_numpy()
    shape = len(deals), n * n
    return Payoffs(
        tuple(sorted(agents)),
        csr_matrix((sums["payoff"].to_numpy(), (on, at)), shape),
        csr_matrix((sums["count"].to_numpy(), (on, at)), shape),
    )


def nash_weights(found: Payoffs, luck: np.random.Generator) -> dict[str, Estimate]:
    """``nash`` of the mean payoffs; intervals from ``NASH_RESAMPLES`` resamples, a linear program
    each."""
    return _resampled(
        found, lambda many: np.array([nash(one) for one in many]), NASH_RESAMPLES, luck
    )


def alpha_shares(found: Payoffs, luck: np.random.Generator) -> dict[str, Estimate]:
    """``alpha_rank`` of the mean payoffs; intervals from ``ALPHA_RESAMPLES`` resamples."""
    return _resampled(found, alpha_rank, ALPHA_RESAMPLES, luck)


def _resampled(
    found: Payoffs,
    solve: Callable[[Floats], Floats],
    resamples: int,
    luck: np.random.Generator,
) -> dict[str, Estimate]:
    """``solve`` of the mean payoffs, with percentiles over resamples of the deals.

    These intervals say how far the answer moves when other deals had been dealt. Where payoffs are
    close to even the answer jumps, and its interval covers the truth less surely than a mean's.
    """
    deals = found.sums.shape[0]
    point = solve(found.matrices(np.ones((1, deals))))[0]
    drawn = np.concatenate([solve(found.matrices(w)) for w in weights((deals,), resamples, luck)])
    return best_first(
        {
            name: percentiles(float(point[n]), drawn[:, n], deals)
            for n, name in enumerate(found.agents)
        }
    )

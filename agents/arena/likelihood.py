"""Bradley-Terry by maximum likelihood, for many weightings of the same comparisons at once.

Shapes: ``_B`` weightings, ``_C`` cells, ``_Q`` pseudo-comparisons, ``_P`` parameters (agents, then
sides), ``_R`` directions of the parameters that comparisons can tell apart.
"""

import numpy as np
from scipy.optimize import linprog
from scipy.special import expit

from sparring.agents.arena.cells import Comparisons, Floats

PSEUDO = 0.5  # wins each way, where the data alone give no finite rating
STRIDE = 2.0  # one Newton step changes no log-odds by more
STEPS = 100
TINY = 1e-9


class Model:
    """The design of comparisons: log-odds are ``real_CP`` times (θ, γ).

    Pseudo-comparisons: every pair of agents that met, on equal sides; every pair of sides that met,
    between equal agents.
    """

    def __init__(self, found: Comparisons) -> None:
        i, s, j, t = found.cells.T
        agents, sides = len(found.agents), len(found.sides)
        eye = np.eye(agents + sides)
        met_QP = np.concatenate([_met(i, j), _met(s + agents, t + agents)])
        pseudo_QP = eye[met_QP[:, 0]] - eye[met_QP[:, 1]]
        self.real_CP: Floats = eye[i] + eye[s + agents] - eye[j] - eye[t + agents]
        whole_P = np.concatenate([self.real_CP, pseudo_QP])
        self.basis_PR = _row_space(whole_P)
        self.design_R: Floats = whole_P @ self.basis_PR  # of the real cells, then of the pseudo
        self.others_Q = np.bincount(met_QP.ravel())[met_QP].max(axis=1)
        # what a parameter is measured from: the mean of its kind
        kinds = np.zeros_like(eye)
        kinds[:agents, :agents], kinds[agents:, agents:] = 1 / agents, 1 / sides
        self.contrasts_PP: Floats = eye - kinds

    def identified(self) -> np.ndarray:
        """Whether the comparisons fix each parameter, relative to the mean of its kind."""
        span = _row_space(self.real_CP)
        missed = self.contrasts_PP - self.contrasts_PP @ span @ span.T
        return np.abs(missed).max(axis=1) < 1e-6  # type: ignore[no-any-return]

    def exists(self, won_BC: Floats, lost_BC: Floats) -> np.ndarray:
        """Whether the likelihood has one finite maximum, for each weighting.

        Without sides that is so where every agent can be reached from every other along wins (Ford
        1957). In general: the comparisons that were made span all directions, and no direction β
        speaks for nobody who lost, design·β ≥ 0 in won and ≤ 0 in lost cells, and for somebody who
        won (Albert & Anderson 1984): a linear program, which cells that were both won and lost
        often spare.
        """
        design_CR = self.design_R[: len(self.real_CP)]
        rank = design_CR.shape[1]
        both_BC = ((won_BC > TINY) & (lost_BC > TINY)).astype(np.float64)
        gram = (both_BC @ _outer(design_CR)).reshape(-1, rank, rank)
        found = np.linalg.eigvalsh(gram)[:, 0] > 1e-6  # they span all: β could only be 0
        unsure = np.flatnonzero(~found)
        seen = np.concatenate([won_BC[unsure] > TINY, lost_BC[unsure] > TINY], axis=1)
        patterns, which = np.unique(seen, axis=0, return_inverse=True)
        signed = np.concatenate([design_CR, -design_CR])
        answers = [_overlaps(signed[pattern]) for pattern in patterns]
        found[unsure] = np.array(answers, dtype=bool)[which.reshape(-1)]
        return np.asarray(found)

    def pseudo(self, lacking_B: np.ndarray) -> Floats:
        """The pseudo-counts each way of weightings that are ``lacking``: half a win a pair."""
        half = np.where(lacking_B[:, None], PSEUDO, 0.0) * np.ones(len(self.others_Q))
        return np.stack([half, half])

    def noise(self, lacking_B: np.ndarray, luck: np.random.Generator) -> Floats:
        """Random pseudo-counts for resamples that are ``lacking``: shape (2, B, Q), each way.

        A fixed pseudo-count would hide how little is known of an undefeated agent: no resample of
        its games has a loss. With Gamma(½) wins each way, two agents' interval is that of the
        Jeffreys posterior of a share, Beta(wins + ½, losses + ½) (Brown, Cai & DasGupta 2001). An
        agent with m opponents gets Gamma(½/m) with each, Gamma(½) in all.
        """
        shape = PSEUDO / self.others_Q
        drawn = luck.gamma(shape, size=(2, len(lacking_B), len(shape)))
        return np.where(lacking_B[:, None], np.maximum(drawn, TINY), 0.0)

    def fit(
        self,
        won_BC: Floats,
        lost_BC: Floats,
        pseudo_2BQ: Floats,
        start_P: Floats | None = None,
    ) -> Floats:
        """The parameters (θ, γ) of greatest likelihood, by Newton's method: shape (B, P)."""
        won = np.concatenate([won_BC, pseudo_2BQ[0]], axis=1)
        total = won + np.concatenate([lost_BC, pseudo_2BQ[1]], axis=1)
        design, rank = self.design_R, self.design_R.shape[1]
        outer = _outer(design)
        at_BR = np.zeros((len(won), rank))
        if start_P is not None:
            at_BR += start_P @ self.basis_PR
        left = np.arange(len(won))
        for _ in range(STEPS):
            p = expit(at_BR[left] @ design.T)
            slope = (won[left] - total[left] * p) @ design
            curve = ((total[left] * p * (1 - p)) @ outer).reshape(-1, rank, rank)
            step = np.linalg.solve(curve, slope[..., None])[..., 0]
            size = np.abs(step @ design.T).max(axis=1)
            at_BR[left] += step * np.minimum(1.0, STRIDE / np.maximum(size, TINY))[:, None]
            left = left[size > 1e-8]
            if not len(left):
                break
        return np.asarray(at_BR @ self.basis_PR.T)


def _met(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """The different pairs among (one, two), each once."""
    pairs = np.unique(np.sort(np.stack([one, two], axis=1), axis=1), axis=0)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]])


def _overlaps(rows: Floats) -> bool:
    """Whether rows·β ≥ 0 forces β = 0."""
    n, rank = rows.shape
    if np.linalg.matrix_rank(rows, tol=1e-6) < rank:
        return False
    most = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(n), bounds=(-1, 1))
    return bool(-most.fun < 1e-6)


def _outer(rows: Floats) -> Floats:
    """The products of each row's entries with each other, flat: (rows, R·R)."""
    return np.asarray(np.einsum("cr,cs->crs", rows, rows).reshape(len(rows), -1))


def _row_space(rows: Floats) -> Floats:
    """An orthonormal basis of the span of the rows, as columns."""
    values, vectors = np.linalg.eigh(rows.T @ rows)
    return np.asarray(vectors[:, values > 1e-9 * max(1.0, values[-1])])

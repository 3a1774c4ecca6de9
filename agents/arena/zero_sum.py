"""The Nash equilibrium of a zero-sum matrix game whose two sides have strategies of their own.

For payoffs A > 0 of the rows, the antisymmetric game of Gale, Kuhn & Tucker (1950)

        ⎡  0    A   −1 ⎤
        ⎢ −Aᵀ   0    1 ⎥        has the equilibria  (x, y, v) / (2 + v)
        ⎣  1ᵀ  −1ᵀ   0 ⎦

with x and y the equilibrium strategies of rows and columns, v the value of A. So ``nash`` solves
it, and since the divisor is the same for all of them, its equilibrium of greatest entropy is that
of x and of y: a copy of a strategy shares its weight and changes nobody else's.
"""

from dataclasses import dataclass

import numpy as np

from sparring.agents.arena.averaging import nash
from sparring.agents.arena.cells import Floats


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights of the rows and of the columns, each adding to 1, and the value to the rows."""

    rows: Floats
    columns: Floats
    value: float


def solve(payoff: Floats) -> Solution:
    """The equilibrium of greatest entropy; ``payoff`` (n, m): of the row's side, which it raises
    and the column's side lowers."""
    n, m = payoff.shape
    low = payoff.min()
    spread = payoff.max() - low
    if spread == 0:
        return Solution(np.full(n, 1 / n), np.full(m, 1 / m), float(low))
    positive = 1.0 + (payoff - low) / spread  # from 1 to 2: as large as the ones beside it
    whole = np.zeros((n + m + 1, n + m + 1))
    whole[:n, n:-1] = positive
    whole[:n, -1] = -1.0
    whole[n:-1, -1] = 1.0
    whole -= whole.T
    found = nash(whole)
    rows, columns = (part / part.sum() for part in (found[:n], found[n:-1]))
    return Solution(rows, columns, float(rows @ payoff @ columns))

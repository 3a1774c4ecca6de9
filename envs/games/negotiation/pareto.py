"""Who could have got more: the splits of some things between two whose worths just add up.

Exact, without listing the splits: a table says for every worth that one player can get the most
that the other can have beside it (a knapsack, as in dynamic programming since Bellman, 1957). The
pool of a negotiation has up to 50 of a kind; its table is filled in a fraction of a millisecond.
"""

from collections.abc import Iterator
from operator import mul

import numpy as np
from numpy.typing import NDArray

from sparring.envs.games.negotiation.offers import Amounts


def best_joint(pool: Amounts, values: tuple[Amounts, Amounts]) -> int:
    """The most that all things can be worth together: each kind to who values it more,
    Σ n_k · max(a_k, b_k)."""
    return sum(map(mul, pool, map(max, *values)))


def efficient(pool: Amounts, values: tuple[Amounts, Amounts], worths: tuple[int, int]) -> bool:
    """Whether no split of ``pool`` gives one player more than ``worths`` and the other no less.

    ``worths``: what each gets; it may be less than any split gives, as where there is no deal.
    """
    one, two = worths
    most = most_for_other(pool, values)
    return not (most[one] > two or (most[one + 1 :] >= two).any())


def most_for_other(pool: Amounts, values: tuple[Amounts, Amounts]) -> NDArray[np.int64]:
    """At index x the most that the second player's part can be worth to it where the first
    player's is worth exactly x to that one; -1 where no split gives it x."""
    most = np.full(sum(map(mul, pool, values[0])) + 1, -1, dtype=np.int64)
    most[0] = sum(map(mul, pool, values[1]))
    for n, mine, yours in zip(pool, *values, strict=True):
        for some in _chunks(n):  # whether the first player takes so many of this kind
            gained, lost = some * mine, some * yours
            before = most[: len(most) - gained]  # what no split gives stays at -1: less is no more
            most[gained:] = np.maximum(most[gained:], before - lost)
    return most


def _chunks(n: int) -> Iterator[int]:
    """1, 2, 4, ... and a rest: numbers whose sums of some are all of 0 to n, and no others."""
    chunk = 1
    while n:
        yield min(chunk, n)
        n -= min(chunk, n)
        chunk *= 2

"""What the players of a simple negotiation start with, and what it is worth to them."""

from itertools import product
from math import prod
from operator import mul, sub

from sparring.envs.games.negotiation.offers import Amounts

Cost = tuple[tuple[int, int], ...]
"""What one side of a trade takes: (number of the kind, amount above 0)."""

TWO_HELD: Amounts = (10, 10)
TWO_VALUES: tuple[Amounts, Amounts] = ((5, 15), (15, 5))
TWO_RANKS: tuple[Amounts, Amounts] = ((0, 1), (1, 0))

FIVE_HELD = range(5, 26)
"""How much of each resource a player may start with, all equally likely."""
FIVE_VALUES = (range(5, 7), range(8, 13), range(12, 19), range(20, 31), range(32, 41))
"""What one of each may be worth: 5, 10, 15, 25, 40, each ±20 %, cut to 5 to 40."""
FIVE_RANKS: tuple[Amounts, Amounts] = ((0, 1, 2, 3, 4),) * 2  # the same whatever is drawn
FIVE_TABLES: tuple[tuple[Amounts, ...], ...] = (
    tuple(product(FIVE_HELD, repeat=2)),
    tuple(product(FIVE_HELD, repeat=3)),
    tuple(product(*FIVE_VALUES)),
)  # what one player may be dealt: some amounts, the other amounts, the values
FIVE_DEALS = prod(map(len, FIVE_TABLES))


def five(number: int) -> tuple[Amounts, Amounts]:
    """Amounts and values of one player; ``number`` below ``FIVE_DEALS`` counts all the ways."""
    pairs, triples, values = FIVE_TABLES
    number, value = divmod(number, len(values))
    pair, triple = divmod(number, len(triples))
    return pairs[pair] + triples[triple], values[value]


def affords(held: Amounts, cost: Cost) -> bool:
    for kind, n in cost:  # noqa: SIM110  # several times faster than all(...), and often asked
        if held[kind] < n:
            return False
    return True


def moved(held: Amounts, gives: Cost, gets: Cost) -> Amounts:
    now = list(held)
    for kind, n in gives:
        now[kind] -= n
    for kind, n in gets:
        now[kind] += n
    return tuple(now)


def gain(values: Amounts, before: Amounts, now: Amounts) -> int:
    """How much more a seat's holdings are worth to it than before."""
    return sum(map(mul, values, map(sub, now, before)))

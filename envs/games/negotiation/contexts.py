"""What there is to split in Deal or No Deal, and what it is worth to whom.

The contexts are all those that keep the rules of the published ones, enumerated: of 5 to 7 things
with 1 to 4 of each kind there are 5,295, and all 4,086 contexts of the self-play file of Lewis et
al. (2017) are among them. With up to 5 of a kind, as OpenSpiel has it, there are 5,793.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from operator import mul
from typing import NamedTuple

from sparring.envs.games.negotiation.offers import Amounts, listed

KINDS = ("book", "hat", "ball")
PLURALS = tuple(f"{kind}s" for kind in KINDS)
THINGS = range(5, 8)
"""How many things there are to split."""
WORTH = 10
"""What all the things together are worth, to either player."""
MOST = (4, 5)
"""How many there may be of one kind: in the published data, in OpenSpiel."""
SECOND = WORTH - 1
"""The most points of a player whose partner gets all 10."""


class Context(NamedTuple):
    """How many there are of each kind, and what one of each is worth to each player."""

    pool: Amounts
    values: tuple[Amounts, Amounts]


@cache
def contexts(most: int) -> tuple[Context, ...]:
    """All contexts: 1 to ``most`` of each kind, 5 to 7 things, worth 10 in all to each player;
    nothing is worth nothing to both, and something is worth something to both."""
    return tuple(
        Context(pool, (mine, yours))
        for pool in product(range(1, most + 1), repeat=len(KINDS))
        if sum(pool) in THINGS
        for mine, yours in product(_valuations(pool), repeat=2)
        if all(a or b for a, b in zip(mine, yours, strict=True))
        and any(a and b for a, b in zip(mine, yours, strict=True))
    )


@cache
def _valuations(pool: Amounts) -> tuple[Amounts, ...]:
    """Values of one thing of each kind that make all of them worth 10."""
    every = product(*(range(WORTH // n + 1) for n in pool))
    return tuple(values for values in every if points(values, pool) == WORTH)


def points(values: Amounts, taken: Amounts) -> int:
    """What ``taken`` is worth."""
    return sum(map(mul, values, taken))


@cache
def splits(pool: Amounts) -> Mapping[str, Amounts]:
    """All that one player can take, by how it is written: ``2 books, 1 hat, 0 balls``."""
    every = product(*(range(n + 1) for n in pool))
    return {", ".join(counted(taken)): taken for taken in every}


def counted(held: Amounts) -> Iterator[str]:
    for n, kind, plural in zip(held, KINDS, PLURALS, strict=True):
        yield f"{n} {kind if n == 1 else plural}"


def told(held: Amounts) -> str:
    return listed([*counted(held)])

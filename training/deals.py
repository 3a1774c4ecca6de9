"""Which deals a batch plays: seeds of games."""

import random
from collections.abc import Callable
from itertools import accumulate, count

from sparring.envs.core import BadInput, Game, State

Deals = Callable[[random.Random, int], list[int]]
"""(the batch's luck, number of games) to one seed a game."""

MOST_OPENINGS = 1000
INSTEAD = "use --deals independent"
TRIES = 100  # times the number of openings; finding all of n equal ones takes about n·ln n


def independent(luck: random.Random, games: int) -> list[int]:
    """A fresh seed for every game."""
    return [luck.getrandbits(63) for _ in range(games)]


def repeated(size: int, deals: Deals = independent) -> Deals:
    """Each seed that ``deals`` draws ``size`` times in a row: the groups of GRPO and RLOO.

    Raises:
        BadInput: ``size`` is less than 1, or (when dealing) the games do not divide into groups.
    """
    if size < 1:
        raise BadInput(f"a group has at least 1 game, not {size}")

    def deal(luck: random.Random, games: int) -> list[int]:
        if games % size:
            less = games - games % size
            near = f"{less} or {less + size}" if less else f"{size}"
            raise BadInput(f"{games} games do not divide into groups of {size}; play {near}")
        return [seed for seed in deals(luck, games // size) for _ in range(size)]

    return deal


def balanced(game: Game) -> Deals:
    """Every opening of a small game as often as its probability says, up to one game.

    With independent deals, who held the better cards is most of the variance of an advantage; it
    is the same trick as duplicate deals in a match. Systematic sampling: game i plays the opening
    in which (u + i)/games falls, u uniform in [0, 1), in random order; so the expected number of
    games of each opening is its share, and the gradient stays unbiased.

    Raises:
        BadInput: the game does not list its openings, or has too many.
    """
    fault = BadInput(f"{game.name} has no short list of openings to balance; {INSTEAD}")
    try:
        listed = list(game.openings()) if hasattr(game, "openings") else []
    except BadInput:  # too many with these options
        raise fault from None
    if not 0 < len(listed) <= MOST_OPENINGS:
        raise fault
    seeds = _seeds_of(game, [state for _, state in listed])
    ends = list(accumulate(p for p, _ in listed))

    def deal(luck: random.Random, games: int) -> list[int]:
        u = luck.random()
        at, chosen = 0, []
        for i in range(games):
            while at < len(ends) - 1 and (u + i) / games >= ends[at]:
                at += 1
            chosen.append(seeds[at])
        luck.shuffle(chosen)
        return chosen

    return deal


def _seeds_of(game: Game, openings: list[State]) -> list[int]:
    """For each opening a seed that deals it; states are values, so they can be compared."""
    found: dict[int, int] = {}
    for seed in count():
        if len(found) == len(openings):
            return [found[i] for i in range(len(openings))]
        if seed >= TRIES * len(openings):
            raise BadInput(f"no seed of {game.name} deals some of its openings; {INSTEAD}")
        state = game.start(seed)
        if state in openings:
            found.setdefault(openings.index(state), seed)
    raise AssertionError("unreachable")

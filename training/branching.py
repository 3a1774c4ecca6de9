"""Going on from the middle of a game again: several answers to the same prompt, each played out.

Where it pays to know which of two answers was better, one game is not enough: what follows differs
too. So a game is played once, and then again from each turn of a learning role with another answer.
All answers to one prompt are *siblings* (``items.siblings``); an answer is worth the mean of the
games in which it was given.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from sparring.agents.play import Match
from sparring.envs.core import Episode
from sparring.training.opponents.core import Seating

Branching = Callable[[Match, Seating, Episode, random.Random], list[Match]]
"""From a game that was played to those that go on from its middle, all with the same seating."""


def comb(others: int = 1) -> Branching:
    """At each turn of a learning role ``others`` more answers, each with a game of its own.

    A game with K such turns becomes 1 + K·others games: the trunk, and as many teeth from each of
    its turns. (A full tree of two answers at each of four speeches has sixteen leaves and thirty
    speeches; arXiv 2409.16636 plays a part of it. The comb of the same debate has five games.)
    Where roles answer at once, those after the turn in the order of the roles answer anew too.
    """
    if others < 1:
        raise ValueError("a branch needs at least one other answer")

    def branch(
        match: Match, seating: Seating, episode: Episode, luck: random.Random
    ) -> list[Match]:
        cuts = [k for k, turn in enumerate(episode.turns) if turn.role in seating.learning]
        return [
            replace(match, played=episode.turns[:k], luck=luck.getrandbits(63))
            for k in cuts
            for _ in range(others)
        ]

    return branch

"""What preferences compare: whole games, or answers to the same prompt, in groups.

A *grouping* turns samples into groups of items with scores; ``pairs.py`` makes pairs of each group.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from sparring.training.advantages.keys import Key, deal_and_role
from sparring.training.core import Sample
from sparring.training.rows import Row, rows_of


@dataclass(frozen=True, slots=True)
class Item:
    """A whole game of one role, or its answer at turn ``turn``. ``score``: what is compared."""

    sample: Sample
    score: float
    turn: int | None = None

    def rows(self) -> list[Row]:
        """The item as training data of weight 1: an answer is one row, a game one or more."""
        sample = replace(self.sample, weight=1.0)
        if self.turn is not None:
            alone = replace(sample.episode, turns=(sample.turns[self.turn],))
            sample = replace(sample, episode=alone, credit=(1.0,))
        return rows_of(sample, [0.0] * len(sample.turns))

    @property
    def said(self) -> tuple[tuple[int, ...], ...]:
        """All that was read and sampled; items that agree in it are the same to a model."""
        turns = self.sample.turns if self.turn is None else (self.sample.turns[self.turn],)
        return tuple(tokens for t in turns for tokens in (t.action.prompt, t.action.tokens))


Group = Sequence[Item]
Grouping = Callable[[Sequence[Sample]], list[Group]]
Score = Callable[[Sample], float]


def reward(sample: Sample) -> float:
    """The training reward of the game."""
    return sample.reward


def by_seat(rank: Callable[[str], float]) -> Score:
    """A score by who played, whatever came of it: ``rank`` of the agent's name.

    With demonstrations above the learner, and the learner above its past selves, ``all_ordered``
    gives the pairs of iterated imitation: demonstration ≻ newer policy ≻ older policy.
    """
    return lambda sample: rank(sample.episode.seats[sample.role])


def games(key: Key = deal_and_role, score: Score = reward) -> Grouping:
    """Whole games that share ``key``, of who said something in them. The default needs deals that
    repeat each seed."""

    def group(samples: Sequence[Sample]) -> list[Group]:
        found: dict[object, list[Item]] = {}
        for sample in samples:
            if sample.turns:
                found.setdefault(key(sample), []).append(Item(sample, score(sample)))
        return list(found.values())

    return group


def siblings(key: Key = deal_and_role, score: Score = reward) -> Grouping:
    """Different answers to the same prompt, in samples that share ``key``.

    The score of an answer is the mean score of the games in which it was given, as in the debates
    of arXiv 2409.16636, where a speech is worth what the judge says, on average, of the debates
    that go on from it. Needs games that branch or deals that repeat.
    """

    def group(samples: Sequence[Sample]) -> list[Group]:
        found: dict[object, dict[object, list[Item]]] = {}
        for sample in samples:
            for k, turn in enumerate(sample.turns):
                answers = found.setdefault((key(sample), turn.action.prompt), {})
                same = answers.setdefault(turn.action.tokens, [])
                same.append(Item(sample, score(sample), k))
        return [
            [replace(same[0], score=mean(i.score for i in same)) for same in answers.values()]
            for answers in found.values()
        ]

    return group

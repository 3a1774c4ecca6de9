"""Pairs of a better and a worse thing to say: what preference losses learn from.

Samples become groups of items that can be compared (``items.py``), and a rule makes pairs of each:

    Builder(siblings(), best_and_worst(target=softmax(7.0)))

A group without a pair is counted, with the reason why.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from sparring.training.core import Metrics, Sample
from sparring.training.items import Group, Grouping, Item


@dataclass(frozen=True, slots=True)
class Pair:
    """``chosen`` should be likelier than ``rejected``.

    ``target``: how often the chosen one wins, 1 for certain; ``rejected_target``: how often the
    rejected one does, None for 1 − target. ``weight``: how much the pair counts.
    """

    chosen: Item
    rejected: Item
    target: float = 1.0
    rejected_target: float | None = None
    weight: float = 1.0

    @property
    def targets(self) -> tuple[float, float]:
        other = 1 - self.target if self.rejected_target is None else self.rejected_target
        return self.target, other


Rule = Callable[[Group], list[Pair] | str]
"""The pairs of a group, or why it has none."""
Target = Callable[[float, float], float]
"""From the scores of the chosen and the rejected item to how often the chosen one wins."""


def hard(chosen: float, rejected: float) -> float:
    """p = 1: what scores higher is better."""
    return 1.0


def smoothed(error: float) -> Target:
    """p = 1 − ε: a higher score is wrong with probability ε (label smoothing)."""
    return lambda chosen, rejected: 1 - error


def softmax(scale: float) -> Target:
    """p = e^(m·s⁺) / (e^(m·s⁺) + e^(m·s⁻)); arXiv 2409.16636 has m = 7 on judges' probabilities."""
    return lambda chosen, rejected: (1 + math.tanh(scale * (chosen - rejected) / 2)) / 2


def best_and_worst(margin: float = 0.0, target: Target = hard) -> Rule:
    """One pair: the highest score and the lowest, if they are at least ``margin`` apart."""

    def rule(group: Group) -> list[Pair] | str:
        pairs = all_ordered(margin, target)(group)
        if isinstance(pairs, str):
            return pairs
        return [max(pairs, key=lambda pair: pair.chosen.score - pair.rejected.score)]

    return rule


def all_ordered(margin: float = 0.0, target: Target = hard) -> Rule:
    """Every two items whose scores differ, and by at least ``margin``; the higher is chosen."""

    def rule(group: Group) -> list[Pair] | str:
        said = [item.said for item in group]
        if len(set(said)) < 2:
            return "alone" if len(group) < 2 else "same_answer"
        different = [
            (a, b)
            for a, x in zip(group, said, strict=True)
            for b, y in zip(group, said, strict=True)
            if a.score > b.score and x != y
        ]
        if not different:
            return "tied"
        pairs = [
            Pair(a, b, target(a.score, b.score), weight=(a.sample.weight + b.sample.weight) / 2)
            for a, b in different
            if a.score - b.score >= margin
        ]
        return pairs or "margin"

    return rule


def win_rates(scale: float = 1.0) -> Rule:
    """Best and worst, each with its mean chance to win against the group, itself included.

    P_i = mean_j σ(m·(s_i − s_j)) with m = ``scale``, as in the code of SPPO (arXiv 2405.00675).
    """

    def rule(group: Group) -> list[Pair] | str:
        found = best_and_worst()(group)
        if isinstance(found, str):
            return found
        pair, target = found[0], softmax(scale)
        wins, loses = (
            mean(target(item.score, other.score) for other in group)
            for item in (pair.chosen, pair.rejected)
        )
        return [replace(pair, target=wins, rejected_target=loses)]

    return rule


@dataclass(frozen=True, slots=True)
class Pairs:
    """What was found: the pairs, the number of groups, and how many have none for which reason."""

    pairs: list[Pair]
    groups: int
    without: dict[str, int]

    def metrics(self) -> Metrics:
        found = {f"no_pair/{reason}": float(n) for reason, n in self.without.items()}
        return {"pairs": float(len(self.pairs)), "groups": float(self.groups), **found}


@dataclass(frozen=True, slots=True)
class Builder:
    """Pairs of the groups of a batch of samples, by a rule."""

    groups: Grouping
    rule: Rule

    def __call__(self, samples: Sequence[Sample]) -> Pairs:
        groups = self.groups(samples)
        found = [self.rule(group) for group in groups]
        pairs = [pair for some in found if not isinstance(some, str) for pair in some]
        return Pairs(pairs, len(groups), dict(Counter(r for r in found if isinstance(r, str))))

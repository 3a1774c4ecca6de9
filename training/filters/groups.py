"""Rules about samples that share a key, by default all games from one deal in one role."""

from collections.abc import Callable, Sequence

from sparring.training.advantages.keys import Key, deal_and_role
from sparring.training.core import Sample
from sparring.training.filters.core import Rule

Group = list[Sample]


def _by_group(key: Key, judge: Callable[[Group], Callable[[Sample], str | None]]) -> Rule:
    """``judge`` sees a group and gives the verdict on each of its samples."""

    def rule(samples: Sequence[Sample]) -> list[Sample | str]:
        groups: dict[object, Group] = {}
        for sample in samples:
            groups.setdefault(key(sample), []).append(sample)
        verdicts = {k: judge(group) for k, group in groups.items()}
        return [verdicts[key(sample)](sample) or sample for sample in samples]

    return rule


def signal(key: Key = deal_and_role) -> Rule:
    """Drop groups whose rewards are all equal ("no_signal"): their advantage is 0 anyway.

    A group of one is dropped too. Only for estimators that compare within this key.
    """

    def judge(group: Group) -> Callable[[Sample], str | None]:
        equal = len({sample.reward for sample in group}) == 1
        return lambda sample: "no_signal" if equal else None

    return _by_group(key, judge)


def difficulty(low: float, high: float, key: Key = deal_and_role, *, ends: bool = True) -> Rule:
    """Keep groups whose mean reward is in [``low``, ``high``] ("too_hard", "too_easy").

    ``ends``: whether the ends of the window belong to it. SeRL (arXiv 2505.20347) keeps tasks with
    0.2 ≤ p ≤ 0.8, STP (arXiv 2502.00212) conjectures with 0 < p < 0.25, p the share of successes.
    """

    def judge(group: Group) -> Callable[[Sample], str | None]:
        mean = sum(sample.reward for sample in group) / len(group)
        hard = mean < low if ends else mean <= low
        easy = mean > high if ends else mean >= high
        return lambda sample: "too_hard" if hard else "too_easy" if easy else None

    return _by_group(key, judge)


def best(number: int = 1, key: Key = deal_and_role) -> Rule:
    """Keep the ``number`` highest rewards of each group ("not_best"); of equals the first."""

    def judge(group: Group) -> Callable[[Sample], str | None]:
        order = sorted(group, key=lambda sample: -sample.reward)
        kept = {id(sample) for sample in order[:number]}
        return lambda sample: None if id(sample) in kept else "not_best"

    return _by_group(key, judge)

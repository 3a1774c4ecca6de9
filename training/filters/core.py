"""Filters: which samples are learned from, and how much each counts.

A *rule* is a pure function from samples to verdicts: for each sample the sample to keep, perhaps
with another weight, or the reason for dropping it, one word for the log. ``Filters`` is a chain of
rules that counts the reasons, because data that vanishes silently is the commonest fault there is.

    SelfPlay(filters=[Filters(no_forfeits, winners, even_roles)], ...)
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps

from sparring.training.core import Metrics, Sample

Rule = Callable[[Sequence[Sample]], Sequence[Sample | str]]


class Filters:
    """Rules one after the other; each sees what the one before it kept.

    ``dropped``: of the last batch, how many samples for which reason.
    """

    def __init__(self, *rules: Rule):
        self.rules = rules
        self.dropped: dict[str, int] = {}

    def __call__(self, samples: Sequence[Sample]) -> list[Sample]:
        kept, reasons = list(samples), Counter[str]()
        for rule in self.rules:
            verdicts = rule(kept)
            if len(verdicts) != len(kept):
                raise ValueError(f"{len(verdicts)} verdicts on {len(kept)} samples by {rule}")
            reasons.update(v for v in verdicts if isinstance(v, str))
            kept = [v for v in verdicts if not isinstance(v, str)]
        self.dropped = dict(reasons)
        return kept

    def metrics(self) -> Metrics:
        """For the log: "dropped/REASON", in samples."""
        return {f"dropped/{reason}": float(n) for reason, n in sorted(self.dropped.items())}


def each(judge: Callable[[Sample], str | None]) -> Rule:
    """The rule of a function that looks at one sample: why to drop it, or None to keep it."""

    @wraps(judge)
    def rule(samples: Sequence[Sample]) -> list[Sample | str]:
        return [judge(sample) or sample for sample in samples]

    return rule

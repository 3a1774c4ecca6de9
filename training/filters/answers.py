"""Rules about what was said."""

from sparring.training.core import Sample
from sparring.training.filters.core import Rule, each


@each
def legal_only(sample: Sample) -> str | None:
    """Drop games in which the role gave an illegal answer, even if it tried again ("illegal")."""
    return None if all(turn.accepted for turn in sample.turns) else "illegal"


def complete(end: int) -> Rule:
    """Drop games with an answer that was cut off by its length ("cut_off").

    ``end``: the token that ends an answer, ``Renderer.end``.
    """

    @each
    def rule(sample: Sample) -> str | None:
        ends = (turn.action.tokens[-1:] for turn in sample.turns)
        return None if all(last == (end,) for last in ends) else "cut_off"

    return rule

"""What a debate pays: formulas and their words, by the name that the options give them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

SURE = 0.99
"""A verdict surer than this pays no more where payoffs are logarithms."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """``worth`` of a probability, not falling; ``words`` say the same to a player."""

    worth: Callable[[float], float]
    words: str


def _kept(p: float) -> float:
    return min(max(p, 1 - SURE), SURE)


def _log_odds(p: float) -> float:
    return math.log(_kept(p) / (1 - _kept(p)))


def _sign(p: float) -> float:
    return float((p > 0.5) - (p < 0.5))


PAYOFFS = {
    "probability": Scoring(lambda p: 2 * p - 1, "you get 2p - 1"),
    "log-odds": Scoring(
        _log_odds, f"you get ln(p / (1 - p)), with p kept from {1 - SURE:.2f} to {SURE}"
    ),
    "binary": Scoring(_sign, "you get 1 if p is above 50%, lose 1 if it is below"),
}
"""Of a debater, for the probability p that the judge gives to its answer."""

JUDGE_PAYOFFS = {
    "none": Scoring(lambda q: 0.0, "You are not paid."),
    "brier": Scoring(
        lambda q: 0.25 - (1 - q) ** 2, "With q on the correct answer you get 1/4 - (1 - q)^2."
    ),
    "log": Scoring(
        lambda q: math.log(2 * _kept(q)),  # kept at both ends, else 0 would beat a low belief
        f"With q on the correct answer you get ln(2q), with q kept from {1 - SURE:.2f} to {SURE}.",
    ),
}
"""Of the judge, for the probability q that it gives to the correct answer. The quadratic and the
logarithmic score are proper: what pays best on average is to say what one believes."""

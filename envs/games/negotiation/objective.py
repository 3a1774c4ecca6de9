"""What a player of a bargaining game wants: its own points plus a weight times the other's.

payoff_i = points_i + w · points_j, with w from -1 (zero-sum) over 0 (own points only) to 1
(cooperative), as the three objectives of Liao, Tomlin and Klein (2024) and all between.
"""

from sparring.envs.core import Payoffs, Role, Sum
from sparring.envs.options import number


def must_be_weight(other: object) -> None:
    """``other`` is a weight of the other's points. Raises ``BadInput``."""
    number("other", other, -1, 1)


def sum_of(other: float) -> Sum:
    """How payoffs add up with this weight of the other's points."""
    return Sum.ZERO if other == -1 else Sum.COOPERATIVE if other == 1 else Sum.GENERAL


def weigh(points: tuple[float, float], other: float) -> tuple[float, float]:
    """The payoffs of both players; for -1 and 1 exactly opposite and exactly the same."""
    one, two = points
    return one + other * two, two + other * one


def paid(roles: tuple[Role, Role], points: tuple[float, float], other: float) -> Payoffs:
    """``weigh``, by role."""
    one, two = weigh(points, other)
    return {roles[0]: float(one), roles[1]: float(two)}


def aim(other: float) -> str:
    """The objective in words, for the rules."""
    match other:
        case -1:
            return "Your payoff is your points minus the other's."
        case 0:
            return "Your payoff is your own points, whatever the other's."
        case 1:
            return "Your payoff is the points of both together."
    sign = "plus" if other > 0 else "minus"
    return f"Your payoff is your points {sign} {abs(other):g} times the other's."

"""How the advantage of a game is given to the turns of the role that earned it.

Each is a function of the number of turns T to the share of each turn k = 0 .. T − 1. ``last``,
``equal`` and ``geometric`` divide one advantage (the shares add up to 1); ``whole`` and
``discounted`` give it to every turn, whole or fading with the distance from the end.
"""

from sparring.training.core import Split


def whole(turns: int) -> tuple[float, ...]:
    """w_k = 1: every turn gets all of it, as in REINFORCE with a terminal reward and γ = 1."""
    return (1.0,) * turns


def last(turns: int) -> tuple[float, ...]:
    """w_k = 1 for the last turn, 0 for the others."""
    return (0.0,) * (turns - 1) + (1.0,) * (turns > 0)


def equal(turns: int) -> tuple[float, ...]:
    """w_k = 1/T."""
    return (1 / turns,) * turns if turns else ()


def geometric(discount: float) -> Split:
    """w_k = γ^(T−1−k) / Σ_j γ^j: later turns get more, all together one.

    SPAG (arXiv 2404.10642) with γ = 0.8.
    """

    fading = discounted(discount)

    def split(turns: int) -> tuple[float, ...]:
        raw = fading(turns)
        total = sum(raw)
        return tuple(share / total for share in raw)

    return split


def discounted(discount: float) -> Split:
    """w_k = γ^(T−1−k): the return from turn k on of a reward at the role's last turn."""
    if not 0 < discount <= 1:
        raise ValueError(f"a discount is in (0, 1], not {discount}")

    def split(turns: int) -> tuple[float, ...]:
        return tuple(discount ** (turns - 1 - k) for k in range(turns))

    return split

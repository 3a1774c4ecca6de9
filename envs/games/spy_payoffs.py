"""Payoffs of Who is the spy: pure functions of who voted for whom.

With v_s votes for the spy, v_j for civilian j, m the mean of the v_j and n civilians:

    outcome    spy −1 if caught (it alone has the most votes), else +1; the civilians share the rest
    clue       spy: −β (v_s − m)      civilian j: (β/n) (v_s − m) − λ (v_j − m)
    vote       +1 for a vote for the spy, −0.5 for n/a, −1 for a vote for a civilian; the spy: 0

Outcome and clue payoffs sum to zero whatever the votes are. The clue and the vote reward are those
of Vision-Zero (paper, version 2).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

Number = TypeVar("Number", float, Fraction)

Votes = Sequence[int | None]
"""The seat that each seat votes for; ``None`` for n/a, or where a seat does not vote."""


def counts(votes: Votes) -> list[int]:
    """How many votes each seat gets."""
    return [votes.count(seat) for seat in range(len(votes))]


def caught(votes: Votes, spy: int) -> bool:
    """Whether the spy alone has the most votes."""
    got = counts(votes)
    return got[spy] == max(got) > 0 and got.count(got[spy]) == 1


def outcome(votes: Votes, spy: int) -> tuple[float, ...]:
    won = -1.0 if caught(votes, spy) else 1.0
    share = -won / (len(votes) - 1)
    return tuple(won if seat == spy else share for seat in range(len(votes)))


def clue(got: Sequence[int], spy: int, beta: Number, lambda_: Number) -> tuple[Number, ...]:
    """The clue reward of each seat; ``got`` are the votes that it gets."""
    n = len(got) - 1
    on_civilians = sum(got) - got[spy]
    gap = n * got[spy] - on_civilians  # n (v_s − m)
    return tuple(
        -beta * gap / n
        if seat == spy
        else beta * gap / (n * n) - lambda_ * (n * votes - on_civilians) / n
        for seat, votes in enumerate(got)
    )


def clue_bounds(n: int, voters: int, beta: float, lambda_: float) -> tuple[float, float]:
    """The least and most that a clue reward can be with n civilians: what each vote adds, summed.

    A civilian does not vote for itself, nor the spy, where it votes. One that forfeits gets the
    least, so that the n others share its opposite: that is within the bounds too.
    """
    for_me, for_spy = -beta / n**2 - lambda_ * (n - 1) / n, beta / n
    for_other = lambda_ / n - beta / n**2
    low = min(-beta * n, (voters - 1) * for_me + min(0.0, for_other))
    high = n * max(for_spy, for_other) + (voters - n) * max(0.0, for_other)
    return low, max(beta * voters / n, high, -low / n)


def vote(votes: Votes, spy: int) -> tuple[float, ...]:
    """The vote reward of each seat."""
    worth = {spy: 1.0, None: -0.5}
    return tuple(0.0 if seat == spy else worth.get(v, -1.0) for seat, v in enumerate(votes))

"""What is said in a simple negotiation: how replies are read, what players are told, examples.

All texts of a reply are made once, when it is first read: agents that pick from the examples say
the same few things over and over, and self-play has millions of turns.
"""

from functools import cache
from typing import NamedTuple

from sparring.envs.core import Message, Role, View
from sparring.envs.games.negotiation.offers import (
    Amounts,
    bare,
    decision,
    listed,
    remembering,
    told,
    trade,
)
from sparring.envs.games.negotiation.simple_deals import Cost
from sparring.envs.messages import public, speech

ROLES = ("player_0", "player_1")
ONLY = tuple(frozenset({role}) for role in ROLES)  # those that a private message goes to
TWO = ("Wood", "Gold")
FIVE = ("Wheat", "Wood", "Sheep", "Brick", "Ore")


class Reply(NamedTuple):
    """What a player says: ``word`` is "offer", "accept", "deny" or, for mere talk, empty."""

    role: Role
    word: str
    gives: Cost  # of an offer
    gets: Cost
    new: View  # what both see of it: words, unless there is only a decision, and the decision


def read_reply(text: str, role: Role, kinds: tuple[str, ...]) -> Reply:
    """Read what a player says.

    Raises:
        Unreadable: see ``envs/games/negotiation/offers.py``.
    """
    made = decision(text, ("accept", "deny"), lambda terms: trade(terms, kinds))
    said = () if made and bare(text) else (speech(role, text),)
    if made is None:
        return Reply(role, "", (), (), said)
    word, terms = made
    if terms is None:
        does = "accepts" if word == "accept" else "denies"
        return Reply(role, word, (), (), (*said, public(f"{role} {does} the offer.")))
    gives, gets = terms
    line = public(f"{role} offers to give {told(gives, kinds)} and get {told(gets, kinds)}.")
    return Reply(role, word, _cost(gives), _cost(gets), (*said, line))


read = remembering(read_reply)

_ANSWERS = ((), ("[Deny]",), ("[Accept]", "[Deny]"))  # without an offer; to a dear one; to another


@cache  # some hundred cases
def examples(resources: int, cheap: int, most: int, dear: int, answers: int) -> tuple[str, ...]:
    """Answers, some offers of at most ``most`` of a cheap kind for a dear one, and talk."""
    kinds = TWO if resources == 2 else FIVE
    some = [f"{n} {kinds[cheap]} -> {(n + 1) // 2} {kinds[dear]}" for n in range(most, 0, -1)]
    offers = [f"[Offer: {terms}]" for terms in some or [f"nothing -> 1 {kinds[dear]}"]]
    return (*_ANSWERS[answers], *offers, f"What do you want for your {kinds[dear]}?")


def _cost(side: Amounts) -> Cost:
    return tuple((kind, n) for kind, n in enumerate(side) if n)


def holding(seat: int, kinds: tuple[str, ...], held: Amounts, gain: int) -> Message:
    have, _ = _blanks(kinds)
    return Message("game", have % (*held, gain), ONLY[seat])


def end(gains: tuple[int, int], payoff: str) -> Message:
    first, second = gains
    text = f"The game is over. Gains: {ROLES[0]} {first}, {ROLES[1]} {second}."
    if payoff == "winner":
        best = ROLES[0] if first > second else ROLES[1]
        text += " It is a draw." if first == second else f" {best} wins."
    return public(text)


def dealt(kinds: tuple[str, ...], seat: int, held: Amounts, values: Amounts) -> Message:
    _, first = _blanks(kinds)
    return Message("game", first % (held + values), ONLY[seat])


@cache
def _blanks(kinds: tuple[str, ...]) -> tuple[str, str]:
    """What a player is told of its amounts after a trade and at the start, with blanks."""
    have = listed([f"%d {kind}" for kind in kinds])
    worth = listed([f"{kind} %d" for kind in kinds])
    return (
        f"You now have {have}. Your gain so far: %d.",
        f"You have {have}. What one of each is worth to you: {worth}.",
    )

"""Offers in replies: one decision in [brackets], and amounts such as "3 Wood and 2 Gold".

The grammar of all games with offers. Case and white space never matter.

    reply     = any text with the decision in brackets | nothing but the decision, without brackets
    decision  = WORD | "Offer:" terms                      in brackets the colon may be missing
    trade     = ["I"] ["give" | "offer"] amounts ARROW ["I"] ["get" | "want"] amounts
    ARROW     = "->" | "=>" | "→" | "for" | "in exchange for" | "in return for"
    amounts   = "nothing" | item {SEPARATOR item}          every kind at most once, in any order
    item      = number ["x" | "units"] ["of"] ["the"] kind       "3 Wood", "2x hats", "an Ore"
    SEPARATOR = "," | ";" | "&" | "+" | "and" | "plus" | white space
    price     = ["$"] number [unit]                        "45", "$1,000", "forty-five coins"
    number    = digits | "a" | "an" | "no" | a number in words up to nine hundred and ninety-nine

A kind is written in the singular or the plural (an s more or less). ".", "!" may end a decision.
The same decision twice is one decision; two different ones are none. A bracket that holds a word of
a decision or an arrow is meant as a decision, so it must be one: a slip is never taken for talk.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, wraps
from typing import TypeVar

from sparring.envs.games.negotiation.number_words import spoken

Terms = TypeVar("Terms")
Read = TypeVar("Read")

Amounts = tuple[int, ...]
"""How much of each kind, in the order in which the game names its kinds."""

OFFER = "offer"

_ARROW = re.compile(r"->|=>|→|\b(?:in\s+(?:exchange|return)\s+)?for\b", re.IGNORECASE)
_LEADS = (re.compile(r"(?:i\s+)?(?:give|offer)\b"), re.compile(r"(?:i\s+)?(?:get|want)\b"))
_BRACKET = re.compile(r"\[([^\[\]]*)(\]?)")
_ALONE = re.compile(r"\s*\[[^\[\]]*\]\s*|[^\[\]]*")
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|\S")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_END = " \t\r\n.!"
_SHORT = 200  # characters of a reply that is worth remembering

_SEPARATORS = frozenset((",", ";", "&", "+", "and", "plus"))
_BEFORE_KIND = (("x", "×", "unit", "units"), ("of",), ("the",))  # each may be left out


class Unreadable(ValueError):
    """A reply does not keep to the grammar; the text says to its author what to write."""


def remembering(read: Callable[..., Read]) -> Callable[..., Read]:
    """``read(text, ...)`` that remembers short texts: reading is a pure function, and games of
    agents that pick from the examples say the same few things over and over."""
    short = lru_cache(maxsize=4096)(read)

    @wraps(read)
    def reader(text: str, *rest: object) -> Read:
        return short(text, *rest) if len(text) <= _SHORT else read(text, *rest)

    return reader


def decision(
    text: str, words: tuple[str, ...], terms: Callable[[str], Terms], opening: str = OFFER
) -> tuple[str, Terms | None] | None:
    """The decision that a reply makes: (word, None), or ("offer", its terms); ``None`` for none.

    ``words`` are the decisions of one word, in lower case; ``terms`` reads what stands after
    "Offer:" (or another ``opening``).

    Raises:
        Unreadable: several different decisions, or one that is not written as it should be.
    """
    start, inside, whole = _patterns(words, opening)
    if "[" not in text and whole.fullmatch(text):
        text = f"[{text.strip()}]"
    made = set()
    for found in _BRACKET.finditer(text):
        if inside.search(found[1]):
            if not found[2]:
                raise Unreadable("A decision stands between [ and ].")
            attempt = start.match(found[1])
            if attempt is None:
                raise Unreadable(f"Write {_choices(words, opening)} in the brackets, by itself.")
            made.add(_decide(attempt, terms, opening))
    if len(made) > 1:
        raise Unreadable("That reply makes several decisions. Make one.")
    return made.pop() if made else None


def bare(text: str) -> bool:
    """A reply with a decision is nothing but the decision: no words beside it to be heard."""
    return _ALONE.fullmatch(text) is not None


@cache
def _patterns(words: tuple[str, ...], opening: str) -> tuple[re.Pattern[str], ...]:
    """How a decision starts; what makes a bracket one; a whole reply that is one."""
    either = "|".join(words)
    patterns = (
        rf"\s*(?P<word>{either}|{opening})\b(?P<rest>.*)",
        rf"\b(?:{either}|{opening})|->|=>|→",
        rf"\s*(?:(?:{either})[\s.!]*|{opening}\s*:[^\[\]]*)",
    )
    return tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)


def _choices(words: tuple[str, ...], opening: str) -> str:
    alone = ", ".join(word.capitalize() for word in words)
    return f"{alone} or {opening.capitalize()}: ..."


def _decide(
    found: re.Match[str], terms: Callable[[str], Terms], opening: str
) -> tuple[str, Terms | None]:
    word, rest = found["word"].lower(), found["rest"].strip(_END)
    if word == opening:
        return word, terms(rest.removeprefix(":").strip())
    if rest:
        raise Unreadable(f"Write [{word.capitalize()}] by itself, your other words outside.")
    return word, None


def trade(text: str, kinds: tuple[str, ...]) -> tuple[Amounts, Amounts]:
    """What is given and what is got, as in ``3 Wood, 1 Ore -> 2 Gold``.

    Raises:
        Unreadable: not two lists of amounts with an arrow between them, or nothing changes hands.
    """
    sides = _ARROW.split(text.lower())
    if len(sides) != 2:
        example = f"[Offer: 3 {kinds[0]} -> 2 {kinds[1]}]"
        raise Unreadable(f"An offer says what you give, an arrow, and what you get: {example}.")
    plain = (lead.sub("", side.strip(), count=1) for lead, side in zip(_LEADS, sides, strict=True))
    gives, gets = (tuple(n or 0 for n in amounts(side, kinds)) for side in plain)
    if not any(gives) and not any(gets):
        raise Unreadable("An offer moves something: at least one amount is more than 0.")
    return gives, gets


def amounts(text: str, kinds: tuple[str, ...]) -> tuple[int | None, ...]:
    """How much of each of ``kinds`` a list such as ``3 Wood and 1 Ore`` says; ``None``: not named.

    Raises:
        Unreadable: no such list, another kind, or a kind named twice.
    """
    words = _TOKEN.findall(text.lower().strip(_END))
    if words == ["nothing"]:
        return (0,) * len(kinds)
    index, example = _index(kinds), f'such as "3 {kinds[0]}, 2 {kinds[-1]}"'
    found: list[int | None] = [None] * len(kinds)
    at = 0
    while at < len(words):
        if words[at] in _SEPARATORS:
            at += 1
            continue
        number, at = spoken(words, at)
        for skipped in _BEFORE_KIND:
            at += at < len(words) and words[at] in skipped
        word = words[at] if at < len(words) else ""
        if number is None or not word.isalpha():
            raise Unreadable(f"Write amounts as whole numbers with what they count, {example}.")
        kind = index.get(word.removesuffix("s"))
        if kind is None:
            raise Unreadable(f"Amounts are of {listed(kinds)} only.")
        if found[kind] is not None:
            raise Unreadable(f"Name {kinds[kind]} only once.")
        found[kind] = number
        at += 1
    if found.count(None) == len(kinds):
        raise Unreadable(f"Write amounts, {example}, or nothing.")
    return tuple(found)


@cache
def _index(kinds: tuple[str, ...]) -> dict[str, int]:
    return {kind.lower().removesuffix("s"): i for i, kind in enumerate(kinds)}


def price(text: str, unit: str) -> int:
    """One number, as in ``45``, ``$1,000``, ``forty-five coins`` where ``unit`` is "coin".

    Raises:
        Unreadable: anything else.
    """
    words = _TOKEN.findall(_THOUSANDS.sub("", text.lower().strip(_END)))
    number, at = spoken(words, int(words[:1] == ["$"]))
    if number is None or words[at:] not in ([], [unit], [f"{unit}s"]):
        raise Unreadable("An offer is one whole number and nothing else, as in [Offer: 1].")
    return number


def told(held: Sequence[int], kinds: Sequence[str]) -> str:
    """Amounts in words: ``3 Wood and 1 Ore``; kinds of which there are none are left out."""
    return listed([f"{n} {kind}" for n, kind in zip(held, kinds, strict=True) if n]) or "nothing"


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)

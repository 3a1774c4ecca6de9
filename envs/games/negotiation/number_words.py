"""Numbers as people say them: ``12``, ``a``, ``twenty-five``, ``one hundred and seven``."""

from collections.abc import Sequence

_DIGITS = 9  # more are no amount of anything in a game
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {word: n for n, word in enumerate(_SMALL)}
_NUMBERS |= {word: n for n, word in zip(range(20, 100, 10), _TENS, strict=True)}


def spoken(words: Sequence[str], at: int) -> tuple[int | None, int]:
    """The number that starts at ``words[at]``, and where it ends; ``None`` for none.

    Digits, "a", "an", "no", or words up to nine hundred and ninety-nine, in lower case; the hyphen
    of "twenty-five" is a word of its own, and may be missing.
    """
    word = words[at] if at < len(words) else ""
    if word.isdecimal():
        return (int(word) if len(word) <= _DIGITS else None), at + 1
    if word == "no":
        return 0, at + 1
    number, after = (1, at + 1) if word in ("a", "an") else _below_hundred(words, at)
    if number and number < 10 and words[after : after + 1] == ["hundred"]:
        start = after + 1 + (words[after + 1 : after + 2] == ["and"])
        rest, end = _below_hundred(words, start)
        return (number * 100, after + 1) if rest is None else (number * 100 + rest, end)
    return number, after


def _below_hundred(words: Sequence[str], at: int) -> tuple[int | None, int]:
    number = _NUMBERS.get(words[at]) if at < len(words) else None
    if number is None:
        return None, at
    at += 1
    if number >= 20:
        start = at + (words[at : at + 1] == ["-"])
        one = _NUMBERS.get(words[start], 0) if start < len(words) else 0
        if 1 <= one <= 9:
            return number + one, start + 1
    return number, at

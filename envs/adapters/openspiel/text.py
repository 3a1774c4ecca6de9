"""The library's strings made safe to show and to answer with."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # terminal colours


def clean(text: str) -> str:
    """``text`` without terminal codes, control characters, and white space at the ends of lines."""
    text = _ESCAPES.sub("", text).expandtabs(4)
    text = "".join(c for c in text if c == "\n" or not unicodedata.category(c).startswith("C"))
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def one_line(text: str) -> str:
    """An answer: one line, no brackets (they mark answers), no punctuation at its ends."""
    flat = " ".join(clean(text).replace("[", "(").replace("]", ")").split())
    return flat.strip(" ,;")


def label(
    actions: Sequence[int], names: Sequence[str], word: Callable[[str], str] | None
) -> dict[str, int]:
    """A distinct answer for every action, ignoring case; the library's names may be alike.

    ``word`` is a renderer's wording of a name.
    """
    said = [one_line(word(clean(name)) if word else name) for name in names]
    keys = [answer.casefold() for answer in said]
    alike = {key for key, count in Counter(keys).items() if count > 1 or not key}
    told = {
        f"{answer} (id {action})".strip() if key in alike else answer: action
        for action, answer, key in zip(actions, said, keys, strict=True)
    }
    if len({answer.casefold() for answer in told}) == len(actions):
        return told
    return {f"id {action}": action for action in actions}


def number(value: float) -> str:
    """A payoff in words: no trailing zeros, no minus before zero."""
    return f"{value + 0.0:.6g}"

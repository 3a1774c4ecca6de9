"""Quotes: is what a speaker quotes really in the passage?

A speaker marks a quote as ``<quote>...</quote>``. ``resolve`` looks it up and marks it anew:
``<verified_quote>`` holds the passage's own words, letter for letter, ``<unverified_quote>`` what
the speaker claimed. A speaker cannot write these marks: whatever reads like one is taken out first.

Words are compared without case, white space, punctuation and typographic variants; a minus sign
and a percent sign belong to their number. A quote of whole words in their order is found. A quote
with an ellipsis is found if each of its parts is, one after the other, and each has at least
``PART`` words: a sentence cannot be put together from single words.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sparring.envs.words import fold

PART = 3
"""The fewest words of each part of a quote with an ellipsis."""

REPAIR = 8
"""With ``repair``, one word in so many may be wrong."""

VERIFIED, UNVERIFIED = "verified_quote", "unverified_quote"

_WORD = re.compile(r"(?:(?<!\S)[-−](?=\d))?[^\W_]+(?:['’][^\W_]+)*%?")
_ELLIPSIS = re.compile(r"[\[(]?\s*(?:\.{3,}|\. \. \.)\s*[\])]?")
_QUOTE = re.compile(r"<\s*quote\s*>(.*?)<\s*/\s*quote\s*>", re.IGNORECASE | re.DOTALL)
_OPEN, _CLOSE = r"<＜﹤‹〈⟨«\[{", r">＞﹥›〉⟩»\]}"
_TAG = re.compile(
    rf"(?:[{_OPEN}]|&lt;)((?:(?!&[lg]t;)[^{_OPEN}{_CLOSE}])*)(?:[{_CLOSE}]|&gt;)", re.IGNORECASE
)
_KINDS = ("", "valid", "invalid", "v", "u")
_MARKS = (
    *(f"{kind}{noun}" for kind in _KINDS for noun in ("quote", "quotation")),
    *("verified", "unverified"),
)
"""What the letters of a mark start with."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote as others see it: the passage's words where ``verified``, else the speaker's."""

    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    """A speech as others see it, and the quotes in it."""

    text: str
    quotes: tuple[Quote, ...]


@lru_cache(maxsize=1024)
def resolve(speech: str, passage: str, *, repair: bool = False) -> Resolved:
    """``speech`` with every quote marked as verified or not; marks that stand alone are dropped.

    With ``repair``, a quote with few wrong words becomes the passage's words (``find``).
    """
    shown, quotes, end = "", list[Quote](), 0
    for match in _QUOTE.finditer(speech):
        claimed = unmarked(match[1]).strip()
        found = find(claimed, passage, repair=repair)
        quote = Quote(claimed if found is None else found, verified=found is not None)
        mark = VERIFIED if quote.verified else UNVERIFIED
        shown += f"{unmarked(speech[end : match.start()])}<{mark}>{quote.text}</{mark}>"
        quotes.append(quote)
        end = match.end()
    return Resolved((shown + unmarked(speech[end:])).strip(), tuple(quotes))


def unmarked(text: str) -> str:
    """``text`` without marks of quotes, in whatever case, letters or brackets they are written."""
    while (rest := _TAG.sub(_without_mark, text)) != text:  # what is left may close up to a mark
        text = rest
    return text


def _without_mark(tag: re.Match[str]) -> str:
    letters = "".join(filter(str.isalpha, fold(tag[1])))
    return "" if letters.startswith(_MARKS) else tag[0]  # whatever attributes follow


def find(quote: str, passage: str, *, repair: bool = False) -> str | None:
    """The words of ``passage`` that ``quote`` quotes, " ... " between parts; ``None`` if it fails.

    With ``repair``, one word in ``REPAIR`` may be another one than in the passage.
    """
    read = _read(passage)
    whole = _find_parts([_words(quote)], read, repair)
    parts = [part for part in map(_words, _split(quote)) if part]
    if whole is None and len(parts) > 1 and min(map(len, parts)) >= PART:
        whole = _find_parts(parts, read, repair)
    return None if whole is None else " ... ".join(read.between(*place) for place in whole)


@dataclass(frozen=True, slots=True)
class _Read:
    """A passage taken apart into words."""

    text: str
    spans: tuple[tuple[int, int], ...]  # of each word in the text
    words: tuple[str, ...]  # the keys of the words
    line: str  # the keys, with a blank before and after each

    def between(self, start: int, end: int) -> str:
        """The passage from one word up to, not with, another."""
        return self.text[self.spans[start][0] : self.spans[end - 1][1]]

    def exact(self, part: list[str], at: int) -> int | None:
        """Where the words ``part`` first stand from word ``at`` on."""
        blank = sum(map(len, self.words[:at])) + at  # the one before word ``at``
        found = self.line.find(f" {' '.join(part)} ", blank)
        return None if found < 0 else self.line.count(" ", 0, found)

    def nearly(self, part: list[str], at: int) -> int | None:
        """Where they stand with the fewest other words, at most one in ``REPAIR``."""
        n = len(part)
        faults = {
            start: sum(a != b for a, b in zip(part, self.words[start : start + n], strict=True))
            for start in range(at, len(self.words) - n + 1)
        }
        best = min(faults, key=faults.__getitem__, default=None)
        return best if best is not None and faults[best] <= n // REPAIR else None


@lru_cache(maxsize=256)
def _read(passage: str) -> _Read:
    text = unicodedata.normalize("NFC", passage)
    spans = tuple(match.span() for match in _WORD.finditer(text))
    words = tuple(_key(text[start:end]) for start, end in spans)
    return _Read(text, spans, words, f" {' '.join(words)} ")


def _split(quote: str) -> list[str]:
    return _ELLIPSIS.split(unicodedata.normalize("NFKC", quote))


def _words(text: str) -> list[str]:
    if text.isascii():  # the same, quickly
        return [word.replace("'", "") for word in _WORD.findall(text.casefold())]
    return [_key(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))]


def _key(word: str) -> str:
    """What the spellings of a word have in common."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in plain.replace("−", "-") if letter not in "'’ ")


def _find_parts(
    parts: list[list[str]], passage: _Read, repair: bool
) -> list[tuple[int, int]] | None:
    """Where the parts stand, each after the one before: [start, end) in words."""
    found, at = list[tuple[int, int]](), 0
    for part in parts:
        start = passage.exact(part, at) if part else None
        if start is None and part and repair:
            start = passage.nearly(part, at)
        if start is None:
            return None
        at = start + len(part)
        found.append((start, at))
    return found

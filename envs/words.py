"""Words: has a text said one, is a guess right, and the list of English words that games draw from.

A text *says* a word if the word or an inflection of it stands in the text as a word of its own:
"cars", "Car's" and "car-park" say "car"; "carpet" and "caring" do not. Case, accents, look-alike
letters and invisible characters make no difference, nor do marks between the letters ("c-a-r",
"c a r", "car-pet" for "carpet").

Inflections follow the word's classes in the list: a noun has plurals, a verb -s, -ed and -ing, an
adjective -er and -est, and irregular forms are listed. A word that is not in the list is taken as
noun and verb. No spelling in digits ("c4r"), no other language and no synonym is recognised.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

CLASSES = {"noun": "n", "verb": "v", "adjective": "a", "adverb": "r"}

# Letters of other alphabets that are drawn like Latin ones, after case folding.
_LOOK_ALIKE = str.maketrans("авеіјкмнорстухѕһԁԛԝαεικορτυχı", "abeijkmhopctyxshdqwaeikoptuxi")
_NOT = re.compile(r"\b\w+n['’`]t\b")  # "won't" says neither "won" nor "wont"
_CONTRACTED = re.compile(r"['’`](?:s|ll|re|ve|d|m)\b")  # "we'll" does not say "well"
_LETTERS = re.compile(r"[^\W\d_]+")
_HYPHENS = frozenset("-‐‑_'’")
_ARTICLES = ("a", "an", "the", "to")
_DOUBLING = re.compile(r"(?:^|[^aeiou]|qu)[aeiouy][bdfgklmnprstvz]$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: a word, log10 of its frequency in 10⁹ words, and how it inflects."""

    word: str
    zipf: float
    classes: str  # some of n v a r: noun, verb, adjective, adverb
    irregular_plurals: tuple[str, ...] = ()
    irregular_others: tuple[str, ...] = ()


@cache
def lexicon() -> tuple[Entry, ...]:
    """English words, the most frequent first: see ``envs/data/README.md``."""
    text = (files("sparring.envs") / "data" / "words.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return tuple(
        Entry(word, float(zipf), classes, tuple(plurals.split()), tuple(others.split()))
        for word, zipf, classes, plurals, others in rows
    )


@cache
def _entries() -> dict[str, Entry]:
    return {entry.word: entry for entry in lexicon()}


def fold(text: str) -> str:
    """``text`` without what looks the same to a reader: case, accents, invisible characters."""
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (c for c in plain if unicodedata.category(c) not in ("Mn", "Cf"))
    return "".join(kept).translate(_LOOK_ALIKE)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of letters, and how it hangs together with the run before it."""

    text: str
    touches: bool = False  # no space between, or both are single letters
    hyphened: bool = False  # nothing but hyphens between, or both are single letters


@lru_cache(maxsize=64)  # a text is looked through for several words
def _pieces(text: str) -> tuple[_Piece, ...]:
    plain = _CONTRACTED.sub(" ", _NOT.sub(" ", fold(text)))
    found: list[_Piece] = []
    end = 0
    for run in _LETTERS.finditer(plain):
        between = plain[end : run.start()]
        spelled = bool(found) and len(found[-1].text) == len(run[0]) == 1
        touches = spelled or (bool(found) and not any(map(str.isspace, between)))
        hyphened = spelled or (touches and set(between) <= _HYPHENS)
        found.append(_Piece(run[0], touches, hyphened))
        end = run.end()
    return tuple(found)


def says(text: str, word: str) -> bool:
    """Whether ``text`` says ``word`` or an inflection of it; ``word`` may be several words."""
    pieces, wanted = _pieces(text), forms(word)
    longest, count = max(map(len, wanted)), len(word.split())
    for start, piece in enumerate(pieces):
        if " ".join(p.text for p in pieces[start : start + count]) in wanted:
            return True
        joined = piece.text
        for after in pieces[start + 1 : start + longest]:
            joined += after.text
            if not after.touches or len(joined) > longest:
                break
            if joined in wanted:
                return True
    return False


def names(text: str, word: str) -> bool:
    """Whether ``text`` is ``word`` or an inflection, and nothing else but an article and marks."""
    return " ".join(_read(text)) in forms(word)


def begins(text: str, word: str) -> bool:
    """Whether ``text`` begins, after an article, with ``word`` or an inflection of it."""
    read = _read(text)
    return any(" ".join(read[: n + 1]) in forms(word) for n in range(len(word.split())))


def _read(text: str) -> list[str]:
    """The words of a guess, without an article at its head; "car-pet" is one word here."""
    read: list[str] = []
    for piece in _pieces(text):
        if piece.hyphened:
            read[-1] += piece.text
        else:
            read.append(piece.text)
    return read[1:] if len(read) > 1 and read[0] in _ARTICLES else read


@lru_cache(maxsize=4096)
def forms(word: str) -> frozenset[str]:
    """``word`` and its inflections, folded; of several words the last one inflects.

    A phrase counts in one word too: "icecream". Raises ``ValueError`` for a word with no letters.
    """
    runs = [piece.text for piece in _pieces(word)]
    if not runs:
        raise ValueError(f"{word!r} has no letters")
    *first, last = runs
    known = _entries().get(last, Entry(last, 0.0, "nv"))
    found = inflections(last, known.classes)
    found = found.union(known.irregular_plurals, known.irregular_others)
    return frozenset(gap.join((*first, form)) for form in found for gap in (" ", ""))


def inflections(word: str, classes: str) -> frozenset[str]:
    """``word`` and its regular inflections as a member of ``classes`` (letters as in ``Entry``)."""
    found = {word}
    for letter, inflect in (("n", _s_forms), ("v", _verb_forms), ("a", _compared)):
        if letter in classes:
            found |= inflect(word)
    return frozenset(found)


def plurals(word: str) -> set[str]:
    """The plurals of a noun."""
    known = _entries().get(word)
    return _s_forms(word).union(known.irregular_plurals if known else ())


def _s_forms(word: str) -> set[str]:
    """The regular plurals of a noun, which are the -s forms of a verb too."""
    if re.search(r"(?:[^aeiou]|qu)y$", word):
        return {word[:-1] + "ies"}
    if word.endswith(("o", "ch")):
        return {word + "s", word + "es"}
    if word.endswith(("s", "x", "z", "sh")):
        return {word + "es", *(stem + "es" for stem in _stems(word) if word[-1] in "sz")}
    return {word + "s"}


def _stems(word: str) -> set[str]:
    """What -ing, -ed, -er and -est are put to: the last letter may have to be doubled.

    It always is after a single syllable ("planning"; "planing" is another word), but for "busing",
    and may be after more ("visiting", "referring").
    """
    if word.endswith("c"):
        return {word, word + "k"}
    if not _DOUBLING.search(word):
        return {word}
    doubled = word + word[-1]
    several = len(re.findall(r"[aeiouy]+", word.replace("qu", "q"))) > 1
    return {word, doubled} if several or word[-1] in "sz" else {doubled}


def _suffixed(word: str, ending: str) -> set[str]:
    """``word`` with -ed, -er or -est."""
    if word.endswith("e"):
        return {word + ending[1:]}
    if re.search(r"[^aeiou]y$", word):
        return {word[:-1] + "i" + ending}
    return {stem + ending for stem in _stems(word)}


def _verb_forms(word: str) -> set[str]:
    ing = {stem + "ing" for stem in _stems(word)}
    if word.endswith("ie"):
        ing.add(word[:-2] + "ying")
    elif word.endswith("e") and not word.endswith(("ee", "oe", "ye")):
        ing.add(word[:-1] + "ing")
    return _s_forms(word) | ing | _suffixed(word, "ed")


def _compared(word: str) -> set[str]:
    return _suffixed(word, "er") | _suffixed(word, "est")

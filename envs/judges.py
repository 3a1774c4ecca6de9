"""Judges: whatever gives an item a verdict between 0 and 1.

A judge is a callable from an item to a ``Verdict``; what an item is, is between the judge and who
asks it. Checks of an answer (``exact``, ``number``) take a ``Claim``; ``rule``, ``classifier`` and
``majority`` take anything. Judges that need a model sit in a seat (``agents/judges.py``); what a
judge says there, ``debater_0: 70%``, is read and written here.

A judge without a verdict raises. ``ask`` is how a judge is asked: whatever goes wrong becomes
``Void``, so that a game whose judge failed does not count, and is never taken for a draw.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from sparring.envs.core import BadInput, Void
from sparring.envs.numbers import final_number

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


FAILED = "the judge failed: "


@dataclass(frozen=True, slots=True)
class Verdict:
    """``value`` in [0, 1]: a probability or a degree, 1 for yes; ``text`` may say why."""

    value: float
    text: str = ""


class Judge(Protocol[T_contra]):
    """Gives an item its verdict; raises where it has none."""

    def __call__(self, item: T_contra, /) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer and what it is checked against."""

    answer: str
    truth: str


def ask(judge: Judge[T], item: T) -> Verdict:
    """The verdict of ``judge`` on ``item``.

    Raises:
        Void: the judge raised, or what it gave is no verdict: of another type, not in [0, 1].
    """
    try:
        verdict = judge(item)
    except Void:
        raise
    except Exception as fault:  # whatever is wrong with a judge, the game must not count
        raise Void(f"{FAILED}{fault!r}") from fault
    value: Any = getattr(verdict, "value", None)
    if not isinstance(verdict, Verdict) or isinstance(value, bool):
        raise Void(f"{FAILED}{verdict!r} is no verdict")
    try:
        fits = 0 <= value <= 1  # which NaN is not
    except TypeError:
        fits = False
    if not fits:
        raise Void(f"{FAILED}{value!r} is not between 0 and 1")
    return verdict


def plain(text: str) -> str:
    """``text`` without case, typographic variants and white space but single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def exact(normal: Callable[[str], str] = plain) -> Judge[Claim]:
    """1 if answer and truth are the same after ``normal``; ``exact(str)`` compares as they are."""

    def judge(claim: Claim) -> Verdict:
        same = normal(claim.answer) == normal(claim.truth)
        return Verdict(float(same), "the same" if same else "not the same")

    return judge


def number(relative: float = 0.0, absolute: float = 0.0) -> Judge[Claim]:
    """1 if the answer's final number is the truth's: |a − t| ≤ max(relative·|t|, absolute).

    An answer without a number is wrong; a truth without one is a fault of the judge's.

    Raises:
        BadInput: a tolerance is negative or not finite.
    """
    for name, value in (("relative", relative), ("absolute", absolute)):
        if not (math.isfinite(value) and value >= 0):
            raise BadInput(f"the {name} tolerance must be at least 0 and finite, not {value!r}")

    def judge(claim: Claim) -> Verdict:
        truth, answer = final_number(claim.truth), final_number(claim.answer)
        if truth is None:
            raise ValueError(f"the truth {claim.truth!r} has no number")
        if answer is None:
            return Verdict(0.0, "no number")
        near = abs(answer - truth) <= max(Fraction(relative) * abs(truth), Fraction(absolute))
        return Verdict(float(near), f"{answer} for {truth}")

    return judge


def rule(holds: Callable[[T], bool]) -> Judge[T]:
    """1 where ``holds(item)`` is true, 0 where it is false; anything else is no verdict."""

    def judge(item: T) -> Verdict:
        answer: Any = holds(item)
        if answer is not True and answer is not False:
            raise ValueError(f"a rule says True or False, not {answer!r}")
        return Verdict(float(answer))

    return judge


def classifier(
    classify: Callable[[str], Mapping[str, float]], label: str, read: Callable[[T], str]
) -> Judge[T]:
    """The probability that ``classify`` gives to ``label`` for the text ``read(item)``.

    Its probabilities must be of [0, 1] and sum to 1 within 0.001 (single precision), else there is
    no verdict.
    """

    def judge(item: T) -> Verdict:
        chances = classify(read(item))
        if label not in chances:
            raise ValueError(f"the classifier has no label {label!r}, but {', '.join(chances)}")
        fit = all(0 <= p <= 1 + 1e-6 for p in chances.values())
        if not fit or abs(math.fsum(chances.values()) - 1) > 1e-3:
            raise ValueError(f"the classifier's {dict(chances)} are no probabilities")
        return Verdict(min(float(chances[label]), 1.0))

    return judge


def majority(*judges: Judge[T]) -> Judge[T]:
    """What most of ``judges`` say (``vote``). Where one of them fails there is no verdict.

    Raises:
        BadInput: there are no judges.
    """
    if not judges:
        raise BadInput("a majority needs at least one judge")
    return lambda item: vote([ask(judge, item).value for judge in judges])


def vote(values: Sequence[float]) -> Verdict:
    """1 or 0 as more of ``values`` say yes (above 1/2) or no (below); 1/2 is no vote.

    Raises:
        Void: a tie, which is no verdict.
    """
    yes, no = sum(v > 0.5 for v in values), sum(v < 0.5 for v in values)
    if yes == no:
        raise Void(f"the judges are tied, {yes} to {no}")
    return Verdict(float(yes > no), f"{yes} to {no}")


NO_VERDICT = "no verdict"
"""What a judge in a seat says where it failed; ``: reason`` may follow."""

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_NONE = re.compile(rf"{NO_VERDICT}(\s*:.*)?", re.IGNORECASE | re.DOTALL)
_PERCENT = r"(\d{1,3}(?:\.\d{1,12})?)\s*%"


def say_chance(value: float, label: str, decimals: int = 10) -> str:
    """What a judge in a seat says: ``debater_0: 70%``, with at most ``decimals`` (1 or more)."""
    return f"{label}: {100 * value:.{decimals}f}".rstrip("0").rstrip(".") + "%"


def read_chance(text: str, labels: tuple[str, str]) -> float | None:
    """The probability of the first of two labels that a judge says; the second has the rest.

    Read is ``LABEL: NUMBER%``, the number from 0 to 100, as the whole reply or in [brackets]; what
    stands in several brackets must mean the same. Case does not matter. ``None`` where it cannot
    be read.

    Raises:
        Void: the judge says that it has no verdict.
    """
    if none := _NONE.fullmatch(text.strip()):
        raise Void(f"the judge has {NO_VERDICT}{(none[1] or '')[:200]}")
    said = re.compile(rf"({'|'.join(map(re.escape, labels))})\s*:\s*{_PERCENT}", re.IGNORECASE)
    whole = said.fullmatch(text.strip())
    marked = [said.fullmatch(group.strip()) for group in _BRACKETS.findall(text)]
    readings = set[Fraction]()
    for match in [whole] if whole else marked:
        if match is not None:
            chance = Fraction(match[2]) / 100
            first = match[1].casefold() == labels[0].casefold()
            readings.add(chance if first else 1 - chance)
    value = readings.pop() if len(readings) == 1 else None
    return float(value) if value is not None and 0 <= value <= 1 else None

"""Judges: what they say of an item, and that a judge which fails says so."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.core import BadInput, Void
from sparring.envs.judges import (
    Claim,
    Judge,
    Verdict,
    ask,
    classifier,
    exact,
    majority,
    number,
    read_chance,
    rule,
    say_chance,
)
from sparring.envs.numbers import final_number, numbers

AB = ("debater_0", "debater_1")


def says(value: Any) -> Judge[Any]:
    return lambda item: Verdict(value)


def test_exact() -> None:
    assert ask(exact(), Claim(" The  PARIS\n", "the Paris")).value == 1
    assert ask(exact(), Claim("Paris!", "Paris")).value == 0
    assert ask(exact(str), Claim("paris", "Paris")).value == 0
    assert ask(exact(len), Claim("abc", "xyz")).value == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,000 and -2.5", [1000, Fraction(-5, 2)]),
        ("3/4 of 1 1/2, −7, +3", [Fraction(3, 4), Fraction(3, 2), -7, 3]),
        (r"5% or 50 \% or 3/4%", [Fraction(1, 20), Fraction(1, 2), Fraction(3, 400)]),
        (r"-\dfrac{1}{2} \frac{3}{4}", [Fraction(-1, 2), Fraction(3, 4)]),
        ("2e3 1.5E-2 .5", [2000, Fraction(3, 200), Fraction(1, 2)]),
        ("$1,234.50, -$5.", [Fraction(2469, 2), -5]),
        ("x=5; 5-3; (-3); 2*-3", [5, 5, 3, -3, 2, -3]),
        ("2x 5cm a1 1,2 12,34 1,00,000 3.5.2 7/8/9 1/0 1e9999", []),
        ("", []),
    ],
)
def test_numbers(text: str, found: list[Fraction]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("first 3, then 4.", 4),
        (r"\boxed{3}, not 4", 3),
        (r"\boxed{3} no, \boxed{ \frac{3}{4} } 5", Fraction(3, 4)),
        (r"\boxed{x = 5\text{ cm}}", 5),
        (r"\boxed{1{,}000}", 1000),
        (r"\boxed{\$1,000}", 1000),
        (r"\boxed{3 \text{ or } 4}", None),
        (r"\boxed{x+1} 2", None),
        (r"\boxed{\sqrt{2}}", None),
        (r"\boxed{\frac{\pi}{4}}", None),
        (r"\boxed{5", None),
        ("none", None),
    ],
)
def test_final_number(text: str, found: Fraction | None) -> None:
    assert final_number(text) == found


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_numbers_are_exact(top: int, bottom: int) -> None:
    assert numbers(f"{top}/{bottom}") == [Fraction(top, bottom)]
    assert numbers(f"so {top:,}.") == [top]
    assert final_number(rf"7 \boxed{{{top}}} 8") == top


@given(st.text(alphabet="0123456789.,/-+ e%${}\\boxedfrac", max_size=40) | st.text())
def test_no_text_breaks_the_reading_of_numbers(text: str) -> None:
    assert all(isinstance(value, Fraction) for value in numbers(text))
    final_number(rf"\boxed{{{text}")


@pytest.mark.parametrize("text", ["1" * 5000, "1e999999999", "9" * 2000 + "/7", "1,111" * 500])
def test_monstrous_numbers_are_none(text: str) -> None:
    assert numbers(text) == []


def test_number_tolerances() -> None:
    assert ask(number(), Claim("It is 0.5", "50%")).value == 1
    assert ask(number(), Claim("0.3333", "1/3")).value == 0
    assert ask(number(absolute=0.001), Claim("0.3333", "1/3")).value == 1
    assert ask(number(relative=0.01), Claim("101", "100")).value == 1
    assert ask(number(relative=0.01), Claim("-101.01", "-100")).value == 0
    assert ask(number(relative=1.0), Claim("0.1", "0")).value == 0
    assert ask(number(), Claim("many", "7")) == Verdict(0.0, "no number")
    with pytest.raises(Void, match="the truth 'seven' has no number"):
        ask(number(), Claim("7", "seven"))
    for bad in ({"relative": -1.0}, {"absolute": math.nan}, {"absolute": math.inf}):
        with pytest.raises(BadInput, match="tolerance must be at least 0 and finite"):
            number(**bad)


def test_rule() -> None:
    short = rule(lambda text: len(text) < 3)
    assert [ask(short, text).value for text in ("ab", "abc")] == [1, 0]
    for answer in (None, 1, "yes"):
        with pytest.raises(Void, match="a rule says True or False"):
            ask(rule(lambda text, answer=answer: answer), "x")


def test_classifier() -> None:
    def classify(text: str) -> dict[str, float]:
        return {"rude": 0.9, "kind": 0.1} if "!" in text else {"rude": 0.2, "kind": 0.8}

    rude: Judge[list[str]] = classifier(classify, "rude", " ".join)
    assert ask(rude, ["go", "away!"]).value == 0.9
    assert ask(rude, ["good", "day"]).value == 0.2


@pytest.mark.parametrize(
    ("chances", "why"),
    [
        ({"kind": 1.0}, "no label 'rude', but kind"),
        ({"rude": 0.6, "kind": 0.6}, "no probabilities"),
        ({"rude": 1.5, "kind": -0.5}, "no probabilities"),
        ({"rude": math.nan, "kind": 1.0}, "no probabilities"),
    ],
)
def test_a_classifier_that_fails(chances: dict[str, float], why: str) -> None:
    with pytest.raises(Void, match=why):
        ask(classifier(lambda text: chances, "rude", str), "x")


def test_majority() -> None:
    yes, no, half = says(0.9), says(0.1), says(0.5)
    assert ask(majority(yes, no, yes), 0) == Verdict(1.0, "2 to 1")
    assert ask(majority(no), 0) == Verdict(0.0, "0 to 1")
    assert ask(majority(yes, half, half), 0) == Verdict(1.0, "1 to 0")
    for tied in ((yes, no), (half,), (yes, yes, no, no, half)):
        with pytest.raises(Void, match="the judges are tied"):
            ask(majority(*tied), 0)
    with pytest.raises(Void, match="nan is not between 0 and 1"):
        ask(majority(yes, yes, says(math.nan)), 0)
    with pytest.raises(BadInput, match="at least one judge"):
        majority()


def breaks(item: object) -> Verdict:
    raise KeyError(item)


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        (breaks, r"the judge failed: KeyError\('x'\)"),
        (lambda item: None, "None is no verdict"),
        (lambda item: 0.5, "0.5 is no verdict"),
        (says(True), "is no verdict"),
        (says(math.nan), "nan is not between 0 and 1"),
        (says(1.01), "1.01 is not between"),
        (says(-0.01), "-0.01 is not between"),
        (says(math.inf), "inf is not between"),
        (says("0.5"), "'0.5' is not between"),
        (says(None), "None is not between"),
        (says(1j), "1j is not between"),
    ],
)
def test_a_judge_that_fails_is_reported(judge: Judge[str], why: str) -> None:
    with pytest.raises(Void, match=why):
        ask(judge, "x")


def test_an_interrupt_is_no_failure_of_the_judge() -> None:
    def stopped(item: object) -> Verdict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(stopped, "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("debater_0: 70%", 0.7),
        ("  DEBATER_1 :12.5 %\n", 0.875),
        ("debater_0: 0%", 0.0),
        ("debater_1: 100%", 0.0),
        ("Both argue well. [debater_0: 70%]", 0.7),
        ("[debater_0: 70%] so [debater_1: 30%] and [nothing]", 0.7),
        ("[debater_0: 70%] or [debater_0: 60%]", None),
        ("debater_0: 70% debater_1: 30%", None),
        ("debater_0: 70", None),
        ("debater_0: 0.7", None),
        ("debater_0: 101%", None),
        ("debater_1: 100.5%", None),
        ("debater_0: -5%", None),
        ("debater_2: 70%", None),
        ("I say debater_0: 70%", None),
        ("", None),
        ("No verdict can be sure, but [debater_0: 70%]", 0.7),
    ],
)
def test_read_chance(text: str, value: float | None) -> None:
    assert read_chance(text, AB) == value


@pytest.mark.parametrize("text", ["no verdict", " No Verdict: it\nbroke"])
def test_a_seat_can_say_that_it_failed(text: str) -> None:
    with pytest.raises(Void, match="the judge has no verdict"):
        read_chance(text, AB)


@given(st.floats(0, 1), st.sampled_from(AB))
def test_what_is_said_is_read(value: float, label: str) -> None:
    read = read_chance(say_chance(value, label), AB)
    assert read == pytest.approx(value if label == AB[0] else 1 - value, abs=1e-11)


def test_say_chance() -> None:
    said = [say_chance(p, "other") for p in (0.7, 0.0, 1.0, 1 / 3, 0.5, 0.1)]
    numbers_said = ["70%", "0%", "100%", "33.3333333333%", "50%", "10%"]
    assert said == [f"other: {number}" for number in numbers_said]

"""Reading an answer: one reading, or none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.answers import choose, each
from sparring.envs.core import IllegalAction

LEGAL = ("check", "bet")
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


def read(text: str, legal: tuple[str, ...] = LEGAL) -> str:
    return choose({"player_0": text, "player_1": "fold"}, "player_0", legal)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("bet", "bet"),
        ("BET", "bet"),
        (" \n bet\t", "bet"),
        ("[bet]", "bet"),
        ("[ Bet ]", "bet"),
        ("I say [bet].", "bet"),
        ("[bet] and again [BET]", "bet"),
        ("[well] [bet]", "bet"),
        ("[[bet]]", "bet"),
        ("]bet[ [bet] [", "bet"),
        ("He may [fold]. I [check].", "check"),  # fold is not legal here, so it names nothing
    ],
)
def test_one_reading(text: str, answer: str) -> None:
    assert read(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "bet!",
        "I bet",
        "bet check",
        "[be t]",
        "[bet",
        "bet]",
        "[]",
        "[bet check]",
        "[b[et]",
    ],
)
def test_no_reading(text: str) -> None:
    with pytest.raises(IllegalAction, match=r"not a legal answer.*one of: check, bet") as fault:
        read(text)
    assert fault.value.role == "player_0"


@pytest.mark.parametrize(
    "text", ["I will not [bet]. I [check]", "[bet][check]", "[Check] [BET] [x]"]
)
def test_two_readings(text: str) -> None:
    with pytest.raises(IllegalAction, match="several legal answers"):
        read(text)


def test_a_refusal_names_at_most_forty_answers() -> None:
    numbers = tuple(map(str, range(5000)))
    with pytest.raises(IllegalAction, match=r"Reply with one of: 0, 1, .*, 39\.$"):
        choose({"player_0": "?"}, "player_0", numbers[:40])
    with pytest.raises(IllegalAction, match=r", 38, 39, \.\.\. \(5000 in all\)\.$"):
        choose({"player_0": "?"}, "player_0", numbers)


def test_the_whole_reply_comes_before_marks() -> None:
    """A legal answer that holds brackets is still an answer."""
    assert read("[1]", ("[1]", "1")) == "[1]"
    assert read("so [1]", ("[1]", "1")) == "1"


def test_case_is_folded_as_unicode_has_it() -> None:
    assert read("STRASSE", ("Straße", "Weg")) == "Straße"
    assert read("[ΣΊΣΥΦΟΣ]", ("Σίσυφος",)) == "Σίσυφος"


def test_the_reason_does_not_repeat_what_was_said() -> None:
    with pytest.raises(IllegalAction) as fault:
        read("secret words")
    assert "secret" not in str(fault.value)


@given(ANY_TEXT)
def test_any_text_is_a_legal_answer_or_illegal(text: str) -> None:
    with suppress(IllegalAction):
        assert read(text) in LEGAL


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(LEGAL))
def test_words_around_a_mark_do_not_matter(before: str, after: str, answer: str) -> None:
    plain = str.maketrans("", "", "[]")
    assert read(f"{before.translate(plain)}[{answer}]{after.translate(plain)}") == answer


@given(st.lists(st.text(min_size=1), min_size=1, unique_by=lambda t: t.strip().casefold()))
def test_every_legal_answer_reads_as_itself(legal: list[str]) -> None:
    for answer in legal:
        if answer == answer.strip():
            assert read(answer, tuple(legal)) == answer


@given(st.lists(st.sampled_from(["[", "]", "bet", "check", " ", "x"]), max_size=12).map("".join))
def test_marks_are_read_as_a_slow_reader_would(text: str) -> None:
    """The innermost brackets mark; a second reading of the rule, character by character."""
    marked, open_since = set(), None
    for i, letter in enumerate(text):
        if letter == "[":
            open_since = i + 1
        elif letter == "]" and open_since is not None:
            marked.add(text[open_since:i].strip())
            open_since = None
    named = marked & set(LEGAL)
    if text.strip() in LEGAL:
        assert read(text) == text.strip()
    elif len(named) == 1:
        assert read(text) == named.pop()
    else:
        with pytest.raises(IllegalAction):
            read(text)


def test_long_text_is_read() -> None:
    assert read("[" * 300_000 + "bet]") == "bet"
    with pytest.raises(IllegalAction):
        read("[x" * 300_000)


def test_all_faults_of_a_simultaneous_move_come_at_once() -> None:
    answers = {"a": "bet", "b": "what", "c": "check", "d": "eh"}
    with pytest.raises(IllegalAction, match="not a legal answer") as fault:
        each("abcd", lambda role: choose(answers, role, LEGAL))
    assert (fault.value.role, [other.role for other in fault.value.also]) == ("b", ["d"])
    assert each("ac", lambda role: choose(answers, role, LEGAL)) == {"a": "bet", "c": "check"}

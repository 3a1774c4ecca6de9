"""Adversarial Taboo: who wins by what, both ways to match, and what the published code did."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction, Payoffs, Void
from sparring.envs.games.adversarial_taboo import (
    AdversarialTaboo,
    AdversarialTabooState,
    hear,
    hear_as_published,
)
from sparring.envs.referee import Refereed
from sparring.envs.words import lexicon

ATTACKER_WINS = {"attacker": 1.0, "defender": -1.0}
DEFENDER_WINS = {"attacker": -1.0, "defender": 1.0}
DRAW = {"attacker": 0.0, "defender": 0.0}
GUESS = "I know the word! It is "


def play(*texts: str, **options: Any) -> AdversarialTabooState:
    """The position after these utterances; the target is "car"."""
    state = AdversarialTaboo(**{"word": "car", **options}).start(0)
    for text in texts:
        (role,) = state.to_act
        state = state.step({role: text})
    return state


def last(state: AdversarialTabooState) -> str:
    return state.log[-1].text


# --- who wins, by hand


@pytest.mark.parametrize(
    ("texts", "payoffs", "end"),
    [
        (["Hi.", "My car broke down."], ATTACKER_WINS, "The defender said the target word."),
        (["Hi.", "Two cars."], ATTACKER_WINS, "The defender said the target word."),
        (["Hi.", GUESS + "car."], DEFENDER_WINS, "The guess is right."),
        (["Hi.", GUESS + "`cars`"], DEFENDER_WINS, "The guess is right."),
        (["Hi.", GUESS + "bus."], ATTACKER_WINS, "The guess is wrong."),
        (["Hi.", GUESS + "a carpet."], ATTACKER_WINS, "The guess is wrong."),
        (["Hi.", GUESS + "bus. Or a car."], ATTACKER_WINS, "The guess is wrong."),
        (["Hi.", f"A car. {GUESS}car."], DEFENDER_WINS, "The guess is right."),
        (["A car."], DEFENDER_WINS, "The attacker said the target word."),
        (["Cars!"], DEFENDER_WINS, "The attacker said the target word."),
        ([GUESS + "bus."], DEFENDER_WINS, "The attacker made a guess."),
        (["Hi.", "Hi.", "Your car?"], DEFENDER_WINS, "The attacker said the target word."),
    ],
)
def test_ends(texts: list[str], payoffs: Payoffs, end: str) -> None:
    state = play(*texts)
    assert state.to_act == ()
    assert state.payoffs == payoffs
    winner = "attacker" if payoffs == ATTACKER_WINS else "defender"
    assert last(state) == f"{end} The target word was: car. The {winner} wins."


@pytest.mark.parametrize("turns", [1, 2, 5])
def test_draw_after_the_last_turn(turns: int) -> None:
    texts = ["Nice carpet.", "Scary."] * turns  # not the word
    before, after = play(*texts[:-1], turns=turns), play(*texts, turns=turns)
    assert before.to_act == ("defender",)
    assert after.to_act == ()
    assert after.payoffs == DRAW
    assert last(after) == "Nobody has won in time. The target word was: car. A draw."


def test_the_last_utterance_still_counts() -> None:
    assert play("Hi.", "A car.", turns=1).payoffs == ATTACKER_WINS
    assert play("Hi.", GUESS + "car", turns=1).payoffs == DEFENDER_WINS


def test_attacker_speaks_first_and_they_alternate() -> None:
    state = play()
    for role in ("attacker", "defender") * 5:
        assert state.to_act == (role,)
        assert state.payoffs == DRAW
        state = state.step({role: "Well."})


@pytest.mark.parametrize(
    "text",
    [
        "I know the word! It is car",
        "i KNOW the word: it's the car!",
        "Ha, I know the word. It is “car”.",
        "I know the word! It must be a car, is it not?",
        "I know the word! It: car",
        "I know the word!\nIt is\ncar",
        "I\u200b know the word! It is c\u00e1r",
    ],
)
def test_wordings_of_a_right_guess(text: str) -> None:
    assert hear(text, "car").guess is True


@pytest.mark.parametrize(
    "text",
    ["I know the word! It is", "I know the word! It is not car", "I know the word! It is carpet"],
)
def test_wordings_of_a_wrong_guess(text: str) -> None:
    assert hear(text, "car").guess is False


@pytest.mark.parametrize(
    "text", ["I know the word!", "I know the words! It is bus", "It is bus", "I know"]
)
def test_no_guess(text: str) -> None:
    assert hear(text, "car").guess is None


def test_only_the_first_guess_counts() -> None:
    assert hear(f"{GUESS}bus! {GUESS}car!", "car").guess is False
    assert hear(f"{GUESS}car! {GUESS}bus!", "car").guess is True
    assert hear_as_published(f"{GUESS}bus! {GUESS}car!", "car").guess is True


# --- the rules as published


@pytest.mark.parametrize(
    ("text", "said"),
    [("A carpet.", True), ("SCARY", True), ("Nice ca-r", False), ("cár", False), ("bus", False)],
)
def test_published_saying(text: str, said: bool) -> None:
    assert hear_as_published(text, "car").said is said


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("I know the word! It is car.", True),
        ("i know the word! it is carpet", True),  # a guess only has to begin with the target
        ("I know the word! It's `car`", True),
        ("I know the word! It is a car", True),
        ("I know the word! It is not car", True),  # " is not " has 8 characters
        ("I know the word! It must be car", False),  # " must be " has 9
        ("I know the word! It is bus", False),
        ("I know the word! It was", False),
        ("I know the word! It", None),  # nothing follows
        ("I know the word. It is car", None),
        ("I know the word!\nIt is car", None),
    ],
)
def test_published_guess(text: str, right: bool | None) -> None:
    assert hear_as_published(text, "car").guess is right


def test_published_forms() -> None:
    assert hear_as_published("three mice", "mouse").said
    assert hear_as_published("two cities", "city").said
    assert not hear_as_published("baking", "bake").said  # only bake + "ing"
    assert hear("baking", "bake").said


def test_published_game() -> None:
    options: dict[str, Any] = {"matching": "substring", "rule_break": "void"}
    assert play("Hi.", "A carpet.", **options).payoffs == ATTACKER_WINS
    assert play("Hi.", GUESS + "carpet.", **options).payoffs == DEFENDER_WINS
    assert play("Hi.", GUESS + "bus.", **options).payoffs == ATTACKER_WINS
    for breach in ("I am scared.", GUESS + "bus."):
        with pytest.raises(Void, match="the attacker"):
            play(breach, **options)


@pytest.mark.parametrize(
    ("breach", "why"),
    [
        ("A car.", "the attacker said the target word"),
        (GUESS + "bus.", "the attacker made a guess"),
    ],
)
def test_rule_breaks_may_void_the_game(breach: str, why: str) -> None:
    state = Refereed(AdversarialTaboo(word="car", rule_break="void")).start(0)
    state = state.step({"attacker": breach})
    assert state.void == why
    assert state.to_act == ()
    assert state.payoffs == DRAW
    assert state.forfeits == ()


@given(st.text(max_size=60))
def test_whatever_is_said_the_game_goes_on_as_ruled(text: str) -> None:
    for options in ({}, {"matching": "substring"}):
        state = play("Hi.", **options)
        if not text.strip():
            with pytest.raises(IllegalAction, match="Say something"):
                state.step({"defender": text})
            continue
        heard = state.game.hear(text, "car")
        after = state.step({"defender": text})
        assert (after.to_act == ()) == (heard.said or heard.guess is not None)
        assert sum(after.payoffs.values()) == 0


# --- what they know


def test_only_the_attacker_knows_the_word_until_the_end() -> None:
    one, two = play("Hi.", "Hi."), play("Hi.", "Hi.", word="tree")
    assert one.observe("defender") == two.observe("defender")
    assert one.observe("attacker") != two.observe("attacker")
    end = one.step({"attacker": "car"}).observe("defender").messages[-1]
    assert "car" in end.text


def test_words_are_shown_as_said() -> None:
    said = play("  Hi,  You!\n").observe("defender").messages[-1]
    assert (said.sender, said.text) == ("attacker", "Hi,  You!")


def test_examples_are_safe_for_who_knows_the_word() -> None:
    free = AdversarialTaboo(word="put").start(0).observe("attacker").examples
    assert len(free) == 2  # one of three says "put"
    for text in free:
        assert play(text, word="put").to_act == ("defender",)
    guesses = play("Hi.").observe("defender").examples
    assert any(hear(text, "car").guess is False for text in guesses)


@pytest.mark.parametrize("role", ["attacker", "defender"])
def test_rules_say_what_is_played(role: str) -> None:
    plain = AdversarialTaboo(turns=7).rules(role)
    assert f"You are the {role}" in plain
    assert "7 time(s) each" in plain
    assert "inflections count" in plain
    assert "it loses" in plain
    published = AdversarialTaboo(matching="substring", rule_break="void").rules(role)
    assert "inside of longer words" in published
    assert "the game does not count" in published


# --- the target words


def test_targets_are_drawn_by_frequency() -> None:
    game = AdversarialTaboo(most_frequent=1000, skip=900)
    ranks = {entry.word: rank for rank, entry in enumerate(lexicon())}
    drawn = {game.start(seed).target for seed in range(2000)}
    assert {ranks[word] for word in drawn} == set(range(900, 1000))
    assert len(AdversarialTaboo().targets) == 20_000
    assert len(AdversarialTaboo(most_frequent=10**9).targets) == len(lexicon())


@pytest.mark.parametrize(("word_class", "letter"), [("noun", "n"), ("verb", "v"), ("adverb", "r")])
def test_targets_are_of_a_class(word_class: str, letter: str) -> None:
    classes = {entry.word: entry.classes for entry in lexicon()}
    targets = AdversarialTaboo(word_class=word_class).targets
    assert 1000 < len(targets) < 20_000
    assert all(letter in classes[word] for word in targets)


def test_a_seed_gives_one_word() -> None:
    game = AdversarialTaboo()
    words = [game.start(seed).target for seed in range(50)]
    assert words == [game.start(seed).target for seed in range(50)]
    assert len(set(words)) > 45


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"turns": 0}, "turns must be a whole number of at least 1"),
        ({"matching": "exact"}, "matching must be one of word, substring"),
        ({"rule_break": "draw"}, "rule_break must be one of lose, void"),
        ({"most_frequent": 0}, "most_frequent must be a whole number"),
        ({"skip": -1}, "skip must be a whole number"),
        ({"word_class": "pronoun"}, "word_class must be one of any, noun"),
        ({"word": "Car"}, "word must be a word in lower-case letters, not 'Car'"),
        ({"word": ""}, "word must be a word"),
        ({"word": 7}, "word must be a word"),
        ({"most_frequent": 10, "skip": 10}, "no words: skip=10 of the 10 most frequent"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=re.escape(fault)) as error:
        AdversarialTaboo(**options)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"matching": "substring", "rule_break": "void", "turns": 2}, {"word": "time", "turns": 1}],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(AdversarialTaboo(**options)) == []

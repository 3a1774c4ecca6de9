"""Twenty questions: turns, answers, guesses, and the list of things."""

import re
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction
from sparring.envs.games.twenty_questions import (
    ANSWERS,
    CATEGORIES,
    QUESTIONS,
    Thing,
    TwentyQuestions,
    TwentyQuestionsState,
    things,
)
from sparring.envs.words import names

SOFA = Thing("household", ("sofa", "couch"))


def play(*texts: str, thing: Thing = SOFA, **options: Any) -> TwentyQuestionsState:
    state = TwentyQuestions(**options)._open(thing)
    for text in texts:
        (role,) = state.to_act
        state = state.step({role: text})
    return state


def both(payoff: float) -> dict[str, float]:
    return {"answerer": payoff, "guesser": payoff}


@pytest.mark.parametrize("guess", ["guess: sofa", "Guess: a couch!", "I know.\nguess: sofas"])
def test_a_right_guess_pays_both(guess: str) -> None:
    state = play("Is it soft?", "yes", guess)
    assert state.to_act == ()
    assert state.payoffs == both(1)
    assert state.log[-1].text == "That is right! It was: sofa. Both get 1."


@pytest.mark.parametrize("text", ["guess: bed", "guess: sofa bed", "guess: sofa, chair"])
def test_a_wrong_guess_uses_up_a_turn(text: str) -> None:
    state = play(text)
    assert (state.asked, state.to_act) == (1, ("guesser",))
    assert state.log[-1].text == "That is not it."
    assert play(text, questions=1).to_act == ()


def test_each_question_costs_with_a_discount() -> None:
    asked = ["Is it soft?", "yes", "guess: bed"]
    assert play("guess: sofa", discount=0.5).payoffs == both(1)
    assert play(*asked, "guess: sofa", discount=0.5).payoffs == both(0.25)


def test_the_last_question_is_answered_and_then_it_is_over() -> None:
    state = play("Is it soft?", "yes", "Is it big?", questions=2)
    assert state.to_act == ("answerer",)
    state = state.step({"answerer": "sometimes"})
    assert state.to_act == ()
    assert state.payoffs == both(0)
    assert state.log[-1].text == "No questions are left. It was: sofa. Both get 0."


def test_the_last_turn_may_be_a_guess() -> None:
    assert play("Is it soft?", "yes", "guess: sofa", questions=2).payoffs == both(1)
    assert play("Is it soft?", "yes", "guess: bed", questions=2).payoffs == both(0)


def test_answers_are_listed_and_told_in_the_games_words() -> None:
    state = play("Is it soft?")
    assert state.observe("answerer").legal == ANSWERS == ("yes", "no", "sometimes", "unknown")
    state = state.step({"answerer": "Well, [YES], it is a sofa"})
    assert state.log[-1].text == "answerer: yes"
    for text in ("maybe", "[yes] and [no]", "it is a sofa"):
        with pytest.raises(IllegalAction):
            play("Is it soft?", text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (" ", 'Ask a question, or guess in a line like "guess: THING".'),
        ("guess:", "names no guess"),
        ("guess: bed\nguess: sofa", "names several guesses"),
    ],
)
def test_what_the_guesser_cannot_say(text: str, fault: str) -> None:
    with pytest.raises(IllegalAction, match=fault):
        play(text)


def test_a_question_that_names_the_thing_is_a_question() -> None:
    assert play("Is it a sofa?").to_act == ("answerer",)


# --- what they know


def test_the_guesser_knows_the_category_only_with_a_hint() -> None:
    bed, car = Thing("household", ("bed",)), Thing("vehicle", ("car",))
    for hint in (True, False):
        one, two, three = (
            play("Is it soft?", "no", thing=thing, hint=hint).observe("guesser")
            for thing in (SOFA, bed, car)
        )
        assert one == two
        assert (one == three) != hint


def test_only_the_answerer_knows_the_thing() -> None:
    state = play()
    assert "The secret thing: sofa" in [m.text for m in state.observe("answerer").messages]
    assert not any("sofa" in m.text for m in state.observe("guesser").messages)
    assert state.observe("guesser").examples == QUESTIONS


@pytest.mark.parametrize("role", ["answerer", "guesser"])
def test_rules_say_what_is_played(role: str) -> None:
    rules = TwentyQuestions(questions=7).rules(role)
    assert f"You are the {role}" in rules
    assert "The guesser has 7 turn(s)" in rules
    assert "yes, no, sometimes or unknown" in rules
    assert "pays both 1." in rules
    assert "0.9 times as much for each turn" in TwentyQuestions(discount=0.9).rules(role)


# --- the things


def test_things_are_distinct() -> None:
    assert len(things()) == 251
    assert {thing.category for thing in things()} == set(CATEGORIES)
    assert all(sum(t.category == c for t in things()) >= 15 for c in CATEGORIES)
    called = [name for thing in things() for name in thing.names]
    assert len(called) == len(set(called))
    assert all(re.fullmatch("[a-z]+( [a-z]+)*", name) for name in called)
    for thing in things():
        also = [t for t in things() if any(names(n, m) for n in t.names for m in thing.names)]
        assert also == [thing], f"one guess would be right for {also}"


def test_secrets_are_of_the_category() -> None:
    game = TwentyQuestions(category="food")
    drawn = {game.start(seed).thing for seed in range(500)}
    assert drawn == {thing for thing in things() if thing.category == "food"}
    assert len(game.openings()) == len(drawn)
    assert len(TwentyQuestions().openings()) == len(things())


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"questions": 0}, "questions must be a whole number of at least 1"),
        ({"discount": -0.1}, "discount must be a number from 0 to 1"),
        ({"hint": 1}, "hint must be True or False"),
        ({"category": "car"}, "category must be one of any, animal"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        TwentyQuestions(**options)


@pytest.mark.parametrize(
    "options",
    [{}, {"questions": 3, "hint": False, "discount": 0.9}, {"questions": 1, "category": "animal"}],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(TwentyQuestions(**options)) == []

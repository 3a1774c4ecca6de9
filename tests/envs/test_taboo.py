"""Taboo: clues, guesses, what they pay, and the cards."""

import re
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction
from sparring.envs.games.taboo import CLUES, GUESSES, Card, Taboo, TabooState, cards
from sparring.envs.words import forms, says

CAR = Card("car", ("drive", "wheel", "road", "engine", "vehicle"))


def play(*texts: str, card: Card = CAR, **options: Any) -> TabooState:
    state = Taboo(**options)._open(card)
    for text in texts:
        (role,) = state.to_act
        state = state.step({role: text})
    return state


def both(payoff: float) -> dict[str, float]:
    return {"describer": payoff, "guesser": payoff}


# --- how it ends, by hand


@pytest.mark.parametrize(
    "guess", ["guess: car", "I say it is\nGUESS: a Car.\nSure!", "Guess: cars"]
)
def test_a_right_guess_pays_both(guess: str) -> None:
    state = play("It brings you home.", guess)
    assert state.to_act == ()
    assert state.payoffs == both(1)
    assert state.log[-1].text == "That is right! The target word was: car. Both get 1."


@pytest.mark.parametrize(("wrong", "payoff"), [(0, 1.0), (1, 0.5), (2, 0.25)])
def test_later_guesses_pay_less_with_a_discount(wrong: int, payoff: float) -> None:
    texts = ["It brings you home.", "guess: bus"] * wrong
    assert play(*texts, "Think.", "guess: car", discount=0.5).payoffs == both(payoff)
    assert play(*texts, "Think.", "guess: car").payoffs == both(1)


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_rounds_run_out(rounds: int) -> None:
    texts = ["It brings you home.", "guess: bus"] * rounds
    before = play(*texts[:-1], rounds=rounds)
    assert before.to_act == ("guesser",)
    after = before.step({"guesser": "guess: bus"})
    assert after.to_act == ()
    assert after.payoffs == both(0)
    assert "it was the last guess. The target word was: car." in after.log[-1].text


@pytest.mark.parametrize(
    ("clue", "word"),
    [
        ("A car.", "car"),
        ("Many CARS", "car"),
        ("You are driving it.", "drive"),
        ("It has four wheels.", "wheel"),
        ("It needs an e-n-g-i-n-e.", "engine"),
    ],
)
def test_a_forbidden_word_ends_the_game(clue: str, word: str) -> None:
    for texts in ((), ("It brings you home.", "guess: bus")):
        state = play(*texts, clue)
        assert state.to_act == ()
        assert state.payoffs == both(0)
        expected = f"The clue says {word}, which is forbidden. The target word was: car."
        assert state.log[-1].text == f"{expected} Both get 0."


@pytest.mark.parametrize("clue", ["A carpet.", "Scary.", "Driver", "abroad"])
def test_parts_of_words_are_allowed(clue: str) -> None:
    assert play(clue).to_act == ("guesser",)


def test_the_guesser_may_say_forbidden_words() -> None:
    state = play("It brings you home.", "Is it about a road?\nguess: wheel")
    assert state.to_act == ("describer",)
    assert state.payoffs == both(0)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("car", 'That names no guess. Reply with a line like "guess: WORD".'),
        ("", "names no guess"),
        ("guess:", "names no guess"),
        ("guess: \ncar", "names no guess"),
        ("guess: 42", "names no guess"),
        ("outguess car", "names no guess"),
        ("guess: bus guess: car", None),  # one line, one guess, and a wrong one
        ("guess: bus\nguess: car", 'several guesses. Reply with one line "guess: WORD".'),
    ],
)
def test_guesses_have_a_form(text: str, fault: str | None) -> None:
    state = play("It brings you home.")
    if fault is None:
        assert state.step({"guesser": text}).to_act == ("describer",)
        return
    with pytest.raises(IllegalAction, match=re.escape(fault)) as refused:
        state.step({"guesser": text})
    assert refused.value.role == "guesser"


def test_a_list_of_guesses_is_a_wrong_guess() -> None:
    for text in ("guess: bus, car", "guess: car or bus", "guess: car, bus, train"):
        assert play("It brings you home.", text).to_act == ("describer",)


@pytest.mark.parametrize("clue", ["", " \n"])
def test_a_clue_says_something(clue: str) -> None:
    with pytest.raises(IllegalAction, match="Say something"):
        play(clue)


# --- what they know


def test_only_the_describer_sees_the_card() -> None:
    other = Card("tree", ("leaf", "wood", "green", "plant", "branch"))
    one, two = (play("Hm.", "guess: bus", card=card) for card in (CAR, other))
    assert one.observe("guesser") == two.observe("guesser")
    told = "The target word: car. Forbidden: drive, wheel, road, engine, vehicle."
    assert told in [message.text for message in one.observe("describer").messages]


def test_examples() -> None:
    assert play().observe("describer").examples == CLUES
    unsafe = Card("thing", ("drive", "wheel", "road", "engine", "hear"))
    assert play(card=unsafe).observe("describer").examples == CLUES[1:]
    assert play("Hm.").observe("guesser").examples == GUESSES


@pytest.mark.parametrize("role", ["describer", "guesser"])
def test_rules_say_what_is_played(role: str) -> None:
    rules = Taboo(rounds=5).rules(role)
    assert f"You are the {role}" in rules
    assert "Rounds: 5. A right guess pays both 1 in any round." in rules
    assert "0.5 times as much a round later" in Taboo(discount=0.5).rules(role)


# --- the cards


def test_cards_are_fair() -> None:
    assert len(cards()) == len({card.target for card in cards()}) == 105
    for card in cards():
        assert len(set(card.forbidden)) == 5, card
        assert not any(says(word, card.target) for word in card.forbidden), card
        assert all(re.fullmatch("[a-z]+", word) for word in (card.target, *card.forbidden)), card
        every = [form for word in card.forbidden for form in forms(word)]
        assert len(every) == len(set(every)), f"two forbidden words are one: {card}"


def test_a_random_game_can_be_won() -> None:
    targets = {card.target for card in cards()}
    assert targets & {guess.removeprefix("guess: ") for guess in GUESSES}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"rounds": 0}, "rounds must be a whole number of at least 1"),
        ({"discount": 1.5}, "discount must be a number from 0 to 1"),
        ({"discount": "1"}, "discount must be a number from 0 to 1"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        Taboo(**options)


@pytest.mark.parametrize("options", [{}, {"rounds": 1, "discount": 0.5}])
def test_contract(options: dict[str, Any]) -> None:
    assert check(Taboo(**options)) == []

"""The reference game: Lewis's numbers for listed signals, and few words for described objects."""

from collections.abc import Mapping
from itertools import product
from math import comb, factorial
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction, Observation
from sparring.envs.games.reference_game import (
    COLORS,
    DESCRIPTIONS,
    SHAPES,
    SIZES,
    DescribedObjects,
    ListedSignals,
    reference_game,
)
from sparring.envs.solve import best_response, nash_conv, uniform, values, walk

SIZES_OF_GAMES = [(2, 2), (3, 3), (3, 2), (2, 4), (4, 1)]


def joint(speaker: Mapping[str, str], listener: Mapping[str, str]) -> Any:
    """A policy for both: target to signal, signal to object."""

    def policy(observation: Observation) -> Mapping[str, float]:
        told = observation.messages[-1].text.split(": ")[-1]
        table = speaker if observation.role == "speaker" else listener
        return {table[told]: 1.0}

    return policy


def pure(n: int, k: int) -> Any:
    """All pairs of pure strategies of n objects and k signals."""
    objects, signals = [str(i + 1) for i in range(n)], "ABCDEFGHIJ"[:k]
    for sent in product(signals, repeat=n):
        for picked in product(objects, repeat=k):
            yield dict(zip(objects, sent, strict=True)), dict(zip(signals, picked, strict=True))


# --- listed signals: exact


@pytest.mark.parametrize(("n", "k"), SIZES_OF_GAMES)
def test_best_joint_payoff_and_how_many_reach_it(n: int, k: int) -> None:
    """min(n, k)/n. With n = k the n! signalling systems reach 1."""
    tree = walk(ListedSignals(n, k))
    paid = [values(tree, tree.table(joint(*pair)))["speaker"] for pair in pure(n, k)]
    assert len(paid) == k**n * n**k
    assert max(paid) == pytest.approx(min(n, k) / n)
    if n == k:
        assert sum(payoff == pytest.approx(1) for payoff in paid) == factorial(n)


@pytest.mark.parametrize(("n", "k"), SIZES_OF_GAMES)
def test_uniform_play_is_worth_one_in_n_and_nobody_gains_alone(n: int, k: int) -> None:
    tree = walk(ListedSignals(n, k))
    strategy = tree.table(uniform)
    assert values(tree, strategy) == pytest.approx({"speaker": 1 / n, "listener": 1 / n})
    assert nash_conv(tree, strategy) == pytest.approx(0)


def test_a_convention_shared_by_two_objects_is_stuck() -> None:
    """Partial pooling (3, 3): 2/3, an equilibrium that is not the best."""
    tree = walk(ListedSignals(3, 3))
    speaker = {"1": "A", "2": "B", "3": "B"}
    strategy = tree.table(joint(speaker, {"A": "1", "B": "2", "C": "2"}))
    assert values(tree, strategy)["listener"] == pytest.approx(2 / 3)
    assert nash_conv(tree, strategy) == pytest.approx(0)


def test_best_response_to_a_speaker_reads_its_code() -> None:
    tree = walk(ListedSignals(3, 3))
    speaker = {"1": "C", "2": "A", "3": "B"}
    strategy = dict(tree.table(joint(speaker, {"A": "1", "B": "1", "C": "1"})))
    assert values(tree, strategy)["speaker"] == pytest.approx(1 / 3)
    assert best_response(tree, strategy, "listener").value == pytest.approx(1)


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 3), (3, 2)])
def test_same_game_as_in_openspiel(n: int, k: int) -> None:
    pyspiel = pytest.importorskip("pyspiel")
    table = ",".join("1" if i == j else "0" for i in range(n) for j in range(n))
    options = {"num_states": n, "num_messages": k, "payoffs": table}
    other = pyspiel.load_game("lewis_signaling", options)

    def ends(state: Any) -> list[tuple[float, ...]]:
        if state.is_terminal():
            return [tuple(state.returns())]
        return [end for action in state.legal_actions() for end in ends(state.child(action))]

    theirs = ends(other.new_initial_state())
    ours = []
    for _, opening in ListedSignals(n, k).openings():
        for signal in opening.observe("speaker").legal or ():
            heard = opening.step({"speaker": signal})
            for pick in heard.observe("listener").legal or ():
                ours.append(tuple(heard.step({"listener": pick}).payoffs.values()))
    assert sorted(ours) == sorted(theirs)
    assert len(ours) == n * k * n


def test_the_target_is_the_speakers_secret() -> None:
    game = ListedSignals(3, 2)
    for (_, one), (_, two) in product(game.openings(), repeat=2):
        one, two = (state.step({"speaker": "B"}) for state in (one, two))
        assert one.observe("listener") == two.observe("listener")
        assert (one.observe("speaker") == two.observe("speaker")) == (one.target == two.target)
    end = one.step({"listener": "[2]"})
    assert end.log[-1].text == "listener: 2. That is wrong, the target was: 3."
    assert end.payoffs == {"speaker": 0.0, "listener": 0.0}


# --- described objects


def test_objects_and_target_are_dealt_fairly() -> None:
    game = DescribedObjects(4)
    places = set()
    for seed in range(400):
        state = game.start(seed)
        to_speaker, to_listener = (state.log[i].text for i in (2, 3))
        shown = to_speaker.split(". ")[0].removeprefix("The objects: ").split(", ")
        heard = to_listener.removeprefix("The objects: ").split(", ")
        assert sorted(shown) == sorted(heard) == sorted(state.objects)
        assert len(set(shown)) == 4
        assert to_speaker.endswith(f". The target: {state.target}")
        assert state.target in shown
        places.add((shown.index(state.target), heard.index(state.target)))
    assert len(places) == 16  # neither place tells anything of the other


def test_there_are_so_many_objects() -> None:
    assert len(set(DESCRIPTIONS)) == len(SIZES) * len(COLORS) * len(SHAPES) == 32
    state = DescribedObjects(32).start(0)
    assert sorted(state.objects) == sorted(DESCRIPTIONS)


def test_the_listener_picks_by_name() -> None:
    state = DescribedObjects().start(0).step({"speaker": " Look! \n"})
    assert state.log[-1].text == "Look", "marks would be a second channel"
    assert state.log[-1].sender == "speaker"
    assert state.observe("listener").legal == state.objects
    right = state.step({"listener": f"I take the [{state.target.upper()}]."})
    assert right.payoffs == {"speaker": 1.0, "listener": 1.0}
    wrong = next(name for name in state.objects if name != state.target)
    assert state.step({"listener": wrong}).payoffs == {"speaker": 0.0, "listener": 0.0}
    for text in ("red", state.target.split()[0], "1"):
        with pytest.raises(IllegalAction):
            state.step({"listener": text})


@pytest.mark.parametrize(
    ("words", "text", "fault"),
    [
        (1, "red", None),
        (1, "red!", None),
        (1, "smallbluecircle", "Words written together are no single word."),
        (1, "small red", "That has 2 words. Reply with one word."),
        (1, "small-red_circle", "That has 3 words"),
        (1, "", "That has 0 words"),
        (2, "small red", None),
        (2, "?!", "That has 0 words. Reply with 1 to 2 words."),
        (2, "a small red circle", "That has 4 words"),
    ],
)
def test_the_speaker_says_few_words(words: int, text: str, fault: str | None) -> None:
    state = DescribedObjects(words=words).start(0)
    if fault is None:
        assert state.step({"speaker": text}).to_act == ("listener",)
        return
    with pytest.raises(IllegalAction, match=fault):
        state.step({"speaker": text})


def test_the_listener_cannot_tell_the_target() -> None:
    one = DescribedObjects().start(0)
    other = next(name for name in one.objects if name != one.target)
    assert "target:" not in " ".join(m.text for m in one.observe("listener").messages)
    assert one.observe("speaker").examples == tuple(one.target.split())
    assert other not in one.observe("speaker").examples


# --- options


def test_signals_choose_the_form() -> None:
    assert reference_game() == DescribedObjects(3, 1)
    assert reference_game(objects=5, words=2) == DescribedObjects(5, 2)
    assert reference_game(signals=2) == ListedSignals(3, 2)
    assert reference_game(objects=4, signals=4).declares.free_speech is False
    assert reference_game().declares.free_speech is True
    assert {reference_game(signals=s).name for s in (None, 3)} == {"ReferenceGame-v0"}


@pytest.mark.parametrize("role", ["speaker", "listener"])
def test_rules_say_what_is_played(role: str) -> None:
    for options, words in (
        ({"objects": 5}, ["same 5 objects", "one word"]),
        ({"words": 4}, ["at most 4 words"]),
        ({"objects": 4, "signals": 3}, ["objects 1 to 4", "signal: A, B, C."]),
    ):
        rules = reference_game(**options).rules(role)
        assert f"You are the {role}" in rules
        assert all(word in rules for word in words), rules


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"objects": 1}, "objects must be a whole number from 2 to 32"),
        ({"objects": 33, "signals": 3}, "objects must be a whole number from 2 to 32"),
        ({"words": 0}, "words must be a whole number of at least 1"),
        ({"signals": 0}, "signals must be a whole number from 1 to 26"),
        ({"signals": 27}, "signals must be a whole number from 1 to 26"),
        ({"signals": 3, "words": 2}, "words has no meaning with signals"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        reference_game(**options)


def test_nine_in_ten_targets_have_a_word_of_their_own() -> None:
    """A word that fits no other object, in deals of three: 423 of the 465 pairs of others."""
    target, others = DESCRIPTIONS[0], DESCRIPTIONS[1:]
    named = 0
    for one, two in product(others, repeat=2):
        if one < two:
            taken = set(one.split()) | set(two.split())
            named += bool(set(target.split()) - taken)
    assert (named, comb(31, 2)) == (423, 465)
    n = 3000
    seen = 0
    for seed in range(n):
        state = DescribedObjects().start(seed)
        rest = {word for name in state.objects if name != state.target for word in name.split()}
        seen += bool(set(state.target.split()) - rest)
    assert abs(seen / n - 423 / 465) < 0.03  # six standard deviations


@pytest.mark.parametrize(
    "options",
    [{}, {"objects": 5, "words": 3}, {"signals": 3}, {"objects": 4, "signals": 2}],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(reference_game(**options)) == []

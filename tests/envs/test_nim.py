"""Nim against its theory (Bouton, 1901), on every small set of piles."""

import random
from functools import cache, reduce
from itertools import combinations_with_replacement
from operator import xor
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.nim import Nim, NimState
from sparring.envs.solve import nash_conv, uniform, values, walk

SMALL = [
    piles
    for most, size in ((7, 1), (7, 2), (5, 3), (3, 4), (2, 5))
    for piles in combinations_with_replacement(range(1, most + 1), size)
]


def theory(piles: tuple[int, ...], misere: bool) -> bool:
    """Whether the player to move wins."""
    even = reduce(xor, piles) == 0
    return even if misere and max(piles) < 2 else not even


@cache
def wins(piles: tuple[int, ...], misere: bool) -> bool:
    """The same by search, on the rules of the game; the order of piles does not matter."""
    state = NimState(piles, (), misere)
    (role,) = state.to_act
    for answer in state.legal:
        after = state.step({role: answer})
        if not after.to_act:
            if after.payoffs[role] > 0:
                return True
        elif not wins(tuple(sorted(after.piles)), misere):
            return True
    return False


def play(game: Nim, *answers: str) -> NimState:
    state = game.start(0)
    for answer in answers:
        state = state.step({state.to_act[0]: answer})
    return state


@pytest.mark.parametrize("misere", [False, True])
def test_theory(misere: bool) -> None:
    for piles in SMALL:
        assert wins(piles, misere) == theory(piles, misere), piles


def test_value_of_the_usual_piles() -> None:
    """1 ⊕ 3 ⊕ 5 ⊕ 7 = 0: who moves first loses, in both games."""
    assert not theory((1, 3, 5, 7), misere=False)
    assert not theory((1, 3, 5, 7), misere=True)
    assert Nim().piles == (1, 3, 5, 7)


@pytest.mark.parametrize(
    ("piles", "sets", "conv", "value"), [((1, 2), 7, 4 / 3, 1), ((1, 3, 5), 7236, 1.985185, 1)]
)
def test_openspiels_numbers(piles: tuple[int, ...], sets: int, conv: float, value: int) -> None:
    tree = walk(Nim(piles, misere=True))
    assert len(tree.sets) == sets
    strategy = tree.table(uniform)
    assert values(tree, strategy)["player_0"] == pytest.approx(0, abs=1e-12)
    assert nash_conv(tree, strategy) == pytest.approx(conv, abs=5e-7)
    if sets < 100:
        assert equilibrium(tree).value == pytest.approx(value)
    assert wins(piles, True) == (value == 1)


@pytest.mark.parametrize(("misere", "winner"), [(False, 0), (True, 1)])
def test_who_takes_the_last(misere: bool, winner: int) -> None:
    state = play(Nim((1, 2), misere), "take 1 from A", "take 1 from B", "take 1 from B")
    assert state.to_act == ()
    assert state.payoffs == {f"player_{winner}": 1.0, f"player_{1 - winner}": -1.0}
    assert state.log[-1].text == f"player_{winner} wins."


def test_legal_answers_and_words() -> None:
    state = Nim((2, 1)).start(0)
    assert state.legal == ("take 1 from A", "take 2 from A", "take 1 from B")
    state = play(Nim((2, 1)), "take 2 from A")
    assert state.log[-1].text == "player_0: take 2 from A\nA 0, B 1"
    assert state.observe("player_1").legal == ("take 1 from B",)
    assert state.observe("player_0").legal == ()
    assert state.payoffs == {"player_0": 0.0, "player_1": 0.0}


@pytest.mark.parametrize("misere", [False, True])
def test_plays_like_openspiel(misere: bool) -> None:
    """Random games: same roles, answers and payoffs."""
    pyspiel = pytest.importorskip("pyspiel")
    theirs = pyspiel.load_game(f"nim(pile_sizes=1;3;5;7,is_misere={misere})")
    rng = random.Random(1)
    for _ in range(100):
        ours, other = Nim(misere=misere).start(0), theirs.new_initial_state()
        while not other.is_terminal():
            assert ours.to_act == (f"player_{other.current_player()}",)
            words = {  # "pile:2, take:1;"
                f"take {text.split('take:')[1][:-1]} from {' ABCD'[int(text[5])]}": action
                for action in other.legal_actions()
                for text in [other.action_to_string(action)]
            }
            assert set(words) == set(ours.legal)
            word = rng.choice(ours.legal)
            other.apply_action(words[word])
            ours = ours.step({ours.to_act[0]: word})
        assert list(ours.payoffs.values()) == other.returns()


@pytest.mark.parametrize("game", [Nim(misere=True), Nim([2, 2])], ids=str)
def test_contract(game: Nim) -> None:
    assert check(game) == []


def test_rules_say_the_options() -> None:
    assert "A 1, B 3, C 5, D 7" in Nim().rules("player_0")
    assert "the last one of all wins" in Nim().rules("player_0")
    assert "the last one of all loses" in Nim((4,), misere=True).rules("player_1")
    assert Nim([2, 3]) == Nim((2, 3))
    assert hash(Nim([2, 3])) == hash(Nim((2, 3)))
    assert Nim((2, 3)).declares.max_turns == 5


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"piles": ()}, r"piles must be 1 to 26 numbers like \(1, 3, 5, 7\), not \(\)"),
        ({"piles": 3}, "piles must be 1 to 26 numbers"),
        ({"piles": "1357"}, "piles must be 1 to 26 numbers"),
        ({"piles": (1,) * 27}, "piles must be 1 to 26 numbers"),
        ({"piles": (1, 0)}, "every one of piles must be a whole number from 1 to 100, not 0"),
        ({"misere": 1}, "misere must be True or False, not 1"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        Nim(**options)

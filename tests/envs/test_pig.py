"""Pig against Neller and Presser (2004), solved exactly, and rules by hand."""

import random
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput
from sparring.envs.games.pig import PigDice, PigState

FACES = range(1, 7)


def bare(
    game: PigDice, turn: int = 0, scores: tuple[int, int] = (0, 0), total: int = 0
) -> PigState:
    """A position without a past."""
    return PigState(game, (0,) * 2 * game.turns, (), scores, turn, total)


def value(game: PigDice) -> float:
    """The expected payoff of player_0 with best play, by search through the game's own moves."""

    @cache
    def at(turn: int, scores: tuple[int, int], total: int) -> float:
        here, sign = bare(game, turn, scores, total), 1 - 2 * (turn % 2)
        roll = sum(worth(here.roll(die)) for die in FACES) / 6
        hold = worth(here.hold()) if "hold" in here.legal else -sign
        return sign * max(sign * roll, sign * hold)

    def worth(state: PigState) -> float:
        if not state.to_act:
            return state.payoffs["player_0"]
        return at(state.turn, state.scores, state.total)

    return at(0, (0, 0), 0)


def value_by_arrays(target: int, turns: int) -> float:
    """The same, vectorised over both scores, from the last turn back.

    ``v[m, y]``: what the player to move expects with m points against y at the start of a turn.
    ``at[t][m, y]``: the same inside its turn, with turn total t; 1 where m + t is enough.
    """
    mine, yours = np.indices((target, target))
    v = np.sign(mine - yours).astype(float)  # all turns are over
    for _ in range(2 * turns):
        other = -v.T  # the turn passes on and nothing was added
        at = np.ones((target + 6, target, target))
        for total in range(target - 1, -1, -1):
            best = (other + sum(at[total + die] for die in FACES[1:])) / 6
            if total:  # a turn begins with a roll
                held = np.roll(other, -total, axis=0)  # with m + total points
                best = np.maximum(best, held)
            at[total] = np.where(mine + total < target, best, 1.0)
        v = at[0]
    return float(v[0, 0])


# --- exact numbers


@pytest.mark.parametrize(("target", "turns"), [(2, 1), (6, 3), (10, 2), (12, 4)])
def test_best_play_of_short_games(target: int, turns: int) -> None:
    assert value(PigDice(target, turns)) == pytest.approx(value_by_arrays(target, turns))


def test_values_by_hand() -> None:
    """Target 2: who first rolls no 1 wins. Chance 5/6, then 5/36; a draw where both fail."""
    assert value(PigDice(target=2, turns=1)) == pytest.approx(5 / 6 - 5 / 36)
    assert value(PigDice(target=2, turns=2)) == pytest.approx((5 / 6 - 5 / 36) * (1 + 1 / 36))


def test_best_play_of_the_usual_game() -> None:
    """Neller and Presser: the first player wins with probability 0.5306; no limit of turns.

    With 50 turns each the limit hardly matters; with ten fewer it would not either.
    """
    default = PigDice()
    found = value_by_arrays(default.target, default.turns)
    assert (1 + found) / 2 == pytest.approx(0.5306, abs=5e-5)
    assert found == pytest.approx(value_by_arrays(default.target, 40), abs=1e-6)


# --- the rules, by hand


def test_rolls_add_up_and_hold_keeps_them() -> None:
    state = bare(PigDice()).roll(4).roll(6)
    assert state.log[-1].text == "player_0: roll\nRolled 6, turn total 10."
    assert (state.total, state.scores) == (10, (0, 0))
    state = state.hold()
    assert state.log[-1].text == "player_0: hold\nScore: player_0 10, player_1 0."
    assert (state.total, state.scores, state.to_act) == (0, (10, 0), ("player_1",))
    assert state.payoffs == {"player_0": 0.0, "player_1": 0.0}


def test_a_one_loses_the_turn_total_only() -> None:
    state = bare(PigDice(), turn=1, scores=(7, 20), total=15).roll(1)
    assert state.log[-1].text == (
        "player_1: roll\nRolled 1, the turn total is lost.\nScore: player_0 7, player_1 20."
    )
    assert (state.total, state.scores, state.to_act) == (0, (7, 20), ("player_0",))


@pytest.mark.parametrize(("die", "over"), [(2, False), (3, True), (6, True)])
def test_reaching_the_target_wins_at_once(die: int, over: bool) -> None:
    state = bare(PigDice(), turn=1, scores=(99, 80), total=17).roll(die)
    assert (state.to_act == ()) == over
    assert state.payoffs["player_1"] == float(over)
    if over:
        assert state.log[-1].text == "player_1 wins."


@pytest.mark.parametrize(
    ("scores", "total", "first", "words"),
    [
        ((10, 4), 5, 1.0, "All turns are over. player_0 wins."),
        ((10, 4), 6, 0.0, "All turns are over. The game is a draw."),
        ((10, 4), 7, -1.0, "All turns are over. player_1 wins."),
    ],
)
def test_after_the_last_turn_the_higher_score_wins(
    scores: tuple[int, int], total: int, first: float, words: str
) -> None:
    state = bare(PigDice(turns=3), turn=5, scores=scores, total=total).hold()
    assert state.to_act == ()
    assert state.payoffs == {"player_0": first, "player_1": -first}
    assert state.log[-1].text == words


def test_a_turn_begins_with_a_roll() -> None:
    state = PigDice().start(3)
    assert state.observe("player_0").legal == ("roll",)
    state = bare(PigDice()).roll(2)
    assert state.observe("player_0").legal == ("roll", "hold")
    assert state.observe("player_1").legal == ()


# --- the dice


def roll_out(game: PigDice, seed: int, holds: int) -> PigState:
    """Both roll until the turn total is at least ``holds``."""
    state = game.start(seed)
    while state.to_act:
        hold = state.total >= holds
        state = state.step({state.to_act[0]: "hold" if hold else "roll"})
    return state


def rolled(state: PigState) -> list[list[str]]:
    """The dice of every turn."""
    turns: list[list[str]] = [[]]
    for message in state.log[2:]:
        if "Rolled" in message.text:
            turns[-1].append(message.text.split("Rolled ")[1][0])
        if "Score" in message.text:
            turns.append([])
    return turns


def test_dice_are_fair() -> None:
    counts: Counter[str] = Counter()
    for seed in range(60):
        counts.update(die for turn in rolled(roll_out(PigDice(), seed, 20)) for die in turn)
    n = sum(counts.values())
    for face in map(str, FACES):
        assert abs(counts[face] - n / 6) < 4 * (n * 5 / 36) ** 0.5
    assert n > 3000


def test_a_turn_has_the_same_dice_however_the_others_were_played() -> None:
    """So the two games of a duplicate deal share their luck."""
    for seed in range(10):
        for one, two in zip(
            rolled(roll_out(PigDice(), seed, 5)),
            rolled(roll_out(PigDice(), seed, 25)),
            strict=False,
        ):
            shorter = min(len(one), len(two))
            assert one[:shorter] == two[:shorter]


def test_turns_share_no_dice() -> None:
    turns = rolled(roll_out(PigDice(), 0, 25))
    both = list(zip(turns[::2], turns[1::2], strict=False))
    assert sum(one[0] == two[0] for one, two in both if one and two) < len(both) / 2


def test_dice_to_come_are_not_seen() -> None:
    one, two = PigDice().start(1), PigDice().start(2)
    assert one.dice != two.dice
    assert one.observe("player_0") == two.observe("player_0")


@pytest.mark.parametrize("game", [PigDice(20, 3), PigDice(7, 4)], ids=str)
def test_no_game_is_longer_than_declared(game: PigDice) -> None:
    """A turn of twos, then a 1, again and again: nothing is longer."""
    state, turns = bare(game), 0
    while state.to_act:
        last = turns % game.rolls == game.rolls - 1
        state, turns = state.roll(1 if last else 2), turns + 1
    assert turns == game.declares.max_turns
    assert state.payoffs["player_0"] == 0.0


def test_plays_like_openspiel() -> None:
    """Random games with the same dice: same roles, scores and payoffs.

    There the winner must still say stop once the target is reached, and may stop before a roll.
    """
    pyspiel = pytest.importorskip("pyspiel")
    theirs, game = pyspiel.load_game("pig(winscore=30)"), PigDice(target=30, turns=1000)
    for seed in range(100):
        rng = random.Random(seed)
        ours, other = bare(game), theirs.new_initial_state()
        while ours.to_act:
            assert ours.to_act == (f"player_{other.current_player()}",)
            if rng.choice(ours.legal) == "hold":
                ours = ours.hold()
                other.apply_action(1)
            else:
                die = rng.choice(FACES)
                ours = ours.roll(die)
                other.apply_action(0)
                other.apply_action(die - 1)
            assert ours.to_act == () or f"Turn total: {ours.total}" in str(other)
        assert other.legal_actions() == ([1] if ours.log[-2].text.count("Rolled") else [])
        if not other.is_terminal():
            other.apply_action(1)
        assert list(ours.payoffs.values()) == other.returns()


# --- options


@pytest.mark.parametrize("game", [PigDice(target=12, turns=4)], ids=str)
def test_contract(game: PigDice) -> None:
    assert check(game) == []


def test_rules_say_the_options() -> None:
    rules = PigDice(target=50, turns=20).rules("player_0")
    assert "reach 50" in rules
    assert "After 20 turns each" in rules
    assert "After 1 turn each" in PigDice(turns=1).rules("player_1")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"target": 1}, "target must be a whole number from 2 to 1000, not 1"),
        ({"turns": 0}, "turns must be a whole number from 1 to 1000, not 0"),
        ({"turns": 2.5}, "turns must be a whole number from 1 to 1000, not 2.5"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        PigDice(**options)

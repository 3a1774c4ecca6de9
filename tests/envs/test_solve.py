"""The solver on games small enough to solve by hand; Kuhn poker has a file of its own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.envs.core import (
    BadInput,
    Declaration,
    Message,
    Observation,
    Payoffs,
    Role,
    SolvableGame,
    State,
    Sum,
    View,
    visible,
)
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.solve import best_response, exploitability, nash_conv, uniform, values, walk


def policy_of(table: Mapping[str, Mapping[str, float]]) -> Any:
    return lambda observation: table[observation.role]


def pure(answer: str) -> Any:
    return lambda observation: {answer: 1.0}


# --- simultaneous moves


def test_matching_pennies(toys: Any) -> None:
    tree = walk(toys.pennies)
    assert len(tree.sets) == 2
    assert values(tree, tree.table(uniform)) == {"player_0": 0.0, "player_1": 0.0}
    assert nash_conv(tree, tree.table(uniform)) == 0
    assert nash_conv(tree, tree.table(pure("h"))) == 2  # the second player would say t
    found = equilibrium(tree)
    assert found.value == pytest.approx(0, abs=1e-9)
    for chances in found.strategy.values():
        assert chances == pytest.approx({"h": 0.5, "t": 0.5})


def test_roles_do_not_see_each_other_at_a_shared_move(toys: Any) -> None:
    """Walked one after the other, the second has one information set, not one an answer."""
    for game in (toys.throws, toys.three):
        assert len(walk(game).sets) == len(game.roles)


def test_rock_paper_scissors(toys: Any) -> None:
    tree = walk(toys.throws)
    assert nash_conv(tree, tree.table(uniform)) == pytest.approx(0)
    assert nash_conv(tree, tree.table(pure("rock"))) == 2
    reply = best_response(tree, tree.table(pure("rock")), "player_1")
    assert (reply.value, list(reply.plays.values())) == (1, ["paper"])


def test_a_table_with_a_known_mixture(toys: Any) -> None:
    """[[2, -1], [-1, 1]]: both answer a with probability 2/5; it is worth 1/5."""
    tree = walk(toys.Matrix(toys.two_player("ab", "ab", ((2, -1), (-1, 1)))))
    found = equilibrium(tree)
    assert found.value == pytest.approx(1 / 5)
    for chances in found.strategy.values():
        assert chances == pytest.approx({"a": 2 / 5, "b": 3 / 5})


cells = st.integers(-5, 5)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=4)
    )
)
def test_equilibrium_of_any_table(toys: Any, table: Sequence[Sequence[int]]) -> None:
    """Nobody gains by deviating, and the value lies between the pure maximin and minimax."""
    rows, columns = "abcd"[: len(table)], "wxyz"[: len(table[0])]
    tree = walk(toys.Matrix(toys.two_player(rows, columns, table)))
    found = equilibrium(tree)
    assert nash_conv(tree, found.strategy) == pytest.approx(0, abs=1e-7)
    assert values(tree, found.strategy)["player_0"] == pytest.approx(found.value, abs=1e-7)
    low = max(min(row) for row in table)
    high = min(max(column) for column in zip(*table, strict=True))
    assert low - 1e-7 <= found.value <= high + 1e-7


# --- general sums, more players


def test_prisoners_dilemma(toys: Any) -> None:
    tree = walk(toys.dilemma)
    assert values(tree, tree.table(uniform)) == {"player_0": 4.0, "player_1": 4.0}
    assert nash_conv(tree, tree.table(uniform)) == 3
    assert nash_conv(tree, tree.table(pure("c"))) == 10
    assert nash_conv(tree, tree.table(pure("d"))) == 0
    assert exploitability(tree, tree.table(pure("c"))) == 5


@pytest.mark.parametrize(
    ("table", "value", "gain"),
    [
        ({"ss": (2, 2), "sh": (0, 1), "hs": (1, 0), "hh": (1, 1)}, 1.0, 0.0),  # stag hunt
        (
            {"bb": (3, 2), "bf": (0, 0), "fb": (0, 0), "ff": (2, 3)},
            1.25,
            0.5,
        ),  # battle of the sexes
    ],
)
def test_other_tables(
    toys: Any, table: Mapping[str, tuple[float, float]], value: float, gain: float
) -> None:
    tree = walk(toys.Matrix({tuple(k): v for k, v in table.items()}, Sum.GENERAL))
    assert values(tree, tree.table(uniform)) == {"player_0": value, "player_1": value}
    assert nash_conv(tree, tree.table(uniform)) == pytest.approx(gain)


def test_three_players(toys: Any) -> None:
    tree = walk(toys.three)
    assert sum(values(tree, tree.table(uniform)).values()) == 0
    assert nash_conv(tree, tree.table(uniform)) == pytest.approx(0)
    # two say h for certain: the third can only lose by saying t
    table = {"player_0": {"h": 1.0}, "player_1": {"h": 1.0}, "player_2": {"t": 1.0}}
    strategy = tree.table(policy_of(table))
    assert values(tree, strategy) == {"player_0": 1.0, "player_1": 1.0, "player_2": -2.0}
    assert best_response(tree, strategy, "player_2").value == 0
    # each of the others gains nothing: leaving the pair costs 2 instead of winning 1
    assert nash_conv(tree, strategy) == 2


# --- hidden information and a shared payoff


@dataclass(frozen=True)
class Hint:
    """One sees a letter and says one of two words, the other names the letter: 1 to both, or 0.

    A is dealt three times in four.
    """

    name = "Hint-v0"
    roles = ("giver", "guesser")
    declares = Declaration(
        sum=Sum.COOPERATIVE, hidden_information=True, max_turns=2, low=0.0, high=1.0
    )

    def rules(self, role: Role) -> str:
        return f"You are {role}."

    def start(self, seed: int) -> "HintState":
        return self.openings()[seed % 2][1]

    def openings(self) -> "list[tuple[float, HintState]]":
        deal = {"A": 0.75, "B": 0.25}
        return [
            (p, HintState(letter, (Message("game", letter, frozenset({"giver"})),)))
            for letter, p in deal.items()
        ]


@dataclass(frozen=True)
class HintState:
    letter: str
    log: View
    said: tuple[str, ...] = ()

    @property
    def to_act(self) -> tuple[Role, ...]:
        return Hint.roles[len(self.said) : len(self.said) + 1]

    @property
    def payoffs(self) -> Payoffs:
        return dict.fromkeys(Hint.roles, float(self.said[1:] == (self.letter,)))

    def observe(self, role: Role) -> Observation:
        words = (("up", "down"), ("A", "B"))[Hint.roles.index(role)]
        return Observation(role, visible(self.log, role), words if role in self.to_act else ())

    def step(self, answers: Mapping[Role, str]) -> "HintState":
        (role,) = self.to_act
        log = (*self.log, Message("game", f"{role}: {answers[role]}"))
        return replace(self, log=log, said=(*self.said, answers[role]))


def last_word(observation: Observation) -> str:
    return observation.messages[-1].text


def test_a_hint_is_worth_what_is_made_of_it() -> None:
    tree = walk(Hint())
    assert len(tree.sets) == 4
    strategy = tree.table(uniform)
    assert values(tree, strategy) == {"giver": 0.5, "guesser": 0.5}
    assert best_response(tree, strategy, "guesser").value == 0.75  # always A
    assert best_response(tree, strategy, "giver").value == 0.5
    assert nash_conv(tree, strategy) == 0.25

    said = {"A": "up", "B": "down", "giver: up": "A", "giver: down": "B"}
    honest = tree.table(lambda observation: {said[last_word(observation)]: 1.0})
    assert values(tree, honest) == {"giver": 1.0, "guesser": 1.0}
    assert nash_conv(tree, honest) == 0

    babbling = {"A": "up", "B": "up", "giver: up": "A", "giver: down": "A"}  # an equilibrium too
    assert nash_conv(tree, tree.table(lambda o: {babbling[last_word(o)]: 1.0})) == 0


def test_best_response_cannot_tell_apart_what_its_role_cannot() -> None:
    """It plays one answer a view, though it would like B exactly where B was dealt."""
    tree = walk(Hint())
    reply = best_response(tree, tree.table(uniform), "guesser")
    assert sorted(reply.plays.values()) == ["A", "A"]


# --- positions of a larger game


@dataclass(frozen=True)
class From:
    """TicTacToe from a position on."""

    moves: str
    name = "From-v0"
    roles = TicTacToe.roles
    declares = TicTacToe.declares

    def rules(self, role: Role) -> str:
        return TicTacToe().rules(role)

    def start(self, seed: int) -> State:
        state: State = TicTacToe(board=False).start(seed)
        for answer in self.moves:
            state = state.step({state.to_act[0]: answer})
        return state

    def openings(self) -> Sequence[tuple[float, State]]:
        return [(1.0, self.start(0))]


@pytest.mark.parametrize(
    ("moves", "value"),
    [("15", 0.0), ("12", 1.0), ("1592", 0.0), ("5219", 1.0), ("12357", -1.0)],
)
def test_tictactoe_endgames(moves: str, value: float) -> None:
    """The linear program finds what minimax finds."""

    def minimax(state: State) -> float:
        if not state.to_act:
            return state.payoffs["player_0"]
        (role,) = state.to_act
        replies = (minimax(state.step({role: a})) for a in state.observe(role).legal or ())
        return max(replies) if role == "player_0" else min(replies)

    game = From(moves)
    assert minimax(game.start(0)) == value
    if len(moves) >= 4:  # larger ones take the linear program a while
        tree = walk(game)
        found = equilibrium(tree)
        assert found.value == pytest.approx(value, abs=1e-9)
        assert nash_conv(tree, found.strategy) == pytest.approx(0, abs=1e-9)


# --- what a policy is asked, and may say


def test_a_policy_is_asked_once_at_every_information_set() -> None:
    tree = walk(KuhnPoker())
    asked: list[Observation] = []

    def policy(observation: Observation) -> Mapping[str, float]:
        asked.append(observation)
        return uniform(observation)

    tree.table(policy)
    assert len(asked) == len(set(asked)) == 12
    assert asked == list(tree.observations)
    for observation in asked:  # own earlier turns come with it, as in play
        turns = [(turn.role, turn.action.text) for turn in observation.turns]
        later = observation.role == "player_0" and observation.messages[-1].text == "player_1: bet"
        assert turns == ([("player_0", "check")] if later else [])


@pytest.mark.parametrize(
    "chances",
    [
        {"h": 0.5},
        {"h": 0.7, "t": 0.7},
        {"h": 1.5, "t": -0.5},
        {"h": math.nan, "t": 0.5},
        {"h": 0.5, "t": 0.4, "edge": 0.1},
        {},
    ],
)
def test_what_is_no_distribution_is_refused(toys: Any, chances: Mapping[str, float]) -> None:
    with pytest.raises(ValueError, match="not a distribution"):
        walk(toys.pennies).table(lambda observation: chances)


def test_answers_left_out_have_probability_zero(toys: Any) -> None:
    tree = walk(toys.pennies)
    assert values(tree, tree.table(lambda observation: {"h": 1.0}))["player_0"] == 1


def test_only_small_listed_games_are_walked() -> None:
    class NoOpenings:
        name, roles, declares = "NoOpenings-v0", KuhnPoker().roles, KuhnPoker().declares

    class Free(KuhnPoker):
        declares = replace(KuhnPoker().declares, free_speech=True)

    unlisted: Any = NoOpenings()
    with pytest.raises(BadInput, match="does not list its openings"):
        walk(unlisted)
    with pytest.raises(BadInput, match="free speech"):
        walk(Free())


def test_too_large_a_game_is_refused_not_tried() -> None:
    assert len(walk(KuhnPoker(), limit=200).sets) == 12
    for game, limit in ((KuhnPoker(), 50), (TicTacToe(), 1_000)):
        with pytest.raises(BadInput, match=f"more than {limit} positions"):
            walk(game, limit=limit)


def test_equilibrium_is_for_two_player_zero_sum(toys: Any) -> None:
    games: list[SolvableGame] = [toys.dilemma, toys.three, Hint()]
    for game in games:
        with pytest.raises(BadInput, match="not a two-player zero-sum game"):
            equilibrium(walk(game))

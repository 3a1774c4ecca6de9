"""Leduc poker against the numbers of OpenSpiel's ``leduc_poker`` and payoffs worked out by hand."""

import random
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Observation
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.leduc import SEATS, LeducPoker, LeducState
from sparring.envs.solve import Tree, nash_conv, uniform, values, walk


@pytest.fixture(scope="module")
def tree() -> Tree:
    return walk(LeducPoker())


def deal(*deals: str, players: int = 2) -> LeducState:
    """The start of a game with these deals: one card a seat, then the public one."""
    return LeducPoker(players=players, hands=len(deals))._open(deals)


def play(state: LeducState, words: str) -> LeducState:
    """Let whoever is to act say the words, one after the other."""
    for word in words.split():
        state = state.step({state.to_act[0]: word})
    return state


def first_of(*words: str) -> Any:
    """The policy that says the first of ``words`` that is legal."""

    def policy(observation: Observation) -> Mapping[str, float]:
        return {next(word for word in words if word in (observation.legal or ())): 1.0}

    return policy


# --- exact numbers


def test_size(tree: Tree) -> None:
    openings = LeducPoker().openings()
    assert len(openings) == 24  # 27 triples of ranks, less the three of one rank
    assert sum(p for p, _ in openings) == pytest.approx(1)
    chance = {state.deals[0]: p for p, state in openings}
    assert chance["JQK"] == pytest.approx(8 / 120)  # 2·2·2 of 6·5·4
    assert chance["JJK"] == chance["KJK"] == pytest.approx(4 / 120)  # 2·1·2
    assert len(tree.sets) == 288


def test_value(tree: Tree) -> None:
    found = equilibrium(tree)
    assert found.value == pytest.approx(-0.085606424, abs=5e-10)
    assert nash_conv(tree, found.strategy) == pytest.approx(0, abs=1e-9)


def test_uniform(tree: Tree) -> None:
    strategy = tree.table(uniform)
    assert values(tree, strategy)["player_0"] == pytest.approx(-0.078125)
    assert nash_conv(tree, strategy) == pytest.approx(4.747222222, abs=5e-10)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (first_of("fold", "check"), 2.0),
        (first_of("call", "check"), 2.933333333),
        (first_of("raise", "bet", "call"), 4.733333333),
    ],
    ids=["fold or check", "always call", "always raise"],
)
def test_nash_conv(tree: Tree, policy: Any, expected: float) -> None:
    assert nash_conv(tree, tree.table(policy)) == pytest.approx(expected, abs=5e-10)


# --- the rules, by hand


@pytest.mark.parametrize(
    ("cards", "words", "first"),
    [
        ("JQK", "check check check check", -1),
        ("QJK", "check check check check", 1),
        ("JKJ", "check check check check", 1),  # a pair beats a king
        ("KJJ", "check check check check", -1),
        ("QQK", "bet raise call bet raise call", 0),  # equal cards split
        ("JQK", "bet call check check", -3),
        ("JQK", "bet raise call check check", -5),
        ("KQJ", "check bet call check bet call", 7),
        ("KQJ", "check bet raise call bet raise call", 13),
        ("JQK", "bet raise fold", -3),  # the raise beyond the call of 2 goes back
        ("JQK", "bet fold", 1),
        ("KQJ", "check bet fold", -1),
        ("JQK", "check check bet fold", 1),
        ("JQK", "bet call bet raise fold", -7),
        ("JQK", "bet raise call check bet raise fold", 9),
    ],
)
def test_payoffs(cards: str, words: str, first: float) -> None:
    state = play(deal(cards), words)
    assert state.to_act == ()
    assert state.payoffs == {"player_0": first, "player_1": -first}


def test_legal_answers_follow_the_raises() -> None:
    state = deal("JQK")
    for word, legal in (
        ("check", ("check", "bet")),
        ("bet", ("check", "bet")),
        ("raise", ("call", "raise", "fold")),
        ("call", ("call", "fold")),
        ("check", ("check", "bet")),  # the second round begins afresh
    ):
        assert state.observe(state.to_act[0]).legal == legal
        state = play(state, word)


def test_player_0_begins_both_rounds() -> None:
    second = play(deal("JQK"), "check bet call")
    assert second.log[-1].text == "Public card: K"
    assert second.to_act == ("player_0",)


def test_public_card_is_unknown_until_the_second_round() -> None:
    one, two = deal("JQJ"), deal("JQK")
    for word in ("bet", "raise"):
        for role in SEATS[:2]:
            assert one.observe(role) == two.observe(role)
        one, two = play(one, word), play(two, word)
    one, two = play(one, "call"), play(two, "call")
    assert one.observe("player_0").messages[-1].text == "Public card: J"
    assert two.observe("player_0").messages[-1].text == "Public card: K"


def test_a_fold_shows_no_cards() -> None:
    """Not the cards of the players, nor the public card that would have come."""
    for one, two in pairwise(play(deal(cards), "bet fold") for cards in ("QJJ", "QKJ", "QKK")):
        assert one.observe("player_0") == two.observe("player_0")
    last = play(deal("JQK"), "check check bet fold").log[-1].text
    assert last == "player_0 wins 1."


def test_words_at_a_showdown() -> None:
    last = play(deal("JQK"), "bet call check check").log[-1].text
    assert last == "player_0 had J, player_1 had Q. player_1 wins 3."
    last = play(deal("QQK"), "bet call check check").log[-1].text
    assert last == "player_0 had Q, player_1 had Q. player_0 and player_1 split the pot of 6."


# --- more players, more hands


def test_three_players_by_hand() -> None:
    """Antes 3; player_0 bets, player_1 folds, player_2 raises to 5, player_0 calls: 11 so far."""
    state = play(deal("QTQJ", players=3), "bet fold raise call")
    assert state.to_act == ("player_0",)  # player_1 is out
    state = play(state, "bet")
    assert state.to_act == ("player_2",)
    state = play(state, "call")  # the pot is 19, and queens split it
    assert state.payoffs == {"player_0": 0.5, "player_1": -1.0, "player_2": 0.5}
    end = state.log[-1].text
    assert end == "player_0 had Q, player_2 had Q. player_0 and player_2 split the pot of 19."


def test_after_a_raise_all_others_answer_again() -> None:
    state = play(deal("KQJT", players=3), "check check bet call")
    assert state.to_act == ("player_1",)
    state = play(state, "raise")
    assert state.to_act == ("player_2",)
    state = play(state, "call")
    assert state.to_act == ("player_0",)
    state = play(state, "fold")
    assert state.log[-1].text == "Public card: T"
    assert state.to_act == ("player_1",)  # the first seat that is still in
    state = play(state, "check check")
    assert state.payoffs == {"player_0": -3.0, "player_1": 8.0, "player_2": -5.0}


def test_first_seat_rotates_and_chips_add_up() -> None:
    state = deal("KQJT", "KQJT", "QQKT", players=3)
    state = play(state, "bet fold fold")
    assert state.payoffs == {"player_0": 2.0, "player_1": -1.0, "player_2": -1.0}
    assert state.to_act == ("player_1",)
    state = play(state, "check bet fold fold")  # player_1, player_2; player_0 and player_1 fold
    assert state.payoffs == {"player_0": 1.0, "player_1": -2.0, "player_2": 1.0}
    assert state.to_act == ("player_2",)
    state = play(state, "check check check")
    assert state.to_act == ("player_2",)  # it begins the second round too
    state = play(state, "check check check")
    assert state.to_act == ()
    assert state.payoffs == {"player_0": 0.0, "player_1": -3.0, "player_2": 3.0}


def test_next_card_is_not_seen_before() -> None:
    one, two = deal("JQK", "JQK"), deal("JQK", "KQJ")
    for role in SEATS[:2]:
        assert one.observe(role) == two.observe(role)
    one, two = play(one, "bet fold"), play(two, "bet fold")
    assert one.observe("player_0") != two.observe("player_0")
    assert one.observe("player_1") == two.observe("player_1")


@pytest.mark.parametrize("players", [2, 3, 5])
def test_longest_game_and_largest_stakes_are_the_declared(players: int) -> None:
    """All check, the last bets, all call but the one before it, which raises; all call."""
    game = LeducPoker(players=players)
    low, *high = game.ranks
    checks, calls = "check " * (players - 1), "call " * (players - 2)
    words = f"{checks} bet {calls} raise {calls} call".split() * 2
    state, turns = game._open(("".join([*high, low]),)), 0
    for word in words:
        state, turns = play(state, word), turns + 1
    assert state.to_act == ()
    assert turns == game.declares.max_turns
    assert max(state.payoffs.values()) == game.declares.high
    assert min(state.payoffs.values()) == game.declares.low


@pytest.mark.parametrize("players", [2, 3, 6])
def test_plays_like_openspiel(players: int) -> None:
    """Random games with the same cards and answers: same roles, answers and payoffs."""
    pyspiel = pytest.importorskip("pyspiel")
    theirs = pyspiel.load_game(f"leduc_poker(players={players})")
    number = {"fold": 0, "check": 1, "call": 1, "bet": 2, "raise": 2}
    game, rng = LeducPoker(players=players), random.Random(players)
    for seed in range(100):
        ours, other = game.start(seed), theirs.new_initial_state()
        suits: dict[str, int] = {}
        cards = []
        for card in ours.deals[0]:
            cards.append(2 * game.ranks.index(card) + suits.get(card, 0))
            suits[card] = 1
        while not other.is_terminal():
            if other.is_chance_node():
                other.apply_action(cards.pop(0))
                continue
            (role,) = ours.to_act
            assert role == SEATS[other.current_player()]
            legal = ours.observe(role).legal or ()
            assert sorted(number[word] for word in legal) == other.legal_actions()
            word = rng.choice(legal)
            ours = ours.step({role: word})
            other.apply_action(number[word])
        assert ours.to_act == ()
        assert list(ours.payoffs.values()) == pytest.approx(other.returns())


# --- options


@pytest.mark.parametrize("options", [{}, {"players": 3}, {"hands": 2}], ids=str)
def test_contract(options: dict[str, int]) -> None:
    assert check(LeducPoker(**options)) == []


def test_rules_say_the_options() -> None:
    assert "hands" not in LeducPoker().rules("player_0")
    assert "two cards each of J < Q < K." in LeducPoker().rules("player_0")
    assert "adds 2 in the first round and 4 in the second" in LeducPoker().rules("player_0")
    assert "3 hands; the first seat alternates" in LeducPoker(hands=3).rules("player_1")
    three = LeducPoker(players=3, hands=2).rules("player_2")
    assert "T < J < Q < K" in three
    assert "moves on by one each hand" in three


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"hands": 0}, "hands must be a whole number from 1 to 10000, not 0"),
        ({"players": 1}, "players must be a whole number from 2 to 10, not 1"),
        ({"players": 11}, "players must be a whole number from 2 to 10, not 11"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        LeducPoker(**options)


def test_too_many_openings() -> None:
    for game in (LeducPoker(players=6), LeducPoker(players=10), LeducPoker(hands=4)):
        game.start(1)
        with pytest.raises(BadInput, match="too many deals"):
            game.openings()

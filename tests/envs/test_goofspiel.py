"""GoofSpiel against OpenSpiel's numbers, and its rules at their edges."""

from collections import Counter
from fractions import Fraction as F
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Sum
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.goofspiel import GoofSpiel, GoofState
from sparring.envs.referee import Refereed
from sparring.envs.solve import Node, Tree, nash_conv, uniform, values, walk


def play(game: GoofSpiel, *rounds: tuple[int, ...], prizes: tuple[int, ...] = ()) -> GoofState:
    state = game._open(prizes) if prizes else game.start(0)
    for bids in rounds:
        state = state.step(dict(zip(game.roles, map(str, bids), strict=True)))
    return state


def down(cards: int, **options: Any) -> GoofSpiel:
    return GoofSpiel(cards=cards, order="descending", **options)


# --- the rules


def test_a_game_by_hand() -> None:
    state = play(down(4), (4, 3))
    assert state.points == (4, 0)
    assert state.observe("player_0").legal == ("1", "2", "3")
    assert state.observe("player_1").legal == ("1", "2", "4")
    state = play(down(4), (4, 3), (2, 4), (3, 2))  # then 1 against 1
    assert state.points == (6, 3)
    assert state.to_act == ()
    assert state.payoffs == {"player_0": 1.0, "player_1": -1.0}
    assert [m.text for m in state.observe("player_1").messages[1:]] == [
        "Prize: 4.",
        "Bids: player_0 4, player_1 3.",
        "player_0 wins 4.",
        "Prize: 3.",
        "Bids: player_0 2, player_1 4.",
        "player_1 wins 3.",
        "Prize: 2.",
        "Bids: player_0 3, player_1 2.",
        "player_0 wins 2.",
        "Prize: 1.",
        "Last cards: player_0 1, player_1 1.",
        "Tie: 1 is discarded.",
    ]


def test_last_card_is_played_by_itself_and_counts() -> None:
    state = play(GoofSpiel(cards=2), (2, 1), prizes=(1, 2))
    assert state.points == (1, 2)
    assert state.payoffs == {"player_0": -1.0, "player_1": 1.0}


def test_ties() -> None:
    discarded = play(down(3), (2, 2), (3, 1))
    assert discarded.points == (2, 1)
    carried = play(down(3, ties="carry"), (2, 2), (3, 1))
    assert carried.points == (5, 1)
    texts = [m.text for m in carried.log]
    assert "Tie: 3 is carried over." in texts
    assert "Prize: 2. With 3 carried over: 5." in texts
    twice = play(down(4, ties="carry"), (4, 4), (3, 3), (1, 2))
    assert twice.points == (1, 9)  # 4 + 3 + 2, then the last prize
    lost = play(down(3, ties="carry"), (1, 1), (2, 2))  # nothing follows the last prize
    assert lost.points == (0, 0)
    assert lost.log[-1].text == "Tie: 6 is discarded."
    assert lost.payoffs == {"player_0": 0.0, "player_1": 0.0}


def test_only_a_tie_for_the_highest_bid_counts() -> None:
    game = down(3, players=3)
    assert play(game, (1, 1, 3)).points == (0, 0, 3)
    assert play(game, (3, 1, 3)).points == (0, 0, 0)


@pytest.mark.parametrize(
    ("points", "win", "difference"),
    [
        ((3, 2, 1), (1, F(-1, 2), F(-1, 2)), (1, 0, -1)),
        ((0, 0, 2), (F(-1, 2), F(-1, 2), 1), (F(-2, 3), F(-2, 3), F(4, 3))),
        ((3, 3, 0), (F(1, 2), F(1, 2), -1), (1, 1, -2)),
        ((2, 2, 2), (0, 0, 0), (0, 0, 0)),
        ((4, 2), (1, -1), (1, -1)),
        ((1, 2), (-1, 1), (F(-1, 2), F(1, 2))),
    ],
)
def test_payoffs(points: tuple[int, ...], win: tuple[F, ...], difference: tuple[F, ...]) -> None:
    """As OpenSpiel's returns_type win_loss, point_difference and total_points."""
    for payoff, expected in (("win", win), ("difference", difference), ("points", points)):
        game = GoofSpiel(cards=3, players=len(points), payoff=payoff)
        assert game.pays(points) == pytest.approx(tuple(map(float, expected)))


def test_no_payoff_before_the_end() -> None:
    for payoff in ("win", "difference", "points"):
        assert set(play(down(4, payoff=payoff), (4, 1)).payoffs.values()) == {0.0}


def test_a_forfeit_does_not_take_the_other_players_points() -> None:
    """Prizes 4, 3, 2, 1 and three players: two prizes are won, 2 + 1 are left to share."""
    game = down(4, players=3, ties="carry", payoff="points")
    state = Refereed(game, retries=0).start(0)
    for bids in ("421", "143"):
        state = state.step(dict(zip(game.roles, bids, strict=True)))
    assert state.inner.points == (4, 3, 0)
    lost = state.step({"player_0": "2", "player_1": "?", "player_2": "4"})
    assert lost.payoffs == {"player_0": 4 + 3 / 2, "player_1": 0.0, "player_2": 3 / 2}
    both = state.step({"player_0": "?", "player_1": "1", "player_2": "?"})
    assert both.payoffs == {"player_0": 0.0, "player_1": 6.0, "player_2": 0.0}
    assert set(state.step(dict.fromkeys(game.roles, "?")).payoffs.values()) == {0.0}
    carried = Refereed(game, retries=0).start(0).step(dict.fromkeys(game.roles, "4"))
    lost = carried.step({"player_0": "1", "player_1": "?", "player_2": "2"})
    assert lost.payoffs == {"player_0": 5.0, "player_1": 0.0, "player_2": 5.0}  # 4 + 3 + 2 + 1
    zero_sum = Refereed(down(4), retries=0).start(0).step({"player_0": "?", "player_1": "1"})
    assert zero_sum.payoffs == {"player_0": -1.0, "player_1": 1.0}


@given(st.data())
def test_random_games_add_up(data: st.DataObject) -> None:
    """Every prize goes to one player or, after a tie, to nobody; all cards are bid."""
    game = GoofSpiel(
        cards=data.draw(st.integers(2, 6)),
        players=data.draw(st.integers(2, 4)),
        ties=data.draw(st.sampled_from(("discard", "carry"))),
        payoff=data.draw(st.sampled_from(("win", "difference"))),
    )
    state = game.start(data.draw(st.integers(0, 9)))
    while state.to_act:
        state = state.step(
            {r: data.draw(st.sampled_from(state.observe(r).legal or ())) for r in state.to_act}
        )
    texts = [m.text for m in state.log]
    lost = sum(int(t.split()[1]) for t in texts if t.endswith("discarded."))
    assert sum(state.points) + lost == game.cards * (game.cards + 1) // 2
    assert sum(state.payoffs.values()) == pytest.approx(0)
    assert all(hand == () for hand in state.hands)
    assert len([t for t in texts if t.startswith("Prize")]) == game.cards


# --- what is hidden


def test_hidden_bids_are_told_to_the_bidder_only() -> None:
    game = down(4, hidden=True)
    one, two = play(game, (4, 1)), play(game, (4, 3))
    assert one.observe("player_0") == two.observe("player_0")
    assert one.observe("player_1").messages != two.observe("player_1").messages
    assert [m.text for m in one.observe("player_1").messages[1:]] == [
        "Prize: 4.",
        "Your bid: 1.",
        "player_0 wins 4.",
        "Prize: 3.",
    ]
    end = play(game, (4, 1), (3, 2), (1, 3))
    assert [m.text for m in end.observe("player_1").messages[-3:]] == [
        "Prize: 1.",
        "Your last card: 4.",
        "player_1 wins 1.",
    ]
    open_, other = play(down(4), (4, 1)), play(down(4), (4, 3))
    assert open_.observe("player_0") != other.observe("player_0")


def test_no_bid_shows_before_all_are_in() -> None:
    start = Refereed(GoofSpiel(cards=3)).start(0)
    views = []
    for bid in "123":
        waiting = start.step({"player_0": bid, "player_1": "7"})
        assert waiting.rejected == ("player_1",)
        assert waiting.observe("player_0").messages == start.observe("player_0").messages
        views.append(waiting.observe("player_1"))
    assert views[0] == views[1] == views[2]


def test_prizes_to_come_are_not_seen() -> None:
    game = GoofSpiel(cards=4)
    by_first: dict[int, set[Any]] = {}
    for prizes in permutations((1, 2, 3, 4)):
        state = game._open(prizes)
        by_first.setdefault(prizes[0], set()).add(state.observe("player_0").messages)
    assert {len(views) for views in by_first.values()} == {1}


def test_orders() -> None:
    assert GoofSpiel(cards=4, order="ascending").start(7).prizes == (1, 2, 3, 4)
    assert down(4).start(7).prizes == (4, 3, 2, 1)
    dealt = Counter(GoofSpiel(cards=3).start(seed).prizes for seed in range(600))
    assert len(dealt) == 6
    assert all(abs(n - 100) < 55 for n in dealt.values())  # six standard deviations


def test_a_card_is_bid_once() -> None:
    after = Refereed(down(4)).start(0).step({"player_0": "4", "player_1": "1"})
    refused = after.step({"player_0": "4", "player_1": "2"})
    assert refused.rejected == ("player_0",)
    text = refused.observe("player_0").messages[-1].text
    assert text == "That reply is not a legal answer. Reply with one of: 1, 2, 3. Try again."


# --- exactly


def size(tree: Tree) -> tuple[int, int]:
    """Decision nodes and ends."""
    nodes: list[Node] = [node for _, node in tree.roots]
    for node in nodes:
        nodes.extend(node.children.values())
    decisions = sum(node.at is not None for node in nodes)
    return decisions, len(nodes) - decisions


@pytest.mark.parametrize(
    ("game", "nodes", "sets", "expected"),
    [
        (down(3), (31, 36), 20, F(4, 3)),
        (down(4, hidden=True), (501, 576), 162, F(17, 12)),
        (down(4), (501, 576), 322, F(3, 2)),
        (GoofSpiel(cards=4), (24 * 501, 24 * 576), 7304, F(215, 144)),
    ],
    ids=["3 descending", "4 descending hidden", "4 descending", "4 random"],
)
def test_uniform_play(game: GoofSpiel, nodes: tuple[int, int], sets: int, expected: F) -> None:
    """NashConv and tree sizes of OpenSpiel's turn-based goofspiel; 215/144 = 1.493056."""
    tree = walk(game)
    assert size(tree) == nodes
    assert len(tree.sets) == sets
    strategy = tree.table(uniform)
    assert values(tree, strategy) == pytest.approx({"player_0": 0, "player_1": 0})
    assert nash_conv(tree, strategy) == pytest.approx(float(expected))


def test_uniform_play_of_three() -> None:
    tree = walk(down(3, players=3))
    assert nash_conv(tree, tree.table(uniform)) == pytest.approx(11 / 12)


@pytest.mark.parametrize("options", [{}, {"hidden": True}, {"ties": "carry"}])
def test_value_is_zero(options: dict[str, Any]) -> None:
    for cards in (3, 4):
        tree = walk(down(cards, **options))
        found = equilibrium(tree)
        assert found.value == pytest.approx(0, abs=1e-8)
        assert nash_conv(tree, found.strategy) == pytest.approx(0, abs=1e-8)


def test_two_cards_are_a_matrix_game() -> None:
    """Prize 2, then 1: the higher bid takes 2; with equal bids all is discarded."""
    tree = walk(down(2))
    strategy = tree.table(lambda seen: {"2": 1.0})
    assert nash_conv(tree, strategy) == 0
    assert nash_conv(tree, tree.table(lambda seen: {"1": 1.0})) == 2


def test_always_the_lowest_card() -> None:
    """OpenSpiel's policy of the first action: each could win everything, NashConv 2."""
    for game in (down(3), down(4, hidden=True)):
        tree = walk(game)
        lowest = tree.table(lambda seen: {(seen.legal or ())[0]: 1.0})
        assert nash_conv(tree, lowest) == pytest.approx(2)


def test_openings() -> None:
    listed = GoofSpiel(cards=3).openings()
    assert sorted(state.prizes for _, state in listed) == sorted(permutations((1, 2, 3)))
    assert {p for p, _ in listed} == {1 / 6}
    assert len(GoofSpiel(cards=50, order="descending").openings()) == 1
    with pytest.raises(BadInput, match="at most 7 prizes, not of 8; set fewer cards"):
        GoofSpiel(cards=8).openings()


# --- options and contract


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"cards": 1}, "cards must be a whole number from 2 to 100, not 1"),
        ({"players": 11}, "players must be a whole number from 2 to 10"),
        ({"order": "up"}, "order must be one of random, descending, ascending, not 'up'"),
        ({"ties": "split"}, "ties must be one of discard, carry"),
        ({"hidden": 0}, "hidden must be True or False"),
        ({"payoff": "margin"}, "payoff must be one of win, difference, points"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        GoofSpiel(**options)


def test_declares() -> None:
    assert GoofSpiel(cards=5, payoff="points").declares.sum is Sum.GENERAL
    said = GoofSpiel(cards=4, players=4, payoff="difference", hidden=True).declares
    assert (said.sum, said.low, said.high, said.max_turns) == (Sum.ZERO, -2.5, 7.5, 12)
    assert said.hidden_information
    assert not GoofSpiel().declares.hidden_information


def test_rules_say_the_options() -> None:
    texts = {
        GoofSpiel(order=order, ties=ties, hidden=hidden, payoff=payoff).rules("player_0")
        for order, ties, hidden, payoff in product(
            ("random", "descending", "ascending"),
            ("discard", "carry"),
            (False, True),
            ("win", "difference", "points"),
        )
    }
    assert len(texts) == 3 * 2 * 2 * 3
    default = GoofSpiel().rules("player_1")
    for words in (
        "You are player_1, one of 2 players. Each has the cards 1 to 13.",
        "in random order",
        "bids are then shown",
        "it goes to nobody",
        "Most points at the end win",
    ):
        assert words in default
    other = GoofSpiel(order="ascending", ties="carry", hidden=True, payoff="points")
    for words in ("in ascending order", "stay hidden", "carried over", "is your points."):
        assert words in other.rules("player_0")
    assert "minus the mean" in GoofSpiel(payoff="difference").rules("player_0")


@pytest.mark.parametrize(
    "options",
    [
        {"cards": 4},
        {"cards": 3, "players": 3, "hidden": True, "payoff": "difference"},
        {"cards": 4, "order": "ascending", "ties": "carry", "payoff": "points"},
        {"cards": 13, "order": "descending"},
    ],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(GoofSpiel(**options)) == []

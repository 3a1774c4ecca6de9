"""Liar's dice against OpenSpiel's ``liars_dice`` and challenges worked out by hand."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.liars_dice import SEATS, LiarsDice, LiarsDiceState
from sparring.envs.solve import nash_conv, uniform, values, walk


def roll(game: LiarsDice, *rounds: str) -> LiarsDiceState:
    """The start with these dice: by round, the dice of each seat ("26 31")."""
    return game._open(tuple(tuple(tuple(map(int, d)) for d in dice.split()) for dice in rounds))


def play(state: LiarsDiceState, words: str) -> LiarsDiceState:
    """Let whoever is to act say the words, one after the other."""
    for word in words.split():
        state = state.step({state.to_act[0]: word})
    return state


def told(state: LiarsDiceState) -> str:
    return state.log[-1].text


# --- exact numbers


@pytest.mark.parametrize(
    ("sides", "sets", "value", "at_random", "conv", "lowest"),
    [
        (2, 32, 1 / 2, 0.125, 1.125, 1.0),
        (3, 192, 1 / 9, 0.0185185, 1.111111, 1.555556),
        (4, 1024, 1 / 16, -0.015625, 1.310119, 1.75),
        pytest.param(5, 5120, 0.008, -0.028, 1.441742, 1.84, marks=pytest.mark.slow),
    ],
)
def test_one_die_each(
    sides: int, sets: int, value: float, at_random: float, conv: float, lowest: float
) -> None:
    """``at_random``: player_0 when all are; ``conv`` and ``lowest``: NashConv of random play, and
    of the lowest bid always."""
    tree = walk(LiarsDice(sides=sides), limit=200_000)
    assert len(tree.sets) == sets
    strategy = tree.table(uniform)
    assert values(tree, strategy)["player_0"] == pytest.approx(at_random, abs=5e-7)
    assert nash_conv(tree, strategy) == pytest.approx(conv, abs=5e-7)
    timid = tree.table(lambda seen: {(seen.legal or ())[0]: 1.0})
    assert nash_conv(tree, timid) == pytest.approx(lowest, abs=5e-7)
    found = equilibrium(tree)
    assert found.value == pytest.approx(value, abs=1e-9)
    assert nash_conv(tree, found.strategy) == pytest.approx(0, abs=1e-9)


def test_openings_join_equal_dice() -> None:
    openings = LiarsDice(dice=2, sides=3).openings()
    assert len(openings) == 36  # six unordered pairs each
    chance = {state.rolls[0]: p for p, state in openings}
    assert chance[(1, 1), (1, 1)] == pytest.approx(1 / 81)
    assert chance[(1, 2), (1, 3)] == pytest.approx(4 / 81)


# --- the rules, by hand


@pytest.mark.parametrize(
    ("dice", "words", "loser"),
    [
        ("2 5", "1x2 liar", 1),  # the bid holds
        ("2 5", "1x3 liar", 0),
        ("2 6", "1x3 liar", 1),  # six counts as every face
        ("6 6", "2x1 liar", 1),
        ("6 6", "1x6 2x6 liar", 0),
        ("6 5", "1x6 2x6 liar", 1),  # only sixes are sixes
        ("6 5", "1x1 1x2 1x5 2x5 liar", 0),
        ("6 4", "1x1 1x2 1x5 2x5 liar", 1),
    ],
)
def test_challenge(dice: str, words: str, loser: int) -> None:
    state = play(roll(LiarsDice(), dice), words)
    assert state.to_act == ()
    assert state.payoffs == {SEATS[loser]: -1.0, SEATS[1 - loser]: 1.0}


@pytest.mark.parametrize(("wild", "loser"), [(True, 1), (False, 0)])
def test_wild_faces_are_an_option(wild: bool, loser: int) -> None:
    state = play(roll(LiarsDice(wild=wild), "2 6"), "1x3 liar")
    assert state.payoffs[SEATS[loser]] == -1.0
    assert ("6 counts as every face" in LiarsDice(wild=wild).rules("player_0")) == wild


@given(st.data())
@settings(deadline=None)
def test_challenge_by_its_plain_definition(data: st.DataObject) -> None:
    """Any number of players, dice and faces: count the dice, compare with the bid."""
    game = LiarsDice(
        players=data.draw(st.integers(2, 10)),
        dice=data.draw(st.integers(1, 5)),
        sides=data.draw(st.integers(2, 8)),
        wild=data.draw(st.booleans()),
    )
    count = data.draw(st.integers(1, game.players * game.dice))
    face = data.draw(st.integers(1, game.sides))
    hand = st.lists(st.integers(1, game.sides), min_size=game.dice, max_size=game.dice)
    dice = [data.draw(hand) for _ in game.roles]
    state = play(game._open((tuple(map(tuple, dice)),)), f"{count}x{face} liar")
    joined = [die for one in dice for die in one]
    found = joined.count(face)
    if game.wild and face != game.sides:
        found += joined.count(game.sides)
    loser = "player_0" if found < count else "player_1"
    others = 1 / (game.players - 1)
    expected = {role: -1.0 if role == loser else others for role in game.roles}
    assert state.payoffs == pytest.approx(expected)
    assert f"Dice that count as {face}: {found}, bid: {count}. {loser} loses." in told(state)


def test_legal_answers_are_the_higher_bids() -> None:
    state = roll(LiarsDice(sides=3), "2 3")
    assert state.legal == ("1x1", "1x2", "1x3", "2x1", "2x2", "2x3")  # no challenge before a bid
    assert play(state, "1x3").legal == ("2x1", "2x2", "2x3", "liar")
    assert play(state, "2x2").legal == ("2x3", "liar")
    assert play(state, "1x1 2x3").legal == ("liar",)  # no bid exceeds the dice in play
    assert state.observe("player_1").legal == ()


def test_words() -> None:
    state = roll(LiarsDice(dice=2), "62 51")
    assert [m.text for m in state.observe("player_0").messages][1:] == ["Your dice: 2 6"]
    assert [m.text for m in state.observe("player_1").messages][1:] == ["Your dice: 1 5"]
    end = told(play(state, "3x5 liar"))
    assert end == (
        "player_0 had 2 6, player_1 had 1 5. Dice that count as 5: 2, bid: 3. player_0 loses."
    )


def test_others_share_what_the_loser_pays() -> None:
    state = play(roll(LiarsDice(players=4), "2 3 4 5"), "1x2 1x3 2x1")
    assert state.to_act == ("player_3",)
    state = play(state, "liar")
    third = pytest.approx(1 / 3)
    assert state.payoffs == {
        "player_0": third,
        "player_1": third,
        "player_2": -1.0,
        "player_3": third,
    }


# --- a match


def test_match() -> None:
    game = LiarsDice(players=3, dice=1, sides=4, match=True)
    state = play(roll(game, "1 2 3", "1 1 2"), "1x1 1x2 liar")  # player_1's bid holds
    assert state.payoffs == dict.fromkeys(SEATS[:3], 0.0)
    assert (
        state.log[-3].text
        == "Round 2. Dice: player_0 1, player_1 1, player_2 0. player_0 bids first."
    )
    assert state.legal[-1] == "2x4"  # two dice are left
    assert [m.text for m in state.observe("player_2").messages][-1] == state.log[-3].text
    state = play(state, "1x2")
    assert state.to_act == ("player_1",)
    state = play(state, "2x1")
    assert state.to_act == ("player_0",)  # player_2 is out
    state = play(state, "liar")
    assert state.to_act == ()
    assert [m.text for m in state.log[-2:]] == [
        "player_0 had 1, player_1 had 1. Dice that count as 1: 2, bid: 2. player_0 loses a die.",
        "player_1 wins.",
    ]
    assert state.payoffs == {"player_0": -0.5, "player_1": 1.0, "player_2": -0.5}


def test_loser_bids_first_with_one_die_less() -> None:
    state = play(roll(LiarsDice(dice=2, match=True), "12 34", "56 55", "11 11"), "1x1 1x5 liar")
    assert state.held == (2, 1)  # player_1 has bid a five that nobody has
    assert state.to_act == ("player_1",)
    assert [m.text for m in state.observe("player_1").messages][-1] == "Your dice: 5"
    assert [m.text for m in state.observe("player_0").messages][-1] == "Your dice: 5 6"
    assert state.legal[-1] == "3x6"
    lost = play(state, "3x5 liar")  # 5, 5 and the six: the bid holds
    assert lost.held == (1, 1)
    assert lost.to_act == ("player_0",)


@given(
    st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 3), st.integers(2, 4), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_random_games_end_and_keep_the_rules(
    seed: int, players: int, dice: int, sides: int, match: bool
) -> None:
    game = LiarsDice(players=players, dice=dice, sides=sides, match=match)
    state, rng, challenges = game.start(seed), random.Random(seed), 0
    while state.to_act:
        bids = [word for word in state.legal if word != "liar"]
        assert all(int(bid.split("x")[0]) <= sum(state.held) for bid in bids)
        answer = rng.choice(state.legal)
        challenges += answer == "liar"
        state = play(state, answer)
    assert sum(state.payoffs.values()) == pytest.approx(0)
    if match:
        assert sum(held > 0 for held in state.held) == 1
        assert challenges == players * dice - sum(state.held)
    else:
        assert challenges == 1


@pytest.mark.parametrize(
    "game", [LiarsDice(), LiarsDice(players=3, dice=2), LiarsDice(2, 3, 3, match=True)], ids=str
)
def test_longest_game_is_the_declared(game: LiarsDice) -> None:
    """Everybody bids the next higher each time, and the winner of every challenge is the same."""
    longest = 0
    for seed in range(30):
        state, turns = game.start(seed), 0
        while state.to_act:
            state, turns = play(state, state.legal[0]), turns + 1
        longest = max(longest, turns)
        assert turns <= game.declares.max_turns
    assert longest == game.declares.max_turns


@pytest.mark.parametrize(("dice", "sides"), [(1, 6), (2, 4), (3, 3)])
def test_plays_like_openspiel(dice: int, sides: int) -> None:
    """Random games with the same dice and answers: same roles, answers and payoffs."""
    pyspiel = pytest.importorskip("pyspiel")
    theirs = pyspiel.load_game(f"liars_dice(numdice={dice},dice_sides={sides})")
    game, rng = LiarsDice(dice=dice, sides=sides), random.Random(dice)
    for seed in range(200):
        ours, other = game.start(seed), theirs.new_initial_state()
        for face in (face for hand in ours.rolls[0] for face in hand):
            other.apply_action(face - 1)
        while not other.is_terminal():
            (role,) = ours.to_act
            assert role == SEATS[other.current_player()]
            words = [
                other.action_to_string(action).replace("-", "x").casefold()
                for action in other.legal_actions()
            ]
            assert list(ours.legal) == words
            choice = rng.randrange(len(words))
            other.apply_action(other.legal_actions()[choice])
            ours = play(ours, words[choice])
        assert list(ours.payoffs.values()) == other.returns()


# --- options


@pytest.mark.parametrize(
    "game",
    [
        LiarsDice(players=3, sides=2),
        LiarsDice(dice=2, sides=2, match=True),
        LiarsDice(dice=2, sides=2, wild=False),
    ],
    ids=str,
)
def test_contract(game: LiarsDice) -> None:
    assert check(game) == []


def test_rules_say_the_options() -> None:
    rules = LiarsDice(players=3, dice=2, sides=4).rules("player_1")
    assert "one of 3 players. Each has 2 dice with faces 1 to 4" in rules
    assert "The loser pays 1, which the others share." in rules
    assert "gives up a die" not in rules
    assert "pays" not in LiarsDice().rules("player_0")
    match = LiarsDice(match=True).rules("player_0")
    assert match.endswith("no dice left. The last player with dice wins.")
    three = LiarsDice(players=3, match=True).rules("player_0")
    assert three.endswith("with dice wins; it gets 1, which the others pay together.")
    assert "2x2 says" in LiarsDice(sides=2).rules("player_0")  # an example that is a bid


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"players": 1}, "players must be a whole number from 2 to 10, not 1"),
        ({"dice": 0}, "dice must be a whole number from 1 to 20, not 0"),
        ({"sides": 1}, "sides must be a whole number from 2 to 20, not 1"),
        ({"wild": 1}, "wild must be True or False, not 1"),
        ({"match": "yes"}, "match must be True or False, not 'yes'"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        LiarsDice(**options)


def test_too_many_openings() -> None:
    game = LiarsDice(dice=5)
    game.start(1)
    with pytest.raises(BadInput, match="too many rolls"):
        game.openings()

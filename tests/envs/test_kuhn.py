"""Kuhn poker against Kuhn (1950) and numbers computed with fractions.

Players and payoffs are named as in the paper's analysis: alpha is the probability with which the
first player bets the jack.
"""

import random
import re
from collections.abc import Callable, Mapping
from fractions import Fraction as F
from itertools import product
from typing import Any

import pytest

from sparring.agents.optimal import kuhn_equilibrium
from sparring.envs.contract import check
from sparring.envs.core import BadInput, Observation, Role
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games import kuhn
from sparring.envs.games.kuhn import DEALS, SEATS, KuhnPoker, KuhnState
from sparring.envs.solve import (
    Policy,
    Tree,
    best_response,
    exploitability,
    nash_conv,
    uniform,
    values,
    walk,
)

ALPHAS = (0.0, 1 / 10, 1 / 5, 1 / 3)
BOLD = {"check": "bet", "bet": "bet", "call": "call", "fold": "call"}
Bold = Callable[[tuple[str, ...], str], float]


@pytest.fixture(scope="module")
def tree() -> Tree:
    return walk(KuhnPoker())


def situation(observation: Observation) -> tuple[tuple[str, ...], str]:
    """What was said in this hand, and the card."""
    said: list[str] = []
    card = ""
    for message in observation.messages:
        if dealt := re.fullmatch(r"Your card: ([JQK])", message.text):
            said, card = [], dealt[1]
        elif answer := re.fullmatch(r"player_[01]: (\w+)", message.text):
            said.append(answer[1])
    return tuple(said), card


def bold(chance: Bold) -> Policy:
    """The policy that bets or calls with probability ``chance(said, card)``."""

    def policy(observation: Observation) -> Mapping[str, float]:
        p = chance(*situation(observation))
        timid, daring = (
            ("fold", "call") if "call" in (observation.legal or ()) else ("check", "bet")
        )
        return {timid: 1 - p, daring: p}

    return policy


def family(alpha: float) -> Policy:
    """Kuhn's equilibria for alpha in [0, 1/3]; beyond that K's bet is cut at 1."""
    table = {
        (): {"J": alpha, "Q": 0.0, "K": min(3 * alpha, 1.0)},
        ("check", "bet"): {"J": 0.0, "Q": alpha + 1 / 3, "K": 1.0},
        ("check",): {"J": 1 / 3, "Q": 0.0, "K": 1.0},
        ("bet",): {"J": 0.0, "Q": 1 / 3, "K": 1.0},
    }
    return bold(lambda said, card: table[said][card])


def seated(tree: Tree, first: Policy, second: Policy) -> dict[Any, Mapping[str, float]]:
    """One strategy out of a policy for each seat."""
    one, two = tree.table(first), tree.table(second)
    return {key: one[key] if key[0] == "player_0" else two[key] for key in tree.sets}


def worth(tree: Tree, first: Policy, second: Policy) -> float:
    return values(tree, seated(tree, first, second))["player_0"]


def play(deal: str, *answers: str) -> KuhnState:
    state = next(s for _, s in KuhnPoker().openings() if s.deals == (deal,))
    for answer in answers:
        (role,) = state.to_act
        state = state.step({role: answer})
    return state


# --- the rules, by hand


@pytest.mark.parametrize(
    ("answers", "higher", "lower"),
    [
        (("check", "check"), 1, -1),
        (("bet", "call"), 2, -2),
        (("bet", "fold"), 1, 1),
        (("check", "bet", "call"), 2, -2),
        (("check", "bet", "fold"), -1, -1),
    ],
)
@pytest.mark.parametrize("deal", DEALS)
def test_payoffs(deal: str, answers: tuple[str, ...], higher: int, lower: int) -> None:
    """``higher`` is paid to the first player with the higher card, ``lower`` with the lower."""
    state = play(deal, *answers)
    expected = higher if deal in ("QJ", "KJ", "KQ") else lower
    assert state.to_act == ()
    assert state.payoffs == {"player_0": expected, "player_1": -expected}


def test_tree_has_kuhns_size(tree: Tree) -> None:
    nodes = [node for _, node in tree.roots]
    for node in nodes:
        nodes.extend(node.children.values())
    assert len(tree.roots) == 6
    assert sum(node.at is not None for node in nodes) == 24
    assert sum(node.at is None for node in nodes) == 30
    assert len(tree.sets) == 12
    each = {(key[0], *situation(info.observation)) for key, info in tree.sets.items()}
    assert len(each) == 12  # and the views tell apart exactly what the players can


def test_cards_are_private_until_a_showdown() -> None:
    for deal, other in (("JQ", "JK"), ("KJ", "KQ")):
        one, two = play(deal, "check", "bet"), play(other, "check", "bet")
        assert one.observe("player_0") == two.observe("player_0")
        one, two = (state.step({"player_0": "fold"}) for state in (one, two))
        assert one.observe("player_0") == two.observe("player_0")
    shown = play("JQ", "bet", "call").observe("player_0").messages[-1]
    assert shown.text == "player_0 had J, player_1 had Q. player_1 wins 2."


def test_every_deal_is_dealt_equally_often() -> None:
    n = 3000
    dealt = [KuhnPoker().start(seed).deals[0] for seed in range(n)]
    for deal in DEALS:  # 500 each, standard deviation 20
        assert abs(dealt.count(deal) - n / 6) < 100


# --- one hand, exactly


def test_value(tree: Tree) -> None:
    found = equilibrium(tree)
    assert found.value == pytest.approx(-1 / 18)
    assert nash_conv(tree, found.strategy) == pytest.approx(0, abs=1e-9)
    assert values(tree, found.strategy)["player_0"] == pytest.approx(-1 / 18)


def test_found_equilibrium_is_one_of_kuhns(tree: Tree) -> None:
    """The second player's strategy is unique; the first's is fixed by alpha."""
    strategy = equilibrium(tree).strategy

    def chance(said: tuple[str, ...], card: str) -> float:
        key = next(k for k, i in tree.sets.items() if situation(i.observation) == (said, card))
        return sum(p for answer, p in strategy[key].items() if answer in ("bet", "call"))

    alpha = chance((), "J")
    assert -1e-9 <= alpha <= 1 / 3 + 1e-9
    expected = tree.table(family(alpha))
    for key, info in tree.sets.items():
        if situation(info.observation) == (("check", "bet"), "K") and alpha > 1 / 3 - 1e-6:
            continue  # never reached: the king has been bet
        assert strategy[key] == pytest.approx(expected[key], abs=1e-7)


def test_uniform(tree: Tree) -> None:
    strategy = tree.table(uniform)
    assert values(tree, strategy) == pytest.approx({"player_0": 1 / 8, "player_1": -1 / 8})
    assert best_response(tree, strategy, "player_0").value == pytest.approx(1 / 2)
    assert best_response(tree, strategy, "player_1").value == pytest.approx(5 / 12)
    assert nash_conv(tree, strategy) == pytest.approx(11 / 12)
    assert exploitability(tree, strategy) == pytest.approx(11 / 24)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_equilibria(tree: Tree, alpha: float) -> None:
    strategy = tree.table(family(alpha))
    assert nash_conv(tree, strategy) == pytest.approx(0, abs=1e-12)
    assert values(tree, strategy)["player_0"] == pytest.approx(-1 / 18)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (family(2 / 5), 1 / 30),
        (bold(lambda said, card: 1.0), 2 / 3),
        (bold(lambda said, card: 0.0), 2.0),
        (bold(lambda said, card: float(card == "K")), 1 / 2),
    ],
    ids=["alpha=2/5", "always bet and call", "always check and fold", "only the king"],
)
def test_nash_conv(tree: Tree, policy: Policy, expected: float) -> None:
    assert nash_conv(tree, tree.table(policy)) == pytest.approx(expected)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_equilibrium_against_uniform(tree: Tree, alpha: float) -> None:
    assert worth(tree, family(alpha), uniform) == pytest.approx(1 / 18 + alpha / 3)
    assert worth(tree, uniform, family(alpha)) == pytest.approx(-1 / 6)


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (0.0, {"JQ": -1, "JK": -1, "QJ": F(2, 3), "QK": F(-4, 3), "KJ": F(4, 3), "KQ": 1}),
        (1 / 3, {"JQ": F(-2, 3), "JK": F(-4, 3), "QJ": 1, "QK": F(-5, 3), "KJ": 1, "KQ": F(4, 3)}),
    ],
)
def test_value_of_each_deal(tree: Tree, alpha: float, expected: Mapping[str, F]) -> None:
    strategy = tree.table(family(alpha))
    for (_, root), (_, state) in zip(tree.roots, KuhnPoker().openings(), strict=True):
        one = Tree(tree.game, ((1.0, root),), tree.sets)
        assert values(one, strategy)["player_0"] == pytest.approx(float(expected[state.deals[0]]))


@pytest.mark.parametrize(
    ("policy", "expected", "variance"),
    [
        (uniform, {-2: F(3, 16), -1: F(1, 4), 1: F(3, 8), 2: F(3, 16)}, F(135, 64)),
        (family(0), {-2: F(1, 18), -1: F(13, 27), 1: F(7, 18), 2: F(2, 27)}, F(449, 324)),
        (family(1 / 3), {-2: F(5, 27), -1: F(8, 27), 1: F(23, 54), 2: F(5, 54)}, F(593, 324)),
    ],
    ids=["uniform", "alpha=0", "alpha=1/3"],
)
def test_distribution_of_payoffs(
    tree: Tree, policy: Policy, expected: Mapping[int, F], variance: F
) -> None:
    strategy = tree.table(policy)
    chances = dict.fromkeys(expected, 0.0)
    queue = list(tree.roots)
    for p, node in queue:
        if node.at is None:
            chances[int(node.payoffs["player_0"])] += p
        else:
            queue += [(p * strategy[node.at.key][a], child) for a, child in node.children.items()]
    assert chances == pytest.approx({k: float(p) for k, p in expected.items()})
    mean = sum(p * k for k, p in chances.items())
    assert sum(p * (k - mean) ** 2 for k, p in chances.items()) == pytest.approx(float(variance))


# --- several hands


def test_two_hands_cancel_out() -> None:
    """The first seat alternates, so the value is -1/18 + 1/18; no hand influences the other."""
    tree = walk(KuhnPoker(hands=2))
    strategy = tree.table(uniform)
    assert values(tree, strategy)["player_0"] == pytest.approx(0, abs=1e-12)
    assert nash_conv(tree, strategy) == pytest.approx(2 * 11 / 12)
    assert best_response(tree, strategy, "player_0").value == pytest.approx(1 / 2 + 5 / 12)
    assert nash_conv(tree, tree.table(family(1 / 5))) == pytest.approx(0, abs=1e-12)
    assert equilibrium(tree).value == pytest.approx(0, abs=1e-9)


def test_first_seat_alternates_and_chips_add_up() -> None:
    state = KuhnPoker(hands=3).start(5)
    first: list[Role] = []
    for answers, chips in (
        (("bet", "fold"), 1),
        (("bet", "fold"), 0),
        (("check", "bet", "fold"), -1),
    ):
        first.append(state.to_act[0])
        for answer in answers:
            (role,) = state.to_act
            state = state.step({role: answer})
        assert state.payoffs == {"player_0": chips, "player_1": -chips}
    assert first == ["player_0", "player_1", "player_0"]
    assert state.to_act == ()


def test_showdowns_of_several_hands_add_up() -> None:
    state = KuhnPoker(hands=4).start(11)
    expected = 0
    for first, second in state.deals:
        expected += 2 if "JQK".index(first) > "JQK".index(second) else -2
        for answer in ("bet", "call"):
            state = state.step({state.to_act[0]: answer})
    assert state.payoffs["player_0"] == expected


def test_next_card_is_private_and_not_seen_before() -> None:
    game = KuhnPoker(hands=2)
    openings = {state.deals: state for _, state in game.openings()}
    for (one, a), (two, b) in product(openings.items(), repeat=2):
        if one[0] != two[0]:
            continue  # another first hand
        assert [a.observe(r) for r in game.roles] == [b.observe(r) for r in game.roles]
        a, b = (s.step({"player_0": "bet"}).step({"player_1": "fold"}) for s in (a, b))
        for seat, role in enumerate(game.roles):
            same = one[1][seat] == two[1][seat]
            assert (a.observe(role) == b.observe(role)) == same


def test_rules_say_how_many_hands() -> None:
    assert "3 hands; the first seat alternates" in KuhnPoker(hands=3).rules("player_0")
    assert "hands" not in KuhnPoker().rules("player_0")
    declared = KuhnPoker(hands=3).declares
    assert (declared.max_turns, declared.low, declared.high) == (9, -6.0, 6.0)


@pytest.mark.parametrize("hands", [0, -1, 1.5, "2", None])
def test_hands_must_be_a_count(hands: Any) -> None:
    with pytest.raises(BadInput, match="hands must be a whole number"):
        KuhnPoker(hands=hands)


# --- more than two players


def at_table(*deals: str) -> KuhnState:
    """The start of a game with these deals, a card a seat."""
    return kuhn.start_of(KuhnPoker(players=len(deals[0]), hands=len(deals)), deals)


def say(state: KuhnState, words: str) -> KuhnState:
    for word in words.split():
        state = state.step({state.to_act[0]: word})
    return state


@pytest.mark.parametrize(
    ("players", "sets", "expected", "conv", "first_conv"),
    [
        (3, 48, (0.234375, -0.046875, -0.1875), 2.0625, 6),
        (4, 160, (0.309896, 0.018229, -0.127604, -0.200521), 3.476042, 12),
    ],
)
def test_uniform_play_of_several(
    players: int, sets: int, expected: tuple[float, ...], conv: float, first_conv: float
) -> None:
    """The numbers of OpenSpiel; ``first_conv`` is that of checking and folding always."""
    several = walk(KuhnPoker(players=players))
    assert len(several.sets) == sets
    strategy = several.table(uniform)
    assert tuple(values(several, strategy).values()) == pytest.approx(expected, abs=5e-7)
    assert nash_conv(several, strategy) == pytest.approx(conv, abs=5e-7)
    timid = several.table(lambda seen: {"fold" if "fold" in (seen.legal or ()) else "check": 1.0})
    assert nash_conv(several, timid) == pytest.approx(first_conv)


@pytest.mark.parametrize(
    ("cards", "words", "paid"),
    [
        ("TJQ", "check check check", (-1, -1, 2)),
        ("TJQ", "bet fold fold", (2, -1, -1)),
        ("TJQ", "bet call fold", (-2, 3, -1)),
        ("KJQ", "bet call call", (4, -2, -2)),
        ("TKQ", "check check bet fold call", (-1, 3, -2)),
        ("TKQ", "check check bet fold fold", (-1, -1, 2)),
        ("KTQ", "check bet fold call", (3, -2, -1)),
    ],
)
def test_payoffs_of_three(cards: str, words: str, paid: tuple[int, ...]) -> None:
    state = say(at_table(cards), words)
    assert state.to_act == ()
    assert tuple(state.payoffs.values()) == paid


def test_only_those_still_in_show_their_cards() -> None:
    state = say(at_table("TKQ"), "check check bet fold call")
    last = "player_1 had K, player_2 had Q. player_1 wins 3."
    assert state.observe("player_0").messages[-1].text == last
    state = say(at_table("TKQ"), "check check bet fold fold")
    assert state.observe("player_0").messages[-1].text == "player_2 wins 2."


def test_first_seat_of_several_rotates() -> None:
    state = at_table("TJQ", "TJQ", "TJQ")
    state = say(state, "bet fold fold check bet fold fold")
    assert state.to_act == ("player_2",)
    assert state.won[0] == 1
    assert tuple(state.payoffs.values()) == (1.0, -2.0, 1.0)
    state = say(state, "bet")
    assert state.to_act == ("player_0",)


@pytest.mark.parametrize("players", [3, 5, 10])
def test_several_play_like_openspiel(players: int) -> None:
    """Random games with the same cards and answers: same roles and payoffs."""
    pyspiel = pytest.importorskip("pyspiel")
    theirs = pyspiel.load_game(f"kuhn_poker(players={players})")
    game, rng = KuhnPoker(players=players), random.Random(players)
    for seed in range(100):
        ours, other = game.start(seed), theirs.new_initial_state()
        for card in ours.deals[0]:
            other.apply_action(game.cards.index(card))
        while not other.is_terminal():
            assert ours.to_act == (SEATS[other.current_player()],)
            word = rng.choice(ours.spot.legal)
            other.apply_action(int(word in ("bet", "call")))
            ours = say(ours, word)
        assert ours.to_act == ()
        assert list(ours.payoffs.values()) == other.returns()


def test_decks_and_deals_of_several() -> None:
    assert KuhnPoker().cards == "JQK"
    assert KuhnPoker(players=10).cards == "3456789TJQK"
    game = KuhnPoker(players=3)
    dealt = [kuhn.deal(game.cards, number) for number in range(24)]
    assert dealt == [state.deals[0] for _, state in game.openings()]
    assert len(set(dealt)) == 24
    matches = {state.deals for _, state in KuhnPoker(hands=2).openings()}
    assert matches == set(product(DEALS, DEALS))


@pytest.mark.parametrize("players", [2, 3, 4])
def test_longest_hand_is_the_declared(players: int) -> None:
    game = KuhnPoker(players=players)
    cards = "".join(reversed(game.cards))[:players]
    state = at_table(cards)
    words = ["check"] * (players - 1) + ["bet"] + ["call"] * (players - 1)
    state = say(state, " ".join(words))
    assert state.to_act == ()
    assert len(words) == game.declares.max_turns
    assert max(state.payoffs.values()) == game.declares.high
    assert min(state.payoffs.values()) == game.declares.low


def test_rules_of_several() -> None:
    rules = KuhnPoker(players=3, hands=2).rules("player_2")
    assert "Cards T < J < Q < K, one each." in rules
    assert "After a bet all others answer in turn" in rules
    assert "2 hands; the first seat moves on by one each hand." in rules


def test_two_player_equilibria_are_not_played_at_larger_tables() -> None:
    with pytest.raises(BadInput, match="optimal play of Kuhn poker is known for two players only"):
        kuhn_equilibrium()(at_table("JQK").observe("player_0"))


@pytest.mark.parametrize("players", [1, 11, 2.0])
def test_players_must_be_a_count(players: Any) -> None:
    with pytest.raises(BadInput, match="players must be a whole number from 2 to 10"):
        KuhnPoker(players=players)


@pytest.mark.parametrize("game", [KuhnPoker(players=10), KuhnPoker(hands=20)], ids=str)
def test_too_many_openings(game: KuhnPoker) -> None:
    game.start(1)
    with pytest.raises(BadInput, match="too many deals"):
        game.openings()


@pytest.mark.parametrize("game", [KuhnPoker(players=3), KuhnPoker(hands=2)], ids=str)
def test_contract(game: KuhnPoker) -> None:
    assert check(game) == []

"""Kuhn poker against Kuhn (1950) and numbers computed with fractions.

Players and payoffs are named as in the paper's analysis: alpha is the probability with which the
first player bets the jack.
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction as F
from itertools import product
from typing import Any

import pytest

from sparring.envs.core import BadInput, Observation, Role
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.kuhn import DEALS, KuhnPoker, KuhnState
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

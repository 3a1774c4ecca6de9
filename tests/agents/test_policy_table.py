"""Policies in words, and what they lose at every information set."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.agents.gaps import gaps, nash_convs, stacked
from sparring.agents.optimal import kuhn_equilibrium
from sparring.agents.policy_table import Row, reference, rows, sentence
from sparring.agents.wording import percent, percentages, situation
from sparring.envs import game
from sparring.envs.core import Message
from sparring.envs.messages import private, public
from sparring.envs.solve import Strategy, Tree, best_response, nash_conv, uniform, values, walk

KUHN = walk(game("KuhnPoker-v0"))
SPECS = [
    "KuhnPoker-v0",
    "KuhnPoker-v0(players=3)",
    "LeducPoker-v0",
    "LiarsDice-v0(sides=3)",
    "RockPaperScissors-v0(rounds=2,rock=3)",
    "GoofSpiel-v0(cards=3)",
]


def anyhow(tree: Tree, seed: int) -> Strategy:
    """A strategy drawn at random, with some answers never given."""
    luck = random.Random(seed)
    table = {}
    for key, info in tree.sets.items():
        legal = info.observation.legal or ()
        weights = [luck.choice((0.0, 0.1, 1.0, 3.0)) for _ in legal]
        total = sum(weights)
        table[key] = {
            a: w / total if total else 1 / len(legal) for a, w in zip(legal, weights, strict=True)
        }
    return table


@pytest.mark.parametrize("spec", SPECS)
def test_losses_add_up_to_what_a_best_response_gains(spec: str) -> None:
    tree = walk(game(spec))
    for strategy in (tree.table(uniform), anyhow(tree, 1), anyhow(tree, 2)):
        now = values(tree, strategy)
        found = gaps(tree, stacked(tree, strategy))
        for role in tree.game.roles:
            lost = sum(float(gap.loss[0]) for (who, _), gap in found.items() if who == role)
            best = best_response(tree, strategy, role).value
            assert lost == pytest.approx(best - now[role], abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_many_strategies_at_once_are_each_alone(seeds: list[int]) -> None:
    tables = [anyhow(KUHN, seed) for seed in seeds]
    together = {
        key: np.concatenate([stacked(KUHN, table)[key] for table in tables]) for key in KUHN.sets
    }
    alone = [nash_conv(KUHN, table) for table in tables]
    assert nash_convs(KUHN, together) == pytest.approx(alone, abs=1e-12)


def test_the_rows_of_uniform_play() -> None:
    strategy = KUHN.table(uniform)
    right = reference(KUHN, strategy)
    assert right is not None
    found = rows(KUHN, strategy, right.strategy)
    assert sum(row.loss for row in found) == pytest.approx(11 / 12)
    assert [row.situation for row in found] == [
        f"holding {card}, {said}"
        for said in ("at the start", "after check, bet", "after a check", "after a bet")
        for card in "JQK"
    ]
    assert [row.role for row in found] == ["player_0"] * 6 + ["player_1"] * 6
    assert [row.reach for row in found] == pytest.approx([1 / 3] * 3 + [1 / 12] * 3 + [1 / 6] * 6)
    # a king that may call a bet folds it half of the time: 1/6 · 1/2 · (2 − (−1)) = 1/4
    assert found[-1].loss == pytest.approx(1 / 4)
    assert sentence(found[6]) == "holding J, after a check: bets 50 % (equilibrium: 33 %)"
    assert all(abs(sum(row.chances.values()) - 1) < 1e-12 for row in found)


@pytest.mark.parametrize(
    ("bets", "alpha"), [(0.0, 0.0), (0.2, 0.2), (1 / 3, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 3)]
)
def test_kuhn_is_compared_with_the_nearest_equilibrium(bets: float, alpha: float) -> None:
    strategy = dict(KUHN.table(uniform))
    first = next(k for k in KUHN.sets if k[1][-1].text == "Your card: J" and k[0] == "player_0")
    strategy[first] = {"bet": bets, "check": 1 - bets}
    right = reference(KUHN, strategy)
    assert right is not None
    assert right.note == f"the nearest of Kuhn's equilibria, α = {alpha:.3g}"
    assert right.strategy == KUHN.table(kuhn_equilibrium(alpha))


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.2, 1 / 3])
def test_an_equilibrium_is_its_own_nearest_and_loses_nothing(alpha: float) -> None:
    strategy = KUHN.table(kuhn_equilibrium(alpha))
    right = reference(KUHN, strategy)
    assert right is not None
    for row in rows(KUHN, strategy, right.strategy):
        assert row.equilibrium == pytest.approx(dict(row.chances))
        assert row.loss == pytest.approx(0, abs=1e-12)


def test_other_games_have_one_equilibrium_without_what_it_never_reaches() -> None:
    tree = walk(game("LeducPoker-v0"))
    right = reference(tree, tree.table(uniform))
    assert right is not None
    assert right.note == "one equilibrium; there may be others"
    assert 0 < len(right.strategy) < len(tree.sets)
    whole = {key: right.strategy.get(key) or uniform(i.observation) for key, i in tree.sets.items()}
    assert nash_conv(tree, whole) == pytest.approx(0, abs=1e-6)
    found = rows(tree, tree.table(uniform), right.strategy)
    assert {row.equilibrium is None for row in found} == {True, False}


def test_three_players_have_no_reference() -> None:
    tree = walk(game("KuhnPoker-v0(players=3)"))
    assert reference(tree, tree.table(uniform)) is None
    found = rows(tree, tree.table(uniform))
    assert sum(row.loss for row in found) == pytest.approx(2.0625)
    assert sentence(found[0]) == "holding T, at the start: bets 50 %"


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "0 %"),
        (-1e-15, "0 %"),
        (1e-5, "under 0.1 %"),
        (0.004, "0.4 %"),
        (0.01, "1 %"),
        (1 / 3, "33 %"),
        (0.99, "99 %"),
        (0.994, "99.4 %"),
        (0.9999, "100 %"),
        (1.0, "100 %"),
    ],
)
def test_percent(p: float, words: str) -> None:
    assert percent(p) == words


@pytest.mark.parametrize(
    ("chances", "words"),
    [
        ({"bet": 0.31, "check": 0.69}, "bets 31 %, checks 69 %"),
        ({"call": 0.0, "fold": 1.0}, "always folds"),
        ({"rock": 1.0, "paper": 0.0}, "always plays rock"),
        ({"rock": 0.5, "paper": 0.5, "scissors": 0.0}, "plays rock (50 %), paper (50 %)"),
        ({"pass": 0.5, "bet": 0.5}, "passes 50 %, bets 50 %"),
        ({str(i): 1 / 9 for i in range(9)}, "any of 9, each 11 %"),
        (
            {"a": 0.1, "b": 0.2, "c": 0.2, "d": 0.1, "e": 0.1, "f": 0.1, "g": 0.15, "h": 0.05},
            "plays b (20 %), c (20 %), g (15 %), a (10 %), d (10 %), e (10 %), 2 others (15 %)",
        ),
    ],
)
def test_policies_in_words(chances: dict[str, float], words: str) -> None:
    assert percentages(chances) == words


ROLES = ("player_0", "player_1")
RULES = private("Rules.", "player_0")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((), "at the start"),
        ((public("Your card: J"),), "holding J, at the start"),
        ((public("Your card: J"), public("player_0: check")), "holding J, after a check"),
        ((public("Your dice: 6"), public("player_0: 1x5")), "holding 6, after 1x5"),
        (
            (public("Your card: J"), public("player_0: bet"), public("Public card: K.")),
            "holding J, after bet, public card K",
        ),
        ((Message("player_1", "I am\nsure."),), "after player_1: I am / sure"),
        (
            (public("player_0: rock, player_1: paper. Nobody wins."),),
            "after player_0: rock, player_1: paper. Nobody wins",
        ),
        (
            (public("Your card: J"), public("player_0: check"), public("Your card: Q")),
            "holding J, after check, holding Q",
        ),
    ],
)
def test_situations(told: tuple[Message, ...], words: str) -> None:
    assert situation((RULES, *told), ROLES) == words


def test_a_sentence_of_many_answers_has_its_equilibrium_beside_it() -> None:
    thrown = {"rock": 1.0, "paper": 0.0, "scissors": 0.0}
    row = Row("player_0", (), "at the start", thrown, dict.fromkeys(thrown, 1 / 3), 1.0, 0.0)
    assert sentence(row) == (
        "at the start: always plays rock "
        "(equilibrium: plays rock (33 %), paper (33 %), scissors (33 %))"
    )

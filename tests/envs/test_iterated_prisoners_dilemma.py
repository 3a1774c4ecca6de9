"""The dilemma keeps its payoffs; best responses to the well-known policies, worked out by hand."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Observation, Sum
from sparring.envs.games.iterated_prisoners_dilemma import (
    MOVES,
    ROLES,
    IteratedPrisonersDilemma,
)
from sparring.envs.referee import Refereed
from sparring.envs.solve import Tree, best_response, nash_conv, uniform, values, walk

ONE = {("c", "c"): (3, 3), ("c", "d"): (0, 5), ("d", "c"): (5, 0), ("d", "d"): (1, 1)}
WORD = {"c": "cooperate", "d": "defect"}


def move(state: Any, mine: str, yours: str) -> Any:
    return state.step({"player_0": WORD.get(mine, mine), "player_1": WORD.get(yours, yours)})


def always(answer: str) -> Callable[[Observation], Mapping[str, float]]:
    return lambda seen: {answer: 1.0}


def tit_for_tat(seen: Observation) -> Mapping[str, float]:
    """Cooperate, then do what the other did in the last round."""
    other = ROLES[seen.role == ROLES[0]]
    said = [m.text for m in seen.messages if "Points" in m.text]
    return {"defect" if said and f"{other}: defect" in said[-1] else "cooperate": 1.0}


# --- the rules


@pytest.mark.parametrize(("mine", "yours"), ONE)
def test_one_round_pays_each_its_own(mine: str, yours: str) -> None:
    state = move(IteratedPrisonersDilemma(rounds=1).start(0), mine, yours)
    assert state.to_act == ()
    assert tuple(state.payoffs.values()) == ONE[mine, yours]
    other = {"temptation": 8, "reward": 5, "punishment": -1, "sucker": -2.5}
    table = {5: 8, 3: 5, 1: -1, 0: -2.5}
    state = move(IteratedPrisonersDilemma(rounds=1, **other).start(0), mine, yours)
    assert tuple(state.payoffs.values()) == tuple(table[p] for p in ONE[mine, yours])


def test_points_add_up_over_rounds() -> None:
    state = IteratedPrisonersDilemma(rounds=4).start(0)
    totals = [0, 0]
    for mine, yours in ONE:
        assert state.to_act == ROLES
        state = move(state, mine, yours)
        totals = [a + b for a, b in zip(totals, ONE[mine, yours], strict=True)]
        assert tuple(state.payoffs.values()) == tuple(totals)
        assert state.log[-1].text.endswith(f"player_0 {totals[0]}, player_1 {totals[1]}.")
    assert state.to_act == ()


def test_all_cooperate_beats_all_defect() -> None:
    """The sum is general: what both win together depends on what they do."""
    game = IteratedPrisonersDilemma()
    assert game.declares.sum is Sum.GENERAL
    for mine, total in (("c", 30.0), ("d", 10.0)):
        state = game.start(0)
        for _ in range(10):
            state = move(state, mine, mine)
        assert state.payoffs == {"player_0": total, "player_1": total}


@pytest.mark.parametrize("text", ["", "hm", "[cooperate] or [defect]", "I cooperate", "cooperat"])
def test_an_unclear_answer_is_never_cooperation(text: str) -> None:
    after = move(Refereed(IteratedPrisonersDilemma()).start(0), text, "d")
    assert after.rejected == ("player_0",)
    assert after.payoffs == {"player_0": 0.0, "player_1": 0.0}
    lost = after.step({"player_0": text})
    assert lost.forfeits == ("player_0",)
    assert lost.payoffs == {"player_0": 0.0, "player_1": 10.0}


def test_a_forfeit_does_not_take_the_other_players_points() -> None:
    """The one at fault gets the least; for the other the rounds left count as both defecting."""
    game = IteratedPrisonersDilemma(rounds=5, sucker=-1)
    state = move(move(Refereed(game, retries=0).start(0), "c", "d"), "c", "c")
    assert state.payoffs == {"player_0": 2.0, "player_1": 8.0}
    assert move(state, "?", "c").payoffs == {"player_0": -5.0, "player_1": 8.0 + 3 * 1}
    assert move(state, "?", "?").payoffs == {"player_0": -5.0, "player_1": -5.0}


def test_no_decision_shows_before_both_are_in() -> None:
    start = Refereed(IteratedPrisonersDilemma()).start(0)
    views = []
    for mine in "cd":
        waiting = move(start, mine, "hm")
        assert waiting.to_act == ("player_1",)
        assert waiting.observe("player_0").messages == start.observe("player_0").messages
        views.append(waiting.observe("player_1"))
    assert views[0] == views[1]


# --- with talk


def test_talk_comes_before_each_decision_and_is_shown_at_once() -> None:
    game = IteratedPrisonersDilemma(rounds=2, talk=True)
    state = Refereed(game).start(0)
    for number in (1, 2):
        asked = state.observe("player_0")
        assert asked.legal is None
        assert asked.examples
        assert asked.messages[-1].text == f"Round {number}: say something to the other player."
        waiting = state.step({"player_0": f"Trust {number}.", "player_1": "  "})
        assert waiting.rejected == ("player_1",)
        assert f"Trust {number}" not in str(waiting.observe("player_1").messages)
        state = waiting.step({"player_1": " Why? "})
        for role in ROLES:
            *_, mine, yours, ask = state.observe(role).messages
            assert (mine.sender, mine.text) == ("player_0", f"Trust {number}.")
            assert (yours.sender, yours.text) == ("player_1", "Why?")
            assert ask.text == f"Round {number}: cooperate or defect?"
            assert state.observe(role).legal == MOVES
        state = move(state, "c", "d")
    assert state.to_act == ()
    assert state.payoffs == {"player_0": 0.0, "player_1": 10.0}


def test_silent_game_has_no_speech() -> None:
    game = IteratedPrisonersDilemma()
    assert not game.declares.free_speech
    assert "say something" not in game.rules("player_0")
    talking = IteratedPrisonersDilemma(talk=True)
    assert talking.declares.free_speech
    assert talking.declares.max_turns == 2 * game.declares.max_turns == 40
    assert "say something" in talking.rules("player_0")


# --- exactly


@pytest.fixture(scope="module")
def one() -> Tree:
    return walk(IteratedPrisonersDilemma(rounds=1))


def test_uniform_play_of_one_round(one: Tree) -> None:
    """u = (5 + 3 + 1 + 0)/4; the best response defects and gets (5 + 1)/2."""
    strategy = one.table(uniform)
    assert values(one, strategy) == {"player_0": 9 / 4, "player_1": 9 / 4}
    for role in ROLES:
        found = best_response(one, strategy, role)
        assert found.value == 3.0
        assert set(found.plays.values()) == {"defect"}
    assert nash_conv(one, strategy) == 2 * (3 - 9 / 4)
    assert nash_conv(one, one.table(always("cooperate"))) == 2 * (5 - 3)


def test_payoffs_of_openspiels_matrix_pd() -> None:
    """10, 5, 1, 0: uniform play is worth 4 with NashConv 3, cooperation has NashConv 10."""
    game = IteratedPrisonersDilemma(
        rounds=1, temptation=10, reward=5, punishment=1, sucker=0, alternation=True
    )
    tree = walk(game)
    assert values(tree, tree.table(uniform))["player_0"] == 4
    assert nash_conv(tree, tree.table(uniform)) == 3
    assert nash_conv(tree, tree.table(always("cooperate"))) == 10


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_defecting_always_is_an_equilibrium(rounds: int) -> None:
    tree = walk(IteratedPrisonersDilemma(rounds=rounds))
    strategy = tree.table(always("defect"))
    assert values(tree, strategy) == {"player_0": rounds, "player_1": rounds}
    assert nash_conv(tree, strategy) == 0
    for role in ROLES:
        assert best_response(tree, strategy, role).value == rounds
    assert nash_conv(tree, tree.table(tit_for_tat)) > 0  # the last round is worth defecting


@pytest.mark.parametrize(("rounds", "expected"), [(1, 5), (2, 8), (3, 11), (4, 14)])
def test_best_response_to_tit_for_tat(rounds: int, expected: int) -> None:
    """Cooperate but for the last round: 3 (n − 1) + 5."""
    tree = walk(IteratedPrisonersDilemma(rounds=rounds))
    strategy = tree.table(tit_for_tat)
    assert values(tree, strategy)["player_0"] == 3 * rounds
    assert best_response(tree, strategy, "player_0").value == expected
    assert best_response(tree, tree.table(always("cooperate")), "player_1").value == 5 * rounds


def test_taking_turns_pays_where_alternation_allows_it() -> None:
    """With T + S = 2R, two rounds of defecting in turn pay both as much as cooperating."""
    game = IteratedPrisonersDilemma(rounds=2, temptation=6, alternation=True)
    state = move(move(game.start(0), "c", "d"), "d", "c")
    assert state.payoffs == {"player_0": 6.0, "player_1": 6.0}


# --- options and contract


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"rounds": 0}, "rounds must be a whole number of at least 1"),
        ({"talk": 1}, "talk must be True or False"),
        ({"alternation": "yes"}, "alternation must be True or False"),
        ({"reward": None}, "reward must be a number"),
        ({"temptation": 3}, "temptation > reward > punishment > sucker, not 3, 3, 1, 0"),
        ({"punishment": 4}, "temptation > reward > punishment > sucker"),
        ({"sucker": 1}, "temptation > reward > punishment > sucker"),
        ({"temptation": 6}, "not 6, 3, 1, 0; to allow that, set alternation=True"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        IteratedPrisonersDilemma(**options)


def test_rules_say_the_payoffs() -> None:
    text = IteratedPrisonersDilemma(rounds=1, temptation=4, reward=2.5).rules("player_0")
    assert "both cooperate: 2.5 points each" in text
    assert "one defects alone: 4 for that one, 0 for the other" in text
    assert "both defect: 1 each" in text
    assert "1 round." in text


@pytest.mark.parametrize(
    "options", [{}, {"rounds": 1, "sucker": -3}, {"rounds": 2, "talk": True, "temptation": 5.5}]
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(IteratedPrisonersDilemma(**options)) == []

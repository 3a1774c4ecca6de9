"""Rock, paper, scissors: the table, its equilibrium, and that nobody throws before the other."""

from itertools import product
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Observation
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.rock_paper_scissors import ROLES, THROWS, RockPaperScissors
from sparring.envs.referee import Refereed
from sparring.envs.solve import best_response, nash_conv, uniform, values, walk

WON = {  # by player_0: rock, paper, scissors against the same
    "rock": (0, -1, 1),
    "paper": (1, 0, -1),
    "scissors": (-1, 1, 0),
}
BIASED = {"rock": 50.0, "paper": 25.0, "scissors": 5.0}  # as OpenSpiel's matrix_brps


ROUNDS = (("rock", "scissors", 0.5), ("rock", "rock", 0.5), ("paper", "scissors", -0.5))


def throw(state: Any, mine: str, yours: str) -> Any:
    return state.step({"player_0": mine, "player_1": yours})


@pytest.mark.parametrize(("mine", "yours"), list(product(THROWS, THROWS)))
def test_table(mine: str, yours: str) -> None:
    sign = WON[mine][THROWS.index(yours)]
    for options in ({}, BIASED):
        game = RockPaperScissors(**options)
        state = throw(game.start(0), mine, yours)
        paid = 0.0 if not sign else options.get(mine if sign > 0 else yours, 1.0)
        assert state.to_act == ()
        assert state.payoffs == {"player_0": sign * paid, "player_1": -sign * paid}
        assert not any(str(p).startswith("-0") for p in state.payoffs.values())


def test_payoffs_are_summed_over_rounds() -> None:
    state = RockPaperScissors(rounds=3, rock=0.5).start(0)
    for mine, yours, total in ROUNDS:
        assert state.to_act == ROLES
        state = throw(state, mine, yours)
        assert state.payoffs == {"player_0": total, "player_1": -total}
    assert state.to_act == ()


def test_words() -> None:
    state = throw(RockPaperScissors().start(0), "PAPER", "I throw [rock]")
    said = "player_0: paper, player_1: rock. player_0 wins 1."
    for role in ROLES:
        assert state.observe(role).messages[-1].text == said
    assert throw(RockPaperScissors().start(0), "rock", "rock").log[-1].text.endswith("Nobody wins.")


def test_no_throw_shows_before_both_are_in() -> None:
    """player_1 is refused and tries again: what player_0 threw waits, unseen by both."""
    start = Refereed(RockPaperScissors()).start(0)
    views = []
    for mine in THROWS:
        waiting = throw(start, mine, "banana")
        assert waiting.to_act == ("player_1",)
        assert waiting.observe("player_0").messages == start.observe("player_0").messages
        views.append(waiting.observe("player_1"))
    assert views[0] == views[1] == views[2]
    assert waiting.step({"player_1": "rock"}).payoffs["player_0"] == -1.0  # scissors


def test_both_at_fault_are_refused_at_once() -> None:
    after = throw(Refereed(RockPaperScissors()).start(0), "lizard", "spock")
    assert after.rejected == ROLES
    assert after.to_act == ROLES
    assert throw(after, "lizard", "spock").payoffs == {"player_0": 0.0, "player_1": 0.0}


# --- exactly


def test_uniform_is_the_equilibrium() -> None:
    tree = walk(RockPaperScissors())
    found = equilibrium(tree)
    assert found.value == pytest.approx(0, abs=1e-9)
    for chances in found.strategy.values():
        assert chances == pytest.approx(dict.fromkeys(THROWS, 1 / 3))
    assert nash_conv(tree, tree.table(uniform)) == pytest.approx(0, abs=1e-12)
    assert len(tree.sets) == 2  # simultaneous: neither knows the other's throw


@pytest.mark.parametrize(
    ("always", "best"), [("rock", "paper"), ("paper", "scissors"), ("scissors", "rock")]
)
def test_best_response_to_a_fixed_throw(always: str, best: str) -> None:
    for rounds in (1, 2):
        tree = walk(RockPaperScissors(rounds=rounds))
        strategy = tree.table(lambda seen: {always: 1.0})
        for role in ROLES:
            found = best_response(tree, strategy, role)
            assert found.value == rounds
            assert rounds > 1 or set(found.plays.values()) == {best}
        assert nash_conv(tree, strategy) == 2 * rounds


def test_best_response_to_a_habit() -> None:
    """Half rock, a quarter each of the others: paper wins 1/2 − 1/4 a round."""
    tree = walk(RockPaperScissors())
    habit = {"rock": 1 / 2, "paper": 1 / 4, "scissors": 1 / 4}
    found = best_response(tree, tree.table(lambda seen: habit), "player_1")
    assert found.value == pytest.approx(1 / 4)
    assert set(found.plays.values()) == {"paper"}


def test_biased_payoffs() -> None:
    """Rock : paper : scissors as the win with scissors : rock : paper, 5 : 50 : 25."""
    tree = walk(RockPaperScissors(**BIASED))
    strategy = tree.table(uniform)
    assert nash_conv(tree, strategy) == pytest.approx(50 / 3)
    assert values(tree, strategy)["player_0"] == pytest.approx(0)
    found = equilibrium(tree)
    assert found.value == pytest.approx(0, abs=1e-9)
    for chances in found.strategy.values():
        assert chances == pytest.approx({"rock": 1 / 16, "paper": 10 / 16, "scissors": 5 / 16})


def test_rounds_do_not_influence_each_other() -> None:
    tree = walk(RockPaperScissors(rounds=2))
    assert len(tree.sets) == 2 * (1 + 9)
    assert equilibrium(tree).value == pytest.approx(0, abs=1e-9)
    half = {"rock": 1.0, "paper": 0.0, "scissors": 0.0}

    def second_only(seen: Observation) -> dict[str, float]:
        return half if len(seen.messages) > 1 else dict(uniform(seen))

    assert nash_conv(tree, tree.table(second_only)) == pytest.approx(2.0)


# --- options and contract


def test_rules_say_what_is_paid() -> None:
    assert "A win pays 1; the loser pays it" in RockPaperScissors().rules("player_0")
    biased = RockPaperScissors(rounds=3, **BIASED).rules("player_1")
    assert "with rock 50, with paper 25, with scissors 5" in biased
    assert "3 rounds" in biased


def test_declares() -> None:
    said = RockPaperScissors(rounds=4, paper=2.5).declares
    assert (said.max_turns, said.low, said.high) == (8, -10.0, 10.0)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"rounds": 0}, "rounds must be a whole number of at least 1, not 0"),
        ({"rounds": "3"}, "rounds must be a whole number"),
        ({"rock": -1}, "rock must be a number from 0 to 1000, not -1"),
        ({"paper": float("nan")}, "paper must be a number"),
        ({"scissors": True}, "scissors must be a number"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        RockPaperScissors(**options)


@pytest.mark.parametrize("options", [{}, {"rounds": 3}, BIASED])
def test_contract(options: dict[str, Any]) -> None:
    assert check(RockPaperScissors(**options)) == []

"""What follows an illegal answer: the same in all games."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sparring.envs.core import Message, Sum, Void
from sparring.envs.games.kuhn import KuhnPoker, KuhnState
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.referee import Refereed, RefereedState, forfeit_payoffs

KUHN = KuhnPoker()


def texts(state: RefereedState, role: str) -> list[str]:
    return [message.text for message in state.observe(role).messages]


def said(state: RefereedState, *answers: dict[str, str]) -> RefereedState:
    for each in answers:
        state = state.step(each)
    return state


def test_a_legal_game_is_the_bare_game() -> None:
    bare, state = KUHN.start(3), Refereed(KuhnPoker()).start(3)
    for answer in ("check", "bet", "call"):
        (role,) = bare.to_act
        bare, state = bare.step({role: answer}), state.step({role: answer})
        assert state.rejected == ()
        assert [state.observe(r) for r in KUHN.roles] == [bare.observe(r) for r in KUHN.roles]
    assert (state.to_act, state.payoffs, state.forfeits) == ((), bare.payoffs, ())


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_forfeit_after_so_many_retries(retries: int) -> None:
    state = Refereed(KuhnPoker(), retries).start(0)
    for left in range(retries, 0, -1):
        state = state.step({"player_0": "mumble"})
        assert (state.to_act, state.rejected, state.forfeits) == (("player_0",), ("player_0",), ())
        assert texts(state, "player_0")[-1].endswith("Try again."), left
    state = state.step({"player_0": "mumble"})
    assert (state.to_act, state.rejected, state.forfeits) == ((), ("player_0",), ("player_0",))
    assert state.payoffs == {"player_0": -2.0, "player_1": 2.0}
    assert texts(state, "player_0")[-1].endswith("You forfeit the game.")
    assert texts(state, "player_1")[-1] == "player_0 forfeits the game."
    assert all(state.observe(role).legal == () for role in KUHN.roles)


def test_retries_are_counted_anew_each_turn() -> None:
    bad = {"player_0": "mumble"}
    state = said(Refereed(KuhnPoker()).start(0), bad, {"player_0": "check"}, {"player_1": "bet"})
    state = state.step(bad)
    assert state.forfeits == ()
    assert state.step(bad).forfeits == ("player_0",)


def test_notices_stay_where_they_were_given() -> None:
    start = Refereed(TicTacToe(board=False)).start(0)
    state = said(
        start, {"player_0": "ten"}, {"player_0": "5"}, {"player_1": "5"}, {"player_1": "1"}
    )
    notice = "That reply is not a legal answer. Reply with one of: "
    rules = TicTacToe().rules
    assert texts(state, "player_0") == [
        rules("player_0"),
        f"{notice}1, 2, 3, 4, 5, 6, 7, 8, 9. Try again.",
        "player_0: 5",
        "player_1: 1",
    ]
    assert texts(state, "player_1") == [
        rules("player_1"),
        "player_0: 5",
        f"{notice}1, 2, 3, 4, 6, 7, 8, 9. Try again.",
        "player_1: 1",
    ]
    told = state.observe("player_1").messages[2]
    assert (told.sender, told.to) == ("referee", frozenset({"player_1"}))


def test_the_others_learn_only_of_the_forfeit() -> None:
    start = Refereed(KuhnPoker()).start(0)
    once = start.step({"player_0": "I hold a king"})
    assert once.observe("player_1") == start.observe("player_1")
    twice = once.step({"player_0": "a king, I say"})
    assert twice.observe("player_1").messages == (
        *start.observe("player_1").messages,
        Message("referee", "player_0 forfeits the game.", frozenset({"player_1"})),
    )


def test_earlier_positions_stay_as_they_were() -> None:
    start = Refereed(KuhnPoker()).start(0)
    before = texts(start, "player_0")
    said(start, {"player_0": "mumble"}, {"player_0": "mumble"})
    assert texts(start, "player_0") == before
    assert start.to_act == ("player_0",)


# --- several at once


def test_who_answered_well_is_not_asked_again(toys: Any) -> None:
    state = Refereed(toys.three).start(0)
    state = state.step({"player_0": "h", "player_1": "x", "player_2": "t"})
    assert (state.to_act, state.rejected) == (("player_1",), ("player_1",))
    assert state.observe("player_0").legal == ()
    assert state.observe("player_1").legal == ("h", "t")
    assert len(texts(state, "player_0")) == len(texts(state, "player_2")) == 1  # nothing leaks
    with pytest.raises(ValueError, match="expected answers from"):
        state.step({"player_0": "t", "player_1": "h"})
    state = state.step({"player_1": "h"})
    assert state.payoffs == {"player_0": 1.0, "player_1": 1.0, "player_2": -2.0}


def test_all_who_answer_illegally_are_refused_at_once(toys: Any) -> None:
    roles = toys.three.roles
    state = Refereed(toys.three).start(0).step(dict.fromkeys(roles, "x"))
    assert (state.rejected, state.to_act, state.forfeits) == (roles, roles, ())
    assert all(texts(state, role)[-1].endswith("Try again.") for role in roles)
    state = state.step({"player_0": "h", "player_1": "x", "player_2": "h"})
    assert (state.rejected, state.forfeits) == (("player_1",), ("player_1",))
    assert state.payoffs == {"player_0": 1.0, "player_1": -2.0, "player_2": 1.0}


def test_no_seat_is_luckier_when_several_forfeit(toys: Any) -> None:
    start = Refereed(toys.pennies, 0).start(0)
    both = start.step({"player_0": "x", "player_1": "y"})
    assert both.forfeits == ("player_0", "player_1")
    assert both.payoffs == {"player_0": 0.0, "player_1": 0.0}
    for role, other in (("player_0", "player_1"), ("player_1", "player_0")):
        assert texts(both, role)[-1] == f"{other} forfeits the game."
    two = Refereed(toys.three, 0).start(0).step({"player_0": "x", "player_1": "h", "player_2": "x"})
    declared = toys.three.declares
    assert two.payoffs["player_1"] <= declared.high
    assert two.payoffs["player_0"] == two.payoffs["player_2"] == -two.payoffs["player_1"] / 2


# --- a game that cannot be counted


def test_a_void_game_ends_and_pays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(state: KuhnState, answers: Mapping[str, str]) -> KuhnState:
        raise Void("the judge is asleep")

    monkeypatch.setattr(KuhnState, "step", step)
    state = Refereed(KUHN).start(0).step({"player_0": "bet"})
    assert (state.to_act, state.forfeits, state.void) == ((), (), "the judge is asleep")
    assert state.payoffs == {"player_0": 0.0, "player_1": 0.0}
    for role in KUHN.roles:
        assert texts(state, role)[-1] == "This game does not count."
        assert state.observe(role).legal == ()
    with pytest.raises(ValueError, match="over"):
        state.step({"player_0": "bet"})


def test_forfeit_at_a_shared_move(toys: Any) -> None:
    state = Refereed(toys.three).start(0)
    state = state.step({"player_0": "h", "player_1": "x", "player_2": "t"}).step({"player_1": "x"})
    assert (state.to_act, state.forfeits) == ((), ("player_1",))
    assert state.payoffs == {"player_0": 1.0, "player_1": -2.0, "player_2": 1.0}
    for role in ("player_0", "player_2"):
        assert texts(state, role)[1:] == ["player_1 forfeits the game."]


# --- payoffs of a forfeit


@pytest.mark.parametrize(
    ("sum_", "total", "cells", "expected"),
    [
        (Sum.ZERO, 0.0, ((2.0, -2.0), (-1.0, 1.0)), (-2.0, 2.0)),
        (Sum.CONSTANT, 10.0, ((10.0, 0.0), (4.0, 6.0)), (0.0, 10.0)),
        (Sum.CONSTANT, 6.0, ((6.0, 0.0, 0.0), (2.0, 2.0, 2.0)), (0.0, 3.0, 3.0)),
        (Sum.COOPERATIVE, 0.0, ((5.0, 5.0), (1.0, 1.0)), (1.0, 1.0)),
        (Sum.GENERAL, 0.0, ((5.0, -4.0), (-3.0, 1.0)), (-4.0, 0.0)),
        (Sum.GENERAL, 0.0, ((5.0, 2.0), (3.0, 4.0)), (2.0, 2.0)),  # 0 is below the range
        (Sum.GENERAL, 0.0, ((-5.0, -2.0), (-3.0, -4.0)), (-5.0, -2.0)),  # 0 is above it
    ],
)
def test_forfeit_payoffs(
    toys: Any, sum_: Sum, total: float, cells: Sequence[tuple[float, ...]], expected: tuple[float]
) -> None:
    names = ("a", "b")
    n = len(expected)
    game = toys.Matrix({(x,) * n: cell for x, cell in zip(names, cells, strict=True)}, sum_, total)
    assert tuple(forfeit_payoffs(game, ("player_0",)).values()) == expected
    state = Refereed(game, 0).start(0).step({**dict.fromkeys(game.roles, "a"), "player_0": "x"})
    assert tuple(state.payoffs.values()) == expected


# --- a caller's errors


def test_answers_must_be_of_those_to_act() -> None:
    state = Refereed(KuhnPoker()).start(0)
    for answers in ({}, {"player_1": "check"}, {"player_0": "check", "player_1": "check"}):
        with pytest.raises(ValueError, match="expected answers from"):
            state.step(answers)


@pytest.mark.parametrize("last", ["fold", "mumble"])
def test_no_step_after_the_end(last: str) -> None:
    state = said(Refereed(KuhnPoker(), 0).start(0), {"player_0": "bet"}, {"player_1": last})
    assert state.to_act == ()
    for answers in ({}, {"player_0": "check"}, {"player_1": "fold"}):
        with pytest.raises(ValueError, match="over"):
            state.step(answers)


def test_retries_are_not_negative() -> None:
    with pytest.raises(ValueError, match="retries"):
        Refereed(KuhnPoker(), -1)


def test_the_wrapper_is_the_game_for_the_rest() -> None:
    game = KuhnPoker(hands=2)
    refereed = Refereed(game)
    assert (refereed.name, refereed.roles, refereed.declares) == (
        game.name,
        game.roles,
        game.declares,
    )
    assert refereed.rules("player_1") == game.rules("player_1")
    assert [p for p, _ in refereed.openings()] == [p for p, _ in game.openings()]

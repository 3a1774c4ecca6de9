"""The ultimatum game: what the rules say is what is paid; equilibria of one answer and of more."""

import re
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction, Observation, Sum
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.negotiation.ultimatum import ROLES, Ultimatum
from sparring.envs.referee import Refereed
from sparring.envs.solve import best_response, nash_conv, uniform, values, walk

PROPOSER, RESPONDER = ROLES


def play(state: Any, *texts: str) -> Any:
    for text in texts:
        state = state.step({state.to_act[0]: text})
    return state


def last_offer(seen: Observation) -> int:
    return int(re.findall(r"offers (\d+) to", seen.messages[-1].text)[0])


# --- what is said is what is paid


@pytest.mark.parametrize("other", [-1, 0, 0.5, 1])
@pytest.mark.parametrize("before", [[], ["[Offer: 3]"], ["Hello.", "Hello."]])
def test_settlement_is_what_the_prompt_says(other: float, before: list[str]) -> None:
    """The split is read out of what both are told of the offer."""
    start = play(Ultimatum(other=other).start(0), *before)
    for number in range(101):
        offered = play(start, f"[Offer: {number}]")
        text = offered.observe(PROPOSER).messages[-1].text
        said = re.fullmatch(r"The (\w+) offers (\d+) to the (\w+) and keeps (\d+)\.", text)
        assert said is not None
        gives, given, gets, kept = said.groups()
        assert (gives,) == start.to_act
        assert int(given) == number
        own = {gets: int(given), gives: int(kept)}
        state = play(offered, "[Accept]")
        expected = {a: own[a] + other * own[b] for a, b in (ROLES, ROLES[::-1])}
        assert state.payoffs == pytest.approx(expected)
        assert sum(own.values()) == 100


@pytest.mark.parametrize("other", [-1, 0, 1])
def test_without_agreement_the_pot_is_lost(other: float) -> None:
    start = Ultimatum(turns=4, other=other).start(0)
    assert "Without a deal both get 0 points." in start.observe(RESPONDER).messages[0].text
    ways = (
        ["[Offer: 50]", "[Reject]"],
        ["[Offer: 20]", "[Offer: 20]", "[Reject]"],
        ["Hello.", "Hello.", "Hello.", "Hello."],
        ["[Offer: 50]", "[Offer: 40]", "[Offer: 50]", "No."],
    )
    for texts in ways:
        state = play(start, *texts)
        assert state.to_act == ()
        assert state.payoffs == {PROPOSER: 0.0, RESPONDER: 0.0}


def test_a_counter_offer_by_hand() -> None:
    state = play(Ultimatum().start(0), "[Offer: 10]", "[Offer: 45]", "[Accept]")
    assert state.payoffs == {PROPOSER: 45.0, RESPONDER: 55.0}


@pytest.mark.parametrize(
    ("before", "text", "fault"),
    [
        ([], "[Accept]", "There is no offer from the other player to accept"),
        (["[Offer: 5]", "Hm."], "[Reject]", "There is no offer from the other player to reject"),
        ([], "[Offer: 101]", "An offer is a number from 0 to 100"),
        ([], "[Offer: half]", "An offer is one whole number"),
        (["Hm."] * 5, "[Offer: 50]", "This is the last turn: nobody could answer an offer"),
        (["Hm."] * 5, "", "Reply with some words"),
    ],
)
def test_slips(before: list[str], text: str, fault: str) -> None:
    state = play(Ultimatum().start(0), *before)
    with pytest.raises(IllegalAction, match=fault):
        play(state, text)


def test_a_forfeit_pays_like_no_deal() -> None:
    state = play(Refereed(Ultimatum()).start(0), "[Offer: x]", "[Offer: y]")
    assert state.forfeits == (PROPOSER,)
    assert state.payoffs == {PROPOSER: 0.0, RESPONDER: 0.0}
    zero = play(Refereed(Ultimatum(other=-1), retries=0).start(0), "[Offer: x]")
    assert zero.payoffs == {PROPOSER: -100.0, RESPONDER: 100.0}


# --- exactly, without talk


@pytest.mark.parametrize(("turns", "pot"), [(2, 10), (2, 7), (3, 10), (4, 4)])
def test_uniform_play_is_worth_a_quarter_each(turns: int, pot: int) -> None:
    """By induction from the last turn, where half of an offer of pot/2 on average is got."""
    tree = walk(Ultimatum(talk=False, turns=turns, pot=pot))
    assert values(tree, tree.table(uniform)) == pytest.approx(dict.fromkeys(ROLES, pot / 4))


@pytest.mark.parametrize("pot", [1, 10, 25])
def test_best_responses_to_uniform_play(pot: int) -> None:
    """Offer nothing, half of the time with success; accept everything, pot/2 on average."""
    tree = walk(Ultimatum(talk=False, turns=2, pot=pot))
    strategy = tree.table(uniform)
    assert best_response(tree, strategy, PROPOSER).value == pytest.approx(pot / 2)
    assert best_response(tree, strategy, RESPONDER).value == pytest.approx(pot / 2)
    assert nash_conv(tree, strategy) == pytest.approx(pot / 2)


@pytest.mark.parametrize("share", range(11))
def test_every_split_is_an_equilibrium(share: int) -> None:
    """Offer ``share``; accept that much or more. Only ``share`` 0 survives subgame perfection."""
    tree = walk(Ultimatum(talk=False, turns=2, pot=10))

    def plays(seen: Observation) -> dict[str, float]:
        if seen.role == PROPOSER:
            return {f"Offer: {share}": 1.0}
        return {"Accept" if last_offer(seen) >= share else "Reject": 1.0}

    strategy = tree.table(plays)
    assert values(tree, strategy) == {PROPOSER: 10 - share, RESPONDER: share}
    assert nash_conv(tree, strategy) == 0


@pytest.mark.parametrize("turns", [2, 3, 4])
def test_the_last_offer_takes_all(turns: int) -> None:
    """Backward induction: accept anything at the end; before, nobody accepts less than the pot."""
    game = Ultimatum(talk=False, turns=turns, pot=4)
    tree = walk(game)
    taker = ROLES[turns % 2]  # makes the last offer

    def plays(seen: Observation) -> dict[str, float]:
        assert seen.legal is not None
        if "Accept" not in seen.legal:
            return {"Offer: 0": 1.0}
        last = seen.legal == ("Accept", "Reject")
        if seen.role == taker and not last and last_offer(seen) < 4:
            return {"Offer: 0": 1.0}
        return {"Accept": 1.0}

    strategy = tree.table(plays)
    assert values(tree, strategy)[taker] == 4
    assert nash_conv(tree, strategy) == 0


@pytest.mark.parametrize("pot", [4, 5])
def test_the_zero_sum_game_is_worth_nothing(pot: int) -> None:
    """Either side can have 0: offer half or less, reject less than half."""
    tree = walk(Ultimatum(talk=False, turns=3, pot=pot, other=-1))
    assert equilibrium(tree).value == pytest.approx(0)


# --- options and contract


@pytest.mark.parametrize("other", [-1, -0.5, 0, 0.25, 1])
def test_declared_bounds_are_met(other: float) -> None:
    game = Ultimatum(pot=7, other=other)
    paid = [0.0]
    for number in range(8):
        paid += play(game.start(0), f"[Offer: {number}]", "[Accept]").payoffs.values()
    assert (min(paid), max(paid)) == (game.declares.low, game.declares.high)
    expected = {-1: Sum.ZERO, 1: Sum.COOPERATIVE}.get(other, Sum.GENERAL)
    assert game.declares.sum is expected


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"pot": 0}, "pot must be a whole number from 1 to 1000000, not 0"),
        ({"turns": 1}, "turns must be a whole number of at least 2, not 1"),
        ({"talk": "no"}, "talk must be True or False, not 'no'"),
        ({"other": -1.5}, "other must be a number from -1 to 1"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        Ultimatum(**options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"other": -1},
        {"other": 1, "turns": 2},
        {"talk": False},
        {"talk": False, "turns": 3, "pot": 4, "other": 0.5},
    ],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(Ultimatum(**options)) == []

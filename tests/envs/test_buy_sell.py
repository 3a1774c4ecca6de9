"""Haggling over a price: what the rules say is what is paid; exact values of small games."""

import re
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction, Observation, Sum
from sparring.envs.games.negotiation.buy_sell import ROLES, BuySell
from sparring.envs.referee import Refereed
from sparring.envs.solve import best_response, nash_conv, uniform, values, walk

SELLER, BUYER = ROLES


def play(state: Any, *texts: str) -> Any:
    for text in texts:
        state = state.step({state.to_act[0]: text})
    return state


def refused(state: Any, text: str) -> str:
    (role,) = state.to_act
    with pytest.raises(IllegalAction) as fault:
        state.step({role: text})
    assert fault.value.role == role
    return str(fault.value)


# --- what is said is what is paid


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("other", [-1, 0, 0.5, 1])
def test_settlement_is_what_the_prompt_says(seed: int, other: float) -> None:
    """The formulas are read out of what the players are told, for every price and either bidder."""
    game = BuySell(spread=30, other=other)
    start = game.start(seed)
    told = "\n".join(m.text for role in ROLES for m in start.observe(role).messages)
    (cost,) = re.findall(r"a deal gives you the price minus (\d+)\.", told)
    (value,) = re.findall(r"a deal gives you (\d+) minus the price\.", told)
    assert f"Your cost is {cost}:" in told
    assert f"Your value is {value}:" in told
    for price in range(101):
        own = {SELLER: price - int(cost), BUYER: int(value) - price}
        expected = {
            SELLER: own[SELLER] + other * own[BUYER],
            BUYER: own[BUYER] + other * own[SELLER],
        }
        sold = play(start, f"[Offer: {price}]", "[Accept]")
        bought = play(start, "Hm.", f"[Offer: {price}]", "[Accept]")
        assert sold.payoffs == bought.payoffs == pytest.approx(expected)
        end = sold.observe(SELLER).messages[-1].text
        assert end.endswith(f"Points: seller {own[SELLER]}, buyer {own[BUYER]}.")


@pytest.mark.parametrize("other", [-1, 0, 1])
def test_without_a_deal_both_get_nothing(other: float) -> None:
    start = BuySell(turns=4, other=other).start(0)
    assert "Without a deal both get 0 points." in start.observe(SELLER).messages[0].text
    ways = (
        ["[Offer: 50]", "[Reject]"],
        ["Hello.", "Hello.", "Hello.", "Hello."],
        ["[Offer: 50]", "[Offer: 40]", "[Offer: 50]", "No."],
    )
    for texts in ways:
        state = play(start, *texts)
        assert state.to_act == ()
        assert state.payoffs == {SELLER: 0.0, BUYER: 0.0}


def test_the_published_worths_by_hand() -> None:
    state = play(BuySell().start(0), "[Offer: 55]", "Offer: 48", "Deal! [Accept]")
    assert state.payoffs == {SELLER: 8.0, BUYER: 12.0}


# --- the rules at their edges


def test_an_offer_stands_through_talk_and_is_replaced_by_a_counter_offer() -> None:
    start = BuySell().start(0)
    assert play(start, "[Offer: 50]", "Hm.", "Well?", "[Accept]").payoffs[SELLER] == 10
    assert play(start, "[Offer: 50]", "[Offer: 45]", "[Accept]").payoffs[SELLER] == 5
    assert play(start, "[Offer: 50]", "Hm.", "[Offer: 47]", "[Accept]").payoffs[SELLER] == 7


def test_nobody_answers_its_own_offer() -> None:
    state = play(BuySell().start(0), "[Offer: 50]", "Hm.")
    for word in ("accept", "reject"):
        assert refused(state, f"[{word}]") == f"There is no offer from the other player to {word}."
    assert "no offer from the other player" in refused(BuySell().start(0), "[Accept]")


def test_no_offer_in_the_last_turn() -> None:
    state = play(BuySell(turns=3).start(0), "[Offer: 70]", "[Offer: 45]")
    assert "This is the last turn" in refused(state, "[Offer: 60]")
    assert not any("Offer" in text for text in state.observe(SELLER).examples)
    assert play(state, "[Accept]").payoffs == {SELLER: 5.0, BUYER: 15.0}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (" ", r"Reply with some words or an offer from 0 to 100 such as \[Offer: 50\]\."),
        ("[Offer: 101]", "An offer is a number from 0 to 100"),
        ("[Offer: 49.5]", "An offer is one whole number and nothing else"),
        ("[Offer: -3]", "An offer is one whole number and nothing else"),
        ("[Offer: 40 or 50]", "An offer is one whole number and nothing else"),
        ("[Offer: 40] [Offer: 50]", "several decisions"),
        ("[I accept]", "Write Accept, Reject or Offer: ... in the brackets, by itself"),
    ],
)
def test_slips(text: str, fault: str) -> None:
    assert re.search(fault, refused(BuySell().start(0), text))


@pytest.mark.parametrize("text", ["[Offer: 45]", "offer: $45", "So: [OFFER forty-five coins!]"])
def test_wordings(text: str) -> None:
    assert play(BuySell().start(0), text).offer == (0, 45)


def test_worths_are_private_and_drawn_within_the_spread() -> None:
    game = BuySell(spread=3)
    drawn = set()
    for seed in range(600):
        state = game.start(seed)
        drawn.add(state.stakes)
        texts = [state.observe(role).messages[-1].text for role in ROLES]
        assert "cost" in texts[0]
        assert "value" in texts[1]
        assert all(len(state.observe(role).messages) == 2 for role in ROLES)
    assert drawn == set(product(range(37, 44), range(57, 64)))
    assert {state.stakes for _, state in game.openings()} == drawn
    assert sum(p for p, _ in game.openings()) == pytest.approx(1)


def test_without_talk_answers_are_listed_and_words_are_not_heard() -> None:
    state = BuySell(talk=False, turns=3, highest=60).start(0)
    assert state.observe(SELLER).legal == tuple(f"Offer: {n}" for n in range(61))
    assert refused(state, "Hello.") == "Reply with an offer from 0 to 60 such as [Offer: 30]."
    state = play(state, "Please! [Offer: 50]")
    assert [m.sender for m in state.observe(BUYER).messages] == ["game"] * 3
    legal = state.observe(BUYER).legal
    assert legal is not None
    assert legal[:3] == ("Accept", "Reject", "Offer: 0")
    last = play(state, "Offer: 45")
    assert last.observe(SELLER).legal == ("Accept", "Reject")
    assert refused(last, "Hm.") == "Reply with [Accept] or [Reject]."


def test_a_forfeit_costs_the_worst_price() -> None:
    state = play(Refereed(BuySell()).start(0), "[Offer: x]", "[Offer: x]")
    assert state.forfeits == (SELLER,)
    assert state.payoffs == {SELLER: -40.0, BUYER: 0.0}


# --- exactly, without talk


def test_two_turns_of_uniform_play() -> None:
    """One price from 0 to 10, accepted half of the time; cost 4, value 6."""
    tree = walk(BuySell(talk=False, turns=2, highest=10, cost=4, value=6))
    strategy = tree.table(uniform)
    assert values(tree, strategy) == {SELLER: 0.5, BUYER: 0.5}
    assert best_response(tree, strategy, SELLER).value == (10 - 4) / 2
    eleven = Fraction(sum(6 - p for p in range(6)), 11)
    assert best_response(tree, strategy, BUYER).value == pytest.approx(float(eleven))
    assert nash_conv(tree, strategy) == pytest.approx(float(Fraction(43, 11)))


@pytest.mark.parametrize("price", [4, 5, 6])
def test_every_price_between_the_worths_is_an_equilibrium(price: int) -> None:
    tree = walk(BuySell(talk=False, turns=2, highest=10, cost=4, value=6))

    def plays(seen: Observation) -> dict[str, float]:
        if seen.role == SELLER:
            return {f"Offer: {price}": 1.0}
        asked = int(re.findall(r"sell for (\d+)", seen.messages[-1].text)[0])
        return {"Accept" if asked <= price else "Reject": 1.0}

    strategy = tree.table(plays)
    assert values(tree, strategy) == {SELLER: price - 4, BUYER: 6 - price}
    assert nash_conv(tree, strategy) == 0


# --- options and contract


@pytest.mark.parametrize("other", [-1, -0.5, 0, 0.25, 1])
def test_declared_bounds_are_met(other: float) -> None:
    game = BuySell(cost=4, value=6, spread=2, highest=9, other=other, talk=False, turns=2)
    paid = [0.0]
    for _, start in game.openings():
        for price in range(10):
            paid += play(start, f"Offer: {price}", "Accept").payoffs.values()
    assert (min(paid), max(paid)) == pytest.approx((game.declares.low, game.declares.high))
    expected = {-1: Sum.ZERO, 1: Sum.COOPERATIVE}.get(other, Sum.GENERAL)
    assert game.declares.sum is expected


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"cost": -1}, "cost must be a whole number from 0 to 100, not -1"),
        ({"value": 101}, "value must be a whole number from 0 to 100, not 101"),
        ({"spread": 41}, "spread must be a whole number from 0 to 40, not 41"),
        ({"highest": 0}, "highest must be a whole number from 1 to 1000000"),
        ({"turns": 1}, "turns must be a whole number of at least 2"),
        ({"talk": 1}, "talk must be True or False"),
        ({"other": 2}, "other must be a number from -1 to 1"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        BuySell(**options)


def test_too_many_openings() -> None:
    with pytest.raises(BadInput, match="too many openings"):
        BuySell(highest=1000, cost=500, value=500, spread=300).openings()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"other": -1, "spread": 2},
        {"other": 1, "cost": 60, "value": 40},
        {"talk": False},
        {"talk": False, "turns": 2, "highest": 6, "cost": 2, "value": 4, "spread": 1, "other": 0.5},
    ],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(BuySell(**options)) == []

"""Trades, talk and gains; every legal offer is accepted; the numbers of both forms."""

from collections import Counter
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction, Sum
from sparring.envs.games.negotiation.simple_deals import FIVE_DEALS, FIVE_HELD, FIVE_VALUES, five
from sparring.envs.games.negotiation.simple_negotiation import NegotiationState, SimpleNegotiation
from sparring.envs.referee import Refereed

ONE, TWO = ROLES = ("player_0", "player_1")


def play(state: Any, *texts: str) -> Any:
    for text in texts:
        state = state.step({state.to_act[0]: text})
    return state


def small(**options: Any) -> SimpleNegotiation:
    return SimpleNegotiation(**{"resources": 2, "turns": 4, **options})


def lines(state: Any, role: str) -> list[str]:
    return [f"{m.sender}: {m.text}" for m in state.observe(role).messages]


# --- trades


def test_a_trade_by_hand() -> None:
    """3 Wood for 2 Gold: player_0 gains 2·15 − 3·5, player_1 gains 3·15 − 2·5."""
    state = play(small(payoff="gains").start(0), "[Offer: 3 Wood -> 2 Gold]", "[Accept]")
    assert state.held == ((7, 12), (13, 8))
    assert state.payoffs == {ONE: 15.0, TWO: 35.0}
    assert lines(state, ONE)[-1] == "game: You now have 7 Wood and 12 Gold. Your gain so far: 15."
    assert lines(state, TWO)[-1] == "game: You now have 13 Wood and 8 Gold. Your gain so far: 35."
    state = play(state, "[Offer: 1 Gold -> 2 Wood]", "[Accept]")
    assert state.held == ((9, 11), (11, 9))
    assert state.payoffs == {ONE: 15.0 - 15 + 10, TWO: 35.0 - 30 + 5}
    assert state.to_act == ()
    assert lines(state, ONE)[-1] == "game: The game is over. Gains: player_0 10, player_1 10."


@pytest.mark.parametrize(
    ("offer", "won", "end"),
    [
        ("[Offer: 3 Wood -> 2 Gold]", -1.0, "player_1 wins."),
        ("[Offer: 3 Wood -> 3 Gold]", 0.0, "It is a draw."),
        ("[Offer: 2 Wood -> 3 Gold]", 1.0, "player_0 wins."),
    ],
)
def test_the_larger_gain_wins(offer: str, won: float, end: str) -> None:
    state = play(small(turns=2).start(0), offer, "[Accept]")
    assert state.payoffs == {ONE: won, TWO: -won}
    assert lines(state, ONE)[-1].endswith(end)
    before = play(small().start(0), offer, "[Accept]")
    assert before.to_act
    assert before.payoffs == {ONE: 0.0, TWO: 0.0}


def test_what_both_can_gain_with_two_resources() -> None:
    state = play(small(payoff="gains").start(0), "[Offer: 10 Wood -> 10 Gold]", "[Accept]")
    assert state.payoffs == {ONE: 100.0, TWO: 100.0}


def test_no_trade_is_a_draw() -> None:
    state = play(small().start(0), "a", "b", "c", "d")
    assert state.to_act == ()
    assert state.payoffs == {ONE: 0.0, TWO: 0.0}


# --- offers on the table


def refused(state: NegotiationState, text: str) -> str:
    """Why the player to act may not say this."""
    (role,) = state.to_act
    with pytest.raises(IllegalAction) as fault:
        state.step({role: text})
    assert fault.value.role == role
    return str(fault.value)


def test_a_denied_offer_is_gone() -> None:
    state = play(small().start(0), "[Offer: 3 Wood -> 2 Gold]", "No. [Deny]", "Please?")
    assert "There is no offer from the other player to accept" in refused(state, "[Accept]")


def test_an_offer_stands_through_talk_and_is_replaced_by_any_other() -> None:
    start = small(turns=6).start(0)
    state = play(start, "[Offer: 3 Wood -> 2 Gold]", "Hm.", "Well?", "[Accept]")
    assert state.held == ((7, 12), (13, 8))
    state = play(start, "[Offer: 3 Wood -> 2 Gold]", "Hm.", "[Offer: 1 Wood -> 1 Gold]", "[Accept]")
    assert state.held == ((9, 11), (11, 9))
    state = play(start, "[Offer: 3 Wood -> 2 Gold]", "[Offer: 1 Gold -> 2 Wood]", "[Accept]")
    assert state.held == ((8, 11), (12, 9))


def test_nobody_answers_its_own_offer() -> None:
    state = play(small().start(0), "[Offer: 3 Wood -> 2 Gold]", "Hm.")
    for word in ("accept", "deny"):
        assert f"no offer from the other player to {word}" in refused(state, f"[{word}]")
    assert "no offer from the other player to accept" in refused(small().start(0), "[Accept]")


def test_an_offer_is_carried_out_once() -> None:
    state = play(small().start(0), "[Offer: 3 Wood -> 2 Gold]", "[Accept]", "Thanks.")
    assert "no offer from the other player" in refused(state, "[Accept]")


def test_nobody_gives_what_it_does_not_have() -> None:
    start = small().start(0)
    assert refused(start, "[Offer: 11 Wood -> 1 Gold]") == (
        "You cannot give more than you have: 10 Wood and 10 Gold."
    )
    state = play(start, "[Offer: 1 Wood -> 11 Gold]")
    assert state.observe(TWO).examples[0] == "[Deny]"
    assert refused(state, "[Accept]") == (
        "The offer asks for more than you have: 10 Wood and 10 Gold."
    )
    gone = play(start, "[Offer: 10 Wood, 10 Gold -> nothing]", "[Accept]")
    assert gone.observe(ONE).examples[0] == "[Offer: nothing -> 1 Gold]"
    assert "more than you have: nothing." in refused(gone, "[Offer: 1 Wood -> 1 Gold]")
    assert play(gone, "[Offer: nothing -> 1 Gold]", "[Accept]").held == ((0, 1), (20, 19))


def test_refusals_say_why_and_only_to_the_offender() -> None:
    state = Refereed(small()).start(0)
    after = play(state, "[Offer: 3 Stone -> 1 Gold]")
    assert after.rejected == (ONE,)
    assert "Amounts are of Wood and Gold only. Try again." in lines(after, ONE)[-1]
    assert after.observe(TWO) == state.observe(TWO)
    assert play(after, " ").forfeits == (ONE,)
    assert play(after, " ").payoffs == {ONE: -1.0, TWO: 1.0}


# --- what is seen


def test_words_are_heard_and_bare_decisions_are_not_repeated() -> None:
    state = play(small().start(0), " I need Gold. [Offer: 3 wood for 2 golds]\n", "[Deny]", "Why?")
    for role in ROLES:
        assert lines(state, role)[2:] == [
            "player_0: I need Gold. [Offer: 3 wood for 2 golds]",
            "game: player_0 offers to give 3 Wood and get 2 Gold.",
            "game: player_1 denies the offer.",
            "player_0: Why?",
        ]


def test_amounts_and_values_are_private() -> None:
    state = SimpleNegotiation().start(3)
    for seat, role in enumerate(ROLES):
        (told,) = [m for m in state.observe(role).messages if m.text.startswith("You have")]
        numbers = [int(word) for word in told.text.replace(",", " ").replace(".", " ").split()
                   if word.isdecimal()]  # fmt: skip
        assert tuple(numbers) == state.held[seat] + state.deal.values[seat]
        assert told not in state.observe(ROLES[1 - seat]).messages


def test_both_have_the_same_number_of_turns() -> None:
    for turns in (2, 6, 10):
        state, acted = SimpleNegotiation(turns=turns).start(0), []
        while state.to_act:
            acted += state.to_act
            state = play(state, "Hello.")
        assert acted == list(ROLES) * (turns // 2)


def test_examples_are_legal_for_everybody() -> None:
    for seed in range(20):
        state = SimpleNegotiation().start(seed)
        while state.to_act:
            seen = state.observe(state.to_act[0])
            assert 2 <= len(seen.examples) <= 6
            for text in seen.examples:
                after = state.step({seen.role: text})
            state = state.step({seen.role: seen.examples[seed % len(seen.examples)]})
            assert after.turn == state.turn


@settings(max_examples=60)
@given(st.data(), st.integers(0, 10**6))
def test_every_offer_that_can_be_met_is_accepted(data: st.DataObject, seed: int) -> None:
    """What both hold together never changes, and each gain is the change in worth."""
    state = SimpleNegotiation(payoff="gains", turns=2).start(seed)
    kinds = state.deal.kinds
    gives, gets = (tuple(data.draw(st.integers(0, n)) for n in state.held[seat]) for seat in (0, 1))
    sides = [", ".join(f"{n} {k}" for n, k in zip(side, kinds, strict=True) if n) or "nothing"
             for side in (gives, gets)]  # fmt: skip
    if sides == ["nothing", "nothing"]:
        return
    after = play(state, f"[Offer: {sides[0]} -> {sides[1]}]", "[Accept]")
    for i in range(5):
        assert after.held[0][i] == state.held[0][i] - gives[i] + gets[i]
        assert after.held[1][i] == state.held[1][i] + gives[i] - gets[i]
    for seat, role in enumerate(ROLES):
        value = state.deal.values[seat]
        worth = [
            sum(v * n for v, n in zip(value, s.held[seat], strict=True)) for s in (state, after)
        ]
        assert after.payoffs[role] == worth[1] - worth[0]


# --- numbers of five resources


def test_the_ways_to_deal() -> None:
    assert FIVE_DEALS == 21**5 * 2 * 5 * 7 * 11 * 9
    assert five(0) == ((5,) * 5, (5, 8, 12, 20, 32))
    assert five(FIVE_DEALS - 1) == ((25,) * 5, (6, 12, 18, 30, 40))
    assert len({five(n * 99_991) for n in range(3000)}) == 3000


def test_deals_are_even() -> None:
    seen = [Counter[int]() for _ in range(10)]
    for seed in range(2000):
        deal = SimpleNegotiation().start(seed)
        for seat in (0, 1):
            for i, n in enumerate(deal.held[seat] + deal.deal.values[seat]):
                seen[i][n] += 1
    for counted, each in zip(seen, [FIVE_HELD] * 5 + list(FIVE_VALUES), strict=True):
        expected = 4000 / len(each)
        assert set(counted) == set(each)
        chi = sum((counted[n] - expected) ** 2 / expected for n in each)
        assert chi < 3 * len(each) + 15


def test_what_one_is_dealt_says_nothing_of_the_other() -> None:
    wheat, held = Counter[tuple[int, int]](), Counter[bool]()
    for seed in range(2000):
        deal = SimpleNegotiation().start(seed)
        one, two = deal.deal.values
        wheat[one[0], two[0]] += 1
        held[deal.held[0][0] == deal.held[1][0]] += 1
    assert set(wheat) == set(product((5, 6), repeat=2))
    assert all(400 < count < 600 for count in wheat.values())
    assert 50 < held[True] < 145  # 2000/21 = 95


def test_expected_largest_joint_gain() -> None:
    """Utility is linear: each kind goes to whoever values it more, who has 15 less on average."""
    gaps = [
        Fraction(sum(abs(a - b) for a, b in product(each, each)), len(each) ** 2)
        for each in FIVE_VALUES
    ]
    assert gaps == [Fraction(1, 2), Fraction(8, 5), Fraction(16, 7), Fraction(40, 11),
                    Fraction(80, 27)]  # fmt: skip
    assert Fraction(sum(FIVE_HELD), len(FIVE_HELD)) * sum(gaps) == Fraction(228379, 1386)


# --- options and contract


def test_declarations() -> None:
    assert SimpleNegotiation().declares.sum is Sum.ZERO
    gains = SimpleNegotiation(payoff="gains").declares
    assert (gains.sum, gains.low, gains.high) == (Sum.GENERAL, -2650.0, 2650.0)
    two = SimpleNegotiation(payoff="gains", resources=2, turns=6).declares
    assert (two.low, two.high, two.max_turns) == (-200.0, 200.0, 6)
    assert "Whoever's gain is larger" in SimpleNegotiation().rules(ONE)
    assert "Your payoff is your gain" in SimpleNegotiation(payoff="gains").rules(ONE)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"resources": 3}, "resources must be one of 2, 5, not 3"),
        ({"turns": 0}, "turns must be a whole number of at least 2, not 0"),
        ({"turns": 7}, "turns must be even, so that both have as many, not 7"),
        ({"payoff": "chips"}, "payoff must be one of winner, gains, not 'chips'"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        SimpleNegotiation(**options)


@pytest.mark.parametrize(
    "options", [{}, {"resources": 2}, {"payoff": "gains"}, {"turns": 2, "resources": 2}]
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(SimpleNegotiation(**options)) == []

"""Contexts by enumeration, with the counts of the published sets; talk, proposals, objectives."""

from collections import Counter
from fractions import Fraction
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Sum
from sparring.envs.games.negotiation.contexts import (
    KINDS,
    Context,
    contexts,
    points,
    splits,
)
from sparring.envs.games.negotiation.deal_or_no_deal import DealOrNoDeal, DealState, read_proposal
from sparring.envs.games.negotiation.objective import aim, weigh
from sparring.envs.referee import Refereed

ONE, TWO = ROLES = ("player_0", "player_1")
WEIGHTS = (-1, -0.75, -0.5, 0, 0.25, 0.5, 1)


def play(state: Any, *texts: str) -> Any:
    """One text from whoever is to act; where both are, two texts."""
    rest = list(texts)
    while rest:
        state = state.step({role: rest.pop(0) for role in state.to_act})
    return state


def outcomes(context: Context) -> list[tuple[int, int]]:
    """Points of both for every way to split."""
    pool, (mine, yours) = context
    return [
        (points(mine, taken), points(yours, tuple(n - k for n, k in zip(pool, taken, strict=True))))
        for taken in splits(pool).values()
    ]


def frontier(context: Context) -> set[tuple[int, int]]:
    every = set(outcomes(context))
    return {
        (x, y)
        for x, y in every
        if not any(a >= x and b >= y and (a, b) != (x, y) for a, b in every)
    }


# --- contexts: exact numbers


@pytest.mark.parametrize(
    ("most", "count", "pools", "totals", "joint"),
    [
        (4, 5295, 28, {5: 2475, 6: 2004, 7: 816}, 15.058),
        (5, 5793, 31, {5: 2475, 6: 2004, 7: 1314}, 15.0637),
    ],
)
def test_the_number_of_contexts(
    most: int, count: int, pools: int, totals: dict[int, int], joint: float
) -> None:
    every = contexts(most)
    assert len(set(every)) == len(every) == count
    assert len({context.pool for context in every}) == pools
    assert Counter(sum(context.pool) for context in every) == totals
    best = [max(x + y for x, y in outcomes(context)) for context in every]
    assert mean(best) == pytest.approx(joint, abs=5e-4 if most == 4 else 5e-5)


def test_the_smaller_set_is_in_the_larger() -> None:
    assert set(contexts(4)) < set(contexts(5))
    assert {max(c.pool) for c in set(contexts(5)) - set(contexts(4))} == {5}


@pytest.mark.parametrize("most", [4, 5])
def test_every_context_keeps_the_rules(most: int) -> None:
    for pool, values in contexts(most):
        assert 5 <= sum(pool) <= 7
        assert min(pool) >= 1
        assert max(pool) <= most
        assert [sum(n * v for n, v in zip(pool, one, strict=True)) for one in values] == [10, 10]
        pairs = list(zip(*values, strict=True))
        assert all(a + b > 0 for a, b in pairs)
        assert any(a * b > 0 for a, b in pairs)


def test_best_joint_points_and_frontiers() -> None:
    every = contexts(5)
    best = Counter(max(x + y for x, y in outcomes(context)) for context in every)
    assert best == {10: 129, 11: 150, 12: 474, 13: 636, 14: 1182, 15: 528, 16: 1332, 17: 258,
                    18: 774, 19: 330}  # fmt: skip
    assert not any((10, 10) in outcomes(context) for context in every)
    sizes = {len(frontier(context)) for context in every}
    assert (min(sizes), max(sizes)) == (2, 11)


def test_a_random_split_is_worth_10_together() -> None:
    for context in contexts(5):
        every = outcomes(context)
        assert Fraction(sum(x + y for x, y in every), len(every)) == 10


@pytest.mark.parametrize(
    ("context", "best"),
    [
        (Context((1, 2, 3), ((8, 1, 0), (4, 0, 2))), {(2, 10), (10, 6)}),
        (
            Context((1, 4, 1), ((4, 1, 2), (2, 2, 0))),
            {(2, 10), (6, 8), (7, 6), (8, 4), (9, 2), (10, 0)},
        ),
        (Context((2, 2, 1), ((1, 1, 6), (0, 4, 2))), {(2, 10), (8, 8), (9, 4), (10, 0)}),
    ],
)
def test_frontiers_of_openspiels_first_instances(
    context: Context, best: set[tuple[int, int]]
) -> None:
    assert context in contexts(5)
    assert frontier(context) == best


def test_all_contexts_and_both_speakers_are_dealt() -> None:
    seen = Counter[Context]()
    speakers = Counter[int]()
    for seed in range(6000):
        state = DealOrNoDeal().start(seed)
        seen[state.context] += 1
        speakers[state.speaker] += 1
    assert set(seen) <= set(contexts(4))
    assert 3450 < len(seen) < 3700  # 5295 (1 - exp(-6000/5295)) = 3590
    assert max(seen.values()) < 10
    assert 2800 < speakers[0] < 3200


# --- talk


def talking(seed: int = 0, **options: Any) -> DealState:
    return DealOrNoDeal(**options).start(seed)


def test_they_talk_in_turn_and_then_propose_at_once() -> None:
    state = talking(messages=3)
    first = state.to_act[0]
    other = ROLES[1 - ROLES.index(first)]
    acted = []
    while len(state.to_act) == 1:
        acted += state.to_act
        state = play(state, "Hello.")
    assert acted == [first, other, first]
    assert state.to_act == ROLES
    assert state.observe(ONE).messages[-1].text.startswith("The talk is over.")
    assert f"{first} speaks first." in [m.text for m in state.observe(ONE).messages]


@pytest.mark.parametrize("text", ["[End]", "Fine. [end]", " END. "])
def test_end_ends_the_talk(text: str) -> None:
    state = play(talking(), text)
    assert state.to_act == ROLES
    spoken = [m.text for m in state.observe(ONE).messages if m.sender in ROLES]
    assert spoken == (["Fine. [end]"] if "Fine" in text else [])


def test_no_talk_at_all() -> None:
    game = DealOrNoDeal(messages=0)
    assert game.start(0).to_act == ROLES
    assert not game.declares.free_speech
    assert "talk" not in game.rules(ONE)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (" ", r"Say something, or end the talk with \[End\]"),
        (
            "[Propose: 1 book]",
            r"Proposals are made when the talk is over. To end it, write \[End\]",
        ),
        ("Propose: 1 book", "Proposals are made when the talk is over"),
        ("[The end]", "Write End or Propose: ... in the brackets, by itself"),
        ("[End", r"between \[ and \]"),
    ],
)
def test_slips_in_the_talk(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        play(talking(), text)


# --- proposals


def proposing(**options: Any) -> DealState:
    """2 books, 2 hats, 1 ball; to player_0 worth 2, 1, 4 and to player_1 3, 2, 0."""
    state = talking(messages=0, **options)
    assert state.context == Context((2, 2, 1), ((2, 1, 4), (3, 2, 0)))
    return state


def test_legal_proposals_are_all_splits() -> None:
    legal = proposing().observe(ONE).legal
    assert legal is not None
    assert len(legal) == 3 * 3 * 2
    assert "1 book, 2 hats, 0 balls" in legal


def test_a_deal_by_hand() -> None:
    state = play(proposing(), "1 book, 1 ball", "1 book, 2 hats")
    assert state.payoffs == {ONE: 2 + 4, TWO: 3 + 4}
    assert state.observe(ONE).messages[-1].text == (
        "player_0 takes 1 book, 0 hats and 1 ball, player_1 takes 1 book, 2 hats and 0 balls. "
        "That is a deal. Points: player_0 6, player_1 7."
    )


@pytest.mark.parametrize(("mine", "yours"), [("1 book", "1 book"), ("2 books", "2 books, 2 hats")])
def test_proposals_that_do_not_fit_are_no_deal(mine: str, yours: str) -> None:
    for other in WEIGHTS:
        state = play(proposing(other=other), mine, yours)
        assert state.to_act == ()
        assert state.payoffs == {ONE: 0.0, TWO: 0.0}
        assert "no deal" in state.observe(TWO).messages[-1].text


def test_a_proposal_is_private_until_both_are_in() -> None:
    start = Refereed(DealOrNoDeal(messages=0)).start(0)
    views = []
    for mine in ("1 book", "2 hats"):
        waiting = start.step({ONE: mine, TWO: "hm"})
        assert waiting.rejected == (TWO,)
        assert waiting.to_act == (TWO,)
        assert waiting.observe(ONE).messages == start.observe(ONE).messages
        views.append(waiting.observe(TWO))
    assert views[0] == views[1]
    both = start.step({ONE: "?", TWO: "?"})
    assert set(both.rejected) == set(ROLES)


@given(st.data())
def test_every_wording_of_a_proposal(data: st.DataObject) -> None:
    pool = data.draw(st.sampled_from(contexts(5))).pool
    taken = tuple(data.draw(st.integers(0, n)) for n in pool)
    words = {0: ["no", "0", "zero"], 1: ["a", "one", "1"], 2: ["2", "two"], 3: ["3", "three"]}
    items = [
        data.draw(st.sampled_from(words.get(n, [str(n)])))
        + " "
        + kind
        + data.draw(st.sampled_from(["", "s"]))
        for n, kind in zip(taken, KINDS, strict=True)
        if n or data.draw(st.booleans())
    ]
    text = data.draw(st.sampled_from([", ", " and ", "; ", " + "])).join(
        data.draw(st.permutations(items)) or ["nothing"]
    )
    shell = data.draw(
        st.sampled_from(
            ["{}", "[Propose: {}]", "Well, [propose {}.] Ok?", "I take {}", "[ {} ]", "Propose: {}"]
        )
    )
    text = data.draw(st.sampled_from([str, str.upper, str.title]))(shell.format(text))
    assert read_proposal(text, ONE, pool) == taken


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", r"To propose, write for instance \[Propose: 1 book, 2 hats, 1 ball\]\."),
        ("the rest", "Write amounts as whole numbers"),
        ("3 books", "That is more than there is: 2 books, 2 hats and 1 ball"),
        ("1 cat", "Amounts are of books, hats and balls only"),
        ("1 hat, 1 hat", "Name hats only once"),
        ("[1 hat] or [1 ball]", "several proposals"),
        ("[hm] 1 hat", "Write amounts as whole numbers"),
    ],
)
def test_what_is_no_proposal(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_proposal(text, ONE, (2, 2, 1))


# --- objectives


@pytest.mark.parametrize("other", WEIGHTS)
def test_the_objective_over_all_deals(other: float) -> None:
    """X_i + w X_j, within the declared bounds, which are met; the sum as declared."""
    declared = DealOrNoDeal(other=other, most=5).declares
    met = {0.0}
    for context in contexts(5)[::7] + contexts(4)[:40]:
        for x, y in outcomes(context):
            one, two = weigh((x, y), other)
            assert (one, two) == (x + other * y, y + other * x)
            met |= {one, two}
            assert other != -1 or one + two == 0
            assert other != 1 or one == two == x + y
    assert (min(met), max(met)) == (declared.low, declared.high)
    expected = {-1: Sum.ZERO, 1: Sum.COOPERATIVE}.get(other, Sum.GENERAL)
    assert declared.sum is expected


@pytest.mark.parametrize(
    ("other", "paid"), [(-1, (-1, 1)), (1, (13, 13)), (0.5, (9.5, 10)), (-0.5, (2.5, 4))]
)
def test_objectives_by_hand(other: float, paid: tuple[float, float]) -> None:
    state = play(proposing(other=other), "1 book, 1 ball", "1 book, 2 hats")
    assert tuple(state.payoffs.values()) == paid


def test_objectives_in_words() -> None:
    assert aim(0.5).endswith("your points plus 0.5 times the other's.")
    assert aim(-0.25).endswith("your points minus 0.25 times the other's.")
    said = {other: DealOrNoDeal(other=other).rules(ONE) for other in (-1, 0, 1)}
    assert "your points minus the other's." in said[-1]
    assert "your own points, whatever the other's." in said[0]
    assert "the points of both together." in said[1]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"messages": -1}, "messages must be a whole number of at least 0"),
        ({"other": 1.5}, "other must be a number from -1 to 1, not 1.5"),
        ({"other": "self"}, "other must be a number from -1 to 1"),
        ({"most": 6}, "most must be one of 4, 5, not 6"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        DealOrNoDeal(**options)


@pytest.mark.parametrize(
    "options", [{}, {"other": -1}, {"other": 1, "messages": 2}, {"other": 0.5, "messages": 0}]
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(DealOrNoDeal(**options)) == []

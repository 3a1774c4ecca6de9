"""What games measure of their ends besides payoffs: by hand, and against plain enumeration."""

import asyncio
import math
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.envs.core import Role
from sparring.envs.games.adversarial_taboo import ENDS, AdversarialTaboo
from sparring.envs.games.avalon.game import REJECTIONS, Avalon, AvalonState
from sparring.envs.games.debate import Debate
from sparring.envs.games.debate.questions import Question
from sparring.envs.games.iterated_prisoners_dilemma import IteratedPrisonersDilemma
from sparring.envs.games.negotiation.buy_sell import BuySell
from sparring.envs.games.negotiation.contexts import Context, contexts, points, splits
from sparring.envs.games.negotiation.deal_or_no_deal import DealOrNoDeal, DealState
from sparring.envs.games.negotiation.pareto import best_joint, efficient, most_for_other
from sparring.envs.games.negotiation.simple_negotiation import SimpleNegotiation
from sparring.envs.games.negotiation.ultimatum import Ultimatum
from sparring.envs.games.reference_game import reference_game
from sparring.envs.games.taboo import Card, Taboo
from sparring.envs.games.twenty_questions import Thing, TwentyQuestions
from sparring.envs.games.who_is_the_spy import WhoIsTheSpy
from sparring.envs.messages import rules_first
from sparring.envs.referee import Refereed


def go(state: Any, *texts: str) -> Any:
    """One text from whoever is to act; where several are, as many texts."""
    rest = list(texts)
    while rest:
        assert dict(state.outcome) == {}, "nothing is measured before the end"
        state = state.step({role: rest.pop(0) for role in state.to_act})
    return state


# --- Pareto efficiency: the table against all splits

INSTANCES = [  # OpenSpiel's first three of bargaining: pool, values, frontier, largest joint points
    ((1, 2, 3), ((8, 1, 0), (4, 0, 2)), {(2, 10), (10, 6)}, 16),
    (
        (1, 4, 1),
        ((4, 1, 2), (2, 2, 0)),
        {(2, 10), (6, 8), (7, 6), (8, 4), (9, 2), (10, 0)},
        14,
    ),
    ((2, 2, 1), ((1, 1, 6), (0, 4, 2)), {(2, 10), (8, 8), (9, 4), (10, 0)}, 16),
]


def pairs(pool: tuple[int, ...], values: Any) -> set[tuple[int, int]]:
    """The worths of both for every way to split."""
    every = product(*(range(n + 1) for n in pool))
    rest = lambda taken: tuple(n - k for n, k in zip(pool, taken, strict=True))  # noqa: E731
    return {(points(values[0], taken), points(values[1], rest(taken))) for taken in every}


def dominated(pair: tuple[int, int], every: set[tuple[int, int]]) -> bool:
    x, y = pair
    return any(a >= x and b >= y and (a, b) != (x, y) for a, b in every)


@pytest.mark.parametrize(("pool", "values", "frontier", "joint"), INSTANCES)
def test_known_instances(pool: Any, values: Any, frontier: Any, joint: int) -> None:
    assert {pair for pair in pairs(pool, values) if efficient(pool, values, pair)} == frontier
    assert best_joint(pool, values) == joint
    assert best_joint(pool, values[::-1]) == joint


def test_every_context_of_deal_or_no_deal() -> None:
    sizes = set()
    for context in contexts(5)[::23]:
        every = pairs(*context)
        frontier = {pair for pair in every if efficient(*context, pair)}
        assert frontier == {pair for pair in every if not dominated(pair, every)}
        assert best_joint(*context) == max(x + y for x, y in every)
        assert not efficient(*context, (0, 0))
        sizes.add(len(frontier))
    assert sizes <= set(range(2, 12))
    assert len(sizes) > 6


def test_the_best_joint_points_of_all_contexts() -> None:
    best = [best_joint(*context) for context in contexts(5)]
    assert (min(best), max(best)) == (10, 19)
    assert sum(best) / len(best) == pytest.approx(15.0637, abs=5e-5)


AMOUNTS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=4
)


@given(AMOUNTS, st.data())
def test_the_table_is_what_all_splits_give(kinds: Any, data: st.DataObject) -> None:
    pool, mine, yours = zip(*kinds, strict=True)
    every = pairs(pool, (mine, yours))
    most = most_for_other(pool, (mine, yours))
    assert len(most) == points(mine, pool) + 1
    for x, found in enumerate(most):
        assert found == max((y for a, y in every if a == x), default=-1)
    some = data.draw(st.sampled_from(sorted(every)))
    less = (some[0] - data.draw(st.integers(0, some[0])), some[1])
    for pair in (some, less, (0, 0)):
        assert efficient(pool, (mine, yours), pair) == (not dominated(pair, every))


# --- Deal or No Deal

POOL, VALUES = INSTANCES[0][0], INSTANCES[0][1]


@pytest.mark.parametrize(
    ("one", "two", "measured"),
    [
        # 16 is the most: the book (8) and the hats (2) to one, the balls (6) to the other
        ("1 book, 2 hats", "3 balls", (1, 16, 1, 1)),
        ("2 hats", "1 book, 3 balls", (1, 12, 12 / 16, 1)),
        ("1 book", "2 hats, 3 balls", (1, 14, 14 / 16, 0)),  # the hats are worth nothing to two
        ("1 book", "1 book", (0, 0, 0, 0)),
        ("nothing", "nothing", (0, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("other", [-1.0, 0.0, 1.0])
def test_deal_or_no_deal(one: str, two: str, measured: Any, other: float) -> None:
    """Points are measured, whatever the players are paid for."""
    game = DealOrNoDeal(messages=2, other=other)
    state = DealState(game, Context(POOL, VALUES), rules_first(game), 0)
    names = ("agreed", "joint", "efficiency", "pareto")
    assert go(state, "Hello.", "[End]", one, two).outcome == dict(zip(names, measured, strict=True))


def test_some_split_of_every_deal_is_the_best() -> None:
    for seed in range(30):
        start = DealOrNoDeal(messages=0).start(seed)
        names, pool = splits(start.context.pool), start.context.pool
        found = []
        for name, taken in names.items():
            rest = tuple(n - k for n, k in zip(pool, taken, strict=True))
            other = next(text for text, held in names.items() if held == rest)
            found.append(go(start, name, other).outcome)
        assert max(each["efficiency"] for each in found) == 1
        assert all(each["pareto"] for each in found if each["efficiency"] == 1)


# --- SimpleNegotiation


@pytest.mark.parametrize(
    ("texts", "trades", "joint", "pareto"),
    [
        (["a", "b", "c", "d"], 0, 0, 0),
        (["[Offer: 3 Wood -> 2 Gold]", "[Accept]", "c", "d"], 1, 50, 0),
        (["[Offer: 10 Wood -> 10 Gold]", "[Accept]", "c", "d"], 1, 200, 1),
        (["[Offer: 10 Wood -> nothing]", "[Accept]", "c", "d"], 1, 100, 1),  # a present
        (["[Offer: 1 Gold -> 1 Wood]", "[Accept]", "c", "d"], 1, -20, 0),
        (["[Offer: 3 Wood -> 2 Gold]", "[Accept]", "[Offer: 2 Gold -> 3 Wood]", "[Accept]"],
         2, 0, 0),
        (["[Offer: 3 Wood -> 2 Gold]", "[Deny]", "c", "d"], 0, 0, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("payoff", ["winner", "gains"])
def test_two_resources(texts: Any, trades: int, joint: int, pareto: int, payoff: str) -> None:
    """Each gains 10 for a Wood that goes to player_1 and for a Gold that goes to player_0."""
    end = go(SimpleNegotiation(resources=2, turns=4, payoff=payoff).start(0), *texts)
    assert end.outcome == {
        "agreed": float(trades > 0),
        "trades": trades,
        "joint": joint,
        "efficiency": joint / 200,
        "pareto": pareto,
    }


FIVE = ("Wheat", "Wood", "Sheep", "Brick", "Ore")


@pytest.mark.parametrize("seed", range(12))
def test_five_resources_each_to_who_values_it_more(seed: int) -> None:
    """The most that both can gain is Σ |difference of the values| · what the other one holds."""
    start = SimpleNegotiation(turns=4).start(seed)
    (one, two), (mine, yours) = start.held, start.deal.values
    gives = [f"{n} {k}" for n, k, a, b in zip(one, FIVE, mine, yours, strict=True) if a < b]
    gets = [f"{n} {k}" for n, k, a, b in zip(two, FIVE, mine, yours, strict=True) if a > b]
    best = sum(
        (b - a) * n if a < b else (a - b) * m
        for n, m, a, b in zip(one, two, mine, yours, strict=True)
    )
    offer = f"[Offer: {', '.join(gives) or 'nothing'} -> {', '.join(gets) or 'nothing'}]"
    end = go(start, offer, "[Accept]", "Bye.", "Bye.")
    assert (end.outcome["joint"], end.outcome["efficiency"]) == (best, 1)
    assert end.outcome["pareto"] == 1
    none = go(start, "Hello.", "Hello.", "Bye.", "Bye.")
    assert (none.outcome["agreed"], none.outcome["efficiency"]) == (0, 0)
    assert none.outcome["pareto"] == 0


def test_where_both_value_all_alike_there_is_nothing_to_gain() -> None:
    start = SimpleNegotiation(turns=2).start(0)
    alike = replace(start, deal=replace(start.deal, values=(start.deal.values[0],) * 2))
    assert go(alike, "a", "b").outcome == {"agreed": 0, "trades": 0, "joint": 0, "pareto": 1}


# --- haggling


@pytest.mark.parametrize(("cost", "value"), [(4, 6), (5, 5), (7, 3)])
def test_buy_sell_against_all_prices(cost: int, value: int) -> None:
    start = BuySell(cost=cost, value=value, highest=10, talk=False).start(0)
    every = {(p - cost, value - p) for p in range(11)} | {(0, 0)}
    for price in range(11):
        share = {"seller_share": (price - cost) / (value - cost)} if value > cost else {}
        assert go(start, f"Offer: {price}", "Accept").outcome == {
            "agreed": 1,
            "joint": value - cost,
            "pareto": float(not dominated((price - cost, value - price), every)),
            "price": price,
            **share,
        }
    none = {"agreed": 0, "joint": 0, "pareto": float(not dominated((0, 0), every))}
    assert go(start, "Offer: 5", "Reject").outcome == none
    assert go(start, *[f"Offer: {price}" for price in range(9)], "Reject").outcome == none


def test_talk_that_runs_out_is_no_deal() -> None:
    end = go(BuySell(turns=2).start(0), "[Offer: 50]", "Hm.")
    assert end.outcome == {"agreed": 0, "joint": 0, "pareto": 0}


def test_ultimatum() -> None:
    start = Ultimatum(pot=10).start(0)
    first = go(start, "[Offer: 3]", "[Accept]").outcome
    assert first == {"agreed": 1, "joint": 10, "pareto": 1, "responder_share": 0.3}
    counter = go(start, "[Offer: 3]", "[Offer: 4]", "[Accept]").outcome
    assert counter["responder_share"] == 0.6, "the responder keeps what it does not offer"
    assert go(start, "[Offer: 3]", "[Reject]").outcome == {"agreed": 0, "joint": 0, "pareto": 0}


# --- debate

SEA = Question(
    "The sea was calm at dawn. By noon a storm had come up, and the boats turned back.",
    "Why did the boats turn back?",
    "A storm came up.",
    "They had no fish.",
)
RIGHT = "<quote>By noon a storm had come up</quote>"
WRONG = "<quote>they had caught no fish all day</quote>"


def debate(correct: Role, **options: Any) -> Any:
    game = Debate(**{"rounds": 1, "questions": [SEA], **options})
    return next(state for _, state in game.openings() if state.correct == correct)


@pytest.mark.parametrize(
    ("verdict", "belief", "correct"),
    [("70%", 0.7, 1.0), ("30%", 0.3, 0.0), ("50%", 0.5, 0.5), ("100%", 1.0, 1.0)],
)
def test_the_judge_of_a_debate(verdict: str, belief: float, correct: float) -> None:
    words = ("Storm.", "Fish.", f"debater_0: {verdict}")
    told = go(debate("debater_0"), *words).outcome
    assert told == pytest.approx({"belief": belief, "correct": correct, "quotes": 0})
    told = go(debate("debater_1"), *words).outcome
    assert told == pytest.approx({"belief": 1 - belief, "correct": 1 - correct, "quotes": 0})


def test_quotes_of_a_debate() -> None:
    end = go(debate("debater_0"), f"{RIGHT} {WRONG}", f"So {RIGHT}.", "debater_0: 80%").outcome
    assert (end["quotes"], end["verified"]) == (3, 2 / 3)
    end = go(debate("debater_0", judge="quotes"), RIGHT, WRONG).outcome
    assert end == {"belief": 1, "correct": 1, "quotes": 2, "verified": 0.5}


@pytest.mark.parametrize(("side", "belief"), [("consultant", 0.8), ("other", 0.2)])
def test_consultancy(side: Role, belief: float) -> None:
    """The consultant's answer is the correct one, or the other."""
    end = go(debate(side, consultancy=True), RIGHT, "consultant: 80%").outcome
    assert end == pytest.approx(
        {"belief": belief, "correct": round(belief), "quotes": 1, "verified": 1}
    )


# --- hidden parts


def test_who_is_the_spy() -> None:
    game = WhoIsTheSpy(players=4, rounds=1, simultaneous=True, pairs=[("tea", "coffee")])
    start = next(s for s in map(game.start, range(99)) if s.spy == 0)

    def end(*votes: str) -> Any:
        names = [vote if vote == "n/a" else f"player_{vote}" for vote in votes]
        return go(start, *["I like it."] * 4, *names).outcome

    assert end("1", "0", "0", "0") == {"caught": 1, "right_votes": 1}
    assert end("1", "0", "n/a", "0") == {"caught": 1, "right_votes": 2 / 3}
    assert end("1", "0", "1", "1") == {"caught": 0, "right_votes": 1 / 3}
    assert end("n/a", "n/a", "n/a", "n/a") == {"caught": 0, "right_votes": 0}


PARTS = ("merlin", "servant", "servant", "assassin", "minion")


def quests(state: Any, *good: bool) -> Any:
    """Quests that the first seats go on, or, to fail, the last."""
    for succeeds in good:
        size = state._size
        seats = range(size) if succeeds else range(5 - size, 5)
        leader = " ".join(f"player_{seat}" for seat in seats)
        cards = ["success" if succeeds or seat < 4 else "fail" for seat in seats]
        state = go(state, leader, *["approve"] * 5, *cards)
    return state


def test_avalon() -> None:
    start = AvalonState(Avalon(), PARTS, 0, ())
    three = {"quests": 3.0, "succeeded": 3.0, "rejected": 0.0}
    asked = quests(start, True, True, True)
    assert asked.outcome == {}, "the assassin has not spoken"
    assert go(asked, "player_0").outcome == {"good_won": 0, "merlin_found": 1, **three}
    assert go(asked, "player_1").outcome == {"good_won": 1, "merlin_found": 0, **three}
    lost = quests(start, True, False, False, True, False)
    assert lost.outcome == {"good_won": 0, "quests": 5, "succeeded": 2, "rejected": 0}
    state = start
    for _ in range(REJECTIONS):
        state = go(state, "player_0 player_1", *["reject"] * 5)
    assert state.outcome == {"good_won": 0, "quests": 0, "succeeded": 0, "rejected": 1}


# --- words

CAR = Card("car", ("drive", "wheel", "road", "engine", "vehicle"))


@pytest.mark.parametrize("discount", [0.0, 0.5, 1.0])
def test_taboo(discount: float) -> None:
    """A late guess that pays nothing is right all the same."""
    start = Taboo(rounds=2, discount=discount)._open(CAR)
    clue, wrong, right = "It is fast.", "guess: bus", "guess: car"
    assert go(start, clue, right).outcome == {"solved": 1, "forbidden": 0, "rounds": 1}
    assert go(start, clue, wrong, clue, right).outcome == {"solved": 1, "forbidden": 0, "rounds": 2}
    assert go(start, clue, wrong, clue, wrong).outcome == {"solved": 0, "forbidden": 0}
    assert go(start, "You drive it.").outcome == {"solved": 0, "forbidden": 1}
    assert go(start, clue, wrong, "A car.").outcome == {"solved": 0, "forbidden": 1}


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_twenty_questions(discount: float) -> None:
    start = TwentyQuestions(questions=3, discount=discount)._open(Thing("tool", ("saw",)))
    assert go(start, "guess: saw").outcome == {"solved": 1, "questions": 1}
    late = ("Is it soft?", "no", "guess: axe", "guess: saw")
    assert go(start, *late).outcome == {"solved": 1, "questions": 3}
    assert go(start, *late[:3], "guess: pen").outcome == {"solved": 0}


def test_reference_game() -> None:
    start = next(s for s in map(reference_game(3, signals=3).start, range(9)) if s.target == "2")
    assert go(start, "A", "2").outcome == {"solved": 1}
    assert go(start, "A", "1").outcome == {"solved": 0}


@pytest.mark.parametrize(
    ("texts", "end"),
    [
        (("Hello.", "I like my car."), "said"),
        (("Hello.", "I know the word! It is car."), "guessed"),
        (("Hello.", "I know the word! It is bus."), "misguessed"),
        (("The car.",), "broke_rule"),
        (("I know the word! It is car.",), "broke_rule"),
        (("Hello.", "Hello."), "ran_out"),
    ],
)
def test_adversarial_taboo(texts: tuple[str, ...], end: str) -> None:
    measured = go(AdversarialTaboo(turns=1, word="car").start(0), *texts).outcome
    assert measured == {name: float(name == end) for name in ENDS}
    assert sum(measured.values()) == 1


def test_iterated_prisoners_dilemma() -> None:
    start = IteratedPrisonersDilemma(rounds=4, talk=True).start(0)
    said = ("Hello.", "Hello.")
    c, d = "cooperate", "defect"
    end = go(start, *said, c, c, *said, c, d, *said, d, d, *said, c, c).outcome
    assert end == {"cooperation": 5 / 8, "mutual": 2 / 4}


# --- from a game to its record


def test_an_episode_carries_what_was_measured() -> None:
    game, agent = BuySell(), RandomAgent()
    seats = dict.fromkeys(game.roles, agent)
    episodes = [asyncio.run(play(Match(game, seats, seed, seed))) for seed in range(20)]
    assert {episode.outcome["agreed"] for episode in episodes} == {0, 1}
    for episode in episodes:
        assert all(math.isfinite(value) for value in episode.outcome.values())
        assert episode.outcome["joint"] == sum(episode.payoffs.values())


def test_a_forfeit_is_not_measured() -> None:
    state = Refereed(Ultimatum(), retries=0).start(0).step({"proposer": "[Offer: 1000]"})
    assert state.forfeits == ("proposer",)
    assert state.outcome == {}

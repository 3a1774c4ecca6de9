"""What a tournament's table shows: which games count, for what, and as whose."""

import json
import math
import resource
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
import pytest

from sparring.agents.arena.estimates import bounded, estimate, quantile
from sparring.agents.arena.simulation import GAME, Setting, simulate
from sparring.agents.arena.summary import GameSummary, summarise
from sparring.envs.core import BadInput

Tables = Callable[..., pl.DataFrame]


def one(table: pl.DataFrame, sum: str = "zero-sum") -> GameSummary:
    return summarise(table, {"G": sum}).games["G"]


def duel(played: Any, first: str, second: str, payoff: float, deal: int, **more: Any) -> Any:
    return played(deal, {"first": (first, payoff), "second": (second, -payoff)}, **more)


def test_a_small_table_by_hand(duels: Tables) -> None:
    """a v b and b v a on three deals."""
    pays = [(2.0, 1.0), (-1.0, 0.0), (4.0, -2.0)]  # of the first seat: a's, then b's
    games = [game for d, (x, y) in enumerate(pays) for game in (("a", "b", x, d), ("b", "a", y, d))]
    found = one(duels(games))
    expected = estimate([(x - y) / 2 for x, y in pays])  # of a, both seatings of a deal
    assert found.scores["a"].mean == pytest.approx(expected.mean)
    error = (expected.high - expected.mean) / quantile(3)
    within = bounded(expected.mean, error, 3, (-4.0, 4.0))  # the payoffs that were seen
    assert found.scores["a"].low == pytest.approx(within.low)
    assert found.scores["a"].high == pytest.approx(within.high)
    assert found.cross["a"]["b"] == found.scores["a"]
    assert found.cross["b"]["a"].mean == pytest.approx(-expected.mean)
    assert list(found.scores) == list(found.cross) == list(found.records) == ["a", "b"]
    assert (found.games, found.deals, found.void) == (6, 3, 0)
    record = found.records["a"]["first"]
    assert record.games == 3
    shares = (record.win.mean, record.draw.mean, record.loss.mean)
    assert shares == pytest.approx((2 / 3, 0, 1 / 3))
    assert record.payoff.mean == pytest.approx(5 / 3)
    second = found.records["a"]["second"]
    assert (second.win.mean, second.draw.mean, second.loss.mean) == pytest.approx((1 / 3,) * 3)
    assert found.habits["b"].legal.mean == pytest.approx(3 / 4)
    assert found.habits["b"].answers.mean == 4
    assert found.habits["b"].tokens.mean == 5
    assert found.habits["b"].forfeits.mean == 0
    assert found.nash is not None
    assert found.nash["a"].mean == 1
    assert found.ratings is not None
    assert list(found.ratings) == ["a", "b"]
    (test,) = found.paired
    assert (test.one, test.two) == ("a", "b")
    assert test.difference.mean == pytest.approx(2 * expected.mean)


def test_a_void_game_takes_its_pairing_off_the_deal(played: Any, tabled: Tables) -> None:
    games = [duel(played, one, two, 1.0, deal) for deal in range(3) for one, two in ("ab", "ba")]
    games += [duel(played, "a", "c", -1.0, 0), duel(played, "c", "a", 1.0, 0)]
    games[0] = duel(played, "a", "b", 1.0, 0, void=True)
    found = one(tabled(games))
    assert (found.games, found.void) == (8, 1)
    assert found.cross["a"]["b"].clusters == 2, "both games of a and b on deal 0 are out"
    assert found.cross["a"]["b"].mean == 0
    assert found.cross["a"]["c"].clusters == 1, "the other pairing on that deal counts"
    assert found.records["a"]["first"].games == 3
    with pytest.raises(BadInput, match=r"1 games were void .*, and the other 1 were on"):
        one(tabled([games[0], games[1]]))


def test_one_game_of_several_may_have_nothing_to_count(played: Any, tabled: Tables) -> None:
    games = [duel(played, one, two, 1.0, d) for d in range(3) for one, two in ("ab", "ba")]
    games += [duel(played, "a", "b", 1.0, 0, void=True, game="H")]
    found = summarise(tabled(games), {"G": "zero-sum", "H": "zero-sum"})
    empty = found.games["H"]
    assert (empty.games, empty.void, empty.deals) == (1, 1, 0)
    assert empty.scores == empty.cross == empty.records == empty.habits == empty.measures == {}
    assert empty.ratings is empty.nash is None
    assert found.ratings is None, "one game with results is rated alone"


def test_self_play_is_in_the_diagonal_and_the_measures_only(played: Any, tabled: Tables) -> None:
    cross = [
        duel(played, one, two, 1.0, d, more={"outcome.agreed": 0.0})
        for d in range(4)
        for one, two in ("ab", "ba")
    ]
    own = [
        played(d, {"first": ("a", 7.0), "second": ("a", 5.0)}, more={"outcome.agreed": 1.0})
        for d in range(4)
    ]
    found, without = one(tabled(cross + own), "general-sum"), one(tabled(cross), "general-sum")
    assert found.cross["a"]["a"].mean == 6
    assert found.measures["agreed"]["a"].mean == pytest.approx(4 / 12)
    assert found.measures["agreed"]["b"].mean == 0
    for part in ("scores", "records", "habits", "ratings", "sides", "paired"):
        assert getattr(found, part) == getattr(without, part)
    alone = one(tabled(own), "general-sum")
    assert alone.cross == {"a": {"a": found.cross["a"]["a"]}}
    assert alone.scores == alone.records == {}
    assert alone.ratings is None


def test_a_judge_is_measured_and_nothing_else(played: Any, tabled: Tables) -> None:
    games = [
        played(
            deal,
            {"pro": (pro, 1.0), "con": (con, -1.0), "judge": ("judy", 100.0)},
            unrated=["judge"],
            more={"outcome.right": float(deal % 2)},
        )
        for deal in range(6)
        for pro, con in ("ab", "ba")
    ]
    found = one(tabled(games))
    assert set(found.scores) == set(found.cross) == set(found.habits) == {"a", "b"}
    assert set(found.records["a"]) == {"pro", "con"}
    assert found.records["a"]["pro"].win.mean == 1
    assert found.measures["right"]["judy"].mean == 0.5
    assert found.measures["right"]["judy"].clusters == 6


def test_a_game_of_three_sides(played: Any, tabled: Tables) -> None:
    """The highest payoff of all wins; shared it is a draw; teams win and lose together."""
    seats = ("x", "y", "z")
    pays = [(1.0, 0.0, -1.0), (1.0, 1.0, -2.0), (0.0, 0.0, 0.0)]
    games = [
        played(d, {s: (n, v) for s, n, v in zip(seats, "abb", paid, strict=True)})
        for d, paid in enumerate(pays)
    ]
    found = one(tabled(games))
    record = found.records["a"]["x"]
    assert [s.mean for s in (record.win, record.draw, record.loss)] == pytest.approx(
        [1 / 3, 2 / 3, 0]
    )
    assert found.records["b"]["y"].draw.mean == pytest.approx(2 / 3)
    assert found.records["b"]["z"].loss.mean == pytest.approx(2 / 3)
    teams = {"x": "good", "y": "evil", "z": "good"}
    split = [
        played(d, {s: (n, v) for s, n, v in zip(seats, "aba", paid, strict=True)}, teams)
        for d, paid in enumerate([(1.0, -2.0, 1.0), (-1.0, 2.0, -1.0)])
    ]
    record = one(tabled(split)).records["a"]["good"]
    assert (record.games, record.win.mean, record.payoff.mean) == (2, 0.5, 0.0)


@pytest.mark.parametrize("kind", ["cooperative", "general-sum", "constant-sum", "zero-sum"])
def test_what_applies_to_which_game(duels: Tables, kind: str) -> None:
    games = [(*pair, v, d) for d, v in enumerate((1.0, -1.0, 1.0)) for pair in ("ab", "ba")]
    found = one(duels(games), kind)
    winners, adds_up = kind != "cooperative", kind in ("constant-sum", "zero-sum")
    assert (found.ratings is not None) == (found.sides is not None) == winners
    assert (found.nash is not None) == (found.alpha_rank is not None) == adds_up
    assert math.isnan(found.records["a"]["first"].win.mean) == (not winners)
    assert found.records["a"]["first"].payoff.clusters == 3
    assert found.scores.keys() == {"a", "b"}


def test_a_score_weighs_opponents_not_games(duels: Tables) -> None:
    """+1 against b in 10 games, −1 against c in 2."""
    games = [("a", "b", 1.0, d) for d in range(10)] + [("a", "c", -1.0, d) for d in range(2)]
    assert one(duels(games)).scores["a"].mean == 0


def test_an_undefeated_agent_is_not_known_to_win_always(duels: Tables) -> None:
    found = one(duels([g for d in range(20) for g in (("a", "b", 1.0, d), ("b", "a", -1.0, d))]))
    score, t = found.scores["a"], quantile(20)
    assert (score.mean, score.high) == (1.0, 1.0)
    assert score.low == pytest.approx(1 - 2 * t * t / (20 + t * t))
    assert found.records["a"]["first"].win.low == pytest.approx(20 / (20 + t * t))


def test_measures_that_some_games_lack(played: Any, tabled: Tables) -> None:
    games = [duel(played, "a", "b", 1.0, d, more={"outcome.rounds": float(d)}) for d in range(4)]
    games += [duel(played, "a", "b", 1.0, d) for d in range(4, 6)]  # forfeits measure nothing
    found = one(tabled(games)).measures
    assert found.keys() == {"rounds"}
    assert found["rounds"]["a"].mean == 1.5
    assert found["rounds"]["a"].clusters == 4


def test_ratings_over_several_games(played: Any, tabled: Tables) -> None:
    games = [
        duel(played, *pair, v, d, game=game)
        for game in "GHC"
        for d, v in enumerate((1.0, -1.0, 1.0, 1.0))
        for pair in ("ab", "ba", "bc", "ca")
    ]
    sums = {"G": "zero-sum", "H": "general-sum", "C": "cooperative"}
    found = summarise(tabled(games), sums)
    assert list(found.games) == ["G", "H", "C"]
    assert found.ratings is not None
    assert found.games["G"].ratings is not None
    for name, e in found.games["G"].ratings.items():
        assert found.ratings[name].mean == pytest.approx(e.mean, abs=1e-6), "the same games twice"
    assert summarise(tabled(games), sums, seed=1) != found
    assert summarise(tabled(games), sums) == found
    json.dumps(asdict(found))


def test_twenty_agents_and_ten_thousand_games() -> None:
    """Seconds, and memory beside the table that does not grow with the games."""
    table = simulate(Setting(range(0, 800, 40), 27, 50), np.random.default_rng(0))
    assert table["index"].n_unique() > 10_000
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = summarise(table, {GAME: "zero-sum"}).games[GAME]
    took = time.process_time() - start
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert took < 20
    assert used < 400
    assert len(found.paired) == 190
    assert next(iter(found.scores)) == "agent_19"

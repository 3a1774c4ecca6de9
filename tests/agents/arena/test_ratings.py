"""Bradley-Terry with a seat term: known numbers, other libraries, a general optimiser."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import choix
import networkx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sparring.agents.arena.cells import comparisons, matches, together
from sparring.agents.arena.ratings import ELO, Ratings, rate
from sparring.agents.arena.simulation import Setting, simulate

Duels = Callable[..., pl.DataFrame]
Result = tuple[str, str, float]


def rated(table: pl.DataFrame, *, seed: int = 0, resamples: int = 100) -> Ratings:
    found = comparisons(matches(table))
    assert found is not None
    return rate(found, np.random.default_rng(seed), resamples=resamples)


def means(found: Ratings) -> dict[str, float]:
    return {name: e.mean for name, e in found.agents.items()}


def mirrored(results: Sequence[tuple[str, str, int, int]]) -> list[Result]:
    """(one, two, wins, losses), from each seat half: seats are worth nothing."""
    games: list[Result] = []
    for one, two, wins, losses in results:
        for win, number in ((1.0, wins), (-1.0, losses)):
            games += [(one, two, win)] * (number // 2) + [(two, one, -win)] * (number // 2)
            assert number % 2 == 0
    return games


def test_thirty_to_ten(duels: Duels) -> None:
    found = rated(duels(mirrored([("a", "b", 30, 10)])))
    assert found.finite
    assert found.agents["a"].mean - found.agents["b"].mean == pytest.approx(190.848502, abs=1e-6)
    assert list(found.agents) == ["a", "b"], "best first"
    assert found.agents["a"].mean == pytest.approx(-found.agents["b"].mean)
    assert found.sides["first"].mean == pytest.approx(0, abs=1e-9)


def test_an_undefeated_agent(duels: Duels) -> None:
    """10–0 against both others, who are 10–10: half a win each way for every pair."""
    results = [("a", "b", 10, 0), ("a", "c", 10, 0), ("b", "c", 10, 10)]
    found = rated(duels(mirrored(results)))
    assert not found.finite
    assert {n: round(v) for n, v in means(found).items()} == {"a": 353, "b": -176, "c": -176}
    difference = ELO * math.log(10.5 / 0.5)
    assert found.agents["a"].mean - found.agents["b"].mean == pytest.approx(difference)
    a, b = found.agents["a"], found.agents["b"]
    assert b.high < a.low < a.mean < a.high < math.inf


def test_a_cycle_and_a_clone(duels: Duels) -> None:
    cycle = [("a", "b", 80, 20), ("b", "c", 80, 20), ("c", "a", 80, 20)]
    assert means(rated(duels(mirrored(cycle)))) == pytest.approx(dict.fromkeys("abc", 0.0))
    cloned = [*cycle, ("b", "d", 80, 20), ("d", "a", 80, 20), ("c", "d", 50, 50)]
    expected = {"a": -53.1, "b": 53.1, "c": 0.0, "d": 0.0}
    assert means(rated(duels(mirrored(cloned)))) == pytest.approx(expected, abs=0.05)


def test_the_seat_of_random_tictactoe(duels: Duels) -> None:
    """First seat 737/1260 wins, 160/1260 draws: a score of .6484, 106.3 Elo points."""
    shares = [(1.0, 737), (0.0, 160), (-1.0, 363)]
    games = [("ab"[i % 2], "ba"[i % 2], v) for v, n in shares for i in range(2 * n)]
    found = rated(duels(games), resamples=10)
    assert found.sides["first"].mean - found.sides["second"].mean == pytest.approx(106.3, abs=0.05)
    assert means(found) == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-9)


def random_results(seed: int, agents: int = 5, games: int = 200) -> list[tuple[int, int]]:
    """(winner, loser), everybody connected."""
    luck = np.random.default_rng(seed)
    ring = [(n, (n + 1) % agents) for n in range(agents)]
    pairs = [luck.choice(agents, 2, replace=False) for _ in range(games)]
    strength = luck.normal(size=agents)
    drawn = [
        (i, j) if luck.random() < 1 / (1 + math.exp(strength[j] - strength[i])) else (j, i)
        for i, j in pairs
    ]
    return [(int(i), int(j)) for i, j in [*ring, *drawn]]


@pytest.mark.parametrize("seed", [0, 1])
def test_without_seats_it_is_choix_and_evalica(duels: Duels, seed: int) -> None:
    results = random_results(seed)
    games = [(f"{i}", f"{j}", 1.0) for i, j in results] + [
        (f"{j}", f"{i}", -1.0) for i, j in results
    ]
    ours = {n: v / ELO for n, v in means(rated(duels(games), resamples=2)).items()}
    theirs = choix.ilsr_pairwise(5, results, alpha=0.0)
    expected = {str(n): v for n, v in enumerate(theirs - theirs.mean())}
    assert ours == pytest.approx(expected, abs=1e-6)
    evalica = pytest.importorskip("evalica")
    one, two = zip(*[(str(i), str(j)) for i, j in results], strict=True)
    found = evalica.bradley_terry(one, two, [evalica.Winner.X] * len(one), tolerance=1e-12)
    scores = {n: math.log(v) for n, v in found.scores.items()}
    centred = {n: v - sum(scores.values()) / 5 for n, v in scores.items()}
    assert ours == pytest.approx(centred, abs=1e-4)


def test_with_seats_it_is_logistic_regression(duels: Duels) -> None:
    """Against a general optimiser on the likelihood written out, with draws."""
    luck = np.random.default_rng(3)
    games: list[tuple[int, int, float]] = []
    for _ in range(300):
        i, j = luck.choice(4, 2, replace=False)
        win = 1 / (1 + math.exp(-(0.5 * (j - i) + 0.7)))
        games.append(
            (int(i), int(j), 0.0 if luck.random() < 0.1 else float(luck.random() < win) * 2 - 1)
        )

    def loss(x: np.ndarray) -> float:
        theta, seat = x[:4], x[4]
        logits = np.array([theta[i] - theta[j] + seat for i, j, _ in games])
        score = np.array([(v + 1) / 2 for _, _, v in games])
        return float(np.sum(np.logaddexp(0, logits) - score * logits) + theta.mean() ** 2)

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-9}).x
    found = rated(duels([(str(i), str(j), v) for i, j, v in games]), resamples=2)
    assert means(found) == pytest.approx({str(n): ELO * best[n] for n in range(4)}, abs=0.01)
    worth = found.sides["first"].mean - found.sides["second"].mean
    assert worth == pytest.approx(ELO * best[4], abs=0.01)


def test_every_game_counts_once(played: Any, tabled: Any) -> None:
    """Three seats make two comparisons of different agents, of weight ½; team mates are not
    compared, nor are seats of one agent."""
    seats = {"x": ("a", 2.0), "y": ("b", 0.0), "z": ("b", 0.0)}
    found = comparisons(matches(tabled([played(0, seats)])))
    assert found is not None
    assert found.won.sum() + found.lost.sum() == pytest.approx(1)
    assert sorted(found.won.data) == [0.5, 0.5]
    mates = {"x": "red", "y": "red", "z": "blue"}
    found = comparisons(matches(tabled([played(0, seats, mates)])))
    assert found is not None
    assert len(found.cells) == 1
    assert found.won.sum() == 1
    assert comparisons(matches(tabled([played(0, seats, dict.fromkeys(seats, "all"))]))) is None


def test_a_game_seen_twice_is_no_more_sure(duels: Duels) -> None:
    """Copies of games on the same deals leave ratings and intervals as they are."""
    table = simulate(Setting((80, 0, -80), 40), np.random.default_rng(0))
    copy = table.with_columns(pl.col("index") + 10_000)
    once, twice = rated(table), rated(pl.concat([table, copy]))
    for name, e in once.agents.items():
        for part in ("mean", "low", "high"):
            assert getattr(twice.agents[name], part) == pytest.approx(getattr(e, part), abs=1e-4)
    more = rated(pl.concat([table, copy.with_columns(pl.col("deal") + 40)]))
    width = {n: e.high - e.low for n, e in once.agents.items()}
    assert all(e.high - e.low < 0.85 * width[n] for n, e in more.agents.items())
    assert rated(table) == once, "the seed fixes the bootstrap"
    assert rated(table.sample(fraction=1, shuffle=True, seed=1).sort("index", "seat")) == once


def test_a_side_that_always_wins_is_worth_much_but_not_infinitely(duels: Duels) -> None:
    games = [(one, two, 1.0) for one, two in ("ab", "ba") for _ in range(20)]
    found = rated(duels(games))
    assert not found.finite
    assert 300 < found.sides["first"].mean < found.sides["first"].high < math.inf
    assert means(found) == pytest.approx({"a": 0, "b": 0}, abs=1e-6)


def test_what_the_games_leave_open_has_no_interval(duels: Duels) -> None:
    """Only ever one side: is it the agent or the side? Two islands: which is higher?"""
    one_sided = rated(duels([("a", "b", v) for v in (1.0, 1.0, -1.0) * 5]))
    assert all(e.high == -e.low == math.inf for e in one_sided.agents.values())
    islands = rated(duels(mirrored([("a", "b", 12, 8), ("c", "d", 8, 8)])))
    assert all(e.high == -e.low == math.inf for e in islands.agents.values())
    assert all(math.isfinite(e.mean) for e in islands.agents.values())
    assert all(math.isfinite(e.high) for e in islands.sides.values())
    single = rated(duels([("a", "b", 1.0, 0), ("b", "a", 1.0, 0), ("a", "b", -1.0, 0)]))
    assert all(e.high == math.inf and e.clusters == 1 for e in single.agents.values())


def test_games_together_weigh_the_same(duels: Duels) -> None:
    """30–10 in a game of 40, 10–30 in one of 4,000: even, whatever their seats are worth."""
    few = comparisons(matches(duels(mirrored([("a", "b", 30, 10)]))))
    many = comparisons(matches(duels(mirrored([("a", "b", 1000, 3000)]))))
    assert few is not None
    assert many is not None
    found = rate(together([few, many]), np.random.default_rng(0), resamples=200)
    assert means(found) == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-9)
    assert found.agents["a"].clusters == 4040
    alone = rate(few, np.random.default_rng(0), resamples=200).agents["a"]
    width = found.agents["a"].high - found.agents["a"].low
    assert width > 0.25 * (alone.high - alone.low), "the game of 40 is half of it"


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(1, 14), st.integers(0, 10_000))
def test_finite_is_fords_condition(duels: Duels, agents: int, games: int, seed: int) -> None:
    """Played from both seats alike, so that seats decide nothing: ratings are finite where wins
    lead from everybody to everybody."""
    luck = np.random.default_rng(seed)
    pairs = [luck.choice(agents, 2, replace=False) for _ in range(games)]
    found = rated(
        duels([g for i, j in pairs for g in ((str(i), str(j), 1.0), (str(j), str(i), -1.0))]),
        resamples=1,
    )
    wins = networkx.DiGraph([(int(i), int(j)) for i, j in pairs])
    assert found.finite == networkx.is_strongly_connected(wins)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ab", "ba", "bc", "cb", "ac", "ca"]), st.sampled_from([1, 0, -1])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_few_games_have_finite_ratings(duels: Duels, games: list[tuple[str, int]]) -> None:
    found = rated(duels([(pair[0], pair[1], float(v)) for pair, v in games]), resamples=20)
    assert all(math.isfinite(e.mean) for e in found.agents.values())
    assert sum(means(found).values()) == pytest.approx(0, abs=1e-6)
    assert all(e.low <= e.mean <= e.high for e in found.agents.values())

"""Weightings of AlphaStar by hand, and that games are dealt by them."""

import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from sparring.agents.random import RandomAgent
from sparring.envs.core import Episode
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.opponents.pfsp import PFSP, capped, hard, prioritised, variance
from sparring.training.opponents.pool import Pool
from sparring.training.player import Player

GAME = TicTacToe()


@pytest.mark.parametrize(
    ("weighting", "weights"),
    [
        (hard(), (81 / 107, 25 / 107, 1 / 107)),  # .81 + .25 + .01
        (hard(1), (9 / 15, 5 / 15, 1 / 15)),
        (hard(0), (1 / 3, 1 / 3, 1 / 3)),
        (variance, (9 / 43, 25 / 43, 9 / 43)),  # .09 + .25 + .09
        (capped, (5 / 11, 5 / 11, 1 / 11)),  # .5 + .5 + .1
    ],
)
def test_published_weightings(weighting: Any, weights: tuple[float, ...]) -> None:
    assert prioritised((0.1, 0.5, 0.9), weighting) == pytest.approx(weights)


def test_where_all_are_beaten_all_count_the_same() -> None:
    for weighting in (hard(), variance, capped):
        assert prioritised((1.0, 1.0, 1.0), weighting) == pytest.approx([1 / 3] * 3)


def beaten(x: float) -> list[Episode]:
    """Ten games of which the first player wins the share ``x``."""
    first, second = GAME.roles
    won = round(10 * x)
    signs = [1.0] * won + [-1.0] * (10 - won)
    return [Episode("TicTacToe-v0", 0, (), {first: s, second: -s}, {}, {}) for s in signs]


@pytest.fixture
def opponents(learner: Player) -> PFSP:
    """A past self that was not met, and three fixed agents with win rates 0.1, 0.5 and 0.9."""
    fixed = [RandomAgent(name) for name in ("hard", "even", "easy")]
    made = PFSP(Pool({"learner": learner}, fixed=fixed), every=5, at_once=2)
    for name, x in zip(("hard", "even", "easy"), (0.1, 0.5, 0.9), strict=True):
        for episode in beaten(x):
            made.pool.records.add("learner", name, episode, GAME.roles[0])
    return made


def test_members_by_their_win_rates(opponents: PFSP) -> None:
    opponents.pool.add(0)
    found = opponents.weights(GAME, GAME.roles[0])
    shares = {"hard": 0.81, "even": 0.25, "easy": 0.01, "learner@step-0": 0.25}
    assert found == pytest.approx({name: w / 1.32 for name, w in shares.items()})


def test_dealing_a_few_opponents_out_changes_no_expectation(opponents: PFSP) -> None:
    """Two opponents a step; over many steps each has its share of the games."""
    met: Counter[str] = Counter()
    records = opponents.pool.records.tallies
    own = dict.fromkeys(GAME.roles, RandomAgent("learner"))
    steps, games = 4000, 5
    for step in range(steps):
        luck = random.Random(step)
        opponents.begin()
        names = [opponents.seat(GAME, own, luck).against for _ in range(games)]
        assert len(set(names)) <= 2
        met.update(names)
    assert opponents.pool.records.tallies is records
    shares = {"hard": 0.81, "even": 0.25, "easy": 0.01, "learner@step-0": 0.25}
    for name, w in shares.items():
        assert met[name] / (steps * games) == pytest.approx(w / 1.32, abs=0.02)


def test_the_record_is_of_the_learning_seat(opponents: PFSP) -> None:
    first, second = GAME.roles
    seating = SimpleNamespace(learning={second}, against="easy")
    before = opponents.pool.records.games("learner", "easy")
    for void in (None, "no verdict"):
        episode = Episode("TicTacToe-v0", 0, (), {first: 1, second: -1}, {}, {}, void=void)
        opponents.record(seating, episode)  # type: ignore[arg-type]
    assert opponents.pool.records.games("learner", "easy") == before + 1, "void games do not count"
    assert opponents.pool.records.win_rate("learner", "easy") == pytest.approx(9 / 11)

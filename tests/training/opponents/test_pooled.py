"""Dealing opponents: systematic sampling by hand and its expectation."""

import random

import pytest

from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training.opponents.core import Seating
from sparring.training.opponents.past import LastK, UniformPast
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.pooled import drawn
from sparring.training.player import Player

KUHN = KuhnPoker()


def test_systematic_sampling_by_hand() -> None:
    weights = {"a": 5.0, "b": 3.0, "c": 2.0}  # ends of their parts: 0.5, 0.8, 1
    assert drawn(weights, 3, 0.3) == [("a", 5.0), ("b", 3.0), ("c", 2.0)], "all may come"
    assert drawn(weights, 2, 0.0) == [("a", 0.5), ("b", 0.5)]  # points 0 and 0.5
    assert drawn(weights, 2, 0.7) == [("a", 0.5), ("c", 0.5)]  # points 0.35 and 0.85
    assert drawn(weights, 1, 0.7) == [("b", 1.0)]
    assert drawn({"a": 9.0, "b": 0.5, "c": 0.5}, 2, 0.2) == [("a", 1.0)]  # points 0.1 and 0.6


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_member_gets_its_share(number: int) -> None:
    weights = {"a": 0.37, "b": 0.02, "c": 0.31, "d": 0.11, "e": 0.19}
    shares = dict.fromkeys(weights, 0.0)
    for i in range(5000):
        for name, share in drawn(weights, number, (i + 0.5) / 5000):
            shares[name] += share / 5000
    assert shares == pytest.approx(weights, abs=1e-3)


def seatings(opponents: LastK, number: int, seed: int = 0) -> list[Seating]:
    own = {role: RandomAgent("learner") for role in KUHN.roles}
    luck = random.Random(seed)
    opponents.begin()
    return [opponents.seat(KUHN, own, luck) for _ in range(number)]


def test_one_seat_learns_and_each_as_often(learner: Player) -> None:
    found = seatings(UniformPast(Pool({"learner": learner}), every=5), 1000)
    assert {s.against for s in found} == {"learner@step-0"}
    for seating in found:
        (role,) = seating.learning
        assert {r: a.name for r, a in seating.seats.items()} == {
            r: "learner" if r == role else "learner@step-0" for r in KUHN.roles
        }
    assert 430 < sum(s.learning == {"player_0"} for s in found) < 570


def test_mirror_games_train_every_seat(learner: Player) -> None:
    found = seatings(LastK(Pool({"learner": learner}), 1, every=5, mirror=0.8), 1000)
    mirrored = [s for s in found if s.learning == set(KUHN.roles)]
    assert 760 < len(mirrored) < 840
    assert {a.name for s in mirrored for a in s.seats.values()} == {"learner"}
    assert not any(s.against for s in mirrored)


def test_the_current_policy_may_be_one_of_the_past(learner: Player) -> None:
    opponents = LastK(Pool({"learner": learner}), 2, every=1, current=True)
    seatings(opponents, 1)
    opponents.updated(1)
    opponents.updated(2)  # three past selves, of which the newest two count
    found = seatings(opponents, 900)
    names = [s.against for s in found]
    for name in ("learner@step-1", "learner@step-2", ""):
        assert 250 < names.count(name) < 350
    for seating in found:
        assert len(seating.learning) == 1, "the others' seats play, and do not learn"


def test_snapshots_come_every_so_many_updates(learner: Player) -> None:
    opponents = UniformPast(Pool({"learner": learner}, fixed=[RandomAgent()]), every=3)
    assert opponents.mixture(KUHN) == {}
    seatings(opponents, 1)
    for step in range(1, 8):
        opponents.updated(step)
    past = ["learner@step-0", "learner@step-3", "learner@step-6"]
    assert [member.name for member in opponents.pool.past] == past
    assert opponents.weights(KUHN, "player_0") == dict.fromkeys(["random", *past], 1.0)
    mixture = opponents.mixture(KUHN)
    assert list(mixture) == list(KUHN.roles)
    for some in mixture.values():
        assert [(w, a.name) for w, a in some] == [(1.0, name) for name in past]


def test_the_first_policies_may_be_left_out(learner: Player) -> None:
    """At step 9 with δ = 1/2, those from step 4.5 on."""
    opponents = UniformPast(Pool({"learner": learner}), every=3, since=0.5)
    seatings(opponents, 1)
    for step in range(1, 10):
        opponents.updated(step)
    names = ["learner@step-6", "learner@step-9"]
    assert opponents.weights(KUHN, "player_0") == dict.fromkeys(names, 1.0)
    assert [agent.name for _, agent in opponents.mixture(KUHN)["player_1"]] == names
    with pytest.raises(BadInput, match=r"in \[0, 1\), not 1"):
        UniformPast(Pool({"learner": learner}), every=3, since=1)


def test_bad_numbers(learner: Player) -> None:
    pool = Pool({"learner": learner})
    for options in ({"every": 0}, {"every": 1, "at_once": 0}, {"every": 1, "mirror": 1.1}):
        with pytest.raises(BadInput, match="every and at_once are at least 1"):
            UniformPast(pool, **options)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="k is at least 1, not 0"):
        LastK(pool, 0, every=1)

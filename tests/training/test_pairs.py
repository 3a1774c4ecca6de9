"""Pairs: which items are compared, which of them make pairs, and why some make none."""

from collections.abc import Sequence
from math import exp

import pytest

from sparring.envs.core import Action, Episode, Observation, Turn
from sparring.training.advantages import keys
from sparring.training.core import Sample
from sparring.training.items import Item, by_seat, games, siblings
from sparring.training.pairs import (
    Builder,
    Pair,
    all_ordered,
    best_and_worst,
    smoothed,
    softmax,
    win_rates,
)
from sparring.training.rows import Row

Said = Sequence[tuple[tuple[int, ...], tuple[int, ...]]]


def sample(
    reward: float,
    said: Said,
    *,
    seed: int = 0,
    role: str = "a",
    who: str = "learner",
    weight: float = 1,
) -> Sample:
    """``said``: the prompt and the answer of each turn."""
    turns = tuple(
        Turn(Observation(role, ()), Action("x", "", prompt, tokens, (-1.0,) * len(tokens)))
        for prompt, tokens in said
    )
    e = Episode("g", seed, turns, {role: reward}, {role: who}, {role: ()})
    return Sample(e, role, reward, (1.0,) * len(turns), weight)


def one(reward: float, answer: int, **options: object) -> Sample:
    return sample(reward, [((1,), (answer,))], **options)  # type: ignore[arg-type]


def scores(pairs: Sequence[Pair]) -> list[tuple[float, float]]:
    return [(pair.chosen.score, pair.rejected.score) for pair in pairs]


# -- items ------------------------------------------------------------------------------------


def test_the_rows_of_a_game_and_of_one_answer() -> None:
    played = sample(1.0, [((1,), (2, 3)), ((1, 2, 3, 4), (5,))], weight=7.0)
    logprobs = (-1.0,) * 3
    assert Item(played, 0.0).rows() == [
        Row("a", (1, 2, 3, 4, 5), ((1, 3), (4, 5)), logprobs, (0.0, 0.0))
    ]
    assert Item(played, 0.0, 1).rows() == [Row("a", (1, 2, 3, 4, 5), ((4, 5),), (-1.0,), (0.0,))]
    assert Item(played, 0.0, 0).rows() == [Row("a", (1, 2, 3), ((1, 3),), logprobs[:2], (0.0,))]
    forked = sample(1.0, [((1,), (2,)), ((9,), (5,))])
    assert len(Item(forked, 0.0).rows()) == 2


def test_games_are_compared_with_those_of_the_same_deal_and_role() -> None:
    some = [one(r, a, seed=seed) for r, a, seed in ((1, 5, 0), (0, 6, 0), (1, 7, 1))]
    some.append(one(1.0, 5, role="b"))
    found = games()(some)
    assert [[item.sample for item in group] for group in found] == [some[:2], [some[2]], [some[3]]]
    assert [len(group) for group in games(keys.game)(some)] == [4]
    assert found[0][0] == Item(some[0], 1.0)


def test_who_was_never_asked_is_not_compared() -> None:
    """Its game has no tokens: a mean log-probability over them would be no number."""
    assert [len(group) for group in games()([sample(1.0, []), one(0.0, 5), one(1.0, 6)])] == [2]


def test_siblings_are_worth_the_mean_of_the_games_that_go_through_them() -> None:
    """After prompt 1 comes 5 (games of 1 and 0) or 6 (0); after 1 5 2 comes 7 or 8."""
    some = [
        sample(1.0, [((1,), (5,)), ((1, 5, 2), (7,))]),
        sample(0.0, [((1,), (5,)), ((1, 5, 2), (8,))]),
        sample(0.0, [((1,), (6,)), ((1, 6, 2), (7,))]),
    ]
    found = siblings()(some)
    assert found == [
        [Item(some[0], 0.5, 0), Item(some[2], 0.0, 0)],
        [Item(some[0], 1.0, 1), Item(some[1], 0.0, 1)],
        [Item(some[2], 0.0, 1)],
    ]


def test_demonstrations_above_the_policy_above_its_past() -> None:
    rank = {"demo": 2.0, "learner": 1.0}
    score = by_seat(lambda name: rank.get(name, 0.0))
    who = {5: "past@3", 6: "demo", 7: "learner"}
    some = [one(0.0, answer, who=name) for answer, name in who.items()]
    built = Builder(games(score=score), all_ordered())(some)
    order = [
        (p.chosen.sample.episode.seats["a"], p.rejected.sample.episode.seats["a"])
        for p in built.pairs
    ]
    assert sorted(order) == [("demo", "learner"), ("demo", "past@3"), ("learner", "past@3")]


# -- rules ------------------------------------------------------------------------------------


def group(*scores: float) -> list[Item]:
    """Items that each say something else."""
    return [Item(one(s, 5 + i), s) for i, s in enumerate(scores)]


def test_best_and_worst() -> None:
    items = group(0.3, 0.9, 0.1, 0.9)
    (pair,) = best_and_worst()(items)
    assert (pair.chosen, pair.rejected) == (items[1], items[2]), "the first of equals"
    assert pair.targets == (1.0, 0.0)
    assert best_and_worst(margin=0.8)(items) != "margin"
    assert best_and_worst(margin=0.81)(items) == "margin"


def test_all_ordered_pairs() -> None:
    found = all_ordered()(group(0.5, 0.25, 0.0, 0.5))
    assert sorted(scores(found)) == [(0.25, 0.0), (0.5, 0.0), (0.5, 0.0), (0.5, 0.25), (0.5, 0.25)]
    found = all_ordered(margin=0.5)(group(0.5, 0.25, 0.0))
    assert scores(found) == [(0.5, 0.0)]


def test_the_same_words_make_no_pair() -> None:
    """Though one game was won and the other lost: a loss of both has no gradient."""
    same = [Item(one(1.0, 5), 1.0), Item(one(0.0, 5), 0.0)]
    assert all_ordered()(same) == "same_answer"
    found = all_ordered()([*same, Item(one(0.5, 6), 0.5)])
    assert sorted(scores(found)) == [(0.5, 0.0), (1.0, 0.5)]


def test_targets() -> None:
    """m = 7 and judges' probabilities 0.6 and 0.4: 1/(1 + e^−1.4)."""
    (pair,) = best_and_worst(target=softmax(7.0))(group(0.6, 0.4))
    assert pair.targets == pytest.approx((1 / (1 + exp(-1.4)), 1 / (1 + exp(1.4))))
    assert pair.target == pytest.approx(0.802184, abs=1e-6)
    (pair,) = best_and_worst(target=softmax(1.0))(group(1e6, -1e6))
    assert pair.target == 1.0
    (pair,) = best_and_worst(target=smoothed(0.1))(group(1.0, 0.0))
    assert pair.targets == pytest.approx((0.9, 0.1))


def test_win_rates_against_the_group() -> None:
    """Scores 1, 0, 0: σ(1) = 0.731059; best (½ + 2·0.731059)/3, worst (½ + ½ + 0.268941)/3."""
    (pair,) = win_rates()(group(1.0, 0.0, 0.0))
    assert pair.targets == pytest.approx((0.654039, 0.422980), abs=1e-6)
    assert win_rates()(group(1.0, 1.0)) == "tied"


def test_a_pair_weighs_what_its_samples_weigh() -> None:
    some = [one(1.0, 5, weight=3.0), one(0.0, 6, weight=1.0)]
    (pair,) = Builder(games(), best_and_worst())(some).pairs
    assert pair.weight == 2.0


def test_groups_without_a_pair_are_counted_with_the_reason() -> None:
    some = [
        *(one(1.0, 5, seed=0), one(0.0, 6, seed=0)),
        one(1.0, 5, seed=1),
        *(one(1.0, 5, seed=2), one(1.0, 6, seed=2)),
        *(one(1.0, 5, seed=3), one(0.0, 5, seed=3)),
        *(one(0.2, 5, seed=4), one(0.0, 6, seed=4)),
        one(1.0, 5, seed=5),
    ]
    built = Builder(games(), best_and_worst(margin=0.5))(some)
    assert scores(built.pairs) == [(1.0, 0.0)]
    assert built.without == {"alone": 2, "tied": 1, "same_answer": 1, "margin": 1}
    assert built.metrics() == {
        "pairs": 1.0,
        "groups": 6.0,
        "no_pair/alone": 2.0,
        "no_pair/tied": 1.0,
        "no_pair/same_answer": 1.0,
        "no_pair/margin": 1.0,
    }

"""Group means against numbers worked out by hand."""

from collections.abc import Callable

import pytest

from sparring.envs.core import BadInput
from sparring.training.advantages.group import Group
from sparring.training.advantages.keys import game_and_role
from sparring.training.core import Sample
from sparring.training.credit import equal

New = Callable[..., Sample]


def test_the_mean_of_the_group_is_taken_off(sample: New) -> None:
    """Dr. GRPO: seed 1 has the rewards 1, 0, 0, 1 (mean 0.5), seed 2 has 3, 0, 0 (mean 1)."""
    batch = [sample(r, seed=1) for r in (1, 0, 0, 1)] + [sample(r, seed=2) for r in (3, 0, 0)]
    assert Group()(batch) == [(0.5,), (-0.5,), (-0.5,), (0.5,), (2.0,), (-1.0,), (-1.0,)]


def test_over_the_deviation(sample: New) -> None:
    """TRL's GRPOTrainer, scale_rewards="group": (r − mean)/(std + 1e-4), std with n − 1.

    Rewards 1, 0, 0, 1: mean 1/2, squares 4·1/4 = 1, variance 1/3, std 0.5773503;
    0.5/(0.5773503 + 0.0001) = 0.8658755.
    """
    found = Group("deviation")([sample(r) for r in (1, 0, 0, 1)])
    assert [a for (a,) in found] == pytest.approx([0.8658755, -0.8658755, -0.8658755, 0.8658755])
    # 0, 2, 4: mean 2, variance (4 + 0 + 4)/2 = 4; ε left out
    exact = Group("deviation", epsilon=0.0)([sample(r) for r in (0, 2, 4)])
    assert exact == [(-1.0,), (0.0,), (1.0,)]


def test_a_group_that_agrees_has_nothing_to_learn(sample: New) -> None:
    for group in (Group(), Group("deviation")):
        assert group([sample(0.1)] * 3) == [(0.0,)] * 3  # exactly, and never NaN


def test_roles_and_games_are_groups_of_their_own(sample: New) -> None:
    batch = [
        *(sample(r, role="player_0") for r in (1, 3)),
        *(sample(r, role="player_1") for r in (-5, -1)),
        *(sample(r, game="H") for r in (10, 30)),
        *(sample(r, part="spy") for r in (7, 7)),
    ]
    found = [a for (a,) in Group()(batch)]
    assert found == [-1, 1, -2, 2, -10, 10, 0, 0]


def test_a_group_of_one_is_zero_and_counted(sample: New) -> None:
    for group in (Group(), Group("deviation")):
        found = group([sample(1, seed=1), sample(0, seed=1), sample(5, seed=2)])
        assert found[2] == (0.0,)
        assert found[0][0] > 0
        assert group.alone == 1
        group([sample(1), sample(2)])
        assert group.alone == 0


def test_no_group_at_all_is_an_error(sample: New) -> None:
    batch = [sample(1, seed=1), sample(0, seed=2)]
    with pytest.raises(BadInput, match=r"no two of the 2 samples share a key.*deals\.repeated"):
        Group()(batch)
    assert Group(key=game_and_role)(batch) == [(0.5,), (-0.5,)]
    assert Group()([]) == []


def test_it_is_given_out_by_credit(sample: New) -> None:
    batch = [sample(2, turns=2, credit=equal), sample(0, turns=1)]
    assert Group()(batch) == [(0.5, 0.5), (-1.0,)]


def test_the_challengers_of_language_self_play_average_to_zero(sample: New) -> None:
    """LSP: V(q) is the solver's mean reward on query q, and the challenger has A = mean(V) − V(q).

    Paid −V(q) and compared with the other queries of the batch, that is a group mean. Here
    V = 0.25, 0.5, 0.75 for three queries with two answers each; mean V = 0.5.
    """
    answers = {1: (0.5, 0.0), 2: (0.25, 0.75), 3: (0.5, 1.0)}
    solver = [sample(r, seed=q, role="solver") for q, rs in answers.items() for r in rs]
    value = {q: sum(rs) / 2 for q, rs in answers.items()}
    challenger = [sample(-v, seed=q, role="challenger") for q, v in value.items()]
    assert Group(key=game_and_role)(challenger) == [(0.25,), (0.0,), (-0.25,)]
    assert sum(a for (a,) in Group(key=game_and_role)(challenger)) == 0
    # the solver is compared on the same query: R − V(q)
    expected = [0.25, -0.25, -0.25, 0.25, -0.25, 0.25]
    assert [a for (a,) in Group()(solver)] == expected

"""Role-conditioned advantages against numbers worked out by hand."""

import json
from dataclasses import replace

import pytest

from sparring.envs.core import Action, Episode, Observation, Turn
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.keys import game as game_alone
from sparring.training.advantages.rae import RAE
from sparring.training.core import Estimator, Sample
from sparring.training.credit import whole

ROLES = ("player_0", "player_1")


def episode(game: str, first: float, second: float) -> Episode:
    return Episode(
        game=game,
        seed=0,
        turns=tuple(Turn(Observation(role, (), None), Action("said")) for role in ROLES),
        payoffs={"player_0": first, "player_1": second},
        seats={},
        views={},
    )


def samples(*episodes: Episode, roles: tuple[str, ...] = ROLES) -> list[Sample]:
    return [Sample(e, role, e.payoffs[role], whole(1)) for e in episodes for role in roles]


def advantages(estimator: Estimator, *episodes: Episode) -> list[dict[str, float]]:
    """By role, for each episode; every role has one turn."""
    found = iter(estimator(samples(*episodes)))
    return [{role: own for role in ROLES for own in next(found)} for _ in episodes]


def test_the_baseline_is_read_before_it_is_updated() -> None:
    rae = RAE(decay=0.95)
    first, second = advantages(rae, episode("G", 1, -1), episode("G", 2, -2))
    assert first == {"player_0": 1.0, "player_1": -1.0}  # b = 0 when read
    # b after the first game: 0.95·0 + 0.05·1 = 0.05, so A = 2 − 0.05
    assert second == pytest.approx({"player_0": 1.95, "player_1": -1.95})
    # b after the second: 0.95·0.05 + 0.05·2 = 0.1475
    assert rae.baselines["G", "player_0"] == pytest.approx(0.1475)
    assert rae.baselines["G", "player_1"] == pytest.approx(-0.1475)


def test_the_order_of_the_update_shows_at_decay_zero() -> None:
    # with d = 0 the baseline is the last reward; updating before reading would give all zeros
    first, second = advantages(RAE(decay=0.0), episode("G", 3, -3), episode("G", 5, -5))
    assert (first["player_0"], second["player_0"]) == (3.0, 2.0)


def test_each_game_and_role_has_a_baseline_of_its_own() -> None:
    rae = RAE(decay=0.5)
    advantages(rae, episode("G", 1, -1), episode("H", 10, -10))
    assert rae.baselines == {
        ("G", "player_0"): 0.5,
        ("G", "player_1"): -0.5,
        ("H", "player_0"): 5.0,
        ("H", "player_1"): -5.0,
    }


def test_only_roles_that_learn_move_a_baseline() -> None:
    rae = RAE()
    assert rae(samples(episode("G", 1, -1), roles=("player_1",))) == [(-1.0,)]
    assert set(rae.baselines) == {("G", "player_1")}


def test_equal_rewards_at_the_baseline_give_exactly_zero() -> None:
    rae = RAE()
    for found in advantages(rae, *[episode("G", 0, 0)] * 50):
        assert found == {"player_0": 0.0, "player_1": 0.0}  # zero, and never NaN


def test_one_batch_or_many_is_the_same() -> None:
    games = [episode("G", r, -r) for r in (1, -2, 2, -1, 1)]
    whole, parts = RAE(), RAE()
    together = advantages(whole, *games)
    assert together == advantages(parts, *games[:2]) + advantages(parts, *games[2:])
    assert whole.baselines == parts.baselines


def test_state_survives_json() -> None:
    rae = RAE()
    advantages(rae, episode("G", 1, -1), episode("H", 2, -2))
    loaded = RAE()
    loaded.load_state_dict(json.loads(json.dumps(rae.state_dict())))
    assert loaded == rae


def test_constant() -> None:
    assert advantages(Constant(0.5), episode("G", 1, -1)) == [{"player_0": 0.5, "player_1": -1.5}]


def test_decay_must_be_a_share() -> None:
    with pytest.raises(ValueError, match="decay"):
        RAE(decay=1.0)


def test_a_hidden_part_takes_the_place_of_the_role() -> None:
    rae = RAE(decay=0.5)
    first = replace(episode("G", 4, -4), parts={"player_0": "spy", "player_1": "civilian"})
    second = replace(episode("G", -4, 4), parts={"player_0": "civilian", "player_1": "spy"})
    advantages(rae, first)
    assert rae.baselines == {("G", "spy"): 2.0, ("G", "civilian"): -2.0}
    assert advantages(rae, second) == [{"player_0": -2.0, "player_1": 2.0}]


def test_a_constant_reward_is_forgotten_as_the_decay_says() -> None:
    """R, R, R, ...: b_t = R·(1 − 0.95^t), so A_t = R·0.95^t when read first, once more if after."""
    games = [episode("G", 2, -2)] * 60
    read = [a["player_0"] for a in advantages(RAE(), *games)]
    assert read == pytest.approx([2 * 0.95**t for t in range(60)])
    updated = [a["player_0"] for a in advantages(RAE(order="update_first"), *games)]
    assert updated == pytest.approx([2 * 0.95 ** (t + 1) for t in range(60)])


def test_a_constant_reward_over_batches() -> None:
    """One update a batch, however many games it has: A = R·0.95^t in the t-th batch."""
    for order, power in (("read_first", 0), ("update_first", 1)):
        rae = RAE(order=order, per="batch")  # type: ignore[arg-type]
        for t in range(20):
            found = advantages(rae, *[episode("G", 2, -2)] * 3)
            assert [a["player_0"] for a in found] == pytest.approx([2 * 0.95 ** (t + power)] * 3)


def test_a_batch_moves_the_baseline_by_its_mean() -> None:
    rae = RAE(decay=0.5, per="batch")
    found = advantages(rae, episode("G", 1, -1), episode("G", 3, -3))
    assert [a["player_0"] for a in found] == [1.0, 3.0]  # both read b = 0
    assert rae.baselines["G", "player_0"] == 1.0  # 0.5·0 + 0.5·(1 + 3)/2
    assert advantages(rae, episode("G", 3, -3)) == [{"player_0": 2.0, "player_1": -2.0}]


def test_the_papers_order_shrinks_every_advantage_by_the_decay() -> None:
    games = [episode("G", r, -r) for r in (1, -2, 2)]
    first = advantages(RAE(decay=0.9), *games)
    after = advantages(RAE(decay=0.9, order="update_first"), *games)
    for one, other in zip(first, after, strict=True):
        assert other["player_0"] == pytest.approx(0.9 * one["player_0"])


def test_without_role_conditioning_the_roles_share_a_baseline() -> None:
    """b is 0 for the first role's 1, and 0.5 for the second's −1."""
    rae = RAE(decay=0.5, key=game_alone)
    assert advantages(rae, episode("G", 1, -1)) == [{"player_0": 1.0, "player_1": -1.5}]
    assert rae.baselines == {("G",): -0.25}


def test_a_constant_may_depend_on_the_sample() -> None:
    """P(win) − 0.67 for the side that is right, − 0.33 for the other."""
    base = Constant(lambda s: 0.67 if s.role == "player_0" else 0.33)
    (found,) = advantages(base, episode("Debate", 0.9, 0.1))
    assert found == pytest.approx({"player_0": 0.23, "player_1": -0.23})


def test_the_advantage_is_given_out_by_credit() -> None:
    one = Sample(episode("G", 2, -2), "player_0", 2.0, (0.25, 0.75))
    assert RAE()([one]) == [(0.5, 1.5)]
    assert Constant(1.0)([one]) == [(0.25, 0.75)]

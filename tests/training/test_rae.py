"""Role-conditioned advantages against numbers worked out by hand."""

import json
from dataclasses import replace

import pytest

from sparring.envs.core import Episode
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.rae import RAE


def episode(game: str, first: float, second: float) -> Episode:
    return Episode(
        game=game,
        seed=0,
        turns=(),
        payoffs={"player_0": first, "player_1": second},
        seats={},
        views={},
    )


def advantages(estimator: RAE | Constant, *episodes: Episode) -> list[dict[str, float]]:
    return [dict(a) for a in estimator(episodes, [e.payoffs for e in episodes])]


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
    found = rae([episode("G", 1, -1)], [{"player_1": -1.0}])
    assert [dict(a) for a in found] == [{"player_1": -1.0}]
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

"""The recipes that learn from each batch as it is played: spiral, tictactoe, psro, league."""

from collections.abc import Callable
from typing import Any

import pytest

from sparring.envs.core import BadInput
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.rae import RAE
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.opponents.fixed import Against
from sparring.training.opponents.league import League
from sparring.training.opponents.mirror import Mirror
from sparring.training.opponents.mixed import Mixed
from sparring.training.opponents.nash import Nash
from sparring.training.opponents.past import UniformPast
from sparring.training.recipes import league, psro, spiral, tictactoe

Make = Callable[..., Any]
TALK = {"imitation_steps": 4, "imitation_games": 12, "evaluate_every": 1}
"""A little stage one, so that there are answers to learn from."""


@pytest.mark.parametrize(
    ("recipe", "kind", "options"),
    [
        ("spiral", spiral.Config, {"games": 24}),
        ("spiral", spiral.Config, {"games": 24, "advantage": "seats"}),
        ("tictactoe", tictactoe.Config, {"games": 16}),
        ("psro", psro.Config, {"games": 16, "every": 1, "matrix_games": 8}),
        ("psro", psro.Config, {"games": 16, "every": 1, "against": "past"}),
        ("psro", psro.Config, {"games": 16, "against": "mirror"}),
        ("league", league.Config, {"games": 24, "soonest": 1, "latest": 1}),
    ],
    ids=lambda x: "-".join(map(str, x.values())) if isinstance(x, dict) else str(x)[:9],
)
def test_a_resumed_run_goes_on_exactly(
    recipe: str, kind: Any, options: dict[str, Any], tiny: Make, driven: Make
) -> None:
    whole, again = driven(recipe, tiny(kind, **TALK, **options))
    assert again == whole
    assert [line["step"] for line in whole] == [0, 1, 2]
    marks = [name for name in whole[2] if name.split("@")[0] == "loss"]
    assert marks
    assert [name for name in whole[2] if name.split("@")[0] == "mismatch_mean"]
    assert any(whole[2][name] != whole[1].get(name) for name in marks)


def test_spiral_learns_three_games_with_one_model_and_a_baseline_for_each_role(tiny: Make) -> None:
    experiment = spiral.build(tiny(spiral.Config, games=24, **TALK))
    list(experiment.stage_one())
    metrics = list(experiment.loop.run())[-1]
    games = [entry.name for entry in experiment.loop.mixture.entries]
    assert len(games) == 3
    assert {f"reward/{game}/player_0" for game in games} < set(metrics)
    method: Any = experiment.loop.method
    assert set(method.estimator.baselines) == {(g, f"player_{i}") for g in games for i in (0, 1)}


@pytest.mark.parametrize(("advantage", "kind"), [("rae", RAE), ("game", RAE), ("none", Constant)])
def test_spiral_has_its_ablations(advantage: str, kind: Any, tiny: Make) -> None:
    method = spiral.build(tiny(spiral.Config, advantage=advantage)).loop.method
    assert isinstance(method, PolicyGradient)
    assert isinstance(method.estimator, kind)


def test_who_the_learner_meets(tiny: Make) -> None:
    met = tictactoe.build(tiny(tictactoe.Config)).loop.opponents
    assert isinstance(met, Mixed)
    for share, kinds in ((0, [Mirror]), (0.5, [Mirror, Against]), (1, [Against])):
        some: Any = spiral.build(tiny(spiral.Config, against_random=share)).loop.opponents
        assert [type(strategy) for strategy in some.strategies] == kinds
    with pytest.raises(BadInput, match="against-random is a share"):
        tiny(spiral.Config, against_random=1.5)
    for against, kind in (("nash", Nash), ("past", UniformPast), ("mirror", Mirror)):
        assert isinstance(psro.build(tiny(psro.Config, against=against)).loop.opponents, kind)


def test_a_league_has_its_players(tiny: Make) -> None:
    config = tiny(league.Config, main_exploiters=2, league_exploiters=0)
    loop = league.build(config).loop
    assert isinstance(loop.opponents, League)
    assert list(loop.players) == ["learner", "main-exploiter-1", "main-exploiter-2"]
    assert len({id(player.model) for player in loop.players.values()}) == 3
    with pytest.raises(BadInput, match="at least 0"):
        tiny(league.Config, main_exploiters=-1)


def test_the_mixture_of_a_pool_is_measured(tiny: Make, driven: Make) -> None:
    whole, _ = driven("psro", tiny(psro.Config, games=16, every=1, matrix_games=8, **TALK))
    assert 0 <= whole[2]["nash_conv_average"] <= 4
    assert whole[2]["matrix/games"] > 0

"""Deal or No Deal: what is cloned, under each objective, and that a run goes on exactly."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sparring.envs.core import Action, BadInput, Episode, Observation, Turn
from sparring.training.cli import main
from sparring.training.config import from_json, to_json
from sparring.training.core import Sample
from sparring.training.filters.core import Filters
from sparring.training.recipes import dond
from sparring.training.recipes.dond import Config, build, score, worth_cloning

Make = Callable[..., Any]
ROLES = ("player_0", "player_1")


@pytest.fixture
def config(tiny: Make) -> Make:
    return lambda **options: tiny(Config, **{"games": 60, **options})


def parts(
    scores: tuple[float, float], agreed: bool = True, forfeits: tuple[str, ...] = ()
) -> list[Sample]:
    """Both players' parts in one game."""
    paid = dict(zip(ROLES, scores, strict=True))
    turns = tuple(Turn(Observation(r, ()), Action("x", "", (1,), (2,), (-1.0,))) for r in ROLES)
    views = dict.fromkeys(ROLES, ())
    ended = {} if forfeits else {"agreed": float(agreed)}
    e = Episode("g", 0, turns, paid, {}, views, forfeits, outcome=ended)
    return [Sample(e, role, score(e, role), (1.0,)) for role in ROLES]


def kept(competitive: bool, *games: Sequence[Sample]) -> list[float]:
    samples = [s for own in games for s in own]
    return [s.reward for s in Filters(worth_cloning(competitive))(samples)]


# -- what is cloned ---------------------------------------------------------------------------


def test_the_mean_is_over_both_players() -> None:
    """It is 16/6; by role it would be 11/3 and 5/3, and the second player's 2 would be kept."""
    games = parts((8, 2)), parts((0, 0), agreed=False), parts((3, 3))
    assert kept(False, *games) == [8, 3, 3]


def test_strictly_above() -> None:
    assert kept(False, parts((5, 5)), parts((5, 5))) == []


def test_a_competitive_deal_at_zero_is_cloned_and_no_deal_is_not() -> None:
    games = parts((0, 0)), parts((0, 0), agreed=False), parts((3, -3))
    assert kept(True, *games) == [0, 0, 3]
    assert kept(False, *games) == [3], "for the other objectives a deal at zero is worth nothing"


def test_a_game_that_illegal_answers_ended_scores_zero_for_both() -> None:
    lost = parts((-10, 10), forfeits=("player_0",))
    assert [s.reward for s in lost] == [0, 0]
    assert kept(True, lost, parts((2, -2))) == [2]


def test_noise_scores_zero_in_a_run(config: Make) -> None:
    """Its illegal answers lose 10 points each in the game."""
    (line,) = build(config(weight=-1, games=20, steps=1)).loop.run()
    assert line["forfeits"] > 0
    assert line["reward/player_0"] == line["reward/player_1"] == 0
    assert line["kept"] == 0


@pytest.mark.parametrize("weight", [0.0, 1.0, -1.0, 0.5])
def test_the_objective_in_games(config: Make, played: Make, weight: float) -> None:
    """R_i = X_i + λ·X_j of the points X; only what is above the mean of all reaches the method."""
    experiment = build(config(weight=weight, games=400, steps=1))
    every: list[Sample] = []
    chain = experiment.loop.filters[0]
    experiment.loop.filters = [lambda samples: every.extend(samples) or chain(samples)]
    ((samples,), _, _) = played(experiment)
    assert len(every) == 800
    mean = sum(s.reward for s in every) / len(every)
    for one, two in zip(every[::2], every[1::2], strict=True):
        assert one.episode is two.episode
        joint = one.episode.outcome["joint"]
        assert one.reward + two.reward == pytest.approx((1 + weight) * joint)
        if weight == -1:
            assert one.reward + two.reward == 0
    above = [s for s in every if s.reward > mean]
    if weight == -1:
        above += [s for s in every if s.reward == 0 and s.episode.outcome["agreed"]]
        assert mean == 0
    assert 0 < len(samples) < 400
    assert {id(s) for s in samples} == {id(s) for s in above}


def test_illegal_answers_are_not_cloned() -> None:
    """Though the game went on and was won."""
    experiment = build(Config(games=8, steps=1, imitation_steps=0))
    good = parts((8, 2))[0]
    e = good.episode
    turns = tuple(Turn(t.observation, t.action, accepted=False) for t in e.turns)
    bad = Sample(
        Episode(e.game, 1, turns, e.payoffs, {}, e.views, outcome=e.outcome),
        good.role,
        8.0,
        (1.0,),
    )
    chain = experiment.loop.filters[0]
    assert chain([good, bad, *parts((0, 0))]) == [good]
    assert chain.dropped == {"below_mean": 2, "illegal": 1}


def test_three_passes_over_what_was_kept(
    config: Make, played: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = build(config(games=200, steps=1, rows_a_step=8))
    learner = experiment.loop.players["learner"].learner
    step, sizes = learner.step, []

    def count(batch: Any, *rest: Any) -> dict[str, float]:
        sizes.append(batch.rows)
        return step(batch, *rest)

    monkeypatch.setattr(learner, "step", count)
    ((samples,), (line,), _) = played(experiment)
    assert sum(sizes) == 3 * line["rows"] >= 3 * len(samples)
    assert len(sizes) == 3 * -(-int(line["rows"]) // 8)


# -- options ----------------------------------------------------------------------------------


def test_the_weight_is_the_games_option() -> None:
    competitive = Config(weight=-1)
    assert competitive.game == "DealOrNoDeal-v0(messages=2, other=-1.0)"
    assert Config().game == "DealOrNoDeal-v0(messages=2)"
    assert Config(weight=0.0).game == Config().game
    assert Config(game="DealOrNoDeal-v0(other=1)").game == "DealOrNoDeal-v0(other=1)"
    read = from_json(Config, to_json("dond", competitive)["options"])
    assert read == competitive
    with pytest.raises(BadInput, match="name one"):
        Config(game="DealOrNoDeal-v0(other=1)", weight=-1)
    with pytest.raises(BadInput, match="from -1 to 1"):
        Config(weight=2)
    with pytest.raises(BadInput, match="dond plays DealOrNoDeal"):
        Config(game="KuhnPoker-v0")


def test_a_bad_weight_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "dond", "--weight", "-3"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("weight", [0, -1])
def test_a_resumed_run_goes_on_exactly(
    config: Make, driven: Make, parroting: Make, weight: float
) -> None:
    parroting(dond)
    whole, again = driven("dond", config(weight=weight))
    assert again == whole
    assert [line["step"] for line in whole] == [0, 1, 2]
    assert whole[2]["rows"] > 0
    assert whole[2]["mismatch_mean"] > 0.1, "a parrot's numbers are none of the model's"
    assert whole[2]["loss"] != whole[1]["loss"]

"""Playpen: what each way to learn learns from, who plays, and that a run goes on exactly."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput, Episode
from sparring.envs.registry import game
from sparring.training.cli import main
from sparring.training.core import Sample
from sparring.training.methods.cloning import Cloning
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.methods.preference import Preference
from sparring.training.opponents.cast import Cast
from sparring.training.pairs import Pairs
from sparring.training.recipes.playpen import LEARN, Config, build, opponents

Make = Callable[..., Any]
LEARNING = ("sft", "dpo", "grpo")
WAYS = {"sft": Cloning, "dpo": Preference, "grpo": PolicyGradient}


@pytest.fixture
def config(tiny: Make) -> Make:
    return lambda **options: tiny(Config, **{"games": 24, **options})


def groups(samples: Sequence[Sample]) -> dict[tuple[Any, ...], list[Sample]]:
    found: dict[tuple[Any, ...], list[Sample]] = defaultdict(list)
    for s in samples:
        found[s.episode.game, s.episode.seed, s.role].append(s)
    return found


@pytest.mark.parametrize("learn", ["dpo", "grpo"])
def test_the_same_deals_several_times(config: Make, played: Make, learn: str) -> None:
    given, metrics, loop = played(build(config(learn=learn)))
    assert isinstance(loop.method.method, WAYS[learn])
    assert len(given) == len(metrics) == 2
    for samples in given:
        found = groups(samples)
        asked = [group for (_, _, role), group in found.items() if role != "answerer"]
        assert {len(group) for group in asked} == {8}
        assert Counter(name for name, _, _ in found) == {
            entry.name: 2 for entry in loop.mixture.entries
        }, "one deal of each game, in two roles"


def test_all_three_play_the_same_deals(config: Make) -> None:
    seeds = []
    for learn in LEARNING:
        loop = build(config(learn=learn)).loop
        matches = [planned.match for planned in loop.plan(0)]
        seeds.append([(m.game.name, m.seed) for m in matches])
    assert seeds[0] == seeds[1] == seeds[2]


def test_sft_clones_what_succeeded(config: Make, played: Make) -> None:
    given, metrics, loop = played(build(config(learn="sft", games=96)))
    assert isinstance(loop.method.method, Cloning)
    for samples, line in zip(given, metrics, strict=True):
        assert 0 < len(samples) < 192
        assert all(s.reward > 0 for s in samples)
        assert all(s.turns for s in samples)
        assert line["dropped/failed"] + line.get("dropped/silent", 0) == 192 - len(samples)
        assert line["rows"] == len(samples)


def test_dpo_prefers_success_to_failure_in_the_same_deal_and_role(
    config: Make, played: Make
) -> None:
    experiment = build(config(learn="dpo", games=96, steps=1))
    method: Any = experiment.loop.method
    make, found = method.pairs, []
    method.pairs = lambda samples: found.append(make(samples)) or found[-1]
    ((samples,), (line,), _) = played(experiment)
    (built,) = found
    assert isinstance(built, Pairs)
    assert len(built.pairs) == line["pairs"] > 0
    for pair in built.pairs:
        better, worse = pair.chosen.sample, pair.rejected.sample
        assert pair.chosen.turn is pair.rejected.turn is None, "whole games"
        assert better.reward > 0 == worse.reward
        assert (better.role, better.episode.seed) == (worse.role, worse.episode.seed)
        assert pair.target == 1.0
    expected = 0
    for group in groups(samples).values():
        said = [tuple(t.action.tokens for t in s.turns) for s in group]
        won = [s.reward > 0 for s in group]
        expected += sum(
            a and not b and x != y
            for a, x in zip(won, said, strict=True)
            for b, y in zip(won, said, strict=True)
        )
    assert len(built.pairs) == expected, "every success with every failure"


def test_grpo_compares_with_the_group(config: Make, played: Make) -> None:
    """Rewards 1, 0, 0, 0: mean 1/4, sample deviation 1/2."""
    estimator: Any = LEARN["grpo"]()
    four = [
        Sample(Episode("g", 5, (), {"a": r, "b": r}, {}, {}), "a", r, (1.0,))
        for r in (1.0, 0.0, 0.0, 0.0)
    ]
    found = [a for (a,) in estimator.estimator(four)]
    assert found == pytest.approx([1.4997, -0.4999, -0.4999, -0.4999], abs=1e-4)

    given, _, loop = played(build(config(games=96)))
    estimator = loop.method.method.estimator
    advantages = estimator(given[0])
    by_group: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for s, own in zip(given[0], advantages, strict=True):
        assert len(set(own)) == 1, "the whole advantage for every turn"
        by_group[s.episode.game, s.episode.seed, s.role].append(own[0])
    assert all(abs(sum(group)) < 1e-9 for group in by_group.values())
    assert any(any(group) for group in by_group.values())


# -- who plays --------------------------------------------------------------------------------


def test_a_teacher_plays_the_other_seats(config: Make, played: Make) -> None:
    given, _, _ = played(build(config(teacher="random", learn="grpo")))
    samples = [s for some in given for s in some]
    assert {s.role for s in samples} == {"guesser", "listener"}
    assert {len(group) for group in groups(samples).values()} == {8}
    for s in samples:
        others = {name for role, name in s.episode.seats.items() if role != s.role}
        assert others == {"random"}
        assert s.episode.seats[s.role] == "learner"


def test_the_seats_may_be_others(config: Make) -> None:
    games = [game(spec) for spec in Config.mix]
    found = opponents(config(teacher="random", seats=("describer", "speaker", "answerer")), games)
    assert isinstance(found, Cast)
    assert set(found.fixed) == {"guesser", "listener"}
    assert all(isinstance(teacher, RandomAgent) for teacher in found.fixed.values())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"teacher": "random", "seats": ("listener",)}, "describer, guesser"),
        ({"teacher": "random", "seats": ("guesser", "listener", "speaker")}, "at least one"),
        ({"teacher": "nobody"}, "no agent 'nobody'"),
    ],
)
def test_a_bad_teacher_is_one_line(options: dict[str, Any], said: str, config: Make) -> None:
    with pytest.raises(BadInput, match=said):
        build(config(**options))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--games", "100"], "multiple of 24"),
        (["--group", "1"], "at least 2"),
        (["--games", "100", "--mix", "Taboo-v0"], "multiple of 8"),
    ],
)
def test_bad_options_are_one_line(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "playpen", *args]) == 2
    told = capsys.readouterr().err.strip()
    assert len(told.splitlines()) == 1
    assert said in told


@pytest.mark.parametrize("learn", LEARNING)
def test_a_resumed_run_goes_on_exactly(config: Make, driven: Make, learn: str) -> None:
    options = {"mix": ("ReferenceGame-v0(objects=3,signals=3)", "ReferenceGame-v0"), "games": 64}
    taught = {"imitation_steps": 60, "imitation_games": 16, "imitation_rate": 1e-2}
    whole, again = driven("playpen", config(learn=learn, **options, **taught))
    assert again == whole
    assert [line["step"] for line in whole] == [0, 1, 2]
    learned = {"sft": "rows", "dpo": "pairs", "grpo": "advantage_size"}[learn]
    assert whole[2][learned] > 0

"""Runs whose answers come from vLLM, and what is refused with it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.engines.vllm.engine import VLLMEngine
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training.assembly import new_player, new_players
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Metrics
from sparring.training.experiment import Experiment
from sparring.training.measure import evaluate, solvable
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.models.options import LoraOptions
from sparring.training.opponents.past import LastK
from sparring.training.opponents.pool import Pool
from sparring.training.recipes import kuhn
from sparring.training.run import drive

SMALL: dict[str, Any] = {"games": 32, "steps": 3, "imitation_steps": 10, "imitation_games": 16}

Test = TypeVar("Test", bound=Callable[..., None])


def with_vllm(test: Test) -> Test:
    here = find_spec("vllm") is not None
    return pytest.mark.vllm(pytest.mark.skipif(not here, reason="needs vLLM: make test-vllm")(test))


def close(experiment: Experiment) -> None:
    for player in experiment.loop.players.values():
        if isinstance(player.agent.engine, VLLMEngine):
            player.agent.engine.close()


def mismatches(metrics: list[Metrics]) -> list[float]:
    """Between what vLLM told of each answer and what the learner computes from the whole row: right
    only if prompts, answers and weights are."""
    return [float(m["mismatch_max"]) for m in metrics]


@pytest.fixture
def folder(tmp_path: Path, new_model: Any, tokenizer: Any) -> str:
    """A tiny model on disk, as a pretrained one."""
    model = new_model(loud=3.0)
    model.save_pretrained(tmp_path / "tiny")
    tokenizer.save_pretrained(tmp_path / "tiny")
    return str(tmp_path / "tiny")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Experiment]]:
    """What ``drive`` builds, closed afterwards."""
    made: list[Experiment] = []
    build = kuhn.build

    def keeping(*given: Any) -> Experiment:
        made.append(build(*given))
        return made[-1]

    monkeypatch.setattr(kuhn, "build", keeping)
    yield made
    for one in made:
        close(one)


@with_vllm
def test_a_run_of_kuhn(tiny_model: None, tmp_path: Path, built: list[Experiment]) -> None:
    config = kuhn.Config(engine="vllm", evaluate_every=1, trackers=(), **SMALL)
    assert drive("kuhn", config, tmp_path / "run", quiet=True)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    first, *steps = map(json.loads, lines)
    assert len(steps) == 3
    assert max(mismatches(steps)) < 1e-4
    assert all(step["grad_norm"] > 0 for step in steps)
    assert len({m["nash_conv"] for m in (first, *steps)}) == 4, "weights move, and it follows"
    assert_measured_as_by_our_own_engine(built[0], steps[-1]["nash_conv"])


def assert_measured_as_by_our_own_engine(
    experiment: Experiment, found: float | None = None
) -> None:
    """Every information set of the game is asked for its policy."""
    loop = experiment.loop
    trees = solvable(loop)
    if found is None:
        found = float(evaluate(loop, trees)["nash_conv"])
    close(experiment)
    player = loop.players["learner"]
    player.agent = replace(
        player.agent, engine=LocalEngine(player.model, end=player.agent.renderer.end)
    )
    assert evaluate(loop, trees)["nash_conv"] == pytest.approx(found, abs=1e-4)


@with_vllm
@pytest.mark.parametrize("options", [{}, {"lora": LoraOptions(rank=4)}], ids=["all", "lora"])
def test_a_run_on_a_model_of_ones_own(folder: str, options: dict[str, Any]) -> None:
    config = kuhn.Config(engine="vllm", model=folder, **SMALL, **options)
    experiment = kuhn.build(config)
    try:
        assert not list(experiment.stage_one())
        rate = replace(config.update.learning_rate, start=0.02, end=0.02)
        update = replace(config.update, learning_rate=rate)
        experiment.loop.players["learner"].learner.config = update
        metrics = list(experiment.loop.run())
        assert max(mismatches(metrics)) < 1e-4
        assert max(m["kl_step"] for m in metrics) > 1e-3, "the policy moves"
        assert_measured_as_by_our_own_engine(experiment)
    finally:
        close(experiment)


@with_vllm
def test_a_resumed_run_goes_on_as_an_unbroken_one(
    tiny_model: None, tmp_path: Path, built: list[Experiment]
) -> None:
    config = kuhn.Config(engine="vllm", trackers=(), save_every=1, **SMALL)
    assert drive("kuhn", config, tmp_path / "whole", quiet=True)
    close(built[-1])
    assert drive("kuhn", replace(config, steps=1), tmp_path / "broken", quiet=True)
    close(built[-1])
    assert drive("kuhn", config, tmp_path / "broken", quiet=True)
    whole, broken = (
        [json.loads(line) for line in (tmp_path / n / "metrics.jsonl").open()]
        for n in ("whole", "broken")
    )
    assert len(whole) == len(broken) == 4
    for key in ("reward/player_0", "legal", "answer_tokens"):
        assert [m.get(key) for m in whole[:2]] == [m.get(key) for m in broken[:2]]
    assert max(mismatches(broken[1:])) < 1e-4, "the weights of the checkpoint play"


def test_the_engine_rests_while_it_is_learned_and_then_follows(tiny_model: None) -> None:
    config = SelfPlayConfig(games=8, steps=2)
    player = new_player([KuhnPoker()], config)
    done: list[str] = []
    player.rest = lambda: done.append("rest")
    player.publish = lambda: done.append("publish")

    class Noted(PolicyGradient):
        def learn(self, *given: Any, **named: Any) -> Metrics:
            done.append("learn")
            return super().learn(*given, **named)

    experiment = kuhn.build(kuhn.Config(games=8, steps=2))
    loop = experiment.loop
    loop.players = {"learner": player}
    loop.method = Noted(kuhn.ADVANTAGES["none"]())
    list(loop.run())
    assert done == ["rest", "learn", "publish"] * 2


def test_without_vllm_a_run_says_what_to_do(
    tiny_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"docs/vllm\.md"):
        new_player([KuhnPoker()], SelfPlayConfig(engine="vllm"))


def test_several_players_are_refused() -> None:
    with pytest.raises(BadInput, match="one learning player"):
        new_players([KuhnPoker()], SelfPlayConfig(engine="vllm"), ["a", "b"])


def test_past_selves_are_refused_before_anything_is_played(tiny_model: None) -> None:
    player = new_player([KuhnPoker()], SelfPlayConfig())
    player.agent = replace(player.agent, engine=object())
    with pytest.raises(BadInput, match="past selves need our own engine"):
        LastK(Pool({"learner": player}), 1, every=5)

"""What a player is put together from, and what its folder keeps."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.registry import agent
from sparring.envs.core import BadInput
from sparring.envs.registry import game
from sparring.training.assembly import new_player
from sparring.training.config import SelfPlayConfig


@pytest.mark.parametrize("shown", [True, False])
def test_a_saved_model_keeps_its_wording(shown: bool, tmp_path: Path) -> None:
    """With or without the list of legal answers: by itself, and where a run goes on from it."""
    rules = game("KuhnPoker-v0")
    config = SelfPlayConfig(show_legal=shown)
    learner = new_player([rules], config, width=32, layers=1)
    seen = rules.start(0).observe("player_0")
    prompt = learner.agent.renderer.prompt(seen)
    assert ("Legal" in learner.tokenizer.decode(prompt)) == shown
    learner.save(tmp_path / "model")
    assert agent(f"hf:{tmp_path / 'model'}", rules.name).renderer.prompt(seen) == prompt
    resumed = new_player([rules], config, tmp_path)
    assert resumed.agent.renderer.prompt(seen) == prompt
    other = new_player([rules], replace(config, show_legal=not shown), tmp_path)
    assert other.agent.renderer.prompt(seen) != prompt
    for model, listed in (("embedded", False), (str(tmp_path / "model"), True)):
        silent = replace(config, show_legal=None, model=model)
        player = new_player([rules], silent, width=32, layers=1)
        assert player.agent.renderer.show_legal == listed


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    rules = game("KuhnPoker-v0")
    new_player([rules], SelfPlayConfig(), width=32, layers=1)
    assert asked == [1]  # a small model
    new_player([rules], SelfPlayConfig(threads=3), width=32, layers=1)
    assert asked[-1] == 3
    with pytest.raises(BadInput, match="threads must be at least 1"):
        SelfPlayConfig(threads=0)


def test_the_memory_of_the_engine() -> None:
    rules = game("KuhnPoker-v0")
    player = new_player([rules], SelfPlayConfig(engine_memory=0.25), width=32, layers=1)
    engine = player.agent.engine
    assert isinstance(engine, LocalEngine)
    assert engine.memory == 1 << 28
    with pytest.raises(BadInput, match="engine-memory must be greater than 0"):
        SelfPlayConfig(engine_memory=0.0)

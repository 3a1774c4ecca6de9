"""The recipe as it is: from noise to near equilibrium. The longest test, about two minutes."""

import asyncio
import json
from pathlib import Path

import pytest

from sparring.agents.match import match
from sparring.agents.registry import agent
from sparring.envs import game
from sparring.training.recipes.kuhn import Config
from sparring.training.run import drive


@pytest.mark.slow
def test_a_model_learns_kuhn_poker(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert drive("kuhn", Config(seed=0), folder, quiet=True)
    first, *_, last = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    assert first["nash_conv"] > 0.8  # stage one leaves it near uniform play, 11/12
    assert last["nash_conv"] <= 0.10
    assert last["legal"] >= 0.99
    assert last["mismatch_max"] < 1e-4  # what was trained on is what was sampled

    kuhn = game("KuhnPoker-v0")
    learner = agent(f"run:{folder}", kuhn.name)
    found = asyncio.run(match(kuhn, learner, agent("random", kuhn.name), games=8000))
    assert all(estimate.low > 0 for estimate in found.by_role.values()), found.by_role
    found = asyncio.run(match(kuhn, learner, agent("optimal", kuhn.name), games=8000))
    assert found.payoff.low > -0.1, found.payoff

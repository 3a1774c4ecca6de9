"""Agents by name, and one plain line for each name that means nothing."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparring.agents.core import HasPolicy
from sparring.agents.engines.core import Request, Sampling
from sparring.agents.human import HumanAgent
from sparring.agents.llm import LLMAgent
from sparring.agents.optimal import PolicyAgent
from sparring.agents.random import RandomAgent
from sparring.agents.registry import AGENTS, agent
from sparring.agents.runs import MODEL, checkpoint_folder, checkpoints, find_checkpoint
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe

GAME = "KuhnPoker-v0"
NewModel = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, new_model: NewModel, tokenizer: Any) -> Path:
    """A run with two checkpoints of different weights, and one that was never finished."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    for step in (0, 12):
        where = checkpoint_folder(folder, step) / MODEL
        new_model(seed=step, layers=1, loud=3.0).save_pretrained(where)
        tokenizer.save_pretrained(where)
    (folder / "checkpoints" / ".step-000020.part").mkdir()
    (folder / "config.json").write_text(json.dumps({"recipe": "kuhn", "options": {}}))
    return folder


def test_plain_names() -> None:
    assert agent("random", GAME) == RandomAgent()
    assert isinstance(agent("human", GAME), HumanAgent)
    assert isinstance(agent("optimal", GAME), PolicyAgent)
    for name in ("random", "optimal", "human"):
        assert agent(name, GAME).name == name
    assert isinstance(agent("random", GAME), HasPolicy)
    assert not isinstance(agent("human", GAME), HasPolicy)


JUNK = [
    "",
    " ",
    ":",
    "nobody",
    "Random",
    "random ",
    "random:x",
    "optimal:",
    "human:me",
    "run",
    "run:",
    "hf",
    "hf:",
    "run@5",
    "random\n",
    "__class__",
]


@pytest.mark.parametrize("name", JUNK)
def test_junk_names_are_refused_with_the_list_of_agents(name: str) -> None:
    with pytest.raises(BadInput, match="run:DIR") as refused:
        agent(name, GAME)
    message = str(refused.value)
    assert "\n" not in message
    assert all(kind in message for kind in AGENTS)


def test_one_of_several_perfect_players() -> None:
    jack = next(s for _, s in KuhnPoker().openings() if s.deals == ("JQ",)).observe("player_0")
    for name, bluffs in (("optimal:0.2", 0.2), ("optimal:1/3", 1 / 3), ("optimal", 1 / 3)):
        player = agent(name, GAME)
        assert isinstance(player, PolicyAgent)
        assert player.name == name
        assert player.choose(jack)["bet"] == pytest.approx(bluffs)
    lowest = agent("optimal:lowest", "TicTacToe-v0")
    assert isinstance(lowest, PolicyAgent)
    assert lowest.choose(TicTacToe().start(0).observe("player_0")) == {"1": 1.0}
    for name, game in (("optimal:0.9", GAME), ("optimal:x", GAME), ("optimal:x", "TicTacToe-v0")):
        with pytest.raises(BadInput):
            agent(name, game)


def test_no_perfect_play_for_an_unknown_game() -> None:
    with pytest.raises(BadInput, match="no optimal play"):
        agent("optimal", "Chess-v0")


# -- runs -------------------------------------------------------------------------------------


def test_a_run_is_its_newest_checkpoint_or_the_one_that_is_named(
    run: Path, new_model: NewModel
) -> None:
    for name, step in ((f"run:{run}", 12), (f"run:{run}@12", 12), (f"run:{run}@0", 0)):
        player = agent(name, GAME)
        assert isinstance(player, LLMAgent)
        assert player.name == name
        given = player.engine.model.state_dict()  # type: ignore[attr-defined]
        expected = new_model(seed=step, layers=1, loud=3.0).state_dict()
        assert all(given[key].equal(expected[key]) for key in expected)
    assert list(checkpoints(run)) == [0, 12], "an unfinished checkpoint is none"
    assert find_checkpoint(run, 0) == checkpoint_folder(run, 0)


def test_a_loaded_agent_plays_like_the_model_that_was_saved(
    run: Path, new_model: NewModel, tokenizer: Any
) -> None:
    from sparring.agents.pretrained import player

    saved, _ = player("saved", new_model(seed=12, layers=1, loud=3.0), tokenizer, Sampling())
    loaded = agent(f"run:{run}", GAME)
    assert isinstance(loaded, LLMAgent)
    seen = KuhnPoker().start(0).observe("player_0")
    prompt = saved.renderer.prompt(seen)
    assert loaded.renderer.prompt(seen) == prompt
    request = Request(prompt, Sampling(max_tokens=9), 4)
    one, other = (asyncio.run(a.engine.generate(request)) for a in (saved, loaded))
    assert one == other
    assert asyncio.run(saved.policy(seen)) == asyncio.run(loaded.policy(seen))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("run:{tmp}/nowhere", "there is no run"),
        ("run:{tmp}", "has no checkpoint"),
        ("run:{run}@7", "no checkpoint at step 7; there are: 0, 12"),
        ("run:{run}@20", "no checkpoint at step 20"),
        ("run:{run}@last", "whole number"),
        ("run:{run}@", "whole number"),
        ("run:{run}@-1", "whole number"),
        ("run:{run}@1.5", "whole number"),
        ("run:{run}@²", "whole number"),
        ("hf:{tmp}/nowhere", "there is no model folder"),
        ("hf:./nowhere", "there is no model folder"),
        ("hf:{tmp}", "no readable config.json"),
        ("hf:{run}", "say run:{run}"),
    ],
)
def test_what_cannot_be_found_is_said_in_one_line(
    name: str, reason: str, run: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as refused:
        agent(name.format(tmp=tmp_path, run=run), GAME)
    assert reason.format(run=run) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "config",
    [b"", b"{", b"[]", b"5", b"null", b'"qwen3"', b"\xff\xfe\x00", b"{}", b'{"model_type": 3}'],
)
def test_a_folder_with_a_broken_config_is_no_model(config: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(config)
    with pytest.raises(BadInput) as refused:
        agent(f"hf:{tmp_path}", GAME)
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("damage", ["cut off", "garbage", "empty", "missing"])
def test_damaged_weights_are_said_in_one_line(
    damage: str, tmp_path: Path, new_model: NewModel, tokenizer: Any
) -> None:
    new_model(layers=1).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    if damage == "missing":
        weights.unlink()
    else:
        broken = {"cut off": whole[: len(whole) // 2], "garbage": b"garbage" * 99, "empty": b""}
        weights.write_bytes(broken[damage])
    with pytest.raises(BadInput, match="cannot load the model") as refused:
        agent(f"hf:{tmp_path}", GAME)
    assert "\n" not in str(refused.value)

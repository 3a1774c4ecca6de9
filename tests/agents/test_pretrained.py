"""A real pretrained chat model in a seat. Skipped unless SPARRING_PRETRAINED names its folder."""

import asyncio
import os

import pytest

from sparring.agents.exploitability.exact import measure
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play
from sparring.agents.registry import agent
from sparring.envs import game
from sparring.envs.solve import walk

FOLDER = os.environ.get("SPARRING_PRETRAINED", "")
pytestmark = [
    pytest.mark.pretrained,
    pytest.mark.skipif(
        not FOLDER, reason="set SPARRING_PRETRAINED=PATH to a folder with a pretrained chat model"
    ),
]


def test_a_pretrained_model_plays_and_is_measured() -> None:
    player = agent(f"hf:{FOLDER}", "TicTacToe-v0")
    assert isinstance(player, LLMAgent)
    rules = game("TicTacToe-v0")
    episode = asyncio.run(play(Match(rules, dict.fromkeys(rules.roles, player), 0, 0)))
    for role in rules.roles:
        held: tuple[int, ...] = ()
        for turn in episode.turns_of(role):
            assert turn.action.prompt[: len(held)] == held, "a prompt does not extend what was held"
            held = turn.action.prompt + turn.action.tokens
    report = asyncio.run(measure(player, walk(game("KuhnPoker-v0"))))
    assert 0 < report.nash_conv < 3

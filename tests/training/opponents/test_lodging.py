"""Past selves of players with adapters: more adapters of the model, in one batch, never trained."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import load_peft_weights

from sparring.agents.core import HasPolicy
from sparring.agents.llm import LLMAgent
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training import weights
from sparring.training.opponents.past_self import PastSelf
from sparring.training.opponents.pool import Pool
from sparring.training.player import Player

GAME = TicTacToe(board=False)
OPENING = GAME.start(0).observe(GAME.roles[0])


@pytest.fixture
def learner(new_player: Any) -> Player:
    made: Player = new_player(rank=2)
    return made


def moved(player: Player) -> None:
    with torch.no_grad():
        for number, weight in enumerate(weights.trained(player.model).values()):
            weight.add_(0.3 * torch.cos(torch.arange(weight.numel()).view_as(weight) + number))


def members(pool: Pool) -> list[PastSelf]:
    found = [pool.seated(member.name, GAME.roles[0]) for member in pool.past]
    return [past for past in found if isinstance(past, PastSelf)]


def policies(*agents: Any) -> list[dict[str, float]]:
    async def ask() -> list[dict[str, float]]:
        return list(await asyncio.gather(*(agent.policy(OPENING) for agent in agents)))

    return asyncio.run(ask())


def test_all_past_selves_answer_in_one_batch(learner: Player) -> None:
    """Each as the learner was then, and one pass of the model reads the prompt for all three."""
    pool = Pool({"learner": learner})
    were = []
    for step in range(3):
        moved(learner)
        learner.publish()
        were += policies(learner.agent)
        pool.add(step)
    moved(learner)
    learner.publish()
    read: list[int] = []
    base = learner.model.get_base_model()
    policies(*members(pool))  # what kind of model it is, the engine finds out once
    pool.forget()
    hook = base.register_forward_hook(lambda *given: read.append(len(given[2].logits)))
    for past in members(pool):
        past.known.clear()
    found = policies(*members(pool))
    hook.remove()
    assert len(read) < 3, "an answer of nine words a member, all members together"
    for one, other in zip(found, were, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert policies(learner.agent)[0] != pytest.approx(were[-1], abs=1e-3)


def test_only_the_learner_is_trained_and_saved(learner: Player, tmp_path: Path) -> None:
    before = set(weights.trained(learner.model))
    pool = Pool({"learner": learner}, capacity=2)
    for step in range(4):
        pool.add(step)
    assert set(weights.trained(learner.model)) == before
    assert len(learner.model.peft_config) == 1 + 2, "who had to go is gone from the model"
    assert learner.model.active_adapter == "default"
    learner.save(tmp_path)
    assert len(load_peft_weights(str(tmp_path))) == len(before)
    again = Pool({"learner": learner}, capacity=2)
    again.load_state_dict(pool.state_dict())


def test_a_past_self_stays_as_it_was(learner: Player) -> None:
    pool = Pool({"learner": learner})
    moved(learner)
    pool.add(0)
    (past,) = members(pool)
    assert isinstance(past, HasPolicy)
    assert isinstance(past.agent, LLMAgent)
    (was,) = policies(past)
    moved(learner)
    learner.publish()
    past.known.clear()
    assert policies(past)[0] == pytest.approx(was, abs=1e-6)

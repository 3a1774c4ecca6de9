"""The first stage: the language of a game from random play, and nothing else."""

import asyncio
from typing import Any

import pytest

from sparring.agents.engines.core import Sampling
from sparring.agents.llm import LLMAgent
from sparring.agents.pretrained import player
from sparring.agents.random import RandomAgent
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.solve import walk
from sparring.training import imitate
from sparring.training.imitate import imitate_random
from sparring.training.learner import Learner
from sparring.training.update import UpdateConfig

KUHN = KuhnPoker()


def taught_by(new_model: Any, tokenizer: Any, seed: int) -> tuple[LLMAgent, Learner, list[Any]]:
    model = new_model(layers=1, width=64, loud=1.0)  # narrower ones hang on the luck of a seed
    learner = Learner(model, UpdateConfig())
    agent, _ = player("pupil", model, tokenizer, Sampling(max_tokens=3))
    lessons = imitate_random(
        learner, agent.renderer, [KUHN], steps=60, games_a_step=48, rate=1e-2, seed=seed
    )
    return agent, learner, list(lessons)


def legal_mass(agent: LLMAgent) -> float:
    """The least probability that the agent leaves to legal answers, over all it can be asked."""

    async def ask() -> float:
        asked = [agent.answer_chances(o) for o in walk(KUHN).observations]
        return min([sum(chances.values()) for chances in await asyncio.gather(*asked)])

    return asyncio.run(ask())


def test_it_learns_to_answer_legally(new_model: Any, tokenizer: Any) -> None:
    agent, learner, lessons = taught_by(new_model, tokenizer, seed=0)
    losses = [metrics["imitation_loss"] for metrics in lessons]
    assert [metrics["step"] for metrics in lessons] == list(range(1, 61))
    assert losses[0] > 5 > 1 > losses[-1]
    assert legal_mass(agent) > 0.9
    assert not learner.optimizer.state, "self-play starts with an optimiser of its own"
    assert learner.updates == 0


def test_the_same_seed_gives_the_same_lessons(new_model: Any, tokenizer: Any) -> None:
    first, again, other = (taught_by(new_model, tokenizer, seed)[2] for seed in (1, 1, 2))
    assert first == again != other


def test_only_random_play_is_imitated(
    new_model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And over a batch both answers of every set come about equally often."""
    seats: list[Any] = []
    said: dict[str, int] = {}
    play_all = imitate.play_all

    async def watching(matches: Any) -> Any:
        matches = list(matches)
        seats.extend(agent for match in matches for agent in match.seats.values())
        episodes = await play_all(matches)
        for episode in episodes:
            answer = episode.turns[0].action.text
            said[answer] = said.get(answer, 0) + 1
        return episodes

    monkeypatch.setattr(imitate, "play_all", watching)
    taught_by(new_model, tokenizer, seed=3)
    assert set(seats) == {RandomAgent()}
    assert set(said) == {"check", "bet"}
    assert min(said.values()) > 0.43 * sum(said.values())

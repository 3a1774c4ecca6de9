"""Players on tiny models, and a method that changes their weights without a gradient."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch

from sparring.agents.engines.core import Sampling
from sparring.agents.pretrained import player
from sparring.training.core import Metrics, Sample, Stateless
from sparring.training.learner import Learner
from sparring.training.models import lora
from sparring.training.models.options import LoraOptions
from sparring.training.player import Player
from sparring.training.update import UpdateConfig

NewPlayer = Callable[..., Player]

CONFIG = UpdateConfig(inner_steps=1)


@pytest.fixture
def new_player(taught: Any, tokenizer: Any) -> NewPlayer:
    """A function that makes a player whose model answers TicTacToe legally half the time."""

    def make(
        name: str = "learner", config: UpdateConfig = CONFIG, rank: int | None = None
    ) -> Player:
        model = copy.deepcopy(taught)
        if rank is not None:
            model = lora.with_adapter(model, LoraOptions(rank=rank), 0)
        agent, engine = player(name, model, tokenizer, Sampling(max_tokens=4))
        return Player(agent, Learner(model, config), engine.forget, tokenizer)

    return make


@pytest.fixture
def learner(new_player: NewPlayer) -> Player:
    return new_player()


class Nudge(Stateless):
    """Learns nothing: it moves all weights a little. It remembers what each call was given."""

    def __init__(self) -> None:
        self.seen: list[list[Sample]] = []

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        self.seen.append(list(samples))
        nudge(learner.model)
        return {"loss": 0.0}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """There is nothing to load."""


@torch.no_grad()
def nudge(model: Any, by: float = 0.05) -> None:
    for number, weight in enumerate(model.parameters()):
        weight.add_(by * torch.cos(torch.arange(weight.numel()).view(weight.shape) + float(number)))


@pytest.fixture
def method() -> Nudge:
    return Nudge()


@pytest.fixture(name="nudge")
def nudging() -> Callable[..., None]:
    return nudge

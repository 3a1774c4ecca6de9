"""Samples of a game of one or two answers, and what a step of plain gradient descent moves."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from sparring.envs.core import Action, Episode, Observation, Turn
from sparring.training.core import Sample
from sparring.training.learner import Learner
from sparring.training.update import UpdateConfig

Said = Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
PROMPT = (4, 7, 8)


def score(model: Any, prompt: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
    """The log-probability of each token of an answer: [T], from the model alone with this text."""
    logits = model(torch.tensor([[*prompt, *tokens]])).logits[0].log_softmax(-1)
    at = torch.arange(len(prompt), len(prompt) + len(tokens))
    return logits[at - 1, torch.tensor(tokens)]


@pytest.fixture
def sample_of() -> Callable[..., Sample]:
    """From a reward and (prompt, answer) pairs, as ``model`` would have sampled them."""

    def make(
        reward: float,
        said: Said | tuple[int, ...],
        *,
        model: Any = None,
        seed: int = 0,
        role: str = "a",
        who: str = "learner",
        player: str = "learner",
        weight: float = 1.0,
        credit: tuple[float, ...] | None = None,
    ) -> Sample:
        pairs = [(PROMPT, said)] if isinstance(said[0], int) else said
        turns = []
        for prompt, tokens in pairs:
            with torch.no_grad():
                own = score(model, prompt, tokens).tolist() if model else [-1.0] * len(tokens)
            action = Action("x", "", tuple(prompt), tuple(tokens), tuple(own))
            turns.append(Turn(Observation(role, ()), action))
        e = Episode("g", seed, tuple(turns), {role: reward}, {role: who}, {role: ()})
        return Sample(e, role, reward, credit or (1.0,) * len(turns), weight, player)

    return make


class Descent(torch.optim.SGD):
    """Plain gradient descent that keeps the gradients it went down."""

    def step(self, closure: Any = None) -> None:
        params = self.param_groups[0]["params"]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in params]
        self.gradient = torch.cat([g.flatten() for g in grads]).clone()
        super().step(closure)


@pytest.fixture
def stepped() -> Callable[..., tuple[torch.Tensor, dict[str, float]]]:
    """The gradient that a method goes down in its only inner step, and its metrics."""

    def step(
        method: Any, model: Any, samples: Sequence[Sample], **options: Any
    ) -> tuple[torch.Tensor, dict[str, float]]:
        given = {"inner_steps": 1, "max_grad_norm": 1e9, "magnet": 0.0, **options}
        learner = Learner(model, UpdateConfig(**given))
        learner.optimizer = descent = Descent(model.parameters(), lr=1.0)  # type: ignore[assignment]
        metrics = method.learn(learner, samples, 0.0)
        return descent.gradient, metrics

    return step


@pytest.fixture
def gradient() -> Callable[[Any, torch.Tensor], torch.Tensor]:
    """Of a value by all parameters of a model, as one vector."""

    def of(model: Any, value: torch.Tensor) -> torch.Tensor:
        model.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        found = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
        flat = torch.cat([g.flatten() for g in found])
        model.zero_grad(set_to_none=True)
        return flat

    return of


@pytest.fixture
def scored() -> Callable[[Any, Sequence[int], Sequence[int]], torch.Tensor]:
    """``score``: the log-probabilities of an answer's tokens, each text in a pass of its own."""
    return score

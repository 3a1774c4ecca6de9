"""An engine that computes with other weights on a model that it shares."""

import asyncio
import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from sparring.agents.engines.core import Completion, Request, Sampling, Tokens
from sparring.agents.engines.local.engine import LocalEngine

PROMPT: Tokens = (5, 6, 7)
GREEDY = Sampling(temperature=0, max_tokens=6)


@pytest.fixture
def models(new_model: Callable[..., Any]) -> tuple[Any, Any]:
    """One model, and another of the same kind."""
    return new_model(seed=1), new_model(seed=2)


def exchanged(model: Any, other: Any, log: list[str]) -> Callable[[], Any]:
    @contextmanager
    def inside() -> Iterator[None]:
        log.append("in")
        own = {name: p.data for name, p in model.named_parameters()}
        for name, p in model.named_parameters():
            p.data = other.get_parameter(name).data
        try:
            yield
        finally:
            for name, p in model.named_parameters():
                p.data = own[name]
            log.append("out")

    return inside


def ask(engine: LocalEngine) -> tuple[Completion, list[float]]:
    async def both() -> tuple[Completion, list[float]]:
        said = await engine.generate(Request(PROMPT, GREEDY, 0))
        return said, await engine.score(PROMPT, [(9,), (8, 3)])

    return asyncio.run(both())


def test_two_engines_on_one_model_are_two_players(models: tuple[Any, Any]) -> None:
    model, other = models
    log: list[str] = []
    plain = LocalEngine(model, end=1)
    second = LocalEngine(model, end=1, using=exchanged(model, other, log))
    alone = ask(LocalEngine(copy.deepcopy(model), end=1))
    assert ask(second) == ask(LocalEngine(other, end=1))
    assert log == ["in", "out"] * (len(log) // 2)
    assert len(log) > 2, "for every step: games may do other things with the model in between"
    assert ask(plain) == alone, "the model has its own weights back"
    assert alone[0].tokens != ask(second)[0].tokens
    assert set(plain.kept._kept) != set(second.kept._kept), "their caches are their own"


def test_weights_are_exchanged_where_they_can_be_trained_again(models: tuple[Any, Any]) -> None:
    """Inside inference mode even the model's own weights would come back untrainable."""
    model, other = models
    seen: list[bool] = []

    @contextmanager
    def inside() -> Iterator[None]:
        seen.append(torch.is_inference_mode_enabled())
        yield
        seen.append(torch.is_inference_mode_enabled())

    ask(LocalEngine(model, end=1, using=inside))
    assert seen
    assert not any(seen)
    ask(LocalEngine(model, end=1, using=exchanged(model, other, [])))
    model(input_ids=torch.tensor([PROMPT])).logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())

"""A player whose answers come from vLLM, with the weights that it learns."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from sparring.agents.engines.vllm.engine import VLLMEngine
from sparring.training.player import Player

MEMORY = {"cpu": 1 << 30, "cuda": 8 << 30}
"""Bytes of keys and values, by where the learner is."""


def by_vllm(
    player: Player,
    using: Callable[[], AbstractContextManager[None]] = nullcontext,
    *,
    memory: int | None = None,
    max_rows: int = 256,
) -> Player:
    """``player`` with vLLM in the place of its engine, following its weights, or its adapter.

    vLLM computes in what the model does. ``using``, ``memory`` (by default ``MEMORY``) and
    ``max_rows`` are as in ``VLLMEngine``.

    Raises:
        BadInput: vLLM is not installed, or cannot serve this model.
    """
    model = player.model
    with using():
        engine = VLLMEngine(
            model,
            end=player.agent.renderer.end,
            dtype=computes_in(model),
            memory=memory or MEMORY.get(model.device.type, MEMORY["cpu"]),
            max_rows=max_rows,
            rank=model.peft_config[model.active_adapter].r if hasattr(model, "peft_config") else 0,
            using=using,
            decode=player.agent.renderer.decode,
        )
    agent = replace(player.agent, engine=engine)
    follow = partial(engine.publish, model)
    return replace(player, agent=agent, publish=follow, forget=engine.forget, rest=engine.sleep)


@torch.inference_mode()
def computes_in(model: Any) -> torch.dtype:
    """The type of the numbers that a model's last layer gives."""
    given = torch.zeros((1, 1), dtype=torch.long, device=model.device)
    dtype: torch.dtype = model(input_ids=given).logits.dtype
    return dtype

"""Attention over keys and values that are kept in float32 while the model computes in less.

On a CPU, scaled dot-product attention in bfloat16 takes three times as long as in float32: there is
no kernel for a few queries in it. So the row memory of such a model is in float32, twice the bytes,
and only the attention is computed in that; all else stays in the model's own numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

NAME = "sparring_float32"


def kept_in(model: Any) -> torch.dtype | None:
    """In what to keep the keys and values of a model; None: as they come."""
    return torch.float32 if _applies(model) else None


def _applies(model: Any) -> bool:
    way = getattr(model.config.get_text_config(), "_attn_implementation", None)
    return model.device.type == "cpu" and model.dtype != torch.float32 and way == "sdpa"


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **given: Any,
) -> tuple[torch.Tensor, None]:
    """As transformers' "sdpa", in the numbers of the keys."""
    mask = None if attention_mask is None else attention_mask.to(key.dtype)
    found, _ = sdpa_attention_forward(module, query.to(key.dtype), key, value, mask, **given)
    return found.to(query.dtype), None


AttentionInterface.register(NAME, _attend)


@contextmanager
def widened(model: Any) -> Iterator[None]:
    """Inside, a model in less than float32 attends so, where it uses "sdpa" and is on a CPU."""
    if not _applies(model):
        yield
        return
    config = model.config.get_text_config()
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = "sdpa"

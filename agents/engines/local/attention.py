"""How a model attends to its row memory on a CPU, where it would use ``sdpa``.

One new token a row goes to our own kernel (``ragged.py``), which reads each row only as far as it
goes and no longer than it needs. Whatever else there is goes to scaled dot-product attention, in
float32 if the memory is in bfloat16: for that there is no fast kernel for a few queries. New tokens
of several rows in one line (``places.py``) attend row by row, each as far as its row goes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from sparring.agents.engines.local.places import Span

NAME = "sparring_rows"
SMALL = 1 << 17
"""With fewer numbers of keys the kernel's call costs more than it saves."""


_spans: ContextVar[Sequence[Span]] = ContextVar("spans", default=())
"""The rows of what is being read, if they stand in one line."""


def kept_in(model: Any) -> torch.dtype | None:
    """In what to keep the keys and values of a model; None: as they come."""
    return torch.float32 if applies(model) and model.dtype == torch.float16 else None


def applies(model: Any) -> bool:
    """Whether a model attends in ways of ours."""
    way = getattr(model.config.get_text_config(), "_attn_implementation", None)
    return model.device.type == "cpu" and way == "sdpa"


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **given: Any,
) -> tuple[torch.Tensor, None]:
    """As transformers' "sdpa": queries [n, heads, W, size] to [n, W, heads, size]."""
    plain = given.get("softcap") is None and given.get("position_bias") is None
    if attention_mask is not None and plain:
        if spans := _spans.get():
            found = _row_by_row(query, key, value, attention_mask, scaling, spans)
            return found.to(query.dtype), None
        if query.shape[2] == 1 and key.numel() >= SMALL:
            from sparring.agents.engines.local import ragged  # numba takes a while to import

            if ragged.suits(key, value, attention_mask):
                return ragged.attend(query, key, value, attention_mask, scaling), None
    mask = None if attention_mask is None else attention_mask.float()
    found, _ = sdpa_attention_forward(
        module, query.float(), key.float(), value.float(), mask, scaling=scaling, **given
    )
    return found.to(query.dtype), None


def _row_by_row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scaling: float | None,
    spans: Sequence[Span],
) -> torch.Tensor:
    """Queries [1, heads, W, size] of rows in one line, keys and values [n, kv heads, seen, size],
    mask [1, 1, W, seen]; [1, W, heads, size of values] in float32.

    Heads of the query that share keys and values are read as more queries of one head.
    """
    heads, shared = query.shape[1], key.shape[1]
    found = torch.empty((1, query.shape[2], heads, value.shape[3]))
    for row, (begin, end, seen) in enumerate(spans):
        own = query[:, :, begin:end].float().reshape(1, shared, -1, query.shape[3])
        hidden = mask[:, :, begin:end, :seen].float().repeat(1, 1, heads // shared, 1)
        keys, values = (part[row : row + 1, :, :seen].float() for part in (key, value))
        out = scaled_dot_product_attention(own, keys, values, hidden, scale=scaling)
        found[:, begin:end] = out.reshape(1, heads, end - begin, -1).transpose(1, 2)
    return found


AttentionInterface.register(NAME, _attend)


@contextmanager
def attending(model: Any, spans: Sequence[Span] = ()) -> Iterator[None]:
    """Inside, a model on a CPU that uses "sdpa" attends so, to rows in one line where there are
    ``spans``."""
    if not applies(model):
        yield
        return
    config = model.config.get_text_config()
    config._attn_implementation = NAME
    before = _spans.set(spans)
    try:
        yield
    finally:
        _spans.reset(before)
        config._attn_implementation = "sdpa"

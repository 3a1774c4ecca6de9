"""How a model attends to its row memory on a CPU, where it would use ``sdpa``.

One new token a row goes to our own kernel (``ragged.py``), which reads each row only as far as it
goes and no longer than it needs. Whatever else there is goes to scaled dot-product attention, in
float32 if the memory is in bfloat16: for that there is no fast kernel for a few queries. New tokens
of several rows in one line (``places.py``) attend row by row, each as far as its row goes.

Which way a model attends stands in its config, where other threads see it too; so what is ours
does as "sdpa" for all but those who are ``attending``.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from sparring.agents.engines.local.places import Span

log = logging.getLogger(__name__)

NAME = "sparring_rows"
SMALL = 1 << 17
"""With fewer numbers of keys the kernel's call costs more than it saves."""

_spans: ContextVar[Sequence[Span] | None] = ContextVar("spans", default=None)
"""The rows of what is being read, if they stand in one line; None: nobody is ``attending``."""
_readers: Counter[int] = Counter()  # of each config, by id: how many are attending
_counting = Lock()


def kept_in(model: Any) -> torch.dtype | None:
    """In what to keep the keys and values of a model; None: as they come."""
    return torch.float32 if applies(model) and model.dtype == torch.float16 else None


def applies(model: Any) -> bool:
    """Whether a model attends in ways of ours."""
    way = getattr(model.config.get_text_config(), "_attn_implementation", None)
    return model.device.type == "cpu" and way in ("sdpa", NAME)


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
    spans = _spans.get()
    if spans is None:
        own, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **given
        )
        return own, None
    plain = given.get("softcap") is None and given.get("position_bias") is None
    if attention_mask is not None and plain:
        if spans:
            found = _row_by_row(query, key, value, attention_mask, scaling, spans)
            return found.to(query.dtype), None
        if query.shape[2] == 1 and key.numel() >= SMALL:
            ragged = _kernel(key.dtype, torch.get_num_threads())
            if ragged and ragged.suits(key, value, attention_mask):
                return ragged.attend(query, key, value, attention_mask, scaling), None
    mask = None if attention_mask is None else attention_mask.float()
    found, _ = sdpa_attention_forward(
        module, query.float(), key.float(), value.float(), mask, scaling=scaling, **given
    )
    return found.to(query.dtype), None


@cache
def _kernel(dtype: torch.dtype, threads: int) -> ModuleType | None:
    """The module of our kernel, once it has worked for keys of this kind; None where it cannot."""
    try:
        from sparring.agents.engines.local import ragged  # numba takes a while to import

        one, mask = torch.zeros((2, 1, 1, 8), dtype=dtype), torch.zeros((2, 1, 1, 1))
        if ragged.suits(one, one, mask):
            ragged.attend(one, one, one, mask, None)
    except Exception as fault:  # it compiles, starts threads, writes to disk: whatever that says
        log.warning(
            "answers take longer, since numba does not work here (%s: %s)",
            type(fault).__name__,
            fault,
        )
        return None
    return ragged


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
AttentionMaskInterface.register(NAME, sdpa_mask)


@contextmanager
def attending(model: Any, spans: Sequence[Span] = ()) -> Iterator[None]:
    """Inside, a model on a CPU that uses "sdpa" attends so, to rows in one line where there are
    ``spans``."""
    if not applies(model):
        yield
        return
    config = model.config.get_text_config()
    with _counting:
        _readers[id(config)] += 1
        config._attn_implementation = NAME
    before = _spans.set(spans)
    try:
        yield
    finally:
        _spans.reset(before)
        with _counting:
            _readers[id(config)] -= 1
            if not _readers[id(config)]:
                del _readers[id(config)]
                config._attn_implementation = "sdpa"

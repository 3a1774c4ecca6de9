"""Attention of one new token a row over rows of their own lengths, on a CPU.

``scaled_dot_product_attention`` reads all rows as far as the longest, hidden or not, and was two
fifths of the time that small models took for their answers. This reads each row from the first to
the last column that its mask shows, as it lies in memory, float32 or bfloat16, and computes in
float32:

    out = Σ_c softmax_c(scale · q·k_c + mask_c) · v_c

numba compiles it when it is first used, which takes seconds, and keeps the code for later.
"""

import threading
from functools import cache
from typing import Any

import numba
import numpy as np
import torch

from sparring.agents.engines.local.compiled import in_turn, together

_shared_by_one = threading.Lock()  # not every threading layer of numba is safe among threads


def suits(key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> bool:
    """Whether ``attend`` can do this."""
    return (
        key.dtype in (torch.float32, torch.bfloat16)
        and mask.shape == (key.shape[0], 1, 1, key.shape[2])
        and mask.is_floating_point()
        and _whole(key) is not None
        and _whole(value) is not None
    )


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scaling: float | None,
) -> torch.Tensor:
    """What one query a row finds.

    Args:
        query: [rows, heads, 1, size].
        key: [rows, kv heads, columns, size], the beginnings of columns of a contiguous tensor.
        value: [rows, kv heads, columns, any size], likewise.
        mask: [rows, 1, 1, columns], added to the scores.
        scaling: of the scores; None is size^-½.

    Returns:
        [rows, 1, heads, size of values], as the queries are.
    """
    rows, heads, _, size = query.shape
    found = torch.empty((rows, heads, value.shape[3]))
    scale = size**-0.5 if scaling is None else scaling
    given = (
        query[:, :, 0].float().contiguous().numpy(),
        _numbers(key),
        _numbers(value),
        mask[:, 0, 0].float().contiguous().numpy(),
        np.float32(scale),
        found.numpy(),
    )
    threads = min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS)
    if threads == 1:
        in_turn(*given)
    else:
        with _shared_by_one:
            _start_threads()
            numba.set_num_threads(threads)
            together(*given)
    return found.to(query.dtype)[:, None]


def _whole(part: torch.Tensor) -> torch.Tensor | None:
    """The contiguous tensor of whose columns ``part`` is the beginning; None if it is not."""
    _, heads, columns, size = part.shape
    apart, row = part.stride(1), part.stride(0)
    if part.stride()[2:] != (size, 1) or apart % size or row != heads * apart:
        return None
    if apart < columns * size:
        return None
    return part.as_strided((part.shape[0], heads, apart // size, size), part.stride())


def _numbers(part: torch.Tensor) -> Any:
    """As numpy has them; it does not know bfloat16, so of that the bits."""
    whole = _whole(part)
    assert whole is not None
    if part.dtype == torch.bfloat16:
        return whole.view(torch.uint16).numpy()
    return whole.numpy()


@cache
def _start_threads() -> None:
    """Let numba start its threads. On OpenMP, which torch has too, it then sets how many there are
    and allows threads to have threads of their own, with which torch's products of matrices take a
    hundred times as long; in a thread that ends these settings end as well."""
    once = threading.Thread(target=numba.get_num_threads)
    once.start()
    once.join()

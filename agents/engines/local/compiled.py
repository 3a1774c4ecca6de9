"""Attention of one query a row over what that row shows, compiled by numba; see ``ragged.py``."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange
from numba.core import types
from numba.extending import overload

HIDDEN = np.float32(-1e4)
"""Columns below this at the start and end of a row's mask are not read."""
LEAST = np.float32(-87.0)  # exp of it is the smallest normal number in float32
FREE = {"nsz", "arcp", "contract", "reassoc", "afn"}
"""How floating point may be reordered. There may be infinities, from masks, and what is no number
has to come out as none."""

F = np.float32


def _number(bits: Any) -> Any:
    """What stands in memory, as float32."""


@overload(_number, inline="always")
def _typed_number(bits):  # type: ignore[no-untyped-def]  # numba compares signatures
    if bits == types.uint16:  # a bfloat16 is the upper half of a float32
        return lambda bits: np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)
    return lambda bits: bits


@njit(inline="always", fastmath=FREE)
def _exp(x: Any) -> Any:
    """e^x to 2e-7 for x <= 0, in steps that a compiler can do for many numbers at once.

    With n = round(x / ln 2) and r = x − n ln 2 (in two parts, so that no digit is lost), it is
    2^n e^r: the exponent of a float32, and a polynomial (Cephes, expf).
    """
    x = max(x, LEAST)
    n = np.floor(x * F(1.44269504) + F(0.5))
    r = x - n * F(0.693359375) + n * F(2.12194440e-4)
    p = F(1.9875691500e-4) * r + F(1.3981999507e-3)
    p = p * r + F(8.3334519073e-3)
    p = p * r + F(4.1665795894e-2)
    p = p * r + F(1.6666665459e-1)
    p = p * r + F(5.0000001201e-1)
    p = p * r * r + r + F(1)
    return p * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(fastmath=FREE)
def _compare(query: Any, keys: Any, scores: Any) -> None:
    """scores[c] = q·k_c; four columns at a time keep the arithmetic units busy."""
    columns, size = keys.shape
    whole = columns // 4 * 4
    for c in range(0, whole, 4):
        s0 = s1 = s2 = s3 = F(0)
        for d in range(size):
            s0 += query[d] * _number(keys[c, d])
            s1 += query[d] * _number(keys[c + 1, d])
            s2 += query[d] * _number(keys[c + 2, d])
            s3 += query[d] * _number(keys[c + 3, d])
        scores[c], scores[c + 1], scores[c + 2], scores[c + 3] = s0, s1, s2, s3
    for c in range(whole, columns):
        s0 = F(0)
        for d in range(size):
            s0 += query[d] * _number(keys[c, d])
        scores[c] = s0


@njit(fastmath=FREE | {"nnan"})  # many at once; what is no number stands out in the sum
def _largest(scores: Any) -> Any:
    top = F(-np.inf)
    for c in range(len(scores)):
        top = max(top, scores[c])
    return top


@njit(fastmath=FREE)
def _soften(scores: Any, mask: Any, scale: Any) -> Any:
    """scores[c] = e^(scale · scores[c] + mask[c] − their maximum); returns their sum."""
    for c in range(len(scores)):
        scores[c] = scores[c] * scale + mask[c]
    top = _largest(scores)
    total = F(0)
    for c in range(len(scores)):
        scores[c] = _exp(scores[c] - top)
        total += scores[c]
    return total


@njit(fastmath=FREE)
def _gather(weights: Any, values: Any, total: Any, found: Any) -> None:
    """found = Σ_c weights[c] · v_c / total."""
    columns, size = values.shape
    whole = columns // 4 * 4
    found[:] = 0
    for c in range(0, whole, 4):
        w0, w1, w2, w3 = weights[c], weights[c + 1], weights[c + 2], weights[c + 3]
        for d in range(size):
            found[d] += (w0 * _number(values[c, d]) + w1 * _number(values[c + 1, d])) + (
                w2 * _number(values[c + 2, d]) + w3 * _number(values[c + 3, d])
            )
    for c in range(whole, columns):
        for d in range(size):
            found[d] += weights[c] * _number(values[c, d])
    for d in range(size):
        found[d] /= total


@njit(fastmath=FREE)
def _one(task: Any, query: Any, keys: Any, values: Any, mask: Any, scale: Any, found: Any) -> None:
    """One head of keys and values in one row, for all heads of the query that share it."""
    heads = keys.shape[1]
    row, head = task // heads, task % heads
    group = query.shape[1] // heads
    first, end = 0, mask.shape[1]
    while end > 1 and mask[row, end - 1] < HIDDEN:
        end -= 1
    while first < end - 1 and mask[row, first] < HIDDEN:
        first += 1
    scores = np.empty(end - first, np.float32)
    for h in range(head * group, (head + 1) * group):
        _compare(query[row, h], keys[row, head, first:end], scores)
        total = _soften(scores, mask[row, first:end], scale)
        _gather(scores, values[row, head, first:end], total, found[row, h])


def _stored(**options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As ``njit``; the compiled code is kept on disk for later, where there is a place for it."""

    def compiled(function: Callable[..., None]) -> Callable[..., None]:
        try:
            return njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:  # neither this folder nor the user's cache can be written
            return njit(**options)(function)  # type: ignore[no-any-return]

    return compiled


@_stored(nogil=True, fastmath=FREE)
def in_turn(query: Any, keys: Any, values: Any, mask: Any, scale: Any, found: Any) -> None:
    for task in range(keys.shape[0] * keys.shape[1]):
        _one(task, query, keys, values, mask, scale, found)


@_stored(nogil=True, parallel=True, fastmath=FREE)
def together(query: Any, keys: Any, values: Any, mask: Any, scale: Any, found: Any) -> None:
    for task in prange(keys.shape[0] * keys.shape[1]):
        _one(task, query, keys, values, mask, scale, found)

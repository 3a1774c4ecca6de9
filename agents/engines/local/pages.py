"""Memory that a system brings page by page when it is first used, and takes back so."""

import mmap
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod

import torch

Drop = Callable[[int], None]


def nothing(part: int) -> None:
    """What gives back the memory of what comes and goes as one."""


def zeros(shape: Sequence[int], like: torch.Tensor) -> tuple[torch.Tensor, Drop]:
    """Zeros of the kind of another tensor, and what gives back the memory of the i-th of them along
    the first axis, once that is needed no more.

    On a CPU what nobody comes to takes neither time nor memory.
    """
    number = prod(shape) * like.element_size()
    if like.device.type != "cpu" or not number:
        return like.new_zeros(shape), nothing
    pages = mmap.mmap(-1, number, access=mmap.ACCESS_COPY)
    # a huge page would bring the columns of many rows at once
    _advise(pages, "MADV_NOHUGEPAGE", 0, number)
    each = number // shape[0]

    def drop(part: int) -> None:
        first = -(-part * each // mmap.PAGESIZE) * mmap.PAGESIZE
        end = (part + 1) * each // mmap.PAGESIZE * mmap.PAGESIZE
        if first < end:
            _advise(pages, "MADV_DONTNEED", first, end - first)

    return torch.frombuffer(pages, dtype=like.dtype).view(*shape), drop


def _advise(pages: mmap.mmap, advice: str, first: int, bytes: int) -> None:
    """Tell the system, where it knows such advice."""
    if hasattr(mmap, advice):
        with suppress(OSError):
            pages.madvise(getattr(mmap, advice), first, bytes)

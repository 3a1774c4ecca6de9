"""Keeping Python's garbage collector away from many values that live and have no cycles.

A step's games are a hundred thousand objects. Each full collection looks at all of them, finds
nothing, and takes as long as half of the games took to play.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Inside, nothing is collected: for work that makes such values, and no cycles."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def set_aside() -> Iterator[None]:
    """Inside, only what is made inside is collected."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

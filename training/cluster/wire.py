"""Episodes as bytes, and weights as arrays that processes of one machine share.

A frozen dataclass with slots pickles itself field by field in Python, ten times as slowly as its
constructor with all of them; a step's games are ten thousand of them.
"""

import copyreg
import io
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import numpy as np
import torch

from sparring.envs.core import Action, Episode, Message, Turn
from sparring.training.collector import paused
from sparring.training.weights import Weights

Arrays = dict[str, tuple[np.ndarray, torch.dtype]]
"""Weights by name; what numpy has no type for (bfloat16) is there as its bits."""


def _by_constructor(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    values = attrgetter(*(field.name for field in fields(kind)))
    return lambda value: (kind, values(value))


_REDUCED: dict[type, Callable[[Any], Any]] = {
    kind: _by_constructor(kind) for kind in (Message, Action, Turn, Episode)
}


def packed(found: Sequence[Sequence[Episode]]) -> bytes:
    """Episodes as bytes; what they have in common is there once."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, **_REDUCED}
    with paused():
        pickler.dump(found)
    return file.getvalue()


def unpacked(data: bytes) -> list[list[Episode]]:
    """What was ``packed``, by this library in another process of the same run."""
    with paused():
        found: list[list[Episode]] = pickle.loads(data)
    return found


def as_arrays(weights: Mapping[str, torch.Tensor]) -> Arrays:
    """On the CPU, without a copy where they are there already."""
    found = {}
    for name, weight in weights.items():
        here = weight.detach().cpu().contiguous()
        bits = here.view(torch.int16) if here.dtype == torch.bfloat16 else here
        found[name] = (bits.numpy(), here.dtype)
    return found


def as_weights(arrays: Arrays) -> Weights:
    """Back again. They may lie in memory that several processes read: do not change them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return {name: torch.from_numpy(a).view(dtype) for name, (a, dtype) in arrays.items()}

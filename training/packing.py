"""Samples as one tensor of bytes, to be kept in a checkpoint.

A checkpoint is loaded with ``weights_only=True``: tensors, numbers and text, nothing that runs
code. Samples are none of these, so they are pickled into bytes; what reads the bytes back builds
the nouns of a game and refuses everything else, so that a checkpoint stays safe to open.
"""

import io
import pickle
import zlib
from collections.abc import Sequence
from typing import Any

import torch

from sparring.envs.core import Action, Episode, Message, Observation, Turn
from sparring.training.core import Sample

NOUNS = (Action, Episode, Message, Observation, Turn, Sample)
PLAIN = (int, float, str)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Asked for all but Python's own plain values and containers."""
        if type(value) in NOUNS or any(value is known for known in (*NOUNS, *PLAIN)):
            return NotImplemented
        for plain in PLAIN:
            if isinstance(value, plain):  # a float of numpy, a member of an enumeration
                return plain, (plain(value),)
        raise TypeError(f"a {type(value).__name__} in an episode cannot be kept: {value!r}")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        for known in (*NOUNS, *PLAIN):
            if (known.__module__, known.__qualname__) == (module, name):
                return known
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a sample")


def pack(samples: Sequence[Sample]) -> torch.Tensor:
    """Samples as bytes [n]; an episode that several of them share is written once.

    Raises:
        TypeError: an episode holds something that is no plain value.
    """
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(list(samples))
    return torch.frombuffer(bytearray(zlib.compress(file.getvalue(), 1)), dtype=torch.uint8)


def unpack(packed: torch.Tensor) -> list[Sample]:
    """The samples of ``pack``, equal in every bit.

    Raises:
        UnpicklingError: the bytes hold something that is no part of a sample.
    """
    data = zlib.decompress(packed.numpy().tobytes())
    found: list[Sample] = _Unpickler(io.BytesIO(data)).load()
    return found

"""The state of a run on its way to other processes, each set of weights once.

A state is what ``state_dict`` gives: numbers and texts, and here and there weights, tensors by
name. Most of those are what they were at the last step, past selves above all. So the weights go
into the object store when they are first seen, and a receiver fetches what it has not fetched yet.
"""

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from sparring.training.cluster.wire import Arrays, as_arrays, as_weights
from sparring.training.weights import Weights


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands in a state where weights were."""

    key: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A state without its weights, and where they are. ``label`` is its own: a receiver that has
    opened it need not open it again."""

    label: str
    state: Any
    stored: Mapping[str, Any]


@dataclass
class Sender:
    """Makes parcels. ``put`` stores arrays and says where they are, as ``ray.put`` does."""

    put: Callable[[Arrays], Any]
    _names: Any = field(default_factory=lambda: _labels())
    _held: dict[int, tuple[Any, str, Any]] = field(default_factory=dict)

    def pack(self, state: Any) -> Parcel:
        """What is no longer in ``state`` is no longer held in the store."""
        before, self._held = self._held, {}
        stored: dict[str, Any] = {}
        bare = self._without(state, before, stored)
        return Parcel(next(self._names), bare, stored)

    def _without(self, state: Any, before: Mapping[int, Any], stored: dict[str, Any]) -> Any:
        if _are_weights(state):
            known = self._held.get(id(state)) or before.get(id(state))  # held, so its id is its own
            if known is None:
                known = (state, next(self._names), self.put(as_arrays(state)))
            self._held[id(state)] = known
            stored[known[1]] = known[2]
            return Slot(known[1])
        if isinstance(state, Mapping):
            return {key: self._without(x, before, stored) for key, x in state.items()}
        if isinstance(state, list):
            return [self._without(x, before, stored) for x in state]
        return state


@dataclass
class Receiver:
    """Opens parcels. ``fetch`` gets arrays from where they are, as ``ray.get`` does."""

    fetch: Callable[[Any], Arrays]
    _known: dict[str, Weights] = field(default_factory=dict)

    def open(self, parcel: Parcel) -> Any:
        """The state. Weights that were in the last parcel too are the same objects as then."""
        before = self._known
        self._known = {
            key: before[key] if key in before else as_weights(self.fetch(where))
            for key, where in parcel.stored.items()
        }
        return self._with(parcel.state)

    def _with(self, state: Any) -> Any:
        if isinstance(state, Slot):
            return self._known[state.key]
        if isinstance(state, dict):
            return {key: self._with(x) for key, x in state.items()}
        if isinstance(state, list):
            return [self._with(x) for x in state]
        return state


def _labels() -> Any:
    """Names that nobody else gives, in this run or in one that goes on from it."""
    own = uuid.uuid4().hex
    return (f"{own}/{n}" for n in itertools.count())


def _are_weights(state: Any) -> bool:
    return (
        isinstance(state, Mapping)
        and bool(state)
        and all(isinstance(x, torch.Tensor) for x in state.values())
    )

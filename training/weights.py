"""Copies of a model's trained weights, and computing with them: past selves, magnets, references.

Only what is trained is copied (an adapter, or everything), so a past self of a large model with
LoRA is small. A model computes with a copy while ``using`` is entered: the tensors are exchanged
by reference, which costs nothing whatever their size (of a model in shards: copied).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from sparring.training import shards

Weights = dict[str, torch.Tensor]
"""Trained parameter by name."""


def trained(model: Any) -> dict[str, torch.nn.Parameter]:
    """The parameters of a model that training changes."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def copy_of(model: Any) -> Weights:
    """The trained weights as they are now; in shards as the model's own."""
    return {name: p.detach().clone() for name, p in trained(model).items()}


def whole_copy_of(model: Any, keep: bool = True) -> Weights:
    """The same, whole, wherever it may be used. Of a model in shards it is on the CPU, all of its
    group must call it, and those without ``keep`` get empty tensors."""
    return {name: shards.whole(p.detach().clone(), keep) for name, p in trained(model).items()}


@torch.no_grad()
def put(model: Any, weights: Mapping[str, torch.Tensor]) -> None:
    """Give ``model`` these weights, whole or in its own shards, for good.

    Raises:
        AttributeError: they are of a model with other parameters.
    """
    for name, weight in weights.items():
        own = model.get_parameter(name)
        own.copy_(shards.like(weight, own))


@contextmanager
def using(model: Any, weights: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """Inside, ``model`` computes with ``weights``; it has its own back afterwards.

    Raises:
        KeyError: the copy is of a model with other parameters.
    """
    own = {name: model.get_parameter(name) for name in weights}
    before: Weights = {}
    try:
        for name, p in own.items():
            before[name] = shards.exchange(p, weights[name])
        yield
    finally:
        for name, data in before.items():
            shards.exchange(own[name], data)

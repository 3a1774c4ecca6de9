"""Copies of a model's trained weights, and computing with them: past selves, magnets, references.

Only what is trained is copied (an adapter, or everything), so a past self of a large model with
LoRA is small. A model computes with a copy while ``using`` is entered: the tensors are exchanged
by reference, which costs nothing whatever their size.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

Weights = dict[str, torch.Tensor]
"""Trained parameter by name."""


def trained(model: Any) -> dict[str, torch.nn.Parameter]:
    """The parameters of a model that training changes."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def copy_of(model: Any) -> Weights:
    """The trained weights as they are now."""
    return {name: p.detach().clone() for name, p in trained(model).items()}


@contextmanager
def using(model: Any, weights: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """Inside, ``model`` computes with ``weights``; it has its own back afterwards.

    Raises:
        KeyError: the copy is of a model with other parameters.
    """
    own = {name: model.get_parameter(name) for name in weights}
    before = {name: p.data for name, p in own.items()}
    try:
        for name, p in own.items():
            p.data = weights[name]
        yield
    finally:
        for name, p in own.items():
            p.data = before[name]

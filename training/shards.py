"""Weights of which every process of a group holds a part: ``DTensor``s of ``torch``.

Each function takes ordinary tensors too, and then does what one would do without it.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor


def sharded(model: torch.nn.Module) -> bool:
    """Whether a model is in shards."""
    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


def whole(tensor: torch.Tensor, keep: bool = True) -> torch.Tensor:
    """All of a tensor that is in parts, on the CPU; an ordinary one as it is.

    Every process of the group must call it. Without ``keep`` an empty tensor takes the place of
    the whole, for processes that would only throw it away.
    """
    if not isinstance(tensor, DTensor):
        return tensor
    full: torch.Tensor = tensor.full_tensor()
    return full.cpu() if keep else full.new_empty(0, device="cpu")


def whole_state(state: Mapping[str, torch.Tensor], keep: bool = True) -> dict[str, torch.Tensor]:
    """The same for each of a model's tensors by name; those that are tied stay one."""
    once: dict[int, torch.Tensor] = {}
    for tensor in state.values():
        if id(tensor) not in once:
            once[id(tensor)] = whole(tensor.detach(), keep)
    return {name: once[id(tensor)] for name, tensor in state.items()}


def like(full: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """``full`` on the device of ``other``, and in parts if that is; every process has all of it."""
    if not isinstance(other, DTensor) or isinstance(full, DTensor):
        return full.to(other.device)
    mesh, parts = other.device_mesh, other.placements
    return distribute_tensor(full.to(other.device), mesh, parts, src_data_rank=None)


def exchange(parameter: torch.nn.Parameter, weight: torch.Tensor) -> torch.Tensor:
    """Give ``parameter`` the data of ``weight``; returns what it had, to be given back.

    By reference where it is whole, which costs nothing. The parts of a sharded one are copied into
    its own memory, as what gathers them reads from there and from nowhere else.
    """
    if not isinstance(parameter, DTensor):
        before, parameter.data = parameter.data, weight
        return before
    here = parameter.detach()
    old = here.clone()
    here.copy_(like(weight, here))
    return old


def optimizer_state(optimizer: torch.optim.Optimizer, keep: bool = True) -> dict[str, Any]:
    """The state of an optimiser with whole tensors; ``keep`` as in ``whole``."""
    state = optimizer.state_dict()
    moments = {
        number: {
            key: whole(value, keep) if isinstance(value, torch.Tensor) else value
            for key, value in own.items()
        }
        for number, own in state["state"].items()
    }
    return {**state, "state": moments}


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Take up a state with whole tensors, those like a parameter in parts as that one is."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def fitted(value: Any, number: int) -> Any:
        own = parameters[number]
        alike = isinstance(value, torch.Tensor) and value.shape == own.shape
        return like(value, own) if alike and isinstance(own, DTensor) else value

    moments = {
        number: {key: fitted(value, number) for key, value in own.items()}
        for number, own in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": moments})

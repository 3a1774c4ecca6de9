"""A learner whose model is in shards: each process of a group holds a part of every weight.

``accelerate`` shards it with FSDP 2 (``torch``'s ``fully_shard``): a layer's weights are gathered
when it computes and given up again, gradients are added up where each part lives, and the optimiser
knows its own parts only. So a group trains what one process has no room for.
"""

from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator, DistributedType, FullyShardedDataParallelPlugin
from peft import PeftModel
from torch.distributed.fsdp import FSDPModule

from sparring.envs.core import BadInput
from sparring.training.attention import takes_masks
from sparring.training.group import Group, Joined
from sparring.training.learner import Learner


def shard(learner: Learner, group: Group) -> None:
    """Shard the model of ``learner``, in place, among ``group``; it learns with them from then on.

    All of the group must call it, each with a learner of the same model and at the same update; the
    weights, moments, magnet and reference of rank 0's are everyone's afterwards. Only passes that
    all make together can read the model from then on: its engine cannot generate.

    Raises:
        BadInput: the model cannot be sharded.
    """
    if not isinstance(group, Joined):
        return
    layers = _check(learner.model)
    state = group.share(learner.state_dict() if group.rank == 0 else None)
    with torch.no_grad():
        for tensor in [*learner.model.parameters(), *learner.model.buffers()]:
            dist.broadcast(tensor.data, src=0)
    takes_masks(learner.model)  # asked now: a model that refuses fails amid a pass
    accelerator = _accelerator(group, layers)
    learner.fresh_optimizer()
    model, optimizer = accelerator.prepare(learner.model, learner.optimizer)
    learner.model, learner.optimizer = model, optimizer.optimizer
    model.register_forward_hook(_fold)
    learner.group = group
    learner.load_state_dict(state)


def _check(model: Any) -> list[str]:
    """The names of the classes of a model's layers; ``BadInput`` if it cannot be sharded."""
    plain = model.get_base_model() if isinstance(model, PeftModel) else model
    if isinstance(model, PeftModel) and len(model.peft_config) > 1:
        raise BadInput("a learner group trains one adapter of a model; give each player a model")
    if getattr(plain, "quantization_method", None) is not None:
        raise BadInput("a learner group cannot shard quantised weights; leave --lora.bits out")
    present = {type(module).__name__ for module in plain.modules()}
    layers = sorted(present & set(plain._no_split_modules or ()))
    if not layers:
        raise BadInput(f"a learner group cannot shard {type(plain).__name__}: it names no layers")
    if isinstance(model, FSDPModule):
        raise BadInput("the model is in shards already")
    return layers


def _accelerator(group: Joined, layers: list[str]) -> Accelerator:
    """An accelerator that shards these layers, each apart."""
    cpu = group.device.type == "cpu"
    if cpu and torch.cuda.is_available():
        raise BadInput(
            "torch would shard on the GPU; for a group on CPUs set CUDA_VISIBLE_DEVICES="
        )
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=2,
        auto_wrap_policy="transformer_based_wrap",
        transformer_cls_names_to_wrap=layers,
        reshard_after_forward=True,
        cpu_ram_efficient_loading=False,  # the weights are here already
    )
    accelerator = Accelerator(cpu=cpu, fsdp_plugin=plugin, mixed_precision="no")
    state = accelerator.state
    # accelerate shards on accelerators only and would leave a model on CPUs as it is; all that it
    # does for the one holds for the other. A second model has layers and a plugin of its own.
    state.distributed_type, state.fsdp_plugin = DistributedType.FSDP, plugin
    return accelerator


def _fold(model: torch.nn.Module, args: Any, out: Any) -> None:
    """After a pass without gradient give up the weights that FSDP keeps gathered for a pass
    backward: ``model.parameters()`` are the shards again, and may be exchanged."""
    if not torch.is_grad_enabled():
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()

"""Adapters on a frozen model, through ``peft``: one, or several for several players.

Several adapters share the model's own weights, so each player costs its adapter only. Whoever
computes with one enters ``active`` first; ``Learner(adapter=...)`` and the engine's ``using`` do.
"""

import functools
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import torch
from peft import (
    LoraConfig,
    PeftModel,
    get_peft_model,
    load_peft_weights,
    set_peft_model_state_dict,
)

from sparring.envs.core import BadInput
from sparring.training import shards, weights
from sparring.training.models.options import LoraOptions

ONLY = "default"
"""The name of an adapter that is the only one; ``peft`` saves it in the folder itself."""


def with_adapter(model: Any, options: LoraOptions, seed: int, name: str = ONLY) -> Any:
    """``model`` with a new adapter of this name, frozen but for it. A model that has adapters
    already gets one more.

    Raises:
        BadInput: there is no such layer as ``options.targets`` names.
    """
    kind = options.targets
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=kind if kind == "all-linear" else [n.strip() for n in kind.split(",")],
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(seed)
        warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
        try:
            if isinstance(model, PeftModel):
                model.add_adapter(name, config)
            else:
                model = get_peft_model(model, config, adapter_name=name)
        except ValueError as fault:
            reason = str(fault).splitlines()[0]
            raise BadInput(f"lora.targets {kind!r} does not fit this model: {reason}") from fault
    base = Path(str(model.get_base_model().config.name_or_path))
    if base.is_dir():  # so that the adapter finds it from every working directory
        model.peft_config[name].base_model_name_or_path = str(base.resolve())
    model.set_adapter(name)
    return model


def lodge(model: Any, name: str, like: str, copy: Mapping[str, torch.Tensor]) -> None:
    """One more adapter, which is not trained: it has the kind of ``like`` and computes with
    ``copy``, weights of ``like`` at another time, by reference. The active adapter stays."""
    before = model.active_adapter
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
        model.add_adapter(name, deepcopy(model.peft_config[like]))
    for key, weight in copy.items():
        lodged = model.get_parameter(key.replace(f".{like}.", f".{name}."))
        lodged.data = weight
        lodged.requires_grad_(False)
    model.set_adapter(before)


@contextmanager
def active(model: Any, adapter: str | None) -> Iterator[None]:
    """Inside, ``model`` computes with this adapter of its own and only that one is trained.

    Without an adapter's name nothing changes.
    """
    before = model.active_adapter if adapter is not None else None
    if before == adapter:
        yield
        return
    model.set_adapter(adapter)
    try:
        yield
    finally:
        model.set_adapter(before)


P = ParamSpec("P")
R = TypeVar("R")


class Owner(Protocol):
    """What has a model, and of its adapters one of its own."""

    model: Any
    adapter: str | None


S = TypeVar("S", bound=Owner)


def own(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method during which the object's own adapter is the active one."""

    @functools.wraps(method)
    def inside(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        with active(self.model, self.adapter):
            return method(self, *args, **kwargs)

    return cast(Callable[Concatenate[S, P], R], inside)


def load(model: Any, folder: Path, adapter: str) -> None:
    """Give an adapter of ``model`` the weights that ``save`` wrote.

    Raises:
        BadInput: there are none, or they are of another adapter.
    """
    try:
        found = set_peft_model_state_dict(model, load_peft_weights(str(folder)), adapter)
    except (OSError, RuntimeError, ValueError) as fault:
        reason = str(fault).strip().splitlines()[0]
        raise BadInput(f"{folder} holds no adapter that fits this model: {reason}") from fault
    if found.unexpected_keys:
        raise BadInput(f"{folder} holds another adapter: {found.unexpected_keys[0]} is not here")


def save(model: Any, folder: Path, adapter: str | None = None, *, write: bool = True) -> None:
    """Save a model in ``transformers``' format, or its adapter in ``peft``'s: the only one, or the
    one named. Of a model in shards all of its group must call it, and one of them should write."""
    state = None
    if shards.sharded(model):
        peft = isinstance(model, PeftModel)  # with keep_vars tied weights are one tensor
        own = weights.trained(model) if peft else model.state_dict(keep_vars=True)
        state = shards.whole_state(own, keep=write)
    if not write:
        return
    if not isinstance(model, PeftModel):
        model.save_pretrained(folder, state_dict=state)
        return
    name = adapter or model.active_adapter
    model.save_pretrained(
        folder, selected_adapters=[name], save_embedding_layers=False, state_dict=state
    )
    if name != ONLY:  # peft makes a folder of it, and loads from the folder above only "default"
        for file in (folder / name).iterdir():
            file.rename(folder / file.name)
        shutil.rmtree(folder / name)

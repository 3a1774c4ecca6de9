"""Gradient checkpointing: keep the input of each layer only, and compute the rest again.

It costs one more pass forward and saves most of the memory of activations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sparring.envs.core import BadInput

_DROPOUT = ("dropout", "hidden_dropout", "attention_dropout", "activation_dropout")


def recompute(model: Any) -> None:
    """Switch it on, for the passes inside ``learning``.

    Raises:
        BadInput: the model cannot.
    """
    enable = getattr(model, "activation_checkpointing_enable", None)  # its newer name
    try:
        (enable or model.gradient_checkpointing_enable)({"use_reentrant": False})
    except ValueError as fault:
        raise BadInput(f"{fault}; leave --gradient-checkpointing out") from fault
    for module in model.modules():
        if _recomputes(module):
            for name in _DROPOUT:  # what some layers read beside ``training``; see ``learning``
                if isinstance(getattr(module, name, None), float):
                    setattr(module, name, 0.0)


@contextmanager
def learning(model: Any) -> Iterator[None]:
    """Inside, layers that recompute do so, and adapters have their dropout.

    All else stays as in play: a model's own dropout would make the learner's policy another than
    the one that played.
    """
    chosen = [
        module
        for name, module in model.named_modules()
        if not module.training and (_recomputes(module) or "lora_dropout" in name.split("."))
    ]
    for module in chosen:
        module.training = True
    try:
        yield
    finally:
        for module in chosen:
            module.training = False


def _recomputes(module: Any) -> bool:
    return bool(getattr(module, "gradient_checkpointing", False))

"""From the options of a run to a model that can be trained."""

import functools
import importlib.util
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import BitsAndBytesConfig

from sparring.agents.pretrained import load_model
from sparring.envs.core import BadInput
from sparring.training.models.lora import ONLY, with_adapter
from sparring.training.models.options import Dtype, LoraOptions
from sparring.training.models.recompute import recompute

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def trainable(
    path: str,
    lora: LoraOptions,
    *,
    dtype: Dtype = "auto",
    gradient_checkpointing: bool = False,
    seed: int = 0,
    name: str = ONLY,
) -> tuple[Any, Any]:
    """(model, tokenizer) of a folder or hub id, ready to be trained: all of it, or an adapter.

    A folder that holds an adapter is trained further as it is, whatever ``lora`` says of its size.
    With an adapter the frozen weights are in ``dtype`` and the adapter in float32. Where all
    weights are trained they stay in float32, and with bfloat16 only the computation is in that:
    a small step is lost in a bfloat16 weight, which has eight bits.

    Raises:
        BadInput: there is no such model, or it cannot be trained so.
    """
    adapter = lora.rank is not None or (Path(path) / "adapter_config.json").is_file()
    number = _number(dtype)
    kept = number if adapter else torch.float32
    model, tokenizer = load_model(path, kept, _bits(lora))
    if lora.bits is not None:
        from peft import prepare_model_for_kbit_training

        base = model.get_base_model() if isinstance(model, PeftModel) else model
        prepare_model_for_kbit_training(base, use_gradient_checkpointing=False)
    if isinstance(model, PeftModel):
        if name != ONLY:
            raise BadInput(f"{path} is an adapter; several players need a whole model to share")
        model.set_adapter(model.active_adapter)  # it was loaded to be used, not to be trained
    elif adapter:
        model = with_adapter(model, lora, seed, name)
    elif number != torch.float32:
        _compute_in(model, number)
    if gradient_checkpointing:
        recompute(model)
    return model.eval(), tokenizer


def _number(dtype: Dtype) -> torch.dtype:
    if dtype == "auto":
        dtype = "bfloat16" if torch.cuda.is_available() else "float32"
    return DTYPES[dtype]


def _bits(lora: LoraOptions) -> BitsAndBytesConfig | None:
    """How the frozen weights are kept: 4 bits as NF4 with double quantisation, as in QLoRA."""
    if lora.bits is None:
        return None
    if not torch.cuda.is_available() or importlib.util.find_spec("bitsandbytes") is None:
        raise BadInput(
            f"--lora.bits {lora.bits} needs a CUDA GPU and bitsandbytes "
            "(pip install bitsandbytes); leave it out to keep the weights as they are"
        )
    if lora.bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _compute_in(model: Any, dtype: torch.dtype) -> None:
    """Let every pass of ``model`` compute in ``dtype``, in play and in training alike."""
    inner = model.forward

    @functools.wraps(inner)
    def forward(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(model.device.type, dtype=dtype):
            return inner(*args, **kwargs)

    model.forward = forward

"""Loading a causal language model from a folder or a hub id, with one-line errors."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from sparring.agents.engines.core import Sampling
from sparring.agents.engines.local import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.agents.render import Renderer
from sparring.envs.core import BadInput

disable_progress_bar()  # of reading and writing weights: it would tear up our own display


def load_model(path: str) -> tuple[Any, Any]:
    """(model, tokenizer) of a ``transformers`` folder or hub id; float32 on a CPU.

    Raises:
        BadInput: there is no such model, or the folder does not hold one that loads.
    """
    folder = Path(path)
    looks_like_path = folder.is_absolute() or path.startswith((".", "~")) or folder.exists()
    if looks_like_path and not (folder / "config.json").is_file():
        what = "has no config.json" if folder.is_dir() else "does not exist"
        raise BadInput(f"{path} is not a model folder: it {what}")
    cuda = torch.cuda.is_available()
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForCausalLM.from_pretrained(path, dtype="auto" if cuda else torch.float32)
    except Exception as fault:  # transformers, safetensors and the hub raise many kinds
        reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        raise BadInput(f"cannot load a model from {path}: {reason}") from fault
    return model.to("cuda" if cuda else "cpu"), tokenizer


def player(
    name: str, model: Any, tokenizer: Any, sampling: Sampling
) -> tuple[LLMAgent, LocalEngine]:
    """The model in a seat, and the engine behind it."""
    renderer = Renderer(tokenizer)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    engine = LocalEngine(model, end=renderer.end, pad=pad)
    return LLMAgent(name, engine, renderer, sampling), engine

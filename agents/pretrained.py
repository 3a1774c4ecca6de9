"""Loading a causal language model from a folder or a hub id, with one-line errors."""

import json
import logging
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from sparring.agents.embedded import CHAT_TEMPLATE
from sparring.agents.engines.core import Sampling
from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.agents.render import Renderer
from sparring.envs.core import BadInput

ADAPTER = "adapter_config.json"
SHOW_LEGAL = "show_legal"
SMALL_MODEL = 20_000_000  # parameters

log = logging.getLogger(__name__)

disable_progress_bar()  # of reading and writing weights: it would tear up our own display
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # we say it once, not at every retry


def load_model(
    path: str, dtype: torch.dtype | None = None, quantization: Any = None
) -> tuple[Any, Any]:
    """(model, tokenizer) of a ``transformers`` folder or hub id; float32 on a CPU by default.

    A folder with a ``peft`` adapter loads as its base model with the adapter on it.
    ``quantization``: a configuration of ``transformers`` for weights in fewer bits.

    Raises:
        BadInput: there is no such model, or the folder does not hold one that loads.
    """
    folder = Path(path)
    looks_like_path = folder.is_absolute() or path.startswith((".", "~")) or folder.exists()
    if looks_like_path:
        _check_folder(folder)
    cuda = torch.cuda.is_available()
    adapter = (folder / ADAPTER).is_file()
    loader = AutoPeftModelForCausalLM if adapter else AutoModelForCausalLM
    given: dict[str, Any] = {"dtype": dtype or ("auto" if cuda else torch.float32)}
    if quantization is not None:
        given |= {"quantization_config": quantization, "device_map": {"": 0}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
            model = loader.from_pretrained(path, **given)
        named = model.active_peft_config.base_model_name_or_path if adapter else path
        has_own = (folder / "tokenizer_config.json").is_file()
        tokenizer = AutoTokenizer.from_pretrained(path if has_own else named)
    except Exception as fault:  # transformers, safetensors and the hub raise many kinds
        reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        where = "" if looks_like_path else ", which is no folder here, from the hub"
        raise BadInput(f"cannot load the model {path}{where}: {reason}") from fault
    if quantization is not None:
        return model, tokenizer  # it lies where it should, and cannot be moved
    for weight in model.parameters():
        # Loaded weights lie in the mapped file, at any address; matrix products round by how their
        # operands are aligned. Memory of torch's own makes a loaded model compute as a saved one.
        weight.data = weight.data.clone()
    return model.to("cuda" if cuda else "cpu"), tokenizer


def _check_folder(folder: Path) -> None:
    """Say what is wrong with a folder that is no model, plainer than the libraries would."""
    if not folder.is_dir():
        raise BadInput(f"there is no model folder {folder}")
    if (folder / ADAPTER).is_file():
        return
    try:
        described = dict(json.loads((folder / "config.json").read_text()))
    except (OSError, TypeError, ValueError):  # no file, not UTF-8, no JSON, no object
        raise BadInput(f"{folder} is not a model folder: it has no readable config.json") from None
    if "model_type" not in described:
        hint = f"; for a trained run say run:{folder}" if "recipe" in described else ""
        raise BadInput(f"{folder} is not a model folder: its config.json names no model{hint}")


def fit_threads(model: Any) -> None:
    """Let torch use one thread for a small model on a CPU.

    Its matrices are too small to share out, and two threads on a busy two-core machine are tens of
    times slower than one.
    """
    if model.device.type == "cpu" and model.num_parameters() < SMALL_MODEL:
        torch.set_num_threads(1)


def share_memory(agents: Iterable[object], memory: int) -> None:
    """Let the engines of all these agents together have ``memory`` bytes of keys and values.

    Each engine's own budget is made for a process with one model.
    """
    engines = {id(a.engine): a.engine for a in agents if isinstance(a, LLMAgent)}.values()
    local = [engine for engine in engines if isinstance(engine, LocalEngine)]
    for engine in local:
        engine.memory = memory // len(local)


def player(
    name: str,
    model: Any,
    tokenizer: Any,
    sampling: Sampling,
    using: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[LLMAgent, LocalEngine]:
    """The model in a seat, and the engine behind it; ``using`` as in ``LocalEngine``.

    A model that was not taught by our own first stage is told how to reply. Whether prompts list
    the legal answers is saved with the tokenizer: a model is at home in one wording only.
    """
    fit_threads(model)
    renderer = Renderer(
        tokenizer,
        show_legal=tokenizer.init_kwargs.get(SHOW_LEGAL, True),
        instruct=tokenizer.chat_template != CHAT_TEMPLATE,
    )
    if renderer.template.rewrites:
        log.warning(
            "%s: the model's chat template %s; prompts follow it, so a conversation is read anew "
            "at every turn, and each turn trains as a sequence of its own",
            name,
            renderer.template.rewrites,
        )
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    engine = LocalEngine(model, end=renderer.end, pad=pad, using=using, decode=renderer.decode)
    return LLMAgent(name, engine, renderer, sampling), engine

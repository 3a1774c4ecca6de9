"""vLLM in this process: how it is started, and what of the process it must leave as it was."""

import importlib.util
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sparring.envs.core import BadInput

CPU_BLOCK = 32
"""Tokens that the prefix cache shares at a time on a CPU. vLLM's own 128 is more than most turns of
a game have, and its kernels there want a multiple of 32."""
AT_ONCE = 1 << 13  # tokens read in one step

_ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "ERROR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What vLLM is started with.

    dtype     what it computes in, whatever the weights that it is given are in
    memory    bytes of keys and values
    max_rows  how many sequences are worked on together
    rank      the largest rank of an adapter; 0: there are no adapters
    adapters  how many there are at most
    """

    dtype: torch.dtype
    memory: int
    max_rows: int
    rank: int = 0
    adapters: int = 1


def check_installed() -> None:
    """Raises ``BadInput`` where vLLM is not installed."""
    if importlib.util.find_spec("vllm") is None:
        raise BadInput(
            "the engine vllm needs vLLM: pip install 'sparring[vllm]' with a CUDA GPU, "
            "or see docs/vllm.md for a CPU; or leave --engine vllm out"
        )


def base_of(model: Any) -> Any:
    """The model itself, without ``peft``'s wrapping."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def start(model: Any, serving: Serving) -> Any:
    """vLLM's ``LLMEngine`` for models built like ``model``, with weights that mean nothing yet.

    It is given the weights as they are at every later change, so that there is one way only
    (``weights.py``), and nothing large is written to disk.

    Raises:
        BadInput: vLLM is not installed, or does not know this kind of model.
    """
    check_installed()
    base = base_of(model)
    config = deepcopy(base.config)
    if getattr(config, "quantization_config", None) is not None:
        raise BadInput("vLLM is given weights as they are trained; leave --lora.bits out")
    config.architectures = [type(base).__name__]
    with tempfile.TemporaryDirectory(prefix="sparring-vllm-") as folder, _untouched():
        config.save_pretrained(folder)
        _let_modules_be_searched()
        return _start(folder, serving)


def _let_modules_be_searched() -> None:
    """On a CPU, vLLM 0.32 searches all loaded modules for kernels, in ``vars`` of what they hold.
    The library object of llvmlite, which numba brings, answers any name with a function of its own,
    ``__dict__`` too, at which vLLM fails."""
    if llvmlite := sys.modules.get("llvmlite.binding.ffi"):
        llvmlite.lib._fntab["__dict__"] = {}


def _start(folder: str, serving: Serving) -> Any:
    from vllm.engine.arg_utils import EngineArgs
    from vllm.v1.engine.llm_engine import LLMEngine
    from vllm.v1.executor import Executor

    try:
        config = EngineArgs(**_arguments(folder, serving)).create_engine_config()
    except (ValueError, NotImplementedError) as fault:  # pydantic's errors are ValueErrors
        reason = next((x.strip() for x in str(fault).splitlines()[1:] if x.strip()), str(fault))
        raise BadInput(f"vLLM cannot serve this model: {reason}") from fault
    return LLMEngine(
        vllm_config=config,
        executor_class=Executor.get_class(config),
        log_stats=False,
        multiprocess_mode=False,
    )


def _arguments(folder: str, serving: Serving) -> dict[str, Any]:
    from vllm.platforms import current_platform

    from sparring.agents.engines.vllm.watch import Watches

    given: dict[str, Any] = {
        "model": folder,
        "load_format": "dummy",
        "skip_tokenizer_init": True,
        "generation_config": "vllm",  # no sampling settings but a request's own
        "dtype": str(serving.dtype).removeprefix("torch."),
        "max_model_len": -1,  # all that the model can read and the memory can hold
        "max_num_seqs": serving.max_rows,
        "kv_cache_memory_bytes": serving.memory,
        "enable_prefix_caching": True,
        "logprobs_mode": "processed_logprobs",  # of what is sampled from; its default is not
        "logits_processors": [Watches],
        "async_scheduling": False,
        "disable_log_stats": True,
    }
    if serving.rank:
        given |= {"enable_lora": True, "max_lora_rank": _served(serving.rank)}
        given |= {"max_loras": serving.adapters, "max_cpu_loras": serving.adapters + 1}
    if not current_platform.is_cpu():
        return given | {"enable_sleep_mode": True}
    # In parts, a prompt whose request has a seed ends a CPU's engine (vLLM 0.32: "CPU Generator
    # does not use offset"), so prompts are read whole.
    return given | {
        "enforce_eager": True,
        "block_size": CPU_BLOCK,
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(AT_ONCE, _longest(folder)),
    }


def _longest(folder: str) -> int:
    """How many tokens the model of a configuration reads."""
    from transformers import AutoConfig

    text = AutoConfig.from_pretrained(folder).get_text_config()
    return int(getattr(text, "max_position_embeddings", None) or 0)


def _served(rank: int) -> int:
    """The smallest rank that vLLM has room for and this one fits in."""
    for room in (1, 8, 16, 32, 64, 128, 256, 320, 512):
        if rank <= room:
            return room
    raise BadInput(f"vLLM serves adapters of rank 512 at most, not {rank}")


@contextmanager
def _untouched() -> Iterator[None]:
    """Inside, vLLM starts; afterwards chance, threads and our settings are as before.

    On a CPU it replaces ``torch.set_num_threads`` by a function that does nothing.
    """
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    states = random.getstate(), np.random.get_state()
    threads, set_threads = torch.get_num_threads(), torch.set_num_threads
    os.environ.update(_ENVIRONMENT)
    try:
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between vLLM and torch
            yield
    finally:
        torch.set_num_threads = set_threads
        torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

"""The learner's weights into a running vLLM: all of them, or an adapter; and whether they arrived.

All weights go through vLLM's own ``reload_weights``, tensor by tensor in this process. Output
layers are then prepared once more: where one shares its matrix with the embedding, a CPU's vLLM
(0.32) goes on computing with a copy that it made of the old one, without a word.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch

from sparring.agents.engines.core import Completion, Request, Sampling
from sparring.agents.engines.vllm.start import base_of
from sparring.envs.core import BadInput

EXACT = 1e-3
"""Nats between the engine's and the learner's log-probability of a token, on average over a probe,
where both compute in float32. There it is about 1e-6."""
ROUGH = 0.1
"""The same where the engine computes in bfloat16. With five million parameters it is 0.002."""
PROBE = Sampling(max_tokens=16)
DEFAULT = "default"  # the name under which peft saves into the folder itself


def named(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of a model, without its adapters, by the names of its checkpoints.

    Each once: of tied weights only the first, as in a checkpoint.
    """
    from transformers.core_model_loading import revert_weight_conversion

    base = base_of(model)
    weights = {
        name.replace(".base_layer.", "."): weight.detach()
        for name, weight in base.state_dict().items()
        if ".lora_" not in name
    }
    seen: set[int] = set()
    for name, weight in revert_weight_conversion(base, weights).items():
        if weight.data_ptr() not in seen:
            seen.add(weight.data_ptr())
            yield name, weight


def load(core: Any, model: Any) -> None:
    """Give vLLM all weights of ``model`` (an adapter's base); what it remembers is void."""
    core.collective_rpc("reload_weights", kwargs={"weights_iterator": named(model)})
    core.apply_model(_prepare_outputs)


def _prepare_outputs(served: Any) -> None:
    from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead

    for layer in served.modules():
        if isinstance(layer, ParallelLMHead):
            layer.quant_method.process_weights_after_loading(layer)


@dataclass(eq=False)
class Adapter:
    """One version of an adapter in vLLM, and the folder that it was read from."""

    request: Any
    folder: "tempfile.TemporaryDirectory[str]"


class Held:
    """What vLLM holds of a learner; ``take`` and ``take_adapter`` are called beside its steps."""

    def __init__(self) -> None:
        self.published = 0
        self._adapters: dict[str, Adapter] = {}
        self._own: str | None = None
        self._versions = count(1)

    def adapter(self, name: str | None) -> Any:
        """vLLM's name of an adapter, or of the one that the model answers with; None: without."""
        name = name or self._own
        if name is None:
            return None
        if name not in self._adapters:
            known = ", ".join(sorted(self._adapters)) or "none"
            raise BadInput(f"the engine has no adapter {name!r} (it has: {known})")
        return self._adapters[name].request

    def take(self, core: Any, model: Any) -> None:
        """The weights of a model as they are now, or those of its active adapter."""
        adapter = model.active_adapter if hasattr(model, "peft_config") else None
        if adapter is None or not self.published:
            load(core, model)
        if adapter is not None:
            self.take_adapter(core, model, adapter)
            self._own = adapter
        self.published += 1

    def take_adapter(self, core: Any, model: Any, name: str) -> None:
        """One adapter of a ``peft`` model, in the place of its last version.

        Each version has a number of its own: what vLLM has read stays apart.

        Raises:
            RuntimeError: vLLM did not take it.
        """
        from vllm.lora.request import LoRARequest

        before = self._adapters.pop(name, None)
        if before is not None:
            core.remove_lora(before.request.lora_int_id)
            before.folder.cleanup()
        folder = tempfile.TemporaryDirectory(prefix="sparring-adapter-")
        model.save_pretrained(folder.name, selected_adapters=[name], save_embedding_layers=False)
        path = Path(folder.name) if name == DEFAULT else Path(folder.name) / name
        version = next(self._versions)
        request = LoRARequest(f"{name}-{version}", version, str(path))
        if not core.add_lora(request):
            raise RuntimeError(f"vLLM did not load the adapter {name}")
        self._adapters[name] = Adapter(request, folder)

    def drop(self) -> None:
        """Remove the folders."""
        for adapter in self._adapters.values():
            adapter.folder.cleanup()
        self._adapters = {}


def probes(vocabulary: int) -> list[Request]:
    """What is sampled for a check: a few answers after prompts of any words."""
    luck = random.Random(0)
    words = range(vocabulary)
    return [Request(tuple(luck.choices(words, k=n)), PROBE, n) for n in (1, 4, 16, 40)]


@torch.inference_mode()
def difference(model: Any, asked: Sequence[Request], said: Sequence[Completion]) -> float:
    """The mean distance, in nats a token, between the log-probabilities that an engine told of its
    answers and those of ``model``."""
    far: list[float] = []
    model.eval()
    for request, done in zip(asked, said, strict=True):
        ids = torch.tensor([request.prompt + done.tokens], device=model.device)
        logits = model(input_ids=ids).logits[0, len(request.prompt) - 1 : -1]
        said_ids = ids[0, len(request.prompt) :, None]
        own = logits.float().log_softmax(-1).gather(1, said_ids)[:, 0].tolist()
        far += [abs(a - b) for a, b in zip(own, done.logprobs, strict=True)]
    return sum(far) / len(far)


def tolerance(dtype: torch.dtype) -> float:
    """How large a ``difference`` may be of an engine that computes in ``dtype``."""
    return EXACT if dtype == torch.float32 else ROUGH

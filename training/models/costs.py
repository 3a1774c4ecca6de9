"""What a token costs in memory, counted on a few tokens through the model itself.

So it holds for any architecture, with adapters, and in any number format.
"""

from dataclasses import dataclass
from typing import Any

import torch

from sparring.agents.engines.local.attention import kept_in
from sparring.training.attention import takes_masks
from sparring.training.outputs import only

PROBES = (32, 64)  # tokens


@dataclass(frozen=True, slots=True)
class Costs:
    """Bytes a token: of activations flat + square·(length of its line), of one input to every
    layer, of keys and values."""

    flat: float
    square: float
    inputs: float
    cache: float
    layers: int
    recomputed: bool

    def token(self, line: int) -> float:
        """Bytes of activations that autograd keeps of a token in a line of this length."""
        return self.flat + self.square * line


def costs(model: Any) -> Costs:
    """Counted on a line of each of ``PROBES``."""
    config = model.config.get_text_config()
    short, long = (_activations(model, n) / n for n in PROBES)
    square = max((long - short) / (PROBES[1] - PROBES[0]), 0.0)
    flat = long - square * PROBES[1]
    layers = config.num_hidden_layers
    number = model.get_input_embeddings().weight.element_size()
    return Costs(
        flat,
        square,
        inputs=layers * config.hidden_size * number,
        cache=_cache(model),
        layers=layers,
        recomputed=any(getattr(m, "gradient_checkpointing", False) for m in model.modules()),
    )


def _inputs(model: Any, number: int) -> dict[str, torch.Tensor]:
    """One line of tokens, with a mask where the learner would give it."""
    at = torch.arange(number, device=model.device)
    if not takes_masks(model):
        return {"input_ids": (at % 2)[None]}
    mask = torch.zeros((1, 1, number, number), dtype=model.dtype, device=model.device)
    mask = mask.masked_fill(at > at[:, None], torch.finfo(model.dtype).min)
    return {"input_ids": (at % 2)[None], "position_ids": at[None], "attention_mask": mask}


def _activations(model: Any, number: int) -> int:
    """The bytes that autograd keeps for a line of ``number`` tokens, before the output layer."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    first = torch.zeros(1, dtype=torch.long, device=model.device)
    with (
        torch.enable_grad(),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        only(model, first),
    ):
        out = model(**_inputs(model, number), use_cache=False)  # holds what is kept while counted
    del out
    return sum(kept.values())


@torch.no_grad()
def _cache(model: Any) -> float:
    """The bytes of keys and values of one token, as the engine of this process keeps them."""
    number = PROBES[0]
    at = torch.arange(number, device=model.device)[None] % 2
    out = model(input_ids=at, use_cache=True)
    layers = getattr(getattr(out, "past_key_values", None), "layers", ())
    parts = [t for layer in layers for t in (layer.keys, layer.values) if t is not None]
    wide = kept_in(model)
    size = torch.finfo(wide).bits // 8 if wide else None
    return float(sum(t.numel() * (size or t.element_size()) for t in parts)) / number

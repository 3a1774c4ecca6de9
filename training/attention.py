"""Whether a model can compute several rows in one line: with a mask and positions that we give.

Most decoders of ``transformers`` can, with "sdpa" or "eager" attention. Flash attention takes no
such mask, recurrent layers have none, and some models count positions themselves. No list of
models would stay right, so a model is asked: once, with eight tokens.
"""

from typing import Any
from weakref import WeakKeyDictionary

import torch

from sparring.envs.core import BadInput
from sparring.training.batch import Batch

LENGTHS = (3, 5)  # two rows in a line
_ASKED: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def takes(model: Any, batch: Batch) -> bool:
    """Whether the rows of this batch may share lines in this model."""
    window = _window(model)
    return (window is None or int(batch.depth.max()) < window) and takes_masks(model)


def check_takes(model: Any, batch: Batch) -> None:
    """For a batch of trees that branch.

    Raises:
        BadInput: the model cannot compute them; says what to do.
    """
    if takes(model, batch):
        return
    kind, way = model.config.model_type, getattr(model.config, "_attn_implementation", None)
    window, longest = _window(model), int(batch.depth.max()) + 1
    if takes_masks(model) and window is not None:
        fault = f"sees {window} tokens back only, and there are rows of {longest}"
    else:
        fault = f"takes no attention mask of ours (model type {kind}, attention {way})"
    raise BadInput(
        f"the model {fault}, so rows cannot share prefixes; "
        "say --update.no-share-prefixes, in Python UpdateConfig(share_prefixes=False)"
    )


def _window(model: Any) -> int | None:
    """How many tokens back a layer with a sliding window sees, where the model has such layers."""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and all(kind == "full_attention" for kind in kinds):
        return None
    found = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    return min((size for size in found if size), default=None)


def takes_masks(model: Any) -> bool:
    """Whether rows that a model's window holds may share lines in it."""
    if model not in _ASKED:
        _ASKED[model] = _ask(model)
    return _ASKED[model]


@torch.no_grad()
def _ask(model: Any) -> bool:
    """Two rows in one line must give what each gives alone, but for the last digits."""
    vocabulary = model.config.get_text_config().vocab_size
    ids = (torch.arange(sum(LENGTHS))[None] * 7 + 11) % vocabulary
    ids = ids.to(model.device)
    depth = torch.cat([torch.arange(n) for n in LENGTHS])[None].to(model.device)
    row = torch.repeat_interleave(torch.arange(len(LENGTHS)), torch.tensor(LENGTHS))
    sees = (row == row[:, None]).tril().to(model.device)
    mask = torch.zeros(sees.shape, dtype=model.dtype, device=model.device)
    mask = mask.masked_fill(~sees, torch.finfo(model.dtype).min)[None, None]
    was = model.training
    model.eval()  # dropout would be seen as a difference
    try:
        alone = [model(input_ids=piece, use_cache=False).logits for piece in ids.split(LENGTHS, 1)]
        given = {"input_ids": ids, "attention_mask": mask, "position_ids": depth}
        found = model(**given, use_cache=False).logits.float()
        mixed = model(input_ids=ids, use_cache=False).logits.float()
    except Exception:  # each model has its own way to say that it does not take them
        return False
    finally:
        model.train(was)
    expected = torch.cat(alone, 1).float()
    rounding = 1e-5 if alone[0].element_size() >= 4 else 1e-2
    off = float((found - expected).abs().max())
    without = float((mixed - expected).abs().max())  # what a mask that is not heeded would give
    return off <= max(0.1 * without, rounding * float(expected.abs().max()))

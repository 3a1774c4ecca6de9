"""How a model reads new tokens of some rows: its inputs, its masks, its logits."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch

from sparring.agents.engines.core import Tokens
from sparring.agents.engines.slots import Slots
from sparring.envs.core import BadInput

KINDS = {"full_attention", "sliding_attention"}


class Reading:
    """A model over its row memory.

    Args:
        model: a causal language model of ``transformers`` whose layers keep keys and values.
        pad: the id to fill short lines with; no other token sees it.
    """

    def __init__(self, model: Any, pad: int):
        self.model = model
        self.pad = pad
        self.slots = Slots()
        self.adapted = hasattr(model, "peft_config")

    @cached_property
    def vocabulary(self) -> int:
        return int(self.model.config.get_text_config().vocab_size)

    def read(
        self, first: int, new: Sequence[Tokens], adapters: Sequence[str | None], keep: int = 1
    ) -> torch.Tensor:
        """Rows [first, first + n) read ``new`` tokens each. Returns the logits after the last
        ``keep`` tokens of each, [n, keep, V]; those of fewer tokens have fill on the left."""
        model, device = self.model, self.model.device
        positions, sees = self.slots.open(first, [len(tokens) for tokens in new], device)
        wide = positions.shape[1]
        ids = [[self.pad] * (wide - len(tokens)) + list(tokens) for tokens in new]
        given: dict[str, Any] = {"logits_to_keep": keep} if keep < wide else {}
        if any(adapters):
            given["adapter_names"] = [name or "__base__" for name in adapters]
        logits: torch.Tensor = model(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=self._masks(positions, sees),
            position_ids=positions,
            past_key_values=self.slots,
            use_cache=True,
            **given,
        ).logits
        return logits[:, -keep:]

    def _masks(self, positions: torch.Tensor, sees: torch.Tensor) -> Any:
        """What layers add to their scores [n, 1, W, columns], by kind of layer if they differ."""
        config = self.model.config.get_text_config()
        window = getattr(config, "sliding_window", None)
        kinds = set(getattr(config, "layer_types", None) or ())
        full = self._added(sees)
        if window is None or (kinds and kinds == {"full_attention"}):
            return full
        columns = torch.arange(sees.shape[2], device=sees.device)
        near = self._added(sees & (columns > positions[:, :, None] - window))
        if len(kinds) < 2:
            return near
        return {"full_attention": full, "sliding_attention": near}

    def _added(self, sees: torch.Tensor) -> torch.Tensor:
        dtype = self.model.dtype
        mask = torch.zeros(sees.shape, dtype=dtype, device=sees.device)
        return mask.masked_fill_(~sees, torch.finfo(dtype).min)[:, None]

    def prepare(self) -> None:
        """Find out how the model keeps what it has read.

        Raises:
            BadInput: it does not keep keys and values by token, and this engine cannot work it.
        """
        if self.slots.parts:
            return
        kinds = set(getattr(self.model.config.get_text_config(), "layer_types", None) or ())
        try:
            if not kinds <= KINDS:
                raise ValueError(f"layers of the kinds {', '.join(sorted(kinds - KINDS))}")
            self.slots.shape(self.model)
        except (AssertionError, AttributeError, TypeError, ValueError) as fault:
            raise BadInput(
                f"a model of type {self.model.config.model_type} cannot be played in this process: "
                f"its layers do not all keep keys and values of every token ({fault}); "
                "serve it, and name the server"
            ) from fault

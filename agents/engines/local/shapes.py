"""How large the keys and values of a model's layers are."""

from typing import Any

import torch
from transformers import Cache


class _Noted(Cache):  # type: ignore[misc]  # transformers has no types
    """Notes the keys and values of each layer once."""

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.pairs: list[tuple[torch.Tensor, torch.Tensor]] = []

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert layer_idx == len(self.pairs)
        self.pairs.append((key_states, value_states))
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return 0

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        return query_length, 0


def one_token(model: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The keys and the values of one token, [1, heads, 1, size], layer by layer."""
    noted = _Noted()
    ids = torch.zeros((1, 1), dtype=torch.long, device=model.device)
    model(input_ids=ids, past_key_values=noted, use_cache=True)
    return noted.pairs

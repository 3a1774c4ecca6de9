"""The key-value cache that conversations leave behind for their next turn."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from transformers import DynamicCache

from sparring.agents.engines.core import Tokens

KeyValues = list[tuple[torch.Tensor, torch.Tensor]]
"""Per layer: keys and values, each [heads, tokens, head size]."""


class ConversationCache:
    """Keys and values by the tokens they belong to; the least recently used are dropped first.

    Args:
        capacity: how many tokens to keep in all. What is dropped is read again: results stay.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._kept: OrderedDict[Tokens, KeyValues] = OrderedDict()
        self._tokens = 0

    def clear(self) -> None:
        self._kept.clear()
        self._tokens = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, tokens: Tokens, cache: DynamicCache, row: int, mask: torch.Tensor) -> None:
        """Keep one row of a batch; ``mask`` [columns] says which of its columns are not fill."""
        if tokens in self._kept or len(tokens) > self.capacity:
            return
        real = mask.bool()
        self._kept[tokens] = [
            (layer.keys[row][:, real], layer.values[row][:, real]) for layer in cache.layers
        ]
        self._tokens += len(tokens)
        while self._tokens > self.capacity:
            dropped, _ = self._kept.popitem(last=False)
            self._tokens -= len(dropped)

    def recall(self, tokens: Tokens) -> KeyValues | None:
        """What is kept for exactly these tokens."""
        if tokens not in self._kept:
            return None
        self._kept.move_to_end(tokens)
        return self._kept[tokens]


def as_batch(kept: Sequence[KeyValues | None], width: int) -> DynamicCache:
    """Kept rows as one cache of ``width`` columns, filled with zeros on the left."""
    cache = DynamicCache()
    example = next((k for k in kept if k), None)
    if example is None:
        return cache
    for layer, pair in enumerate(example):
        block = [like.new_zeros((len(kept), like.shape[0], width, like.shape[2])) for like in pair]
        for row, own in enumerate(kept):
            if own:
                for part, target in zip(own[layer], block, strict=True):
                    target[row, :, width - part.shape[1] :] = part
        cache.update(block[0], block[1], layer)
    return cache

"""The output layer of a model, at the places that it is needed at."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def only(model: Any, places: torch.Tensor) -> Iterator[None]:
    """Inside, the model's output layer reads these places (counted over all lines) alone.

    What a model does to its logits afterwards (scales or caps them) it does as ever.
    """
    head = model.get_output_embeddings()
    if not isinstance(head, torch.nn.Module):
        yield
        return

    def pick(_: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        if not args or not args[0].is_floating_point():  # an embedding that also reads the input
            return None
        return (args[0].flatten(0, 1)[places][None], *args[1:])

    handle = head.register_forward_pre_hook(pick)
    try:
        yield
    finally:
        handle.remove()

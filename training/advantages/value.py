"""A learned value head: the expected reward at a prompt, read off the model that plays.

    V(prompt) = w · h/‖h‖₁ + b        h [H]: the last hidden state at the prompt's last token

h comes from the model's decoder, without its output layer and without a gradient, so that fitting
the head leaves the model alone. Divided by its sum of absolute values, one step of Adam moves no V
by much more than twice the learning rate, however wide the model is. w and b start at 0: V = 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from sparring.agents.engines.core import Tokens


class ValueHead:
    """w and b for one model, and the Adam that fits them. Computed on the CPU, in float32."""

    def __init__(self, model: Any, learning_rate: float):
        self.model = model
        width = model.get_output_embeddings().weight.shape[-1]
        self.weight = torch.zeros(width, requires_grad=True)
        self.bias = torch.zeros((), requires_grad=True)
        self.optimizer = torch.optim.Adam([self.weight, self.bias], lr=learning_rate)

    def features(self, prompts: Sequence[Tokens], at_once: int) -> torch.Tensor:
        """h/‖h‖₁ for each of _P prompts: [P, H]. ``at_once``: tokens in one pass, with fill."""
        return torch.nn.functional.normalize(last_states(self.model, prompts, at_once), p=1, dim=-1)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """V from features [N, H]: [N], with the gradient of w and b."""
        return features @ self.weight + self.bias

    def fit(
        self, features: torch.Tensor, which: torch.Tensor, targets: torch.Tensor, steps: int
    ) -> None:
        """``steps`` steps of Adam down the mean of (V(features[which]) − targets)².

        Shapes: features [P, H] of the different prompts; which, targets [N].
        """
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = (self(features)[which] - targets).square().mean()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        return {
            "weight": self.weight.detach().clone(),
            "bias": self.bias.detach().clone(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        with torch.no_grad():
            self.weight.copy_(state["weight"])
            self.bias.copy_(state["bias"])
        self.optimizer.load_state_dict(state["optimizer"])


@torch.no_grad()
def last_states(model: Any, prompts: Sequence[Tokens], at_once: int) -> torch.Tensor:
    """The decoder's last hidden state at the last token of each of _P prompts: [P, H], float32.

    A token sees only what stands before it, so equal prompts share a pass, and so does a prompt
    with a longer one that begins with it: a whole game of a role is one pass.
    """
    passes = _passes(prompts)
    rows = sorted(set(passes.values()), key=lambda row: (len(row), row))
    ends: dict[Tokens, set[int]] = {row: set() for row in rows}
    for prompt, row in passes.items():
        ends[row].add(len(prompt))
    found: dict[Tokens, torch.Tensor] = {}
    decoder = model.get_decoder()
    with _without_dropout(model):
        for some in _chunks(rows, at_once):
            ids = torch.zeros((len(some), len(some[-1])), dtype=torch.long)
            for i, row in enumerate(some):
                ids[i, : len(row)] = torch.tensor(row)  # the fill comes later, so nothing sees it
            states = decoder(input_ids=ids.to(model.device), use_cache=False).last_hidden_state
            for i, row in enumerate(some):
                for end in ends[row]:
                    found[row[:end]] = states[i, end - 1].float().cpu()
    return torch.stack([found[prompt] for prompt in prompts])


def _passes(prompts: Sequence[Tokens]) -> dict[Tokens, Tokens]:
    """For each different prompt the longest one that begins with it, among those next to it.

    In sorted order all that begin with a prompt stand right behind it.
    """
    rows: dict[Tokens, Tokens] = {}
    after: Tokens = ()
    for prompt in sorted(set(prompts), reverse=True):
        rows[prompt] = rows[after] if after[: len(prompt)] == prompt else prompt
        after = prompt
    return rows


def _chunks(rows: Sequence[Tokens], at_once: int) -> Iterator[Sequence[Tokens]]:
    """Rows, shortest first, in runs of at most ``at_once`` tokens with fill (or of one row)."""
    start = 0
    for i, row in enumerate(rows):
        if i > start and (i + 1 - start) * len(row) > at_once:
            yield rows[start:i]
            start = i
    if rows:
        yield rows[start:]


@contextmanager
def _without_dropout(model: Any) -> Iterator[None]:
    """Every module as in evaluation; afterwards each as it was."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True

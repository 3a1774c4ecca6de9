"""Generalised advantage estimation (GAE, arXiv 1506.02438) with a learned value head.

For a role's turns k = 0 .. T − 1, with the reward R at its last turn (r_{T−1} = R, else 0) and
V_T = 0, V_k the head's value of the turn's prompt:

    δ_k = r_k + γ·V_{k+1} − V_k
    A_k = δ_k + γλ·A_{k+1}                  λ = 0: one step ahead; λ = 1: the return minus V_k

The values are read before the head is fitted to the batch, as a moving average is before it is
updated, so they do not know the rewards that they are compared with. Then the head learns the
λ-returns A_k + V_k. The split of credit is not used: the values themselves say which turn did it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from sparring.envs.core import BadInput
from sparring.training.advantages.value import ValueHead
from sparring.training.core import Advantages, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class GAEConfig:
    """How advantages are taken from values, and how the values are learned."""

    gamma: float = 1.0
    """γ, the discount from one of a role's turns to its next."""
    lam: float = 0.95
    """λ: 0 trusts the values, 1 the rewards."""
    learning_rate: float = 0.2
    """Of Adam on the head, in the reward's unit: about half of what a step can move a value."""
    steps: int = 50
    """Steps of regression on each batch. States of different prompts are much alike, so few steps
    tell them apart slowly."""
    tokens_at_once: int = 16384
    """How many tokens (with fill) go through the model at once."""

    def __post_init__(self) -> None:
        if not (0 <= self.gamma <= 1 and 0 <= self.lam <= 1):
            raise BadInput(f"gamma and lam are in [0, 1], not {self.gamma} and {self.lam}")
        if self.learning_rate <= 0 or self.steps < 1 or self.tokens_at_once < 1:
            raise BadInput("learning-rate must be above 0, steps and tokens-at-once at least 1")


class GAE:
    """The estimator. ``model``: a causal model of transformers, with a peft adapter or without.

    ``error``: the mean of (λ-return − V)² over the last batch, before the head was fitted to it.
    """

    def __init__(self, model: Any, config: GAEConfig | None = None):
        self.config = config or GAEConfig()
        self.head = ValueHead(model, self.config.learning_rate)
        self.error = 0.0

    def __call__(self, samples: Sequence[Sample]) -> Advantages:
        config = self.config
        prompts = [turn.action.prompt for sample in samples for turn in sample.turns]
        if not prompts:
            return [() for _ in samples]
        if not all(prompts):
            raise ValueError("a turn without a prompt of tokens has no value: no model played it")
        different = sorted(set(prompts))
        number = {prompt: i for i, prompt in enumerate(different)}
        which = torch.tensor([number[prompt] for prompt in prompts])
        features = self.head.features(different, config.tokens_at_once)
        values = iter(self.head(features).detach()[which].tolist())
        own = [[next(values) for _ in sample.turns] for sample in samples]
        found = [
            gae(v, sample.reward, config.gamma, config.lam)
            for v, sample in zip(own, samples, strict=True)
        ]
        self._learn(features, which, own, found)
        return found

    def _learn(
        self,
        features: torch.Tensor,
        which: torch.Tensor,
        values: Sequence[Sequence[float]],
        advantages: Sequence[Sequence[float]],
    ) -> None:
        pairs = zip(values, advantages, strict=True)
        targets = [v + a for vs, found in pairs for v, a in zip(vs, found, strict=True)]
        flat = [a for found in advantages for a in found]
        self.error = sum(a * a for a in flat) / len(flat)
        self.head.fit(features, which, torch.tensor(targets), self.config.steps)

    def state_dict(self) -> dict[str, Any]:
        return {"head": self.head.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.head.load_state_dict(state["head"])


def gae(values: Sequence[float], reward: float, gamma: float, lam: float) -> tuple[float, ...]:
    """A_k for a role's turns in one game; ``values``: V_k of each, ``reward``: at the last."""
    found, advantage, after, paid = [], 0.0, 0.0, reward
    for value in reversed(values):
        advantage = paid + gamma * after - value + gamma * lam * advantage
        found.append(advantage)
        after, paid = value, 0.0
    return tuple(reversed(found))

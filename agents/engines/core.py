"""What generates tokens: tokens in, tokens and their log-probabilities out.

Text never crosses this line, so what is trained on later is, id for id, what was sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample. ``temperature`` 0 takes the most likely token; 1 is the model itself."""

    temperature: float = 1.0
    max_tokens: int = 64

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.max_tokens < 1:
            raise ValueError(f"temperature must be >= 0 and max_tokens >= 1, not {self}")


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to sample after ``prompt``. ``seed`` alone fixes its luck, whoever else is in the
    batch (up to floating point: batch shapes change the last digits of the logits).

    ``held``: how many tokens at the start of the prompt this conversation already had, so that
    the engine can go on from its key-value cache.
    """

    prompt: Tokens
    sampling: Sampling
    seed: int
    held: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """The sampled ``tokens`` (with the end token, unless cut off by length) and the natural-log
    probability of each under the sampling distribution (under the model, at temperature 0)."""

    tokens: Tokens
    logprobs: tuple[float, ...]


class Engine(Protocol):
    """A source of completions. Requests that wait at the same time may be batched."""

    async def generate(self, request: Request) -> Completion: ...

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        """log P(continuation | prompt) of each continuation, in nats, at temperature 1."""
        ...

"""What generates tokens: tokens in, tokens and their log-probabilities out.

Text never crosses this line, so what is trained on later is, id for id, what was sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sparring.envs.core import BadInput

Tokens = tuple[int, ...]


class EngineFault(BadInput):
    """An engine cannot answer: it died, hangs, refuses, or sends what makes no sense. The message
    is one line that says what to do; the game that waited for it is as it was before it asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample.

    temperature  0 takes the most likely token; 1 is the model itself
    top_k        only the k most likely tokens; 0: all
    top_p        only the most likely tokens that have this much probability together
    stop         an answer ends with the token that completes one of these texts
    stop_tokens  or with one of these tokens, besides the end token
    max_tokens   of an answer, the end token included
    """

    temperature: float = 1.0
    max_tokens: int = 64
    top_k: int = 0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    stop_tokens: Tokens = ()

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.max_tokens < 1:
            raise BadInput(f"temperature must be >= 0 and max_tokens >= 1, not {self}")
        if self.top_k < 0 or not 0 < self.top_p <= 1:
            raise BadInput(f"top_k must be >= 0 and top_p in (0, 1], not {self}")
        if "" in self.stop:
            raise BadInput("an empty text in stop would end every answer at once")


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to sample after ``prompt``. ``seed`` alone fixes its luck, whoever else is in the
    batch (up to floating point: batch shapes change the last digits of the logits).

    choices  if there are any, the answer is one of these: at each token only what goes on to one of
             them can be sampled. They should end with the end token
    adapter  the LoRA adapter to answer with, of a model that holds several, "__base__" for none of
             them; None: as the model is, with the active one
    """

    prompt: Tokens
    sampling: Sampling
    seed: int
    choices: tuple[Tokens, ...] = ()
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What was sampled.

    tokens    with the end token, unless cut off by length
    logprobs  the natural-log probability of each under the sampling distribution: after
              temperature, top-k, top-p and choices (at temperature 0: as ``plain``)
    plain     the same under the model itself
    """

    tokens: Tokens
    logprobs: tuple[float, ...]
    plain: tuple[float, ...] = ()


class Engine(Protocol):
    """A source of completions. Requests that wait at the same time may be batched."""

    async def generate(self, request: Request) -> Completion: ...

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        """log P(continuation | prompt) of each continuation, in nats, at temperature 1."""
        ...

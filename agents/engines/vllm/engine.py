"""vLLM in this process: an engine whose weights follow those of a model that is being trained.

docs/vllm.md says how to install it, and what differs from ``LocalEngine``.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from operator import methodcaller
from typing import Any

import torch

from sparring.agents.engines.core import Completion, Request, Sampling, Tokens
from sparring.agents.engines.vllm.start import Serving, start
from sparring.agents.engines.vllm.steps import Asked, Steps
from sparring.agents.engines.vllm.weights import Held, difference, probes, tolerance
from sparring.envs.core import BadInput

CHECKED = 2
"""Publishes that are checked: the first, which takes the place of noise, and the first change."""
NO_END = -1


class VLLMEngine:
    """Sampling by vLLM with the weights of a ``transformers`` model, or of a ``peft`` one.

    Args:
        model: the model to serve. The engine keeps a copy: call ``publish`` after each change.
        end: the id of the token that ends an answer.
        dtype: what vLLM computes in.
        max_rows: how many sequences are worked on together.
        memory: bytes of keys and values. What a prompt shares with earlier ones is not read again.
        rank: the largest rank of the model's adapters; 0 if it has none.
        adapters: how many of them there are at most.
        using: entered where the model itself computes, for the check of a publish.
        decode: tokens to text, for ``Sampling.stop``.

    Raises:
        BadInput: vLLM is not installed, cannot serve this model, or computes something else.
    """

    def __init__(
        self,
        model: Any,
        *,
        end: int,
        dtype: torch.dtype = torch.float32,
        max_rows: int = 256,
        memory: int = 1 << 30,
        rank: int = 0,
        adapters: int = 1,
        using: Callable[[], AbstractContextManager[None]] = nullcontext,
        decode: Callable[[Tokens], str] | None = None,
    ):
        self.end = end
        self.dtype = dtype
        self.using = using
        self.decode = decode
        serving = Serving(
            dtype=dtype, memory=memory, max_rows=max_rows, rank=rank, adapters=adapters
        )
        self._steps = Steps(partial(start, model, serving))
        config = self._steps.core.model_config
        self._longest = int(config.max_model_len)
        self._vocabulary = int(config.get_vocab_size())
        self._sleeps = bool(config.enable_sleep_mode)
        self._asleep = False
        self._held = Held()
        try:
            self.publish(model)
        except BaseException:
            self.close()
            raise

    # -- for agents ---------------------------------------------------------------------------

    async def generate(self, request: Request) -> Completion:
        """Raises ``BadInput`` where the request does not fit the engine."""
        from sparring.agents.engines.vllm.ask import answer, check, watch

        check(request, self._longest, self.decode is not None)
        self.wake()
        watching = watch(request)
        output = await self._steps.ask(self._asked(request, watching))
        return answer(request, output, watching)

    def _asked(self, request: Request, watching: Any = None) -> Asked:
        from sparring.agents.engines.vllm.ask import settings

        stop = request.sampling.stop
        return Asked(
            request.prompt,
            settings(request, self.end, watching),
            self._held.adapter(request.adapter),
            partial(self._stopped, stop) if stop else None,
        )

    def _stopped(self, stop: tuple[str, ...], said: Tokens) -> bool:
        assert self.decode is not None
        text = self.decode(said)
        return any(one in text for one in stop)

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        """log P(continuation | prompt) of each continuation, in nats, at temperature 1.

        Each is said token by token, as the only choice: vLLM's own log-probabilities of a prompt
        fail on a CPU (0.32) for several requests with an adapter, and read every prompt anew.
        """
        self.wake()
        different = dict.fromkeys(continuations)
        sums = await asyncio.gather(*(self._score(prompt, more) for more in different))
        found = dict(zip(different, sums, strict=True))
        return [found[more] for more in continuations]

    async def _score(self, prompt: Tokens, more: Tokens) -> float:
        from sparring.agents.engines.vllm.ask import check, settings, watch

        if not more:
            return 0.0
        said = Request(prompt, Sampling(temperature=0, max_tokens=len(more)), 0, (more,))
        check(said, self._longest)
        watching = watch(said)
        assert watching is not None
        asked = Asked(prompt, settings(said, NO_END, watching), self._held.adapter(None))
        await self._steps.ask(asked)
        return sum(watching.end(more))

    # -- for trainers -------------------------------------------------------------------------

    def publish(self, model: Any) -> None:
        """Follow ``model``: all its weights, or if it has adapters the active one, which answers
        from then on; the model below an adapter is taken once.

        The first time, and the next, what vLLM says is checked against the model.

        Raises:
            BadInput: vLLM computes something else than the model.
            RuntimeError: requests are in flight.
        """
        self._alone()
        with self.using():
            self._steps.do(self._held.take, model)
            self.forget()
            if self._held.published <= CHECKED:
                self._check(model)

    def publish_adapter(self, model: Any, name: str) -> None:
        """Take one adapter of a ``peft`` model for ``Request.adapter``, in the place of an earlier
        version of it; ``RuntimeError`` if requests are in flight."""
        self._alone()
        self._steps.do(self._held.take_adapter, model, name)

    def _alone(self) -> None:
        if not self._steps.idle:
            raise RuntimeError("weights are published between games, and requests are in flight")
        self.wake()

    def _check(self, model: Any) -> None:
        from sparring.agents.engines.vllm.ask import answer

        asked = probes(self._vocabulary)
        outputs = self._steps.now([self._asked(request) for request in asked])
        said = [answer(r, o) for r, o in zip(asked, outputs, strict=True)]
        far = difference(model, asked, said)
        if not far <= tolerance(self.dtype):
            raise BadInput(
                f"vLLM's log-probabilities are {far:.2g} nats a token from the model's on average, "
                f"and at most {tolerance(self.dtype):.2g} was expected: it computes something "
                "else; leave --engine vllm out"
            )

    def forget(self) -> None:
        """Drop what is kept of what was read: the weights have changed."""
        self._steps.do(methodcaller("reset_prefix_cache", reset_running_requests=True))

    def sleep(self) -> None:
        """Give a GPU's memory to whoever learns there: weights go to the CPU, and what is kept is
        dropped. ``wake`` or the next request brings them back. On a CPU nothing happens."""
        if self._sleeps and not self._asleep:
            self._steps.do(methodcaller("sleep", level=1))
            self._asleep = True

    def wake(self) -> None:
        """Be there again after ``sleep``."""
        if self._asleep:
            self._steps.do(methodcaller("wake_up"))
            self._asleep = False

    def close(self) -> None:
        """Stop vLLM and free its memory; closing again does nothing."""
        self._steps.close()
        self._held.drop()

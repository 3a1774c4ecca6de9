"""The in-process engine on ``transformers``: continuous batching, and nothing is read twice.

At every step all answers in flight get one more token; requests join and leave between any two
steps, so no game waits for another's long answer. Requests with the same tokens so far share one
row of the batch, whether they come from one game or a thousand, and part only where their samples
differ. What has been read is kept (``kept.py``): the next turn of a conversation, and every prompt
that opens like another, reads only what is new. None of that changes what is sampled, beyond the
last digits of floating point.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property, partial
from math import inf
from typing import Any

import torch

from sparring.agents.engines.core import Completion, Request, Tokens
from sparring.agents.engines.local import grouped
from sparring.agents.engines.local.flight import Asked, Flight
from sparring.agents.engines.local.flight import over as has_ended
from sparring.agents.engines.local.grouped import Grouped
from sparring.agents.engines.local.kept import Kept
from sparring.agents.engines.local.prefill import Prefill
from sparring.agents.engines.local.reading import Reading
from sparring.agents.engines.local.scoring import Scored, score
from sparring.envs.core import BadInput

log = logging.getLogger(__name__)


class LocalEngine:
    """Sampling from a ``transformers`` causal language model in this process.

    Args:
        model: the model; it may be one that is being trained (call ``forget`` after each change).
        end: the id of the token that ends an answer.
        pad: the id to fill short lines with; never seen by the model's attention.
        max_rows: how many different sequences are worked on together.
        memory: how many bytes of keys and values there may be in all: of the answers in flight and,
            in what they leave free, of what was read before. The least recently used go first.
        using: entered around all work of the model. It can lend the model other weights, so that
            several engines on one model are several players; their memory is their own.
        decode: tokens to text, for ``Sampling.stop``.
    """

    def __init__(
        self,
        model: Any,
        *,
        end: int,
        pad: int = 0,
        max_rows: int = 1024,
        memory: int = 1 << 30,
        using: Callable[[], AbstractContextManager[None]] = nullcontext,
        decode: Callable[[Tokens], str] | None = None,
    ):
        self.model = model
        self.end = end
        self.pad = pad
        self.max_rows = max_rows
        self.memory = memory
        self.using = using
        self.decode = decode
        self.kept = Kept(memory)
        self._reading = Reading(model, pad)
        self._prefill = Prefill(self._reading, self.kept)
        over = partial(has_ended, end=end, decode=decode)
        self._flight: Flight | Grouped = Flight(self._prefill, over)
        self._prepared = False
        self._scores: list[Scored] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def twin(
        self, memory: int, using: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> "LocalEngine":
        """Another engine on the same model, with a memory of its own."""
        return LocalEngine(
            self.model,
            end=self.end,
            pad=self.pad,
            max_rows=self.max_rows,
            memory=memory,
            using=using,
            decode=self.decode,
        )

    @property
    def asked_tokens(self) -> int:
        """How many tokens of prompts there were so far, in rows of their own."""
        return self._prefill.asked

    @property
    def read_tokens(self) -> int:
        """How many of ``asked_tokens`` had to be read; the others were kept from before."""
        return self._prefill.fresh

    @property
    def peak_memory(self) -> int:
        """The most bytes of keys and values that there were so far; ``memory`` bounds them."""
        return self._prefill.peak

    # -- for agents ---------------------------------------------------------------------------

    def forget(self) -> None:
        """Drop what is kept: the weights have changed. Afterwards it is as it was at first, memory
        layout included, on which last digits hang."""
        self.kept.clear()
        if not self._busy:
            self._reading.slots.release()

    async def generate(self, request: Request) -> Completion:
        self._check(request)
        asked = Asked(request, self._schedule().create_future(), random.Random(request.seed))
        self._flight.add(asked)
        completion: Completion = await asked.future
        return completion

    async def score(
        self, prompt: Tokens, continuations: Sequence[Tokens], adapter: str | None = None
    ) -> list[float]:
        if not prompt:
            raise BadInput("a prompt has at least one token")
        for more in continuations:
            self._check_length(len(prompt) + len(more))
        loop = self._schedule()
        asked = [Scored(prompt, m, loop.create_future(), adapter) for m in continuations if m]
        self._scores += asked
        found = iter(await asyncio.gather(*(one.future for one in asked)))
        return [next(found) if more else 0.0 for more in continuations]

    def _check(self, request: Request) -> None:
        self._check_length(len(request.prompt) + request.sampling.max_tokens)
        if request.sampling.stop and self.decode is None:
            raise BadInput("stop texts need an engine that can decode: LocalEngine(decode=...)")
        if not request.prompt:
            raise BadInput("a prompt has at least one token")

    @cached_property
    def _longest(self) -> float:
        """How many tokens the model can read."""
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return inf if limit is None else limit

    def _check_length(self, tokens: int) -> None:
        if tokens > self._longest:
            raise BadInput(
                f"a prompt and its answer take up to {tokens} tokens, but the model reads at most "
                f"{self._longest}; play a shorter game, or allow shorter answers"
            )
        if self._prepared:
            self._reading.slots.check_fits(tokens, self.memory)

    # -- the loop -----------------------------------------------------------------------------

    @property
    def _busy(self) -> bool:
        return bool(self._flight.open or self._scores)

    def _schedule(self) -> asyncio.AbstractEventLoop:
        """See to it that the next step comes; drop the requests of an event loop that is gone."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._drop()
            self._loop = loop
        if not self._busy:
            loop.call_soon(self._tick, loop)
        return loop

    def _drop(self) -> None:
        self._flight.drop()
        self._scores = []
        self._reading.slots.lengths.clear()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """One step: take in, read, sample; between two steps the games go on."""
        if loop is not self._loop:
            return
        try:
            with self._working():
                self._step()
        except torch.OutOfMemoryError as fault:
            self._shrink(fault)
        except Exception as fault:  # whoever waits gets it; the loop has nobody to tell
            self._fail(fault)
        if self._busy:
            loop.call_soon(self._tick, loop)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Weights are exchanged outside inference mode: a tensor made inside cannot be trained."""
        with self.using(), torch.inference_mode():
            if self.model.training:
                self.model.eval()
            yield

    def _step(self) -> None:
        if not self._prepared:
            self._prepare()
        slots = self._reading.slots
        slots.limit = self.memory
        self._flight.most = self.max_rows
        self._score()
        # While scores wait for room, nobody else gets what becomes free.
        self._flight.step(admit=not self._scores)
        if not len(slots) and 2 * slots.bytes > self.memory:
            slots.release()  # after a crowd, so that what comes next is kept again

    def _prepare(self) -> None:
        why = self._reading.prepare()
        if why:
            simple = Grouped(self.model, self.pad, self._flight.over)
            simple.check()
            kind = self.model.config.model_type
            log.warning("a model of the kind %s reads every turn from its start: %s", kind, why)
            for one in self._flight.open:
                simple.add(one)
            self._flight = simple
        self._prepared = True
        if why:
            return
        asked = [(one.request, one.future) for one in self._flight.open]
        lengths = [(len(r.prompt) + r.sampling.max_tokens, future) for r, future in asked]
        lengths += [(len(one.prompt) + len(one.more), one.future) for one in self._scores]
        for tokens, future in lengths:
            try:
                self._check_length(tokens)
            except BadInput as fault:  # its own, and not of those who wait with it
                future.set_exception(fault)

    def _score(self) -> None:
        self._scores = [one for one in self._scores if not one.future.done()]
        if self._scores and isinstance(self._flight, Flight):
            score(self._prefill, self._scores)
        elif self._scores:
            grouped.score(self.model, self._scores, self.max_rows)
        self._scores = [one for one in self._scores if not one.future.done()]

    def _fail(self, fault: Exception) -> None:
        futures = [one.future for one in self._flight.open]
        futures += [one.future for one in self._scores]
        self._drop()
        for future in futures:
            if not future.done():
                future.set_exception(fault)

    def _shrink(self, fault: Exception) -> None:
        """Do half as much at once; what was in flight is read again."""
        rows, prefill = len(self._flight.rows), self._prefill
        if self.max_rows == 1 and prefill.read_at_once == 1:
            self._fail(fault)
            return
        self.max_rows = max(min(self.max_rows, max(rows, 2)) // 2, 1)
        prefill.read_at_once = max(prefill.read_at_once // 2, 1)
        log.warning(
            "out of memory: working on at most %d sequences and reading %d tokens at once now",
            self.max_rows,
            prefill.read_at_once,
        )
        self._flight.restart()
        self._reading.slots.release()
        self.kept.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

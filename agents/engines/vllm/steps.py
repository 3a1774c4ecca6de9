"""vLLM's engine stepped in a thread of its own, for whichever event loop asks.

vLLM's own ``AsyncLLM`` belongs to one event loop and computes in processes of its own. Here the
loop may be another at every call, as with ``asyncio.run``; the learner's weights are in the same
process; and no process is left behind.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar
from weakref import WeakSet

import torch

from sparring.agents.engines.core import Tokens
from sparring.envs.core import BadInput

R = TypeVar("R")
_ALIVE: "WeakSet[Steps]" = WeakSet()
"""One at most: what vLLM takes down when an engine ends (0.32: its process groups) is shared."""


@dataclass(slots=True, eq=False)
class Asked:
    """A request for vLLM.

    settings  its ``SamplingParams``
    adapter   its ``LoRARequest``, if any
    over      says of what was said so far whether the answer ends with it, if vLLM cannot tell
    """

    prompt: Tokens
    settings: Any
    adapter: Any = None
    over: Callable[[Tokens], bool] | None = None


class Steps:
    """Requests join and leave between two steps.

    Args:
        begin: makes vLLM's ``LLMEngine``; called in the thread that all its work is done in.
    """

    def __init__(self, begin: Callable[[], Any]):
        self._thread = ThreadPoolExecutor(1, "vllm")
        self._names = map(str, count())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._driver: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._new: dict[str, Asked] = {}  # these two are what the thread takes, whole
        self._gone: list[str] = []
        self._ends: dict[str, Callable[[Tokens], bool]] = {}  # the thread's own
        if len(_ALIVE):
            raise BadInput("this process has a vLLM engine already; close it first")
        try:
            self.core: Any = self._thread.submit(begin).result()
        except BaseException:
            self._thread.shutdown()
            raise
        _ALIVE.add(self)

    @property
    def idle(self) -> bool:
        """Whether nobody waits for an answer."""
        if self._loop is not None and self._loop.is_closed():
            self._drop()
        return not any(not future.done() for future in self._waiting.values())

    def do(self, work: Callable[..., R], *given: Any) -> R:
        """Call ``work(core, *given)`` in the thread, between two steps, and wait for it."""

        def inside() -> R:
            self._leave()
            return work(self.core, *given)

        return self._thread.submit(inside).result()

    async def ask(self, asked: Asked) -> Any:
        """vLLM's ``RequestOutput`` once the answer is complete. Who is cancelled leaves."""
        if self.core is None:
            raise RuntimeError("this engine is closed")
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # nobody waits in a loop that is gone
            self._drop()
            self._loop, self._driver = loop, None
        name = next(self._names)
        self._waiting[name] = future = loop.create_future()
        self._new[name] = asked
        if self._driver is None or self._driver.done():
            self._driver = loop.create_task(self._drive(loop))
        try:
            return await future
        finally:
            if self._waiting.pop(name, None) is not None:
                self._gone.append(name)

    def _drop(self) -> None:
        """Let go of all requests."""
        self._gone += self._waiting
        self._waiting = {}

    async def _drive(self, loop: asyncio.AbstractEventLoop) -> None:
        """Step while anyone waits; between two steps the games go on."""
        try:
            while self._waiting:
                for name, found in await loop.run_in_executor(self._thread, self._step):
                    future = self._waiting.pop(name, None)
                    if future is None or future.done():
                        continue
                    if isinstance(found, Exception):
                        future.set_exception(found)
                    else:
                        future.set_result(found)
                await asyncio.sleep(0)
        except Exception as fault:  # whoever waits gets it; the loop has nobody to tell
            waiting = self._waiting
            self._drop()
            for future in waiting.values():
                if not future.done():
                    future.set_exception(fault)

    def now(self, asked: Sequence[Asked]) -> list[Any]:
        """The answers to requests that are alone, without an event loop."""
        return self.do(self._now, asked)

    # -- in the thread ------------------------------------------------------------------------

    def _leave(self) -> None:
        """Abort what nobody waits for any more."""
        gone, self._gone = self._gone, []
        for name in gone:
            self._new.pop(name, None)
            self._ends.pop(name, None)
        if gone:
            self.core.abort_request(gone)

    def _step(self) -> list[tuple[str, Any]]:
        """One token more for every request in flight; names and answers of those that are done."""
        from vllm.inputs import tokens_input

        self._leave()
        done: list[tuple[str, Any]] = []
        new, self._new = self._new, {}
        with torch.random.fork_rng(devices=[]):  # a CPU's sampler draws numbers that it drops
            for name, asked in new.items():
                prompt = tokens_input(list(asked.prompt))
                try:
                    self.core.add_request(name, prompt, asked.settings, lora_request=asked.adapter)
                except ValueError as fault:  # what vLLM refuses concerns this request only
                    done.append((name, fault))
                    continue
                if asked.over is not None:
                    self._ends[name] = asked.over
            for output in self.core.step():
                if output.finished or self._ended(output):
                    self._ends.pop(output.request_id, None)
                    done.append((output.request_id, output))
        return done

    def _ended(self, output: Any) -> bool:
        over = self._ends.get(output.request_id)
        if over is None or not over(tuple(output.outputs[0].token_ids)):
            return False
        self.core.abort_request([output.request_id])
        return True

    def _now(self, core: Any, asked: Sequence[Asked]) -> list[Any]:
        names = [next(self._names) for _ in asked]
        self._new |= dict(zip(names, asked, strict=True))
        found: dict[str, Any] = {}
        while len(found) < len(names):
            found |= self._step()
        return [found[name] for name in names]

    # -- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop vLLM and free its memory; closing again does nothing."""
        if self.core is None:
            return
        self._thread.submit(self._end).result()
        self._thread.shutdown()
        _ALIVE.discard(self)

    def _end(self) -> None:
        core, self.core = self.core, None
        core.engine_core.shutdown()

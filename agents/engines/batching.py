"""Gathering the requests that wait at the same moment into one batch."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Batcher(Generic[Asked, Answer]):
    """Calls ``serve`` with everything that was asked since the last time.

    The first request of an idle batcher schedules the call. All games that are ready run until
    they wait for an answer before the event loop comes to it, so a batch holds every request that
    can be made by then, and no game waits for another that is not ready.
    """

    def __init__(self, serve: Callable[[Sequence[Asked]], Sequence[Answer]]):
        self._serve = serve
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []

    async def ask(self, request: Asked) -> Answer:
        """The answer to one request. If serving the batch fails, everyone in it gets the error."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._flush)
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, answer))
        return await answer

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        wanted = [(request, answer) for request, answer in batch if not answer.cancelled()]
        try:
            answers = self._serve([request for request, _ in wanted])
        except Exception as fault:  # whoever waits gets it; the loop has nobody to tell
            for _, answer in wanted:
                answer.set_exception(fault)
            return
        for (_, future), value in zip(wanted, answers, strict=True):
            future.set_result(value)

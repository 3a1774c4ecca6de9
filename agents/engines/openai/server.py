"""A server with OpenAI's interface: one connection for all agents on it, and plain errors.

The ``openai`` client sends the requests, and sends again with growing pauses (as long as the server
asks for, where it does) what failed for reasons that pass: too many requests, an error inside the
server, a connection that broke, no answer in time. An answer that makes no sense is asked for again
here. Whatever stays is one line (``faults.py``). The key is read from the environment when it is
needed and held by the client alone: it is in no name, no text and no file of ours.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sparring.agents.engines.core import EngineFault
from sparring.agents.engines.openai.access import KEY, OPENAI, URL, checked_url, library, secret
from sparring.agents.engines.openai.faults import Garbage, brief, explained, words
from sparring.agents.engines.openai.usage import Prices, Usage, usage_of
from sparring.envs.core import BadInput

T = TypeVar("T")

GARBAGE = 2
"""An answer that makes no sense is asked for again so often."""
PAUSE = 0.5
"""Seconds before it is asked for again, twice that the next time."""
GREETING = 10.0  # seconds


@dataclass(slots=True, eq=False)
class _Line:
    """The connection of one event loop: connections cannot move to another."""

    loop: asyncio.AbstractEventLoop
    client: Any
    slots: asyncio.Semaphore
    door: asyncio.Lock
    greeted: bool = False


@dataclass(eq=False)
class Server:
    """A model on a server.

    Args:
        model: its name there.
        url: where the server is, to ``/v1``; by default what ``OPENAI_BASE_URL`` says, or OpenAI.
        key: the name of the environment variable that holds the key.
        at_once: requests in flight at a time; more wait their turn.
        timeout: seconds without a sign of the server after which a request is given up.
        retries: how often a request that failed is sent again, after pauses of 0.5, 1, 2, 4, 8, 8
            ... seconds less up to a quarter, or as long as the server says, up to two minutes.
        prices: what tokens cost, if that is to be told.

    Raises:
        BadInput: an argument cannot be used, the extra ``openai`` is not installed, or there is no
            key for OpenAI.
    """

    model: str
    url: str = ""
    key: str = KEY
    at_once: int = 32
    timeout: float = 120.0
    retries: int = 5
    prices: Prices | None = None
    usage: Usage = field(default=Usage(), init=False)
    _line: _Line | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.url = checked_url(self.url or os.environ.get(URL) or OPENAI)
        if self.at_once < 1 or self.retries < 0 or not self.timeout > 0:
            raise BadInput("at_once is at least 1, retries at least 0, timeout more than 0 seconds")
        if secret(self.key) is None and self.url == OPENAI:
            raise BadInput(f"OpenAI wants a key: put it into the environment variable {self.key}")
        library()

    @property
    def cost(self) -> float | None:
        """Dollars so far; ``None`` where no prices are known."""
        return self.prices.cost(self.usage) if self.prices else None

    async def ask(
        self,
        what: Literal["chat", "completions"],
        body: Mapping[str, Any],
        read: Callable[[Mapping[str, Any]], T],
    ) -> T:
        """Send ``body`` and ``read`` the answer; again where reading raises ``Garbage``.

        Raises:
            EngineFault: the server refuses it, cannot be reached, or does not answer with sense.
        """
        line = self._connected()
        async with line.slots:
            await self._greet(line)
            tries = 0
            while True:
                answer = await self._send(line.client, what, body)
                try:
                    return read(_object(answer))
                except Garbage as fault:
                    if tries == GARBAGE:
                        raise self._senseless(fault) from None
                await asyncio.sleep(PAUSE * 2**tries)
                tries += 1
                self.usage += Usage(retries=1)

    def _senseless(self, fault: Garbage) -> EngineFault:
        why = brief(str(fault), secret(self.key))
        return EngineFault(
            f"{self.url} answers without sense ({why}); is it an OpenAI-compatible server, and "
            f"{self.model} a model for this?"
        )

    async def _send(self, client: Any, what: str, body: Mapping[str, Any]) -> bytes:
        """One answer as it came."""
        asked = dict(body)
        named = {"model": asked.pop("model", self.model)}
        if what == "chat":
            named["messages"] = asked.pop("messages")
            create = client.chat.completions.with_raw_response.create
        else:
            named["prompt"] = asked.pop("prompt")
            create = client.completions.with_raw_response.create
        try:
            answer = await create(**named, extra_body=asked)
        except library().OpenAIError as fault:
            raise explained(fault, self, named["model"]) from None
        self.usage += Usage(retries=answer.retries_taken)
        content: bytes = answer.http_response.content
        self.usage += usage_of(_lenient(content))
        return content

    async def _greet(self, line: _Line) -> None:
        """Before anything else: is there a server at all, and does it take the key? A wrong address
        is told at once that way, and not after all the pauses that a busy server deserves."""
        async with line.door:
            if line.greeted:
                return
            openai = library()
            try:
                brief = line.client.with_options(max_retries=1, timeout=GREETING)
                await brief.models.with_raw_response.list()
            except (openai.APITimeoutError, openai.APIStatusError) as fault:
                if isinstance(fault, openai.AuthenticationError):
                    raise explained(fault, self, self.model) from None
                # busy, or without a list of models: the request itself will tell
            except openai.APIConnectionError as fault:
                raise explained(fault, self, self.model) from None
            line.greeted = True

    def _connected(self) -> _Line:
        loop = asyncio.get_running_loop()
        if self._line is None or self._line.loop is not loop:
            client = library().AsyncOpenAI(
                api_key=secret(self.key) or "none",
                base_url=self.url,
                timeout=self.timeout,
                max_retries=self.retries,
                # its own would try to close itself later, on a loop that is not this one
                http_client=library().DefaultAsyncHttpxClient(),
            )
            slots = asyncio.Semaphore(self.at_once)
            self._line = _Line(loop, client, slots, asyncio.Lock())
        return self._line


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Garbage("no JSON") from None
    if not isinstance(found, dict):
        raise Garbage("no JSON object")
    if "choices" not in found and (why := words(found)):
        raise Garbage(why)  # as some send it in place of an answer
    return found


def _lenient(content: bytes) -> Mapping[str, Any]:
    try:
        return _object(content)
    except Garbage:
        return {}

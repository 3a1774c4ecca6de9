"""Playing with any model behind an OpenAI-compatible chat interface: text goes there, text comes
back. For training data, which needs token ids, there is ``agents/engines/openai/engine.py``.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sparring.agents.chat import ChatMessage, Reply
from sparring.agents.core import Agent
from sparring.agents.engines.openai.faults import Garbage, Refused
from sparring.agents.engines.openai.server import Server
from sparring.agents.render import parse

log = logging.getLogger(__name__)

LEFT_OUT = "(no answer)"


class Chat:
    """A served model's chat, as a ``ChatModel``.

    What a reasoning model thinks is private, whether the server takes it apart or not. An empty
    answer, a refusal and one that was cut off go to the game as they are: the referee knows what to
    do with them.

    Args:
        server: the server and the model on it.
        temperature, top_p, max_tokens: of sampling; ``None``: as the server does by itself.
    """

    def __init__(
        self,
        server: Server,
        *,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
    ):
        self.server = server
        self.sampling = {"temperature": temperature, "top_p": top_p}
        self.max_tokens = max_tokens
        self._length = "max_completion_tokens"
        self._seeded = True
        self._warned = False

    async def reply(self, messages: list[ChatMessage], seed: int) -> Reply:
        """What the model says next.

        Raises:
            EngineFault: the server cannot answer.
        """
        while True:
            body = self._body(messages, seed)
            try:
                return await self.server.ask("chat", body, self._read)
            except Refused as fault:
                if not self._does_without(fault.said, body):
                    raise

    def _body(self, messages: list[ChatMessage], seed: int) -> dict[str, Any]:
        # some servers refuse a message without text
        said = [m if m["content"] else {**m, "content": LEFT_OUT} for m in messages]
        body: dict[str, Any] = {"messages": said}
        body |= {name: value for name, value in self.sampling.items() if value is not None}
        if self._seeded:
            body["seed"] = seed % 2**31  # as large as all servers take
        if self.max_tokens is not None:
            body[self._length] = self.max_tokens
        return body

    def _does_without(self, said: str, body: Mapping[str, Any]) -> bool:
        """Leave out of ``body``, from now on, what the server names as unknown to it: a seed, or
        the newer name of the limit of tokens. Whether there is such a thing."""
        if "max_completion_tokens" in body and "max_completion_tokens" in said:
            self._length = "max_tokens"
            return True
        if "seed" in body and re.search(r"\bseed\b", said):
            if self._seeded:
                log.warning("%s takes no seed: its luck cannot be repeated", self.server.url)
            self._seeded = False
            return True
        return False

    def _read(self, answer: Mapping[str, Any]) -> Reply:
        choices = answer.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            raise Garbage("no message in it")
        if choice.get("finish_reason") in ("abort", "error"):
            raise Garbage("it broke off")
        content = message.get("content")
        if not isinstance(content, str | None):
            raise Garbage("no text in its message")
        thought, text = parse(content or "")
        # vLLM and others have called it either way; a refusal is no answer of the game
        beside = (message.get(name) for name in ("reasoning", "reasoning_content", "refusal"))
        thoughts = [each for each in (*beside, thought) if isinstance(each, str) and each]
        if not text and choice.get("finish_reason") == "length" and not self._warned:
            self._warned = True
            log.warning("%s was cut off before it answered; allow max_tokens", self.server.model)
        return Reply(text, "\n".join(dict.fromkeys(thoughts)))


def servers(agents: Iterable[Agent]) -> dict[str, Server]:
    """The servers behind those of the agents that sit on one, by the agents' names."""
    found = {}
    for agent in agents:
        held = getattr(agent, "complete", None) or getattr(agent, "engine", None)
        server = getattr(held, "server", None)
        if isinstance(server, Server):
            found[agent.name] = server
    return found

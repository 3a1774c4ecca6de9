"""A seat as a chat conversation, in the message format of OpenAI-style APIs.

Any function from messages to a reply can play: an API client, a ``verifiers`` rollout, a test.

    async def complete(messages):            # [{"role": ..., "content": ...}, ...]
        ...                                  # -> the reply
    player = ChatAgent("my-model", complete)

The conversation only grows, so a server's prefix cache stays valid from turn to turn.

Who has thoughts to keep private, or luck to fix, is a ``ChatModel`` instead of a function.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from sparring.envs.aec import transcript
from sparring.envs.core import Action, Observation

ChatMessage = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``."""

Complete = Callable[[list[ChatMessage]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """``text`` goes to the game; ``private`` is the thought behind it, which stays hidden."""

    text: str
    private: str = ""


class ChatModel(Protocol):
    """What writes replies, with luck that ``seed`` fixes as far as it can be fixed."""

    async def reply(self, messages: list[ChatMessage], seed: int) -> Reply: ...


def chat(observation: Observation) -> list[ChatMessage]:
    """The conversation that leads to this observation.

    The first message of the view (the rules) is the system's. Each of the role's own earlier
    replies is the assistant's, word for word; what it saw before each is the user's.
    """
    (rules,) = _lines(observation, 0, 1)
    messages = [{"role": "system", "content": rules}]
    known = 1
    for turn in observation.turns:
        seen = len(turn.observation.messages)
        messages.append(_user(turn.observation, known, seen))
        messages.append({"role": "assistant", "content": turn.action.text})
        known = seen
    return [*messages, _user(observation, known, len(observation.messages))]


def _lines(seen: Observation, start: int, stop: int) -> list[str]:
    """The messages from ``start`` up to ``stop``, each as ``envs/aec.py`` writes it."""
    return [transcript((m,)) for m in seen.messages[start:stop]]


def _user(observation: Observation, start: int, stop: int) -> ChatMessage:
    lines = _lines(observation, start, stop)
    if observation.legal is not None:
        known = ", ".join(observation.legal)
        lines.append(f"Reply with one of these, alone or in [brackets]: {known}")
    else:  # examples would put words, some of them telling, into a model's mouth
        lines.append(f"It is your turn, {observation.role}.")
    return {"role": "user", "content": "\n".join(lines)}


@dataclass(frozen=True)
class ChatAgent:
    """The agent whose replies ``complete`` writes."""

    name: str
    complete: Complete | ChatModel

    async def act(self, observation: Observation) -> Action:
        messages = chat(observation)
        if callable(self.complete):
            return Action(await self.complete(messages))
        reply = await self.complete.reply(messages, observation.seed)
        return Action(reply.text, reply.private)

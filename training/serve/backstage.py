"""Where agents answer: a thread with an event loop of its own, so that the page never waits.

An engine computes on the loop that it is called from. Here that loop is not the server's: while a
large model thinks, pages load, other people's answers arrive, and Ctrl-C is heard. All agents share
the one loop, so the requests of several games still become one batch.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sparring.agents.core import Agent, HasPolicy
from sparring.agents.registry import agent, is_model
from sparring.envs.core import Action, Observation
from sparring.training.serve.core import Chances

T = TypeVar("T")

HELD = 4
"""At most so many loaded models are kept for games to come; those in a game stay until its end."""

LISTED = 40
"""Where at most so many answers are legal, an agent is asked how likely each of them was."""


@dataclass
class Backstage:
    """Loads agents by name and lets them answer, off the server's loop."""

    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _loaded: OrderedDict[str, Future[Agent]] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        # a daemon, because a model in the middle of an answer must not hold Ctrl-C back
        threading.Thread(target=self._loop.run_forever, name="agents", daemon=True).start()

    async def agent(self, name: str, game: str) -> Agent:
        """The agent of this name; a model is loaded once however many games ask for it.

        Raises:
            BadInput: see ``registry.agent``.
        """
        if not is_model(name):
            return agent(name, game)
        if name not in self._loaded:
            self._loaded[name] = _apart(lambda: agent(name, game))
        self._loaded.move_to_end(name)
        while len(self._loaded) > HELD:
            self._loaded.popitem(last=False)
        loading = self._loaded[name]
        try:
            return await asyncio.wrap_future(loading)
        except Exception:
            if self._loaded.get(name) is loading:
                del self._loaded[name]  # a checkpoint may be whole the next time
            raise

    async def answer(self, player: Agent, seen: Observation) -> tuple[Action, Chances]:
        """What ``player`` answers, and how likely it was to give each of the listed answers."""
        return await self._call(_answer(player, seen))

    async def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Stop taking requests. What is being computed is left behind."""
        self._loop.call_soon_threadsafe(self._loop.stop)


def _apart(work: Callable[[], T]) -> Future[T]:
    """Do ``work`` in a thread of its own. One of a pool would be waited for at the end."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # whoever stops waiting does not cancel it for the others

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as fault:
            done.set_exception(fault)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return done


async def _answer(player: Agent, seen: Observation) -> tuple[Action, Chances]:
    action = await player.act(seen)
    if not (seen.legal and len(seen.legal) <= LISTED and isinstance(player, HasPolicy)):
        return action, None
    return action, dict(await player.policy(seen))

"""A game as a Gymnasium environment for one seat; given agents play the others.

For single-agent trainers and tools. It plays the very same game as ``agents/play.py``: the seat is
an agent that waits for ``step``.
"""

import asyncio
import random
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import gymnasium
from gymnasium.spaces import Dict

from sparring.agents.core import Agent
from sparring.agents.play import Match, play
from sparring.envs.aec import transcript
from sparring.envs.core import Action, Episode, Game, Observation, Role
from sparring.envs.referee import RETRIES
from sparring.envs.spaces import AnyText

T = TypeVar("T")


class _Seat:
    """An agent whose answers come from outside. All of it lives on one event loop."""

    name = "environment"

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Observation] = asyncio.Queue()
        self.answers: asyncio.Queue[str] = asyncio.Queue()

    async def act(self, observation: Observation) -> Action:
        await self.asked.put(observation)
        return Action(await self.answers.get())


class SingleAgentEnv(gymnasium.Env[dict[str, str], str]):
    """One seat of ``game``.

    Observations are ``{"text": everything the seat may see}``, actions are strings. ``info`` has
    ``role``, ``legal_actions`` (``None`` where speech is free) and ``examples``; at the end
    ``episode``, the whole game. The reward is the payoff, in the game's own unit, at the end. An
    illegal answer follows the policy of ``envs/referee.py``. A void game is truncated.

    Args:
        game: the rules.
        opponents: who sits in all other seats, or an agent for each of them.
        role: the seat; ``None`` draws one for each game.
        retries: how many more tries a player has after an illegal answer.

    Raises:
        ValueError: the game has no such role, or a seat has no agent.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"]}  # noqa: RUF012  Gymnasium declares it so

    def __init__(
        self,
        game: Game,
        opponents: Agent | Mapping[Role, Agent],
        *,
        role: Role | None = None,
        retries: int = RETRIES,
    ):
        if role is not None and role not in game.roles:
            raise ValueError(f"{game.name} has no role {role!r}; it has {', '.join(game.roles)}")
        self.game, self.opponents, self.fixed_role, self.retries = game, opponents, role, retries
        self.observation_space = Dict({"text": AnyText()})  # type: ignore[assignment]
        self.action_space: AnyText = AnyText(self._offers)
        self.render_mode = "ansi"
        self._observation = Observation("", ())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._game: asyncio.Task[Episode] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Start a new game; ``seed`` fixes its deal, the seat if it is drawn, and all luck."""
        super().reset(seed=seed)
        luck = random.Random(int(self.np_random.integers(2**63)))
        self.role = self.fixed_role or luck.choice(self.game.roles)
        deal, own = luck.getrandbits(63), luck.getrandbits(63)
        self._on_loop(self._start(deal, own))
        return self._seen()

    def step(self, action: str) -> tuple[dict[str, str], float, bool, bool, dict[str, Any]]:
        """Answer; returns when the seat is to act again or the game is over.

        Raises:
            RuntimeError: no game is under way.
            TypeError: the action is not a string.
        """
        if self._game is None or self._game.done():
            raise RuntimeError("no game is under way; call reset")
        if not isinstance(action, str):
            raise TypeError(f"an action is a string, not {type(action).__name__}")
        self._on_loop(self._answer(action))
        observation, info = self._seen()
        if not self._game.done():
            return observation, 0.0, False, False, info
        episode = self._game.result()
        void = episode.void is not None
        return observation, float(episode.payoffs[self.role]), not void, void, info

    def render(self) -> str:
        """What the seat sees."""
        return self._seen()[0]["text"]

    def close(self) -> None:
        """End the game under way, and the thread that plays the others."""
        if self._loop is not None:
            self._on_loop(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    def _seen(self) -> tuple[dict[str, str], dict[str, Any]]:
        assert self._game is not None
        info: dict[str, Any] = {"role": self.role, "legal_actions": (), "examples": ()}
        if self._game.done():
            episode = self._game.result()
            seen = Observation(self.role, episode.views[self.role])
            info["episode"] = episode
        else:
            seen = self._observation
            info |= {"legal_actions": seen.legal, "examples": seen.examples}
        self._observation = seen
        return {"text": transcript(seen.messages)}, info

    def _offers(self) -> tuple[str, ...]:
        return self._observation.legal or self._observation.examples

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on this environment's own loop, which another thread runs: so it works
        inside a program (a notebook) that has a loop running already."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self, deal: int, luck: int) -> None:
        await self._stop()
        self._seat = _Seat()
        others: Mapping[Role, Agent] = (
            self.opponents
            if isinstance(self.opponents, Mapping)
            else dict.fromkeys(self.game.roles, self.opponents)
        )
        seats: dict[Role, Agent] = {**others, self.role: self._seat}
        match = Match(self.game, seats, deal, luck)
        self._game = asyncio.create_task(play(match, self.retries))
        await self._wait()

    async def _answer(self, text: str) -> None:
        await self._seat.answers.put(text)
        await self._wait()

    async def _wait(self) -> None:
        """Until the seat is asked or the game is over; an agent that failed raises here."""
        assert self._game is not None
        asked = asyncio.create_task(self._seat.asked.get())
        await asyncio.wait({asked, self._game}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            self._observation = asked.result()
        else:
            asked.cancel()
            self._game.result()

    async def _stop(self) -> None:
        if self._game is not None:
            self._game.cancel()
            await asyncio.gather(self._game, return_exceptions=True)

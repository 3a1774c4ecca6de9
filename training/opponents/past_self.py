"""A policy as it was: the learner's model with a copy of earlier weights."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.envs.core import Action, BadInput, Observation, Role, View
from sparring.training import weights
from sparring.training.models import lora
from sparring.training.player import Player

MOST_KNOWN = 1 << 14  # information sets whose policy a past self remembers


@dataclass(eq=False)
class PastSelf:
    """Plays like ``agent``, and remembers its policy where it was asked for in a tree of a game:
    it never changes, and is measured again and again. ``forget`` empties its engine's memory."""

    agent: LLMAgent
    forget: Callable[[], None]
    known: dict[tuple[Role, View], Mapping[str, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.agent.name

    async def act(self, observation: Observation) -> Action:
        return await self.agent.act(observation)

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        key = observation.role, observation.messages
        played = any(turn.action.tokens for turn in observation.turns)  # its wording is its own
        if played or (key not in self.known and len(self.known) >= MOST_KNOWN):
            return await self.agent.policy(observation)
        if key not in self.known:
            self.known[key] = await self.agent.policy(observation)
        return self.known[key]


def frozen(player: Player) -> weights.Weights:
    """A whole copy of what the player is now: its own adapter, or its model."""
    with lora.active(player.model, player.learner.adapter):
        return weights.whole_copy_of(player.model)


def own_engine(player: Player) -> LocalEngine:
    """The player's engine, beside which past selves can compute; else ``BadInput``."""
    if not isinstance(player.agent.engine, LocalEngine):
        raise BadInput("past selves need our own engine (LocalEngine); leave --engine vllm out")
    return player.agent.engine


def past_self(name: str, player: Player, copy: Mapping[str, Any], memory: int) -> PastSelf:
    """``player`` as it was when ``copy`` was made (``frozen``), beside what it is now.

    It computes on the same model with its weights exchanged, so it costs no memory but the copy and
    ``memory`` bytes of keys and values.

    Raises:
        BadInput: the player does not compute in this process.
    """
    engine = own_engine(player)
    before = engine.twin(memory, _both(engine.using, player.model, copy))
    return PastSelf(replace(player.agent, name=name, engine=before), before.forget)


def _both(
    outer: Callable[[], AbstractContextManager[None]], model: Any, copy: Mapping[str, Any]
) -> Callable[[], AbstractContextManager[None]]:
    """What the player's own engine enters (its adapter), and the copy inside it."""

    @contextmanager
    def inside() -> Iterator[None]:
        with outer(), weights.using(model, copy):
            yield

    return inside

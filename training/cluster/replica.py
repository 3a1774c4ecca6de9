"""A run's loop in another process: it plays and measures, and does not learn.

It is built from the options, as the loop of the learner is. An ``Order`` brings it to where that
one stood: the weights, and what opponents and mixture remember. Then it plans the step, which gives
the same games there as here, and plays its part of them.
"""

import importlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sparring.agents.engines.local.engine import LocalEngine
from sparring.envs.core import Episode
from sparring.envs.solve import Tree
from sparring.training import weights
from sparring.training.cluster.parcels import Parcel, Receiver
from sparring.training.cluster.wire import Arrays, packed
from sparring.training.collector import paused
from sparring.training.config import RunConfig
from sparring.training.core import Metrics
from sparring.training.measure import evaluate, solvable
from sparring.training.models import lora
from sparring.training.player import Player
from sparring.training.recipes import RECIPES
from sparring.training.report.keep import Looked, look
from sparring.training.rollouts import Planned, play_out
from sparring.training.selfplay import SelfPlay


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the loop stands: ``weights`` of every player, ``memory`` of opponents and mixture."""

    weights: Parcel
    memory: Parcel


@dataclass(frozen=True, slots=True)
class Order:
    """Play the games ``part``, ``part + of``, ``part + 2·of``, ... of a step."""

    step: int
    part: int
    of: int
    at: Moment


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker played: ``episodes`` are packed (``wire.py``), ``seconds`` are its own; of
    ``asked`` prompt tokens ``read`` were read, and the others were in the engine's memory."""

    episodes: bytes
    games: int
    tokens: int
    seconds: float
    load_seconds: float
    asked: int
    read: int
    warnings: tuple[str, ...]


class Replica:
    """Plays and measures what it is told. ``folder`` is the working directory that paths in the
    options count from; ``fetch`` as in ``Receiver``."""

    def __init__(self, recipe: str, config: RunConfig, folder: str, fetch: Callable[[Any], Arrays]):
        self._fault: Exception | None = None
        try:
            os.chdir(folder)
            self.loop: SelfPlay = importlib.import_module(RECIPES[recipe]).build(config).loop
        except Exception as fault:  # an actor whose making fails loses the reason
            self._fault = fault
        self._weights, self._memory = Receiver(fetch), Receiver(fetch)
        self._at: tuple[str, str] = ("", "")
        self._planned: dict[tuple[int, str], list[Planned]] = {}
        self._said = _Warnings()
        logging.getLogger("sparring").addHandler(self._said)

    def ready(self) -> int:
        """Returns the process's number once the loop is built.

        Raises:
            Exception: it could not be.
        """
        if self._fault is not None:
            raise self._fault
        return os.getpid()

    @cached_property
    def _trees(self) -> dict[str, Tree]:
        return solvable(self.loop)

    def play(self, order: Order) -> Report:
        """Play what ``order`` says. The answer does not depend on what was played before."""
        began = time.monotonic()
        self._go_to(order.at)
        loaded = time.monotonic()
        games = self._plan(order)[order.part :: order.of]
        self.loop.forget()
        before = self._read()
        with paused():
            found = play_out(games, self.loop.branching, self.loop.retries)
            data, tokens = packed(found), _tokens(found)
            del found
        asked, read = (now - then for now, then in zip(self._read(), before, strict=True))
        return Report(
            data,
            len(games),
            tokens,
            time.monotonic() - loaded,
            loaded - began,
            asked,
            read,
            self._said.taken(),
        )

    def evaluate(self, at: Moment) -> Metrics:
        """Exact measurement of the loop at a moment."""
        self._go_to(at)
        self.loop.forget()
        return evaluate(self.loop, self._trees)

    def look(self, at: Moment, step: int, shown: list[Episode]) -> Looked:
        """What the players of a moment say for the run's page."""
        self._go_to(at)
        self.loop.forget()
        self.loop.step, self.loop.shown = step, shown
        return look(self.loop, self._trees)

    def _go_to(self, at: Moment) -> None:
        self.ready()
        weights_at, memory_at = self._at
        if at.weights.label != weights_at:
            for name, copy in self._weights.open(at.weights).items():
                put_weights(self.loop.players[name], copy)
        if at.memory.label != memory_at:
            state = self._memory.open(at.memory)
            self.loop.mixture.load_state_dict(state["mixture"])
            self.loop.opponents.load_state_dict(state["opponents"])
            self._planned.clear()
        self._at = (at.weights.label, at.memory.label)

    def _plan(self, order: Order) -> list[Planned]:
        key = order.step, order.at.weights.label  # a plan may freeze what plays now
        if key not in self._planned:
            self._planned = {key: self.loop.plan(order.step)}
        return self._planned[key]

    def _read(self) -> tuple[int, int]:
        engines = [player.agent.engine for player in self.loop.players.values()]
        own = [engine for engine in engines if isinstance(engine, LocalEngine)]
        return sum(e.asked_tokens for e in own), sum(e.read_tokens for e in own)


def own_weights(player: Player) -> weights.Weights:
    """The trained weights of a player: by reference, and where they are in shards as a whole copy,
    which rank 0 of the learners gets."""
    group = player.learner.group
    with lora.active(player.model, player.learner.adapter):
        if group.size > 1:
            return weights.whole_copy_of(player.model, keep=group.rank == 0)
        return {name: p.detach() for name, p in weights.trained(player.model).items()}


def put_weights(player: Player, copy: weights.Weights) -> None:
    """Let a player be what it was when ``own_weights`` were taken; its engine follows."""
    with lora.active(player.model, player.learner.adapter):
        weights.put(player.model, copy)
    player.publish()


def _tokens(found: Sequence[Sequence[Episode]]) -> int:
    return sum(len(turn.action.tokens) for some in found for e in some for turn in e.turns)


class _Warnings(logging.Handler):
    """Keeps warnings until they are taken."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage())

    def taken(self) -> tuple[str, ...]:
        found, self._kept = tuple(self._kept), []
        return found

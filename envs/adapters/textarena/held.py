"""A TextArena environment held as a value, and the fence around what it shares with the world.

An environment is a mutable object that draws from Python's global generator. Between moves only
its pickle and the state of its luck are kept; for a move it is unpacked, the global generator is
set to its own luck, and afterwards put back. So the same seed and answers give the same game in
any process, and nothing outside a game changes.

Two things in here follow TextArena's own code: ``state.logs`` has every message in order, and
``state.observations`` has the queue of each player; both are emptied as they are read.
"""

import copyreg
import io
import pickle
import random
import threading
from collections import ChainMap, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import BuiltinMethodType
from typing import Any

from sparring.envs.core import BadInput, Void

Luck = tuple[Any, ...]
"""A state of Python's ``random``."""

_ALONE = threading.RLock()


class Refused(Exception):
    """TextArena calls a move invalid; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message: its text, of what kind it is, and which players were told."""

    text: str
    kind: str
    to: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """An environment between two moves."""

    packed: bytes
    luck: Luck


def library() -> Any:
    """The installed TextArena. Raises ``BadInput`` where it is missing."""
    try:
        return import_module("textarena")
    except ModuleNotFoundError as fault:
        if fault.name != "textarena":
            raise
        line = "TextArena is not installed; run: pip install 'sparring[textarena]'"
        raise BadInput(line) from None


@contextmanager
def _lucky(luck: Luck) -> Iterator[None]:
    """Python's global generator as ``luck`` has it, then as it was. One game at a time."""
    with _ALONE:
        outside = random.getstate()
        random.setstate(luck)
        try:
            yield
        finally:
            random.setstate(outside)


def _global_draw(name: str) -> Any:
    return getattr(random, name)


def _by_name(method: Any) -> Any:
    """How a built-in is pickled: ``random.random`` and its like stay those of the global generator.

    Python would pickle a copy of the generator with them, and a game that keeps one as an attribute
    would deal the same whatever its seed.
    """
    if method.__self__ is random.random.__self__:  # type: ignore[attr-defined]
        return _global_draw, (method.__name__,)
    return method.__reduce__()


_REDUCERS: ChainMap[type, Any] = ChainMap({BuiltinMethodType: _by_name}, copyreg.dispatch_table)


def _pack(env: Any) -> bytes:
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(env)
    return file.getvalue()


@cache
def _new(name: str) -> bytes:
    """The raw game as TextArena makes it: no wrappers of views and actions, not yet reset."""
    with _lucky(random.Random(0).getstate()):
        return _pack(library().make(f"{name}-raw"))


def own_seed(seed: int) -> int:
    """The seed that TextArena gets for ours.

    It seeds ``random`` as it is: a player that draws from ``random.Random(seed)`` would draw what
    the game drew, and guess its secret number at once.
    """
    return random.Random(f"textarena {seed}").getrandbits(63)


def open_game(name: str, players: int, seed: int) -> tuple[Any, list[Said], Held]:
    """A fresh game: the environment to look at, what it said, and the same held."""
    library()
    own = own_seed(seed)
    with _lucky(random.Random(own).getstate()):
        env = pickle.loads(_new(name))
        env.reset(num_players=players, seed=own)
        said = _heard(env.state)
        return env, said, Held(_pack(env), random.getstate())


def move(held: Held, text: str) -> tuple[Any, list[Said], Held]:
    """What follows when the player to move answers ``text``. ``held`` stays as it was.

    Raises:
        Refused: the move is invalid; TextArena's own counting of errors never sees it.
        Void: TextArena fails.
    """
    env = pickle.loads(held.packed)
    reasons: list[str] = []

    def refuse(*given: Any, **named: Any) -> None:
        reasons.append(str(named.get("reason", next((g for g in given if isinstance(g, str)), ""))))
        raise Refused(reasons[0])

    env.state.set_invalid_move = refuse
    with _lucky(held.luck):
        try:
            env.step(text)
        except Exception as fault:
            if not reasons:
                raise Void(f"TextArena fails: {fault!r}") from fault
        if reasons:  # also where the game caught what we raised
            raise Refused(reasons[0])
        del env.state.set_invalid_move
        said = _heard(env.state)
        return env, said, Held(_pack(env), random.getstate())


def _heard(state: Any) -> list[Said]:
    """The messages since the last call, in order, and whom TextArena told; empties its queues.

    A broadcast puts one string object into the log and into every queue, which is how a queue's
    head is matched with the log.
    """
    queues = {player: deque(queue) for player, queue in state.observations.items()}
    said = []
    for sender, text in state.logs:
        to = [p for p, q in queues.items() if q and q[0][0] == sender and q[0][1] is text]
        kinds = [queues[player].popleft()[2].name for player in to]
        if to:
            said.append(Said(str(text), kinds[0], tuple(to)))
    if any(queues.values()):
        raise Void("TextArena's log and its players' queues do not agree")
    state.logs = []
    state.observations = {player: [] for player in queues}
    return said

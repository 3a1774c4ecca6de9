"""A raw PettingZoo environment held as a value.

Its own pickle and ``deepcopy`` make a new environment from the constructor's arguments and lose
the position (``EzPickle``). What is held is therefore its attributes, without its spaces and its
drawing board.
"""

import pickle
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sparring.envs.core import BadInput

UNUSED = ("observation_spaces", "action_spaces", "screen")
"""Attributes that no move needs; ``screen``, in one game, is a picture even where none is drawn."""


@dataclass(frozen=True, slots=True)
class Held:
    """An environment between two moves: its class and its attributes, pickled."""

    kind: Any
    packed: bytes


def hold(env: Any) -> Held:
    kept = {name: value for name, value in vars(env).items() if name not in UNUSED}
    return Held(type(env), pickle.dumps(kept))


def release(held: Held) -> Any:
    """The environment itself, to be moved in; ``held`` stays as it was."""
    env = held.kind.__new__(held.kind)
    vars(env).update(pickle.loads(held.packed), screen=None)
    return env


def raw(module: str, **options: Any) -> Any:
    """A raw environment, without the wrappers that end a game on an illegal move.

    Raises:
        BadInput: PettingZoo's classic games are not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = import_module(f"pettingzoo.classic.{module}").raw_env(**options)
    except ModuleNotFoundError as fault:
        line = f"{fault.name} is not installed; run: pip install 'sparring[classic]'"
        raise BadInput(line) from None
    return made

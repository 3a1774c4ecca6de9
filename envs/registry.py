"""The table of games. A name ends in a version, which every change of behaviour raises."""

import inspect
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from sparring.envs.aec import TextEnv, publish
from sparring.envs.core import BadInput, Game
from sparring.envs.kuhn import KuhnPoker
from sparring.envs.referee import RETRIES
from sparring.envs.tictactoe import TicTacToe

ENTRY_POINTS = "sparring.games"
"""Entry points in which other packages name their games: ``MyGame-v0 = "module:factory"``."""

GAMES: dict[str, Callable[..., Game]] = {
    "KuhnPoker-v0": KuhnPoker,
    "TicTacToe-v0": TicTacToe,
}


def register(name: str, factory: Callable[..., Game]) -> None:
    """Add a game. ``factory(**options)`` returns its rules.

    Raises:
        BadInput: the name has no version, or is taken.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*-v\d+", name):
        raise BadInput(f"a game's name looks like MyGame-v0, not {name!r}")
    if name in GAMES:
        raise BadInput(f"there is already a game {name}; raise the version or unregister it")
    GAMES[name] = factory
    _publish(name)


def _publish(name: str) -> None:
    """Make a game known to PettingZoo's own registry too, as ``sparring/NAME``."""
    publish(name, lambda **options: make(name, **options))


def unregister(name: str) -> None:
    """Take a game out again."""
    GAMES.pop(name, None)


@cache
def _load_entry_points() -> None:
    """Add the games of installed packages, once; a game of ours is never replaced."""
    for point in entry_points(group=ENTRY_POINTS):
        if point.name not in GAMES:
            register(point.name, _factory(point))


def _factory(point: EntryPoint) -> Callable[..., Game]:
    """Makes the game of ``point``, whose package is imported only then."""

    def make_game(**options: Any) -> Game:
        made: Game = point.load()(**options)
        return made

    return make_game


def publish_all() -> None:
    """Put every game known so far into PettingZoo's registry."""
    for name in GAMES:
        _publish(name)


def games() -> tuple[str, ...]:
    """The names of all registered games, those of installed packages included."""
    _load_entry_points()
    return tuple(sorted(GAMES))


def game(name: str, **options: Any) -> Game:
    """The bare rules of a game, for solvers and runners.

    Raises:
        BadInput: no such game, or an option that it does not have or allow.
    """
    _load_entry_points()
    if name not in GAMES:
        close = [known for known in GAMES if known.split("-v")[0].lower() in name.lower()]
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(games())}"
        raise BadInput(f"no game {name!r}; {hint}")
    factory = GAMES[name]
    if options:  # checked here, so that a TypeError inside a factory is never mistaken for this
        known = inspect.signature(factory).parameters
        open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
        unknown = [option for option in options if option not in known]
        if unknown and not open_ended:
            has = f"its options: {', '.join(known)}" if known else "it has none"
            raise BadInput(f"{name} has no option {unknown[0]!r}; {has}")
    return factory(**options)


def options_of(name: str) -> str:
    """The options of a game with their defaults, as ``hands=1``; empty where it has none."""
    _load_entry_points()
    known = inspect.signature(GAMES[name]).parameters.values()
    named = [p for p in known if p.kind is not p.VAR_KEYWORD]
    return ", ".join(p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in named)


def make(
    name: str, *, retries: int = RETRIES, render_mode: str | None = None, **options: Any
) -> TextEnv:
    """A game as a PettingZoo ``AECEnv``. Raises ``BadInput`` like ``game``."""
    return TextEnv(game(name, **options), retries=retries, render_mode=render_mode)

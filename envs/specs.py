"""How a game is named: ``NAME``, ``NAME(option=value, ...)``, or one from elsewhere.

``openspiel:leduc_poker(players=3)`` is a game of another suite, made ours by ``envs/adapters``;
``my_game.py:MyGame`` is a class in a file of yours that is not installed.
"""

import ast
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from sparring.envs.core import BadInput, Game

ADAPTERS: dict[str, str] = {
    "openspiel": "sparring.envs.adapters.openspiel",
    "pettingzoo": "sparring.envs.adapters.pettingzoo",
    "textarena": "sparring.envs.adapters.textarena",
}
"""Scheme to module; a module has ``load(name, **options) -> Game`` and ``available()``."""


def parse(spec: str) -> tuple[str, dict[str, Any]]:
    """Split ``NAME(option=value, ...)``. Values are Python literals; a bare word is a string.

    Raises:
        BadInput: the part in parentheses cannot be read.
    """
    name, opened, rest = spec.strip().partition("(")
    if not opened:
        return name, {}
    fault = BadInput(f"cannot read {spec!r}; write options as NAME(hands=3, mode='open')")
    try:
        call = ast.parse(f"f({rest}", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not isinstance(call.func, ast.Name):
            raise fault
        if len({keyword.arg for keyword in call.keywords}) < len(call.keywords):
            raise fault
        return name, {_named(keyword.arg): _value(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        # BadInput is a ValueError: what went wrong inside does not matter
        raise fault from None


def _named(name: str | None) -> str:
    if name is None:
        raise ValueError("** is not an option")
    return name


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return {"true": True, "false": False, "none": None}.get(node.id, node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        sides = _value(node.left), _value(node.right)
        if all(isinstance(side, str) for side in sides):
            return "-".join(sides)  # log-odds
    return ast.literal_eval(node)


def describe(game: Game) -> str:
    """The spec of a game: its name with the options that are not its defaults.

    An option that no spec can say (an object given in Python) is left out.
    """
    if "(" in game.name or ":" in game.name or not is_dataclass(game):
        return game.name  # a game of another suite has its options in its name
    changed = {
        f.name: getattr(game, f.name)
        for f in fields(game)
        if f.init and getattr(game, f.name) != f.default
    }
    said = [f"{name}={value!r}" for name, value in changed.items() if _literal(value)]
    return f"{game.name}({', '.join(said)})" if said else game.name


def _literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def elsewhere(name: str) -> Callable[..., Game] | None:
    """What makes a game that another suite or a file holds; ``None`` for the name of a table.

    Raises:
        BadInput: no such suite, file, or game in it.
    """
    place, _, inner = name.rpartition(":")
    if not place:
        return None
    if place.endswith(".py"):
        return _from_file(Path(place), inner)
    scheme, _, inner = name.partition(":")
    if scheme not in ADAPTERS:
        raise BadInput(f"no suite {scheme!r}; there are: {', '.join(ADAPTERS)}")
    return partial(import_module(ADAPTERS[scheme]).load, inner)


@cache
def _from_file(file: Path, name: str) -> Callable[..., Game]:
    """What ``name`` is in a Python file: the class of a game, or what makes one."""
    spec = spec_from_file_location(file.stem, file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise BadInput(f"no file {file}")
    module = module_from_spec(spec)
    sys.modules[file.stem] = module  # where dataclasses and pickle look for it
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        raise BadInput(f"{file} cannot be imported: {fault!r}") from fault
    factory: Callable[..., Game] | None = getattr(module, name, None)
    if not callable(factory):
        raise BadInput(f"{file} has no game {name!r}")
    return factory

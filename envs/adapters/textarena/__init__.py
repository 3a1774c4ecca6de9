"""``textarena:ID``: the games of TextArena that were found right, under our views and referee.

TextArena's own observation wrappers, its counting of errors, and its use of the global generator
are fenced off (``held.py``). Games that are wrong are refused with the reason (``refused.py``).
"""

import difflib
from typing import Any

from sparring.envs.adapters.textarena.catalogue import ADMITTED
from sparring.envs.adapters.textarena.game import TextArenaGame, textarena_game
from sparring.envs.adapters.textarena.held import library
from sparring.envs.adapters.textarena.refused import why_refused
from sparring.envs.core import BadInput

__all__ = ["available", "load"]

WRAPPED = ("-raw", "-train")


def available() -> tuple[str, ...]:
    """The ids that ``load`` takes."""
    return tuple(sorted(ADMITTED))


def load(name: str, **options: Any) -> TextArenaGame:
    """A game by TextArena's id, like ``TicTacToe-v0``; its variants are ids of their own.

    Raises:
        BadInput: no such game, one that is refused (with the reason), an option, or TextArena is
            not installed.
    """
    if bare := next((name[: -len(end)] for end in WRAPPED if name.endswith(end)), None):
        raise BadInput(f"the views of textarena games are ours; write textarena:{bare}, not {name}")
    if reason := why_refused(name):
        raise BadInput(f"textarena:{name} is refused: {reason}")
    if name not in ADMITTED:
        known = library().envs.registration.ENV_REGISTRY
        if name in known:
            raise BadInput(f"textarena:{name} is refused: not checked here yet; {HOW}")
        close = difflib.get_close_matches(name, ADMITTED, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(available())}"
        raise BadInput(f"TextArena has no game {name!r}; {hint}")
    if options:
        fault = f"textarena:{name} has no option {next(iter(options))!r}"
        raise BadInput(f"{fault}; variants are ids, like Nim-v0-medium")
    return textarena_game(name, ADMITTED[name])


HOW = "docs/adapters/textarena.md says how a game is admitted"

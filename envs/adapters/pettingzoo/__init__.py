"""``pettingzoo:classic/ID``: PettingZoo's classic games in words, under our views and referee.

The rules and rewards are the library's; an illegal answer never reaches it. ``import pettingzoo``
means the library, here as everywhere.
"""

import difflib
import re
from typing import Any

from sparring.envs.adapters.pettingzoo.boards import BOARDS
from sparring.envs.adapters.pettingzoo.cards import CARDS
from sparring.envs.adapters.pettingzoo.game import ClassicGame, classic_game
from sparring.envs.core import BadInput

__all__ = ["available", "load"]

ADMITTED = {**BOARDS, **CARDS}

REFUSED = {
    "hanabi_v5": "it is OpenSpiel's game seen through shimmy; use openspiel:hanabi itself",
}


def available() -> tuple[str, ...]:
    """The names that ``load`` takes."""
    return tuple(f"classic/{name}" for name in sorted(ADMITTED))


def load(name: str, **options: Any) -> ClassicGame:
    """A game by PettingZoo's name: ``classic/chess_v6``, ``classic/chess-v6`` or ``chess_v6``.

    ``options`` are those of the environment's constructor that change the game.

    Raises:
        BadInput: no such game or version, one that is refused (with the reason), an option that it
            does not have or allow, or the libraries are not installed.
    """
    bare = re.sub(r"-(v\d+)$", r"_\1", name.removeprefix("classic/"))
    if bare in REFUSED:
        raise BadInput(f"pettingzoo:{name} is refused: {REFUSED[bare]}")
    if bare not in ADMITTED:
        stem = bare.partition("_v")[0]
        close = [known for known in ADMITTED if known.partition("_v")[0] == stem]
        close = close or difflib.get_close_matches(bare, ADMITTED, n=1)
        known = ", ".join(available())
        hint = f"did you mean classic/{close[0]}?" if close else f"there are: {known}"
        raise BadInput(f"PettingZoo has no classic game {name!r}; {hint}")
    kind = ADMITTED[bare]
    if unknown := [option for option in options if option not in kind.options]:
        has = f"its options: {', '.join(kind.options)}" if kind.options else "it has none"
        raise BadInput(f"pettingzoo:classic/{bare} has no option {unknown[0]!r}; {has}")
    return classic_game(bare, kind, options)

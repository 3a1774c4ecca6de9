"""``openspiel:NAME(option=value)``: OpenSpiel's games in words, under our views and referee.

The rules and payoffs are the library's; an illegal action never reaches it. What cannot be made
sound is refused with the reason (``library.py``). Readable rules and observations are in
``render/``; a game without them shows OpenSpiel's own strings.
"""

from typing import Any

from sparring.envs.adapters.openspiel import library
from sparring.envs.adapters.openspiel.game import OpenSpielGame
from sparring.envs.adapters.openspiel.options import canonical

__all__ = ["available", "load"]


def available() -> tuple[str, ...]:
    """The names that ``load`` takes without options; more need some (``library.NEED_OPTIONS``).

    Raises:
        BadInput: OpenSpiel is not installed.
    """
    return library.names()


def load(name: str, **options: Any) -> OpenSpielGame:
    """A game by OpenSpiel's short name; ``options`` are its parameters: ``players=3``.

    A parameter that is itself a game is written as OpenSpiel writes it, in quotes:
    ``repeated_game(stage_game='matrix_pd()', num_repetitions=10)``.

    Raises:
        BadInput: no such game, one that is refused (with the reason), a parameter that it does not
            have or allow, or OpenSpiel is not installed.
    """
    game = OpenSpielGame(name, canonical(name, options))
    if game.options:
        try:
            game.start(0)
        except Exception as fault:  # OpenSpiel loads some games with options that cannot be played
            raise library.cannot(name, fault) from None
    return game

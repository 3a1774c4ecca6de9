"""OpenSpiel itself: which games are admitted, loading them, and what they say of themselves.

``pyspiel`` is imported only when a game is asked for.
"""

import difflib
import logging
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from sparring.envs.core import BadInput

Options = tuple[tuple[str, Any], ...]
"""Parameters that differ from their defaults, by name."""

UNCHECKED = "it changes or reads another game, and is not checked here"

REFUSED: Mapping[str, str] = {
    "add_noise": UNCHECKED,
    "bridge_uncontested_bidding": "a single deal takes seconds; use openspiel:tiny_bridge_2p",
    "cached_tree": UNCHECKED,
    "chat_game": "it needs a language model of its own and fails without one",
    "coop_to_1p": UNCHECKED,
    "crossword": "it has no list of legal actions",
    "efg_game": UNCHECKED,
    "nfg_game": UNCHECKED,
    "normal_form_extensive_game": UNCHECKED,
    "quoridor": "OpenSpiel marks it as a game with known issues",
    "rbc": "OpenSpiel marks it as a game with known issues",
    "repeated_poker": "players are not shown the public cards; use openspiel:universal_poker",
    "restricted_nash_response": UNCHECKED,
    "start_at": UNCHECKED,
}
"""Games that cannot be made sound, or that nobody has looked at, and why."""

NEED_OPTIONS: Mapping[str, str] = {
    "misere": "misere(game='kuhn_poker()')",
    "repeated_game": "repeated_game(stage_game='matrix_pd()', num_repetitions=10)",
    "turn_based_simultaneous_game": "turn_based_simultaneous_game(game='goofspiel()')",
    "zerosum": "zerosum(game='matrix_pd()')",
}
"""Games that are admitted, but do not load without options; an example of each."""

BROKEN_CLONES = frozenset({"morpion_solitaire"})
"""Games whose cloned states crash the process; they are played again from the start instead."""

SEED = "rng_seed"
"""The parameter of games that draw their own luck. ``start(seed)`` sets it."""


@cache
def pyspiel() -> Any:
    """The library, with its games that are written in Python. Raises ``BadInput``."""
    try:
        module = import_module("pyspiel")
        import_module("open_spiel.python.games")
    except ImportError as missing:
        raise BadInput(
            f"OpenSpiel is not installed ({missing}); pip install 'sparring[openspiel]'"
        ) from None
    # or one warning for every move: clones of this game load the default word list again
    logging.getLogger("absl").addFilter(lambda record: "No word list" not in record.getMessage())
    return module


@cache
def kinds() -> Mapping[str, Any]:
    """What every registered game says of itself, by name."""
    return {kind.short_name: kind for kind in pyspiel().registered_games()}


def mean_field(kind: Any) -> bool:
    return bool(kind.dynamics == pyspiel().GameType.Dynamics.MEAN_FIELD)


@cache
def names() -> tuple[str, ...]:
    """The admitted games that load without options."""
    return tuple(
        sorted(
            name
            for name, kind in kinds().items()
            if kind.default_loadable
            and name not in REFUSED
            and name not in NEED_OPTIONS
            and not mean_field(kind)
        )
    )


def admit(name: str) -> None:
    """Raise ``BadInput`` for a game that does not exist or is refused."""
    if name not in kinds():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names())}"
        raise BadInput(f"OpenSpiel has no game {name!r}; {hint}")
    if mean_field(kinds()[name]):
        raise BadInput(f"openspiel:{name} is refused: a mean-field game has no players to seat")
    if name in REFUSED:
        raise BadInput(f"openspiel:{name} is refused: {REFUSED[name]}")


def inner_game(name: str, value: str) -> dict[str, Any]:
    """The parameters of a game within a game. Raises ``BadInput``."""
    try:
        found: dict[str, Any] = pyspiel().game_parameters_from_string(value)
    except pyspiel().SpielError as fault:
        raise BadInput(
            f"cannot read the game {value!r} in openspiel:{name}: {why(fault)}"
        ) from None
    return found


@cache
def raw(name: str, options: Options) -> Any:
    """The library's game. Raises ``BadInput``."""
    return fresh(name, options)


def fresh(name: str, options: Options, seed: int | None = None) -> Any:
    """The library's game, made anew; ``seed`` fixes the luck that it draws itself."""
    defaults = kinds()[name].parameter_specification
    parameters: dict[str, Any] = {} if seed is None else {SEED: seed}
    for option, value in options:
        inner = isinstance(defaults[option], dict)
        parameters[option] = inner_game(name, value) if inner else value
    try:
        return pyspiel().load_game(name, parameters)
    except Exception as fault:  # whatever foreign code makes of a user's options
        raise cannot(name, fault) from None


def cannot(name: str, fault: Exception) -> BadInput:
    """The library failed with the options that it was given."""
    return BadInput(f"OpenSpiel cannot play {name} with these options: {why(fault)}")


def why(fault: Exception) -> str:
    """The library's words in one line, without the file that they come from."""
    return re.sub(r"^\S+:\d+ ", "", " ".join(str(fault).split()))[:200] or type(fault).__name__


def sound(name: str, game: Any) -> None:
    """Raise ``BadInput`` where players could not be told what they need, or luck not be fixed."""
    kind, types = game.get_type(), pyspiel().GameType
    told = kind.provides_observation_string or kind.provides_information_state_string
    if not told and kind.information != types.Information.PERFECT_INFORMATION:
        raise BadInput(f"openspiel:{name} is refused: it says nothing of what a player sees")
    if sampled(game) and SEED not in kinds()[name].parameter_specification:
        raise BadInput(f"openspiel:{name} is refused: its luck cannot be fixed by a seed")


def sampled(game: Any) -> bool:
    """The game draws its own luck instead of listing the chances."""
    return bool(game.get_type().chance_mode == pyspiel().GameType.ChanceMode.SAMPLED_STOCHASTIC)

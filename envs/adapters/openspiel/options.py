"""Parameters of OpenSpiel's games: checked here, because a wrong one may crash the library."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sparring.envs.adapters.openspiel import library
from sparring.envs.core import BadInput

POKER_LISTS = {
    "stack": "numPlayers",
    "blind": "numPlayers",
    "firstPlayer": "numRounds",
    "numBoardCards": "numRounds",
}
"""Options of ``universal_poker`` that are lists, and the option that says how long."""

LIMITS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "blotto": {"coins": (1, 40), "fields": (1, 4)},
    "bridge": {"dealer": (0, 3)},
    "connect_four": {"rows": (1, 100)},
    "go_fish": {"initial_cards": (1, 100)},
    "hanabi": {"colors": (1, 5), "ranks": (1, 5), "hand_size": (1, 5)},
    "negotiation": {"num_items": (1, 4), "num_symbols": (1, 10), "utterance_dim": (1, 4)},
    "pig": {"diceoutcomes": (2, 100)},
    "universal_poker": {"numHoleCards": (1, 5), "numRanks": (2, 13), "numSuits": (1, 4)},
}
"""Whole numbers outside of which the library crashes the process or does not come back."""

UNCHECKED_OPTIONS = frozenset({"fen"})
"""A wrong position is not refused by the library: it crashes the process or never comes back."""


def canonical(name: str, options: Mapping[str, Any]) -> library.Options:
    """The options that matter, in order of their names; the game they make has been loaded.

    Raises:
        BadInput: as ``openspiel.load``.
    """
    library.admit(name)
    defaults = library.kinds()[name].parameter_specification
    given = {option: _fit(name, option, options[option]) for option in sorted(options)}
    if name in library.NEED_OPTIONS and not given:
        raise BadInput(f"openspiel:{name} needs options: openspiel:{library.NEED_OPTIONS[name]}")
    if name == "universal_poker":
        _lists({**defaults, **given})
    if name in DECKS:
        _enough(name, DECKS[name]({**defaults, **given}))
    kept = tuple((option, value) for option, value in given.items() if value != defaults[option])
    game = library.raw(name, kept)
    if given.get("players", game.num_players()) != game.num_players():
        raise BadInput(f"openspiel:{name} is always played by {game.num_players()}")
    library.sound(name, game)
    return kept


def _fit(name: str, option: str, value: Any) -> Any:
    """``value`` in the type of the parameter. Raises ``BadInput``."""
    kind = library.kinds()[name]
    defaults = kind.parameter_specification
    if option not in defaults:
        has = f"its options: {', '.join(sorted(defaults))}" if defaults else "it has none"
        raise BadInput(f"openspiel:{name} has no option {option!r}; {has}")
    if option == library.SEED:
        raise BadInput(f"{library.SEED} is not an option: a game's seed is given when it starts")
    default = defaults[option]
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not (str if isinstance(default, dict) else type(default)):
        like = "'matrix_pd()'" if isinstance(default, dict) else repr(default)
        raise BadInput(f"{option} of openspiel:{name} is given like {like}, not {value!r}")
    _within(kind, option, value, default)
    if option.endswith("_file") and value and not Path(value).is_file():
        raise BadInput(f"{option} of openspiel:{name}: no file {value}")
    if isinstance(default, dict):
        within = library.inner_game(name, value)
        canonical(str(within.pop("name")), within)
    return value


def _within(kind: Any, option: str, value: Any, default: Any) -> None:
    """Raise ``BadInput`` for a number, or another value, that the library must not get."""
    if option in UNCHECKED_OPTIONS and value != default:
        raise BadInput(f"{option} is not an option here: OpenSpiel does not check it and may crash")
    if isinstance(value, bool) or not isinstance(value, int) or value == default:
        return
    low, high = 0 if default >= 0 else default, 2**31 - 1
    if option == "players":
        low, high = kind.min_num_players, kind.max_num_players
    low, high = LIMITS.get(kind.short_name, {}).get(option, (low, high))
    if not low <= value <= high:
        most = "at least {low}" if high == 2**31 - 1 else "{low} to {high}"
        said = most.format(low=low, high=high)
        raise BadInput(f"{option} of openspiel:{kind.short_name} is {said}, not {value}")


def _lists(given: Mapping[str, Any]) -> None:
    """Poker's lists have one number a player or round: other counts crash the library."""
    for option, of in POKER_LISTS.items():
        numbers = str(given[option]).split()
        if len(numbers) != given[of] or not all(number.isdigit() for number in numbers):
            fault = f"{option} of openspiel:universal_poker is {given[of]} numbers ({of})"
            raise BadInput(f"{fault}, like {' '.join(['1'] * given[of])!r}, not {given[option]!r}")


def _poker_deck(given: Mapping[str, Any]) -> tuple[int, int]:
    public = sum(map(int, given["numBoardCards"].split()))
    needed = given["numPlayers"] * given["numHoleCards"] + public
    return needed, given["numRanks"] * given["numSuits"]


def _fish_deck(given: Mapping[str, Any]) -> tuple[int, int]:
    """Whoever is dealt a book is dealt more; three books are enough in any likely deal."""
    players, hand = given["players"], given["initial_cards"]
    hand = (7 if players == 2 else 5) if hand == -1 else hand
    return players * hand + 3 * given["suits"], given["ranks"] * given["suits"]


DECKS: Mapping[str, Callable[[Mapping[str, Any]], tuple[int, int]]] = {
    "go_fish": _fish_deck,
    "universal_poker": _poker_deck,
}
"""How many cards a game needs, and has: the library does not check it, and cannot go on."""


def _enough(name: str, cards: tuple[int, int]) -> None:
    needed, there = cards
    if needed > there:
        raise BadInput(f"openspiel:{name} needs {needed} cards with these options, not {there}")

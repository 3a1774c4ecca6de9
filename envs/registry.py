"""The table of games. A name ends in a version, which every change of behaviour raises."""

import difflib
import inspect
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_type_hints

from sparring.envs.aec import TextEnv, publish, withdraw
from sparring.envs.core import BadInput, Game
from sparring.envs.games.adversarial_taboo import AdversarialTaboo
from sparring.envs.games.avalon import Avalon
from sparring.envs.games.connect_four import ConnectFour
from sparring.envs.games.debate import Debate
from sparring.envs.games.goofspiel import GoofSpiel
from sparring.envs.games.iterated_prisoners_dilemma import IteratedPrisonersDilemma
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.leduc import LeducPoker
from sparring.envs.games.liars_dice import LiarsDice
from sparring.envs.games.negotiation.buy_sell import BuySell
from sparring.envs.games.negotiation.deal_or_no_deal import DealOrNoDeal
from sparring.envs.games.negotiation.simple_negotiation import SimpleNegotiation
from sparring.envs.games.negotiation.ultimatum import Ultimatum
from sparring.envs.games.nim import Nim
from sparring.envs.games.pig import PigDice
from sparring.envs.games.reference_game import reference_game
from sparring.envs.games.rock_paper_scissors import RockPaperScissors
from sparring.envs.games.taboo import Taboo
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.games.twenty_questions import TwentyQuestions
from sparring.envs.games.who_is_the_spy import WhoIsTheSpy
from sparring.envs.referee import RETRIES
from sparring.envs.specs import elsewhere, parse

ENTRY_POINTS = "sparring.games"
"""Entry points in which other packages name their games: ``MyGame-v0 = "module:factory"``."""

GAMES: dict[str, Callable[..., Game]] = {
    "AdversarialTaboo-v0": AdversarialTaboo,
    "Avalon-v0": Avalon,
    "BuySell-v0": BuySell,
    "ConnectFour-v0": ConnectFour,
    "DealOrNoDeal-v0": DealOrNoDeal,
    "Debate-v0": Debate,
    "GoofSpiel-v0": GoofSpiel,
    "IteratedPrisonersDilemma-v0": IteratedPrisonersDilemma,
    "KuhnPoker-v0": KuhnPoker,
    "LeducPoker-v0": LeducPoker,
    "LiarsDice-v0": LiarsDice,
    "Nim-v0": Nim,
    "PigDice-v0": PigDice,
    "ReferenceGame-v0": reference_game,
    "RockPaperScissors-v0": RockPaperScissors,
    "SimpleNegotiation-v0": SimpleNegotiation,
    "Taboo-v0": Taboo,
    "TicTacToe-v0": TicTacToe,
    "TwentyQuestions-v0": TwentyQuestions,
    "Ultimatum-v0": Ultimatum,
    "WhoIsTheSpy-v0": WhoIsTheSpy,
}

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*-v\d+")


def register(name: str, factory: Callable[..., Game]) -> None:
    """Add a game. ``factory(**options)`` returns its rules.

    Raises:
        BadInput: the name has no version, or is taken.
    """
    if not NAME.fullmatch(name):
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
    withdraw(name)


@cache
def _load_entry_points() -> None:
    """Add the games of installed packages, once; a game of ours is never replaced."""
    for point in entry_points(group=ENTRY_POINTS):
        if not NAME.fullmatch(point.name):  # one bad package does not stop the others
            fault = f"left out: a game's name looks like MyGame-v0, not {point.name!r}"
            warnings.warn(fault, stacklevel=2)
        elif point.name not in GAMES:
            register(point.name, Installed(point))


@dataclass(frozen=True)
class Installed:
    """Makes the game of another package, which is imported only then."""

    point: EntryPoint

    def __call__(self, **options: Any) -> Game:
        made: Game = self.load()(**options)
        return made

    def load(self) -> Callable[..., Game]:
        """The factory. Raises ``BadInput`` if the package cannot be imported."""
        try:
            factory: Callable[..., Game] = self.point.load()
        except Exception as fault:  # whatever the package does at its import
            package = self.point.dist.name if self.point.dist else "some package"
            raise BadInput(
                f"{self.point.name} is a game of {package}, which cannot be imported: {fault}"
            ) from fault
        return factory


def publish_all() -> None:
    """Put every game known so far into PettingZoo's registry."""
    for name in GAMES:
        _publish(name)


def games() -> tuple[str, ...]:
    """The names of all registered games, those of installed packages included."""
    _load_entry_points()
    return tuple(sorted(GAMES))


def game(spec: str, **options: Any) -> Game:
    """The bare rules of a game, for solvers and runners.

    ``spec`` names it, possibly with options (``envs/specs.py``); ``options`` go before those.

    Raises:
        BadInput: no such game, or an option that it does not have or allow.
    """
    name, given = parse(spec)
    factory = elsewhere(name) or _registered(name)
    options = {**given, **options}
    # checked here, so that a TypeError inside a factory is never mistaken for this
    known = inspect.signature(factory).parameters if options else {}
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    unknown = [option for option in options if option not in known]
    if unknown and not open_ended:
        has = f"its options: {', '.join(known)}" if known else "it has none"
        raise BadInput(f"{name} has no option {unknown[0]!r}; {has}")
    return factory(**options)


def _registered(name: str) -> Callable[..., Game]:
    """What makes a game of the table, its package imported."""
    _load_entry_points()
    if name not in GAMES:
        raise BadInput(f"no game {name!r}; {_hint(name)}")
    factory = GAMES[name]
    return factory.load() if isinstance(factory, Installed) else factory


def _hint(name: str) -> str:
    """The closest name to one that does not exist, else all of them."""
    by_stem = {known.split("-v")[0].lower(): known for known in games()}
    stem = name.split("-v")[0].lower()
    inside = [known for known in by_stem if known in stem or (len(stem) > 2 and stem in known)]
    close = inside or difflib.get_close_matches(stem, by_stem, n=1)
    return f"did you mean {by_stem[close[0]]}?" if close else f"there are: {', '.join(games())}"


def options_of(spec: str) -> dict[str, tuple[Any, str]]:
    """The options of a game: name to (default, what it does).

    What an option does is said in its annotation: ``hands: Annotated[int, "how many hands"] = 1``.
    """
    name, _ = parse(spec)
    factory = elsewhere(name) or _registered(name)
    try:
        hints = get_type_hints(factory, include_extras=True)
    except (
        TypeError,
        NameError,
    ):  # annotations that cannot be read: the names are enough
        hints = {}
    return {
        p.name: (p.default, next(iter(getattr(hints.get(p.name), "__metadata__", ())), ""))
        for p in inspect.signature(factory).parameters.values()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }


def make(
    name: str, *, retries: int = RETRIES, render_mode: str | None = None, **options: Any
) -> TextEnv:
    """A game as a PettingZoo ``AECEnv``. Raises ``BadInput`` like ``game``."""
    return TextEnv(game(name, **options), retries=retries, render_mode=render_mode)

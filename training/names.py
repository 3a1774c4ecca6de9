"""How metrics are called: FAMILY, FAMILY/GAME, reward/ROLE, reward/GAME/ROLE; and @PLAYER after it.

The game stands there where a run has several, the player where several learn. dropped/REASON and
no_pair/REASON are of all games.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

BY_ROLE = ("reward", "value", "wins")
"""The families in which every role has a number of its own."""

BY_REASON = ("dropped", "no_pair")
"""What stands after these is a reason, and no game."""


class Name(NamedTuple):
    """A metric's name in its parts; empty is what it does not say."""

    family: str
    game: str = ""
    role: str = ""
    player: str = ""

    @property
    def place(self) -> str:
        """What stands after the family: "", "/GAME", "/GAME@PLAYER"; without the role."""
        game, player = self.game and f"/{self.game}", self.player and f"@{self.player}"
        return game + player


@lru_cache(maxsize=4096)
def parse(metric: str) -> Name:
    """The parts of a metric's name. A game may have slashes in it, a role or a player has none."""
    bare, _, player = metric.rpartition("@")
    if not bare or "/" in player:
        bare, player = metric, ""
    family, _, rest = bare.partition("/")
    if family in BY_REASON:
        return Name(bare, player=player)
    if family in BY_ROLE:
        game, _, role = rest.rpartition("/")
        return Name(family, game, role, player)
    return Name(family, rest, "", player)


def games(metrics: Iterable[str]) -> list[str]:
    """The games in these names, in order; none where a run has only one."""
    return list(dict.fromkeys(name.game for name in map(parse, metrics) if name.game))


def finest(metrics: Iterable[str]) -> list[str]:
    """Without those of all games together where each game has its own."""
    parsed = {metric: parse(metric) for metric in metrics}
    split = {(name.family, name.player) for name in parsed.values() if name.game}
    return [m for m, n in parsed.items() if n.game or (n.family, n.player) not in split]

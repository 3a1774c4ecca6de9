"""What a renderer is. It works on strings that the library made for one player, so it cannot leak.

A renderer never sees a state: what it shows of a position is made from that player's own string.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]
"""The parameters of the game, defaults included, and ``players``, their number."""

Words = str | Callable[[Parameters, int], str]
"""Rules: text, or what makes it from the parameters and the seat (from 0)."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """How one game reads.

    ``rules``: what the game is, its goal, what the answers mean; the frame of every rules text
    (which seat, how to answer) is added. ``see``: a player's string in words. ``label``: the
    library's name of an action as an answer. ``string``: which of the library's strings is shown,
    ``"observation"`` or ``"information"``; the other where it does not exist. ``moves``: everybody
    is told every move; ``None`` leaves it to the game (yes with perfect information). ``chance``:
    everybody is told what chance did. ``hidden``: something is hidden, where OpenSpiel says not.
    """

    rules: Words
    see: Callable[[str, Parameters], str] | None = None
    label: Callable[[str], str] | None = None
    string: str = "observation"
    moves: bool | None = None
    chance: bool = False
    hidden: bool | None = None

    def say(self, parameters: Parameters, seat: int) -> str:
        if isinstance(self.rules, str):
            return self.rules
        return self.rules(parameters, seat)


PLAIN = Renderer("")
"""For games without a renderer: OpenSpiel's own strings, cleaned."""

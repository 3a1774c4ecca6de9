"""Small tools that renderers share."""

import re
from collections.abc import Callable, Mapping

from sparring.envs.adapters.openspiel.render.base import Parameters

RANKS = "3456789TJQK"


def nothing(text: str, _: Parameters) -> str:
    """For games in which the moves say everything."""
    return ""


def raw(text: str, _: Parameters) -> str:
    return text


def without(*starts: str) -> Callable[[str, Parameters], str]:
    """All lines but those that start so: bookkeeping that says nothing to a player."""
    return lambda text, _: "\n".join(
        line for line in text.splitlines() if not line.startswith(starts)
    )


def after(text: str, start: str) -> str:
    """What follows ``start`` in the line that begins with it; nothing where no line does."""
    found = re.search(rf"^{re.escape(start)}(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def fields(text: str) -> dict[str, str]:
    """``[Round 1][Pot: 2]`` as a mapping; a field without a colon ends in its value."""
    found = (
        re.split(r":\s*|\s+(?=\S+$)", part, maxsplit=1)
        for part in re.findall(r"\[([^][]*)\]", text)
    )
    return {pair[0]: pair[1].strip() if len(pair) > 1 else "" for pair in found}


def spaced(text: str) -> str:
    """Every row of a board with a space between its cells."""
    return "\n".join(" ".join(row) for row in text.splitlines())


def cell(name: str) -> str:
    """``x(1,2)`` as the number of the cell on three by three, 1 to 9 from the top row down."""
    found = re.search(r"\((\d),(\d)\)", name)
    return str(3 * int(found[1]) + int(found[2]) + 1) if found else name


def swap(table: Mapping[str, str]) -> Callable[[str], str]:
    """Rewrite by regular expressions, one after the other."""

    def word(name: str) -> str:
        for pattern, instead in table.items():
            name = re.sub(pattern, instead, name)
        return name

    return word


def lower(name: str) -> str:
    return name.lower()

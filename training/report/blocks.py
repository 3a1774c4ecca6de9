"""What a page is made of, as values: sections of tiles, figures, tables and policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart. ``name`` is that of its picture, ``note`` says what the numbers are."""

    name: str
    title: str
    spec: Json
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; the columns from ``numbers`` on hold numbers. Folded in unless ``open``."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    numbers: int = 1
    open: bool = False


@dataclass(frozen=True, slots=True)
class Tiles:
    """The few numbers that one looks for first: (what, number)."""

    tiles: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Note:
    """A card with a sentence, what it is about, and when it was so; ``bad``: it is so now."""

    about: str
    when: str
    says: str
    more: str
    bad: bool


@dataclass(frozen=True, slots=True)
class Notes:
    """What one should read first."""

    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class Choice:
    """A policy at one situation: probability of each answer, in equilibrium too where known."""

    situation: str
    chances: Mapping[str, float]
    equilibrium: Mapping[str, float] | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one role does, situation by situation."""

    title: str
    choices: Sequence[Choice]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Replays:
    """Games to step through, as ``agents/replay.py`` makes them."""

    games: Sequence[Json]
    note: str = ""


Block = Figure | Table | Tiles | Notes | Policy | Replays


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with its heading and, if it is in the list of contents, a short one."""

    title: str
    blocks: Sequence[Block]
    note: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page. ``kind`` says in a few words what it is about."""

    title: str
    kind: str
    sections: Sequence[Section] = field(default=())
    footer: str = ""

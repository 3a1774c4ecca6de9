"""The replays that can be browsed: those of the run, and of the games played here.

``RUN/replays.jsonl`` holds one replay a line; ``RUN/played/ID.json`` is a game played on the page,
and ``RUN/played/unfinished/ID.jsonl`` one that is not over: what was chosen, then every answer.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparring.agents.files import write_aside

REPLAYS = "replays.jsonl"
ID = re.compile(r"[\w-]{16,40}")
OF_RUN = re.compile(r"run\.(\d+)")
LISTED = 500
"""So many replays are listed, the newest first; the others can still be opened by their address."""

HEAD = ("game", "seats", "payoffs", "void", "forfeits", "step")
"""What the list shows of a replay."""


@dataclass
class Shelf:
    """Replays by name: ``run.N`` for line N of the run's, an id for a game played here."""

    run: Path | None
    played: Path
    _heads: dict[Path, tuple[int, list[dict[str, Any]]]] = field(default_factory=dict)
    _places: list[tuple[int, int]] = field(default_factory=list)  # of the run's: offset, length

    @property
    def unfinished(self) -> Path:
        return self.played / "unfinished"

    def listing(self) -> list[dict[str, Any]]:
        """What there is, newest first: name, game, seats, payoffs."""
        files = sorted(self.played.glob("*.json"), key=_changed, reverse=True)
        mine = [head for file in files[:LISTED] for head in self._head(file, _one)]
        return [*mine, *reversed(self._run_heads())][:LISTED]

    def get(self, name: str) -> str | None:
        """One replay as JSON text, or ``None`` if there is none of this name."""
        if line := OF_RUN.fullmatch(name):
            heads, at = self._run_heads(), int(line[1])
            if self.run is None or at >= len(heads):
                return None
            with (self.run / REPLAYS).open("rb") as file:
                offset, length = self._places[at]
                file.seek(offset)
                return file.read(length).decode("utf-8")
        path = self.played / f"{name}.json"
        return path.read_text("utf-8") if ID.fullmatch(name) and path.is_file() else None

    def add(self, name: str, replay: Mapping[str, Any]) -> None:
        """Keep the replay of a finished game."""
        write_aside(self.played / f"{name}.json", json.dumps(replay, ensure_ascii=False))

    def _run_heads(self) -> list[dict[str, Any]]:
        file = self.run / REPLAYS if self.run is not None else None
        return self._head(file, self._lines) if file is not None and file.is_file() else []

    def _head(self, file: Path, read: Any) -> list[dict[str, Any]]:
        """What the list shows of a file, read again only when the file has changed."""
        changed = _changed(file)
        if self._heads.get(file, (None, []))[0] != changed:
            self._heads[file] = changed, read(file)
        return self._heads[file][1]

    def _lines(self, file: Path) -> list[dict[str, Any]]:
        heads: list[dict[str, Any]] = []
        places: list[tuple[int, int]] = []
        offset = 0
        with file.open("rb") as lines:
            for line in lines:
                head = _head_of(line, f"run.{len(heads)}")
                if head is not None:  # else a line that a kill cut off
                    heads.append(head)
                    places.append((offset, len(line)))
                offset += len(line)
        self._places = places
        return heads


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:  # it has gone since it was listed
        return 0


def _one(file: Path) -> list[dict[str, Any]]:
    head = _head_of(file.read_bytes(), file.stem)
    return [] if head is None else [head]


def _head_of(text: bytes, name: str) -> dict[str, Any] | None:
    try:
        replay = json.loads(text)
        head = {key: replay[key] for key in HEAD if replay.get(key)}
    except (ValueError, AttributeError, TypeError):
        return None
    return {"name": name, **head} if {"game", "seats"} <= head.keys() else None

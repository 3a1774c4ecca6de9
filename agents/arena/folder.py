"""A tournament's folder. Every finished game is in it at once; what is shown is made from that.

config.json                  what was asked for
games.jsonl                  one line a finished game, as it ends: from it a stopped one goes on
replays.jsonl                some games whole
results.csv, .parquet        the table (table.py), at the end and at a stop
summary.json                 the statistics (summary.py)
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import polars as pl

from sparring.agents.arena.schedule import Contest, Fixture, Pairing
from sparring.agents.arena.summary import Summary
from sparring.agents.arena.table import table
from sparring.agents.files import write_aside
from sparring.agents.replay import Chances, replay
from sparring.envs.core import BadInput, Episode, Game

CONFIG, GAMES, REPLAYS, SUMMARY = "config.json", "games.jsonl", "replays.jsonl", "summary.json"


@dataclass
class Folder:
    """Keeps a tournament (``tournament.Keeper``). Of the games of the pairings in ``shown``
    (spec and pairing) the first ``deals`` deals are kept whole."""

    path: Path
    shown: frozenset[tuple[str, Pairing]] = frozenset()
    deals: int = 1
    _games: IO[str] | None = None
    _replayed: set[int] = field(default_factory=set)

    def __enter__(self) -> "Folder":
        self.path.mkdir(parents=True, exist_ok=True)
        for name in (GAMES, REPLAYS):
            _mend(self.path / name)
        self._replayed = {line["index"] for line in _lines(self.path / REPLAYS)}
        self._games = (self.path / GAMES).open("a", encoding="utf-8")
        return self

    def __exit__(self, *fault: object) -> None:
        if self._games:
            self._games.close()

    def finished(self) -> Mapping[int, Sequence[Mapping[str, Any]]]:
        return {line["index"]: line["rows"] for line in _lines(self.path / GAMES)}

    def keep(self, index: int, found: Sequence[Mapping[str, Any]]) -> None:
        assert self._games, "the folder is open only inside `with`"
        self._games.write(json.dumps({"index": index, "rows": found}) + "\n")
        self._games.flush()  # a kill loses what Python holds, not what the system has

    def wants(self, index: int, fixture: Fixture) -> bool:
        shown = (fixture.contest.spec, fixture.pairing) in self.shown
        return shown and fixture.deal < self.deals and index not in self._replayed

    def keep_whole(self, index: int, game: Game, episode: Episode, chances: Chances) -> None:
        try:
            line = {"index": index, **replay(game, episode, chances)}
        except ValueError:  # a judge in the rules that changed its mind: not to be shown again
            return
        with (self.path / REPLAYS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._replayed.add(index)

    def table(self) -> pl.DataFrame:
        """The table of the games that are in the folder."""
        return table([row for found in self.finished().values() for row in found])

    def write_results(self, table: pl.DataFrame) -> None:
        """The table for others to read, as CSV and Parquet."""
        aside = self.path / ".results.part"
        table.write_csv(aside)
        aside.replace(self.path / "results.csv")
        table.write_parquet(aside)
        aside.replace(self.path / "results.parquet")

    def write_summary(self, summary: Summary) -> None:
        write_aside(self.path / SUMMARY, json.dumps(finite(asdict(summary)), indent=1) + "\n")


SHOWN = 60  # games kept whole, at most: enough to look at


def to_show(contests: Sequence[Contest]) -> tuple[frozenset[tuple[str, Pairing]], int]:
    """Pairings spread evenly over all of them, and how many deals of each to keep whole."""
    every = [(contest.spec, pairing) for contest in contests for pairing in contest.pairings()]
    stride = -(-2 * len(every) // SHOWN)
    chosen = every[:: max(stride, 1)]
    return frozenset(chosen), max(1, min(5, SHOWN // (2 * len(chosen))))


def finite(value: Any) -> Any:
    """The value with None for each number that JSON has no word for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return value


def _mend(path: Path) -> None:
    """Take off a last line that a kill cut short."""
    if path.exists() and (text := path.read_bytes()) and not text.endswith(b"\n"):
        aside = path.with_name(f".{path.name}.part")
        aside.write_bytes(text[: text.rfind(b"\n") + 1])
        aside.replace(path)


def _lines(path: Path) -> list[Any]:
    """The objects of a file of JSON lines; none if there is no file.

    Raises:
        BadInput: a line cannot be read.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise BadInput(f"{path} is damaged ({fault}); delete it to play its games again") from fault

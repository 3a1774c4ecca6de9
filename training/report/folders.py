"""What the folder of a run or of a tournament holds. Any part may be missing, but not damaged."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.envs.core import BadInput
from sparring.training.report.blocks import Json
from sparring.training.tracking.jsonl import METRICS
from sparring.training.tracking.watch import FILE as ALARMS

CONFIG = "config.json"
POLICY = "policy.json"
REPLAYS = "replays.jsonl"
SUMMARY = "summary.json"
GAMES = "games.jsonl"


@dataclass(frozen=True, slots=True)
class Run:
    """A training run. ``policy``: see ``training/report/keep.py``; ``alarms``:
    ``training/tracking/watch.py``."""

    name: str
    folder: Path
    recipe: str
    options: Mapping[str, Any]
    metrics: Sequence[Json]
    policy: Json | None
    replays: Sequence[Json]
    alarms: Sequence[Json] = ()


@dataclass(frozen=True, slots=True)
class Tournament:
    """A tournament. ``summary``: ``agents/arena/summary.py`` as JSON."""

    name: str
    folder: Path
    options: Mapping[str, Any]
    summary: Json
    replays: Sequence[Json]


Found = Run | Tournament


def read(folder: Path, name: str | None = None) -> Found:
    """The run or the tournament in a folder, by default under the folder's own name.

    Raises:
        BadInput: it holds neither, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}; name that of a run or a tournament")
    named = name or folder.resolve().name
    config = _json(folder / CONFIG) or {}
    replays = lines(folder / REPLAYS)
    if (folder / METRICS).is_file():
        recipe, options = str(config.get("recipe", "")), config.get("options") or {}
        metrics = [line for line in lines(folder / METRICS) if "step" in line]
        policy = _json(folder / POLICY)
        alarms = lines(folder / ALARMS)
        return Run(named, folder, recipe, options, metrics, policy, replays, alarms)
    if (folder / SUMMARY).is_file() or (folder / GAMES).is_file():
        summary = _json(folder / SUMMARY) or {}
        return Tournament(named, folder, config, summary, replays)
    raise BadInput(
        f"{folder} holds neither a run ({METRICS}) nor a tournament ({GAMES}, {SUMMARY})"
    )


def read_all(folders: Sequence[Path]) -> list[Found]:
    """Several, each under a name of its own: the folder's, with its parents' where two are alike.

    Raises:
        BadInput: as ``read``, or a folder is named twice.
    """
    places = [folder.resolve() for folder in folders]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise BadInput(f"{folders[i]} is named twice")
    depth = 1
    while len({place.parts[-depth:] for place in places}) < len(places):
        depth += 1
    return [read(f, "/".join(p.parts[-depth:])) for f, p in zip(folders, places, strict=True)]


def _json(path: Path) -> Json | None:
    """The object in a file; ``None`` where there is no file.

    Raises:
        BadInput: there is something else in it.
    """
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise BadInput(f"{path} is damaged ({fault})") from fault
    if not isinstance(value, dict):
        raise BadInput(f"{path} is damaged (it holds no object)")
    return value


def lines(path: Path) -> list[Json]:
    """The objects of a file of JSON lines. A last line that a kill cut off is left out.

    Raises:
        BadInput: another line cannot be read.
    """
    if not path.is_file():
        return []
    try:
        *whole, rest = path.read_text(encoding="utf-8").split("\n")
        values = [json.loads(line) for line in whole if line.strip()]
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise BadInput(f"{path} is damaged ({fault})") from fault
    with suppress(json.JSONDecodeError):
        values += [json.loads(rest)] if rest.strip() else []
    if not all(isinstance(value, dict) for value in values):
        raise BadInput(f"{path} is damaged (a line holds no object)")
    return values

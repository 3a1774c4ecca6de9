"""Unfinished games on disk: what was chosen and drawn, then every answer, a line each.

With the same draws and the same answers a game goes the same way, so the record is enough for the
next server to go on with it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparring.agents.files import write_aside
from sparring.envs.core import Action, BadInput
from sparring.training.serve.core import Heard, Setup
from sparring.training.serve.lineup import Lineup
from sparring.training.serve.table import Table


def begin(file: Path, setup: Setup) -> None:
    """Start the record of a game."""
    _append(file, asdict(setup))


def add(file: Path, heard: Heard) -> None:
    """One answer more."""
    said = heard.action
    _append(
        file,
        {
            "role": heard.seen.role,
            "text": said.text,
            "private": said.private,
            "tokens": said.tokens,
            "chances": heard.chances,
        },
    )


def restored(file: Path, lineup: Lineup) -> Table:
    """The table of a record. It plays the answers that were given again by itself.

    Raises:
        BadInput: it is no record, or its game is not on offer any more.
    """
    lines = _whole_lines(file)
    try:
        setup = Setup(**lines[0])
        table = Table(file.stem, setup, lineup.game(setup.game))
        for line in lines[1:]:
            said = Action(line["text"], line["private"], tokens=tuple(line["tokens"]))
            table.tell(line["role"], said, line["chances"])
    except (IndexError, KeyError, TypeError) as fault:
        raise BadInput(f"{file} is not the record of a game") from fault
    return table


def _whole_lines(file: Path) -> list[dict[str, Any]]:
    """What can be read of a record; a line that a kill cut off is taken away, so that the next one
    does not grow onto it, and its answer is asked for again."""
    found: list[dict[str, Any]] = []
    text = file.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines(keepends=True):
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    if found and not (text.endswith("\n") and len(found) == text.count("\n")):
        write_aside(file, "".join(json.dumps(line) + "\n" for line in found))
    return found


def _append(file: Path, line: Mapping[str, object]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")

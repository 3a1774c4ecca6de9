"""sparring tournament AGENT...: many agents, games that are kept, ratings, a report."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from sparring.agents.arena.folder import CONFIG, Folder, to_show
from sparring.agents.arena.schedule import Contest, Schedule
from sparring.agents.arena.summary import Summary, summarise
from sparring.agents.arena.tournament import play
from sparring.agents.engines.core import EngineFault
from sparring.agents.files import in_use, write_aside
from sparring.agents.registry import pinned
from sparring.envs.core import BadInput
from sparring.training.commands.common import out, parse
from sparring.training.commands.contests import Contests, contests, schedule
from sparring.training.commands.standings import show
from sparring.training.commands.usage import counted, everybody, kept
from sparring.training.progress import progress_bar
from sparring.training.report import report

PLAIN_EVERY = 0.1  # of the games, between lines where the output is not a terminal


@dataclass(frozen=True, kw_only=True)
class Tournament(Contests):
    """Play a tournament whose games are kept: the table of all games, ratings, a report.

    Stopped or killed, it goes on with --resume and plays no finished game again.
    """

    system: Literal["round-robin", "swiss"] = "round-robin"
    """Everybody with everybody, or rounds in which agents of like score meet."""
    rounds: int = 5
    """Rounds of a Swiss tournament."""
    out: Path | None = None
    """Folder of the tournament; by default the first free one of tournaments/1, 2, ..."""
    resume: Path | None = None
    """Go on with the tournament in this folder, with its own options."""


NOT_KEPT = ("out", "resume")


def run(args: Sequence[str]) -> int:
    """Parse, play, write, say where to look."""
    options = parse(Tournament, "tournament", args)
    if options.resume is not None:
        others = [
            arg for arg in args if not arg.startswith("--resume") and arg != str(options.resume)
        ]
        if others:
            raise BadInput(
                f"{others[0]} cannot be changed on --resume; start a new tournament for it"
            )
        path, options = options.resume, _kept(options.resume)
        played = contests(options)
    else:
        options = replace(options, agents=tuple(map(pinned, options.agents)))
        path = _new(options.out)
        played = contests(options)
    plan = schedule(options, options.system, options.rounds, out.print)
    if not (path / CONFIG).exists():
        path.mkdir(parents=True, exist_ok=True)
        write_aside(path / CONFIG, json.dumps(_config(options), indent=1) + "\n")
    agents = everybody(played)
    with counted(agents), kept(agents, path):
        try:
            found = _play(options, played, plan, path)
        except KeyboardInterrupt:
            _stopped(path)
            return 130
        except EngineFault:
            _stopped(path)
            raise
        _finish(path, played, found)
    return 0


def _play(
    options: Tournament, played: Sequence[Contest], plan: Schedule, path: Path
) -> pl.DataFrame:
    shown, deals = to_show(played)
    with Folder(path, shown, deals) as folder, progress_bar(out) as bar:
        task = bar.add_task("playing", total=None)
        said = 0.0

        def progress(done: int, planned: int) -> None:
            nonlocal said
            bar.update(task, completed=done, total=planned)
            if not out.is_terminal and done >= said * planned:
                out.print(f"{done}/{planned} games")
                said = done / planned + PLAIN_EVERY

        return asyncio.run(
            play(
                played,
                plan,
                seed=options.seed,
                keeper=folder,
                at_once=options.at_once,
                progress=progress,
            )
        )


def _stopped(path: Path) -> None:
    """Write the table of what was played, and say how to go on."""
    with Folder(path) as folder:
        table = folder.table()
        folder.write_results(table)
    out.print(f"Stopped after {table['index'].n_unique()} games; all are kept. Go on with:")
    out.print(f"  sparring tournament --resume {path}")


def _finish(path: Path, played: Sequence[Contest], found: pl.DataFrame) -> Summary:
    sums = {contest.spec: str(contest.game.declares.sum) for contest in played}
    with Folder(path) as folder:
        folder.write_results(found)
        summary = summarise(found, sums)
        folder.write_summary(summary)
    report(path)
    show(summary)
    out.print(f"""
Look at
  {path}/report.html        ratings, cross-play, replays
  {path}/results.csv        one row for each seat of each game (also results.parquet)
  {path}/summary.json       every number above, with its interval""")
    return summary


def _new(path: Path | None) -> Path:
    """The folder for a new tournament.

    Raises:
        BadInput: it is in use.
    """
    if path is None:
        return next(
            p for n in range(1, 1 << 20) if not (p := Path("tournaments") / str(n)).exists()
        )
    if in_use(path):
        raise BadInput(
            f"{path} exists; go on with it: sparring tournament --resume {path}, "
            "or choose another --out"
        )
    return path


def _config(options: Tournament) -> dict[str, object]:
    return {name: value for name, value in asdict(options).items() if name not in NOT_KEPT}


def _kept(path: Path) -> Tournament:
    """The options that a tournament was started with.

    Raises:
        BadInput: the folder holds no tournament, or one that cannot be read.
    """
    file = path / CONFIG
    if not file.is_file():
        raise BadInput(f"{path} is no tournament: it has no {CONFIG}")
    try:
        saved = json.loads(file.read_text())
        known = {f.name for f in fields(Tournament)} - set(NOT_KEPT)
        if not isinstance(saved, dict) or set(saved) != known:
            raise KeyError("other options")
        lists: dict[str, Any] = {
            n: tuple(v) if isinstance(v, list) else v for n, v in saved.items()
        }
        return Tournament(**lists)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as fault:
        raise BadInput(f"{file} cannot be read ({fault}); is it from another version?") from fault

"""sparring evaluate AGENT AGENT...: who is stronger, by how much, how sure."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sparring.agents.arena.folder import finite
from sparring.agents.arena.schedule import Contest
from sparring.agents.arena.summary import Summary, summarise
from sparring.agents.arena.tournament import play
from sparring.training.commands.common import out, parse
from sparring.training.commands.contests import Contests, contests, schedule
from sparring.training.commands.standings import show
from sparring.training.commands.usage import counted, everybody, spent
from sparring.training.progress import progress_bar


@dataclass(frozen=True, kw_only=True)
class Evaluate(Contests):
    """Play agents against each other: every pair, all seatings, the same deals for all.

    Prints means with 95 % intervals that count deals, not games. Nothing is kept; `sparring
    tournament` keeps the games, goes on after a stop and writes a report.
    """

    json: bool = False
    """Print one JSON object instead of tables."""


def run(args: Sequence[str]) -> int:
    """Parse, play, print."""
    options = parse(Evaluate, "evaluate", args)
    played = contests(options)
    agents = everybody(played)
    with counted(agents, quiet=options.json):
        summary = _played(options, played)
        if options.json:
            usage = spent(agents)
            print(json.dumps(finite(asdict(summary) | ({"usage": usage} if usage else {}))))
        else:
            show(summary)
    return 0


def _played(options: Evaluate, played: Sequence[Contest]) -> Summary:
    plan = schedule(
        options, "round-robin", 1, lambda line: None if options.json else out.print(line)
    )
    with progress_bar(out, transient=True, disable=options.json) as bar:
        task = bar.add_task("playing", total=None)
        found = asyncio.run(
            play(
                played,
                plan,
                seed=options.seed,
                at_once=options.at_once,
                progress=lambda done, planned: bar.update(task, completed=done, total=planned),
            )
        )
    sums = {contest.spec: str(contest.game.declares.sum) for contest in played}
    return summarise(found, sums)

"""sparring evaluate AGENT AGENT: who is stronger, by how much, how sure."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.progress import Progress
from rich.table import Table
from tyro.conf import Positional

from sparring.agents.match import Result, match
from sparring.agents.registry import agent
from sparring.envs.registry import game
from sparring.training.commands.common import out, parse


@dataclass(frozen=True)
class Evaluate:
    """Play two agents against each other: both seatings, the same deals for both.

    Prints the mean payoff of the first agent with 95 % intervals that count deals, not games.
    """

    first: Positional[str]
    """An agent: random, optimal, human, run:DIR[@STEP], hf:PATH."""
    second: Positional[str]
    """Its opponent."""
    game: str = "KuhnPoker-v0"
    """The game they play."""
    games: int = 1000
    """Games in all, an even number: every deal is played from both seats."""
    seed: int = 0
    """The same seed plays the same games."""
    json: bool = False
    """Print one JSON object instead of a table."""


def run(args: Sequence[str]) -> int:
    """Parse, play, print."""
    options = parse(Evaluate, "evaluate", args)
    rules = game(options.game)
    first, second = agent(options.first, rules.name), agent(options.second, rules.name)
    with Progress(console=out, transient=True, disable=options.json) as bar:
        task = bar.add_task("playing", total=options.games)
        found = asyncio.run(
            match(
                rules,
                first,
                second,
                games=options.games,
                seed=options.seed,
                progress=lambda done: bar.update(task, completed=done),
            )
        )
    if options.json:
        print(json.dumps(asdict(found)))
    else:
        show(found)
    return 0


def show(found: Result) -> None:
    """The result as a table."""
    first, second = found.names
    title = f"{found.game}: payoff of {first} against {second}, {found.games} games"
    table = Table(title=title, title_justify="left")
    for column in ("seat of " + first, "mean payoff", "95 % interval", "from"):
        table.add_column(column, justify="left" if column.startswith("seat") else "right")
    games = {role: (e, "games") for role, e in found.by_role.items()}
    for seat, (e, unit) in {**games, "both": (found.payoff, "deals")}.items():
        interval = rf"\[{e.low:+.4f}, {e.high:+.4f}]"
        style = "bold" if unit == "deals" else ""
        table.add_row(seat, f"{e.mean:+.4f}", interval, f"{e.clusters} {unit}", style=style)
    out.print(table)
    for name, legal, forfeits in zip(found.names, found.legal, found.forfeits, strict=True):
        out.print(f"{name}: {legal:.2%} legal answers, {forfeits} forfeits")
    if found.void:
        out.print(f"{found.void} games did not count (void); their deals are left out")

"""sparring evaluate AGENT AGENT...: who is stronger, by how much, how sure."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.progress import Progress
from rich.table import Table
from tyro.conf import Positional

from sparring.agents.match import Result
from sparring.agents.registry import agent
from sparring.agents.standings import Standings, round_robin
from sparring.envs.core import BadInput
from sparring.envs.registry import game
from sparring.training.commands.common import out, parse


@dataclass(frozen=True)
class Evaluate:
    """Play agents against each other: every pair, both seatings, the same deals for all.

    Prints mean payoffs with 95 % intervals that count deals, not games.
    """

    agents: Positional[tuple[str, ...]]
    """Two or more agents: random, optimal, run:DIR[@STEP], hf:PATH."""
    game: str = "KuhnPoker-v0"
    """The game they play."""
    games: int = 1000
    """Games of each pair, an even number: every deal is played from both seats."""
    seed: int = 0
    """The same seed plays the same games."""
    json: bool = False
    """Print one JSON object instead of a table."""


def run(args: Sequence[str]) -> int:
    """Parse, play, print."""
    options = parse(Evaluate, "evaluate", args)
    if len(options.agents) < 2:
        raise BadInput("name at least two agents: sparring evaluate run:runs/kuhn random")
    rules = game(options.game)
    agents = [agent(name, rules.name) for name in options.agents]
    pairs = len(agents) * (len(agents) - 1) // 2
    with Progress(console=out, transient=True, disable=options.json) as bar:
        task = bar.add_task("playing", total=options.games * pairs)
        found = asyncio.run(
            round_robin(
                rules,
                agents,
                games=options.games,
                seed=options.seed,
                progress=lambda done: bar.update(task, completed=done),
            )
        )
    if options.json:
        print(json.dumps(as_json(found)))
    elif pairs == 1:
        show(found.pairs[0, 1])
    else:
        show_standings(found, options.games)
    return 0


def as_json(found: Standings) -> dict[str, Any]:
    """Of two agents their match; of more the scores, best first, and every match."""
    matches = [asdict(each) for each in found.pairs.values()]
    if len(matches) == 1:
        return matches[0]
    scores = [
        {"name": name, **asdict(e)} for name, e in zip(found.names, found.scores, strict=True)
    ]
    scores.sort(key=lambda each: -each["mean"])
    return {"game": found.game, "scores": scores, "matches": matches}


def show_standings(found: Standings, games: int) -> None:
    """The agents, best first, with their mean payoffs against each other."""
    order = sorted(range(len(found.names)), key=lambda i: -found.scores[i].mean)
    title = f"{found.game}: mean payoff, {games} games a pair"
    table = Table(title=title, title_justify="left")
    table.add_column("agent", overflow="fold")
    for column in ("mean payoff", "95 % interval", *(f"v {found.names[i]}" for i in order)):
        table.add_column(column, justify="right", overflow="fold")
    for i in order:
        e = found.scores[i]
        cells = ["" if i == j else f"{found.payoff(i, j):+.4f}" for j in order]
        interval = rf"\[{e.low:+.4f}, {e.high:+.4f}]"
        table.add_row(found.names[i], f"{e.mean:+.4f}", interval, *cells)
    out.print(table)
    if void := sum(each.void for each in found.pairs.values()):
        out.print(f"{void} games did not count (void) and are left out")


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

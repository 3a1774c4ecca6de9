"""A summary of games as tables in the terminal."""

import math

from rich.table import Table

from sparring.agents.arena.estimates import Estimate
from sparring.agents.arena.summary import ByAgent, GameSummary, Summary
from sparring.training.commands.common import out

WIDE = 8  # more agents than this are not crossed in the terminal: the report draws them all
FEW = 5  # more agents than this are not compared two by two in the terminal


def show(found: Summary) -> None:
    """Every game, then the ratings over all of them."""
    for each in found.games.values():
        _scores(each)
        if len(each.scores) == 2:
            _sides(each)
        elif len(each.scores) <= WIDE:
            _cross(each)
        _notes(each)
    if found.ratings:
        table = _table("all games, each with the same weight", "agent", "Elo, 95 %")
        for name, rating in found.ratings.items():
            table.add_row(name, _cell(rating, 0))
        out.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for n, column in enumerate(columns):
        table.add_column(column, overflow="fold", justify="right" if n else "left")
    return table


def _cell(e: Estimate, digits: int = 3) -> str:
    """The mean and its interval, ready for a table."""
    mean = _signed(e.mean, digits)
    if not math.isfinite(e.low):
        return f"{mean} (no interval)"
    return rf"{mean} \[{_signed(e.low, digits)}, {_signed(e.high, digits)}]"


def _signed(x: float, digits: int) -> str:
    return f"{round(x, digits) + 0.0:+.{digits}f}"  # plus 0.0: no -0


def _scores(found: GameSummary) -> None:
    """Each agent, best first: payoff over all opponents, rating, legality."""
    rated: ByAgent = found.ratings or {}
    columns = ["mean payoff, 95 %", *(["Elo, 95 %"] if rated else []), "legal", "forfeits"]
    table = _table(f"{found.game}: {found.games} games, {found.deals} deals", "agent", *columns)
    for name, score in found.scores.items():
        habits = found.habits[name]
        shares = f"{habits.legal.mean:.1%}", f"{habits.forfeits.mean:.1%}"
        table.add_row(name, _cell(score), *([_cell(rated[name], 0)] if rated else []), *shares)
    out.print(table)


def _sides(found: GameSummary) -> None:
    """Of two agents: the payoff of the better one on each side."""
    name = next(iter(found.scores))
    table = _table(f"{name} by side", "side", "mean payoff, 95 %", "won", "drawn", "lost")
    for side, record in sorted(found.records.get(name, {}).items()):
        shares = (record.win, record.draw, record.loss)
        said = ["" if math.isnan(each.mean) else f"{each.mean:.1%}" for each in shares]
        table.add_row(side, _cell(record.payoff), *said)
    out.print(table)


def _cross(found: GameSummary) -> None:
    """Everybody against everybody: the row's mean payoff, with half the width of its interval.
    The columns are numbered like the rows, because names are long."""
    names = list(found.scores)
    numbers = map(str, range(1, len(names) + 1))
    table = _table("mean payoff of the row against the column", "agent", *numbers)
    for number, one in enumerate(names, 1):
        cells = [found.cross.get(one, {}).get(two) for two in names]
        table.add_row(f"{number} {one}", *("" if e is None else _brief(e) for e in cells))
    out.print(table)


def _brief(e: Estimate) -> str:
    half = (e.high - e.low) / 2
    return f"{e.mean:+.3f} ±{half:.3f}" if math.isfinite(half) else f"{e.mean:+.3f}"


def _notes(found: GameSummary) -> None:
    if 2 < len(found.scores) <= FEW:  # of two agents the first table says it
        for pair in found.paired:
            verdict = "differ" if pair.p < 0.05 else "are not told apart"
            p = "p < 0.001" if pair.p < 0.001 else f"p = {pair.p:.3f}"
            difference = _brief(pair.difference)
            out.print(f"{pair.one} and {pair.two} {verdict}: {difference} on the same deals ({p})")
    for measure, by_agent in found.measures.items():
        said = ", ".join(f"{name} {_brief(e)}" for name, e in by_agent.items())
        out.print(f"{measure.replace('_', ' ')}: {said}")
    if found.void:
        out.print(f"{found.void} games did not count (void); their deals are left out of the means")

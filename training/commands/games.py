"""sparring games [GAME]: the games, or the rules of one as a player reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from tyro.conf import Positional

from sparring.envs.registry import game, games, options_of
from sparring.training.commands.common import out, parse


@dataclass(frozen=True)
class Games:
    """List the registered games, or print the rules of one."""

    game: Positional[str | None] = None
    """The game whose rules to print."""


def run(args: Sequence[str]) -> int:
    """Parse, print."""
    options = parse(Games, "games", args)
    if options.game is not None:
        rules = game(options.game)
        for role in rules.roles:
            out.print(f"{role} reads:\n  {rules.rules(role)}\n")
        return 0
    table = Table()
    for column in ("game", "roles", "payoffs", "information", "options"):
        table.add_column(column)
    for name in games():
        rules = game(name)
        known = "hidden" if rules.declares.hidden_information else "perfect"
        table.add_row(name, ", ".join(rules.roles), rules.declares.sum, known, options_of(name))
    out.print(table)
    return 0

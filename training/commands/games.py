"""sparring games [GAME]: the games, or one of them as its players read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from rich.box import SIMPLE_HEAD
from rich.table import Table
from tyro.conf import Positional

from sparring.envs.pages import distinct_rules, information, payoffs, who
from sparring.envs.registry import game, games, options_of
from sparring.envs.specs import ADAPTERS
from sparring.training.commands.common import out, parse


@dataclass(frozen=True)
class Games:
    """List the registered games, or show one: its rules as players read them, and its options."""

    game: Positional[str | None] = None
    """The game to show, with options if you like: 'KuhnPoker-v0(hands=3)'; or a suite whose games
    to list: openspiel, textarena, pettingzoo."""


def run(args: Sequence[str]) -> int:
    """Parse, print."""
    options = parse(Games, "games", args)
    if options.game is None:
        _list()
    elif options.game.rstrip(":") in ADAPTERS:
        _list_suite(options.game.rstrip(":"))
    else:
        _show(options.game)
    return 0


def _list() -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("game", no_wrap=True)  # it is there to be copied
    for column in ("roles", "sum, information", "options"):
        table.add_column(column, overflow="fold")
    for name in games():
        try:
            rules = game(name)
        except Exception as fault:  # a package that is broken does not hide the others
            table.add_row(name, "", "", f"broken: {fault!r}")
            continue
        said = rules.declares
        options = ", ".join(options_of(name))
        table.add_row(name, who(rules.roles), f"{said.sum}, {information(said)}", options)
    out.print(table)
    suites = ", ".join(ADAPTERS)
    out.print(
        f"sparring games NAME shows one; sparring games SUITE lists another suite's: {suites}"
    )


def _list_suite(suite: str) -> None:
    """The games of another suite, as all commands take them."""
    names = import_module(ADAPTERS[suite]).available()
    out.print("\n".join(f"{suite}:{name}" for name in names), markup=False)


def _show(spec: str) -> None:
    rules = game(spec)
    said = rules.declares
    answers = "free speech" if said.free_speech else "listed answers"
    out.print(f"{rules.name}: {payoffs(said)}; {information(said)} information; {answers}")
    out.print(f"roles: {', '.join(rules.roles)}; at most {said.max_turns} answers", markup=False)
    for role, text in distinct_rules(rules).items():
        out.print(f"\n{role} reads:\n  " + text.replace("\n", "\n  "), markup=False)
    if known := options_of(spec):
        out.print("\noptions:")
    for option, (default, help_) in known.items():
        out.print(f"  {option}={default!r}  {help_}", markup=False)

"""sparring play GAME: a person against agents in the terminal, or agents watched at play."""

import asyncio
import random
import shlex
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from tyro.conf import Positional, UseAppendAction

from sparring.agents.core import Agent
from sparring.agents.engines.core import EngineFault
from sparring.agents.hints import Hints
from sparring.agents.human import HumanAgent
from sparring.agents.play import Match, play
from sparring.agents.registry import agent
from sparring.envs.core import BadInput, Episode, Game, Role, View
from sparring.envs.referee import RETRIES
from sparring.envs.registry import game
from sparring.training.commands.common import parse
from sparring.training.commands.usage import counted
from sparring.training.terminal.ending import ending, reveal
from sparring.training.terminal.live import Live
from sparring.training.terminal.screen import Feed, Screen, Waiting
from sparring.training.terminal.watch import Audience, Watched

TRIES = 20
"""Illegal answers at one turn that a game with a person forgives."""

HUMAN = "human"


@dataclass(frozen=True)
class Play:
    """Play a game yourself, or watch agents play it.

    At the prompt, /help lists what you may ask for: rules, legal answers, hints.
    """

    game: Positional[str]
    """The game, with options if you like: 'KuhnPoker-v0(hands=3)'."""
    against: str = "random"
    """The agent in the other seats: random, optimal, run:DIR[@STEP], hf:PATH,
    openai:MODEL[@URL]."""
    seat: UseAppendAction[tuple[str, ...]] = ()
    """ROLE=AGENT: another agent in that seat; may be given several times."""
    role: str | None = None
    """Your seat; the first free one by default."""
    watch: bool = False
    """Watch agents play in all seats, move by move, with their probabilities."""
    delay: float | None = None
    """With --watch: seconds before each answer; by default 1 on a terminal, else 0."""
    seed: int | None = None
    """Fixes the deal and the agents' luck; drawn anew by default."""
    reveal: bool = False
    """At the end show what the other seats saw."""


@dataclass(frozen=True)
class Table:
    """Who sits where: ``own`` is the person's role, ``None`` where agents are watched."""

    game: Game
    names: Mapping[Role, str]
    agents: Mapping[Role, Agent]
    own: Role | None


def run(args: Sequence[str]) -> int:
    """Parse, play, say how it ended."""
    options = parse(Play, "play", args)
    table = _table(options)
    with counted(table.agents.values()):
        return _games(options, table, args)


def _games(options: Play, table: Table, args: Sequence[str]) -> int:
    """One game, and as many more as the person likes."""
    console = Console(highlight=False)
    asked = console.is_terminal and sys.stdin.isatty()
    if asked:
        with suppress(ImportError):  # lines can be edited and called back
            import readline  # noqa: F401
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    total, games = 0.0, 0
    while True:
        screen = Screen(console, table.game.roles, table.own)
        try:
            episode = _played(table, screen, options, seed)
        except (KeyboardInterrupt, EOFError):
            screen.line(f"\nYou left. Play this deal again: {_again(args, seed)}")
            raise
        except EngineFault:
            screen.line(f"The game cannot go on. Play this deal again: {_again(args, seed)}")
            raise
        ending(screen, table.game, episode, table.names)
        if table.own:
            games += 1
            total += episode.payoffs[table.own]
            screen.line(f"Your payoff: {episode.payoffs[table.own]:+g}")
        if options.reveal:
            reveal(screen, table.game, episode)
        screen.line(f"Play this deal again: {_again(args, seed)}")
        if games > 1:
            screen.line(f"You have played {games} games: {total:+g} in all.")
        if not asked or not _more(screen, table.game, episode, options):
            return 0
        seed = random.SystemRandom().getrandbits(32)


def _table(options: Play) -> Table:
    """The seats as the options say.

    Raises:
        BadInput: no such game, role or agent, a seat that is given twice, a delay without --watch.
    """
    rules = game(options.game)
    names = dict(_seat(each, rules) for each in options.seat)
    if len(names) < len(options.seat):
        raise BadInput("a seat is given twice")
    if options.delay is not None and not (options.watch and 0 <= options.delay <= 60):
        raise BadInput("--delay is for --watch, from 0 to 60 seconds")
    if options.role is not None and options.role not in rules.roles:
        raise BadInput(_no_role(options.role, rules))
    own = None if options.watch else options.role or _free(rules, names)
    if options.watch and options.role is not None:
        raise BadInput("--watch has no seat for you; leave out --role")
    if own in names:
        raise BadInput(f"{own} is your seat; --role takes another")
    names = {role: names.get(role, options.against) for role in rules.roles if role != own}
    if options.watch and HUMAN in names.values():
        raise BadInput("--watch is for agents; leave it out to play yourself")
    made = {name: agent(name, rules.name) for name in dict.fromkeys(names.values())}
    return Table(rules, names, {role: made[name] for role, name in names.items()}, own)


def _free(rules: Game, taken: Mapping[Role, str]) -> Role:
    free = [role for role in rules.roles if role not in taken]
    if not free:
        raise BadInput("every seat is given to an agent; leave one to yourself, or add --watch")
    return free[0]


def _seat(given: str, rules: Game) -> tuple[Role, str]:
    role, equals, name = given.partition("=")
    if not equals or not name:
        raise BadInput(f"--seat is ROLE=AGENT, such as {rules.roles[-1]}=random, not {given!r}")
    if role not in rules.roles:
        raise BadInput(_no_role(role, rules))
    return role, name


def _no_role(role: str, rules: Game) -> str:
    return f"{rules.name} has no role {role!r}; roles: {', '.join(rules.roles)}"


def _played(table: Table, screen: Screen, options: Play, seed: int) -> Episode:
    """One game; what happens is shown as it comes."""
    shown = {table.own: "you", **table.names} if table.own else table.names
    order = {role: shown[role] for role in table.game.roles}
    screen.seats(table.game.name, seed, order)
    if table.own is None:
        delay = options.delay if options.delay is not None else float(screen.console.is_terminal)
        audience = Audience(screen, table.game)
        audience.open()
        seats = {r: Watched(a, audience, delay) for r, a in table.agents.items()}
        live = Live(table.game, audience.tell)
        return asyncio.run(_play(Match(live, seats, seed, seed + 1), RETRIES, audience.tell_view))
    own = table.own
    screen.own_rules = table.game.rules(own)
    feed, waiting = Feed(screen, own), Waiting(screen)
    person = HumanAgent(
        show=screen.show,
        news=lambda observation: feed.news(observation.messages),
        rules=lambda observation: table.game.rules(observation.role),
        hint=Hints(table.game),
    )
    live = Live(table.game, feed.tell, waiting.tell)
    match = Match(live, {**table.agents, own: person}, seed, seed + 1)
    try:
        return asyncio.run(_play(match, TRIES, feed.tell_view))
    finally:
        waiting.stop()


async def _play(match: Match, retries: int, tell_view: Callable[[Role, View], None]) -> Episode:
    # asyncio would hold Ctrl-C back until the person has answered.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    episode = await play(match, retries)
    for role, view in episode.views.items():
        tell_view(role, view)  # the referee's last words
    return episode


def _again(args: Sequence[str], seed: int) -> str:
    """The command that plays the same deal, with the same seats."""
    kept, skip = [], False
    for arg in args:
        if skip or arg == "--seed" or arg.startswith("--seed="):
            skip = arg == "--seed"
            continue
        kept.append(arg)
    return shlex.join(["sparring", "play", *kept, "--seed", str(seed)])


def _more(screen: Screen, rules: Game, episode: Episode, options: Play) -> bool:
    """Ask what follows the end; whether another deal is wanted."""
    keys = "Enter leaves, n deals anew" + ("" if options.reveal else ", r shows what others saw")
    while True:
        match input(f"{keys}> ").strip().lower().removeprefix("/"):
            case "" | "q" | "quit":
                return False
            case "n" | "new":
                return True
            case "r" | "reveal":
                reveal(screen, rules, episode)

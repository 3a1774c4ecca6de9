"""What `evaluate` and `tournament` share: who plays what, and how long."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional, UseAppendAction

from sparring.agents.arena.schedule import Contest, RoundRobin, Schedule
from sparring.agents.arena.swiss import Swiss
from sparring.agents.arena.until import Until
from sparring.agents.core import Agent
from sparring.agents.registry import agent, is_local, is_model
from sparring.envs.core import BadInput, Game
from sparring.envs.registry import game

GAMES, SWISS_GAMES, MOST_GAMES = 1000, 20, 100_000
MEMORY = 1 << 29  # bytes of keys and values in all


@dataclass(frozen=True, kw_only=True)
class Contests:
    """Who plays what, and how long."""

    agents: Positional[tuple[str, ...]] = ()
    """Two or more agents: random, optimal, run:DIR[@STEP], hf:PATH,
    openai:MODEL[@URL]."""
    game: tuple[str, ...] = ("KuhnPoker-v0",)
    """One or more games; options go with the name, as in 'KuhnPoker-v0(players=3)'."""
    games: int | None = None
    """Games of each pairing in each game, an even number: every deal is played twice, with the
    agents exchanged. Default 1000 (20 in each round of a Swiss; with --until at most 100,000)."""
    until: str | None = None
    """Play until every pairing's mean payoff is known to ±0.02, say, at 95 %."""
    seat: UseAppendAction[tuple[str, ...]] = ()
    """ROLE=AGENT: this agent holds that seat in all games and is not compared, as a judge; may be
    given several times."""
    seed: int = 0
    """The same seed plays the same games."""
    at_once: int = 256
    """Games in flight at a time: more keep an engine busier, fewer take less memory."""


def contests(options: Contests) -> list[Contest]:
    """The games with everybody who plays them, loaded; a model is loaded once for all games.

    Raises:
        BadInput: fewer than two agents, a game or an agent that does not exist, a seat that no
            game has.
    """
    if len(options.agents) < 2:
        raise BadInput("name at least two agents: sparring evaluate run:runs/kuhn random")
    if options.at_once < 1:
        raise BadInput(f"--at-once must be at least 1, not {options.at_once}")
    games = [game(spec) for spec in options.game]
    fixed = dict(_seat(each) for each in options.seat)
    for role in fixed:
        if not any(role in each.roles for each in games):
            listed = "; ".join(f"{each.name}: {', '.join(each.roles)}" for each in games)
            raise BadInput(f"no game here has a role {role!r} ({listed})")
    load = _Loader({})
    found = []
    for each in games:
        players = {label: load(name, each) for label, name in _labelled(options.agents).items()}
        seats = {role: load(name, each) for role, name in fixed.items() if role in each.roles}
        found.append(Contest(each, players, seats))
    if any(map(is_local, (*options.agents, *fixed.values()))):
        from sparring.agents.pretrained import share_memory  # brings torch, which takes time

        share_memory(load.loaded.values(), MEMORY)
    if len({contest.spec for contest in found}) < len(found):
        raise BadInput("the same game is named twice")
    return found


def schedule(
    options: Contests,
    system: Literal["round-robin", "swiss"],
    rounds: int,
    tell: Callable[[str], None],
) -> Schedule:
    """What the options ask for. Raises ``BadInput`` where they do not fit together."""
    if system == "swiss":
        if options.until is not None:
            raise BadInput("--until is for a round robin; a Swiss tournament has --rounds")
        return Swiss(rounds, options.games or SWISS_GAMES)
    if options.until is not None:
        return Until(_half_width(options.until), options.games or MOST_GAMES, tell)
    return RoundRobin(GAMES if options.games is None else options.games)


def _half_width(text: str) -> float:
    try:
        return float(text.strip().removeprefix("±").removeprefix("+-"))
    except ValueError:
        raise BadInput(f"--until takes a half width, as in --until ±0.02, not {text!r}") from None


def _seat(text: str) -> tuple[str, str]:
    role, equals, name = text.partition("=")
    if not (role and equals and name):
        raise BadInput(f"--seat takes ROLE=AGENT, as in --seat judge=random, not {text!r}")
    return role, name


def _labelled(names: Sequence[str]) -> Mapping[str, str]:
    """Each agent under a label of its own: the second ``random`` is ``random (2)``."""
    labels: dict[str, str] = {}
    for name in names:
        copy = sum(name == earlier for earlier in labels.values()) + 1
        labels[name if copy == 1 else f"{name} ({copy})"] = name
    return labels


@dataclass(frozen=True)
class _Loader:
    """Loads agents; one that does not hang on the game is loaded once."""

    loaded: dict[tuple[str, str], Agent]

    def __call__(self, name: str, rules: Game) -> Agent:
        key = name, "" if is_model(name) else rules.name
        if key not in self.loaded:
            self.loaded[key] = agent(name, rules.name)
        return self.loaded[key]

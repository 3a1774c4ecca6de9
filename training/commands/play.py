"""sparring play GAME: a person against an agent in the terminal."""

import asyncio
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from sparring.agents.human import HumanAgent
from sparring.agents.play import Match, play
from sparring.agents.registry import agent
from sparring.envs.core import BadInput
from sparring.envs.registry import game
from sparring.training.commands.common import out, parse


@dataclass(frozen=True)
class Play:
    """Play a game yourself."""

    game: Positional[str]
    """The game."""
    against: str = "random"
    """The agent in the other seats."""
    role: str | None = None
    """Your seat; the first by default."""
    seed: int | None = None
    """Fixes the deal and the agent's luck; drawn anew by default."""


def run(args: Sequence[str]) -> int:
    """Parse, play one game, say how it ended."""
    options = parse(Play, "play", args)
    rules = game(options.game)
    own = options.role or rules.roles[0]
    if own not in rules.roles:
        raise BadInput(f"{rules.name} has no role {own!r}; roles: {', '.join(rules.roles)}")
    opponent = agent(options.against, rules.name)
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    person = HumanAgent()
    seats = {role: person if role == own else opponent for role in rules.roles}

    async def table() -> None:
        # asyncio would hold Ctrl-C back until the person has answered.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        episode = await play(Match(rules, seats, seed, seed + 1))
        turns = episode.turns_of(own)
        known = len(turns[-1].observation.messages) if turns else 0
        for message in episode.views[own][known:]:
            person.show(message.text)
        out.print(f"Your payoff: {episode.payoffs[own]:+g}   (seed {seed})")

    asyncio.run(table())
    return 0

"""Two agents against each other in one game, from Python: a tournament of one pairing."""

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.agents.arena.estimates import Estimate
from sparring.agents.arena.schedule import Contest, RoundRobin
from sparring.agents.arena.summary import GameSummary, summarise
from sparring.agents.arena.tournament import Progress, play, quiet
from sparring.agents.core import Agent
from sparring.envs.core import Game, Role


@dataclass(frozen=True, slots=True)
class Result:
    """What a match showed. ``names``: the agents, told apart where they have the same name."""

    names: tuple[str, str]
    summary: GameSummary

    @property
    def payoff(self) -> Estimate:
        """The first agent's mean payoff a game over all seatings, clustered by deal."""
        one, two = self.names
        return self.summary.cross[one][two]

    @property
    def opponent(self) -> Estimate:
        """The second agent's: in a zero-sum game the negative."""
        one, two = self.names
        return self.summary.cross[two][one]

    @property
    def by_side(self) -> Mapping[str, Estimate]:
        """The first agent's mean payoff on each side (a role, or a team)."""
        records = self.summary.records[self.names[0]]
        return {side: record.payoff for side, record in records.items()}


async def match(
    game: Game,
    first: Agent,
    second: Agent,
    *,
    games: int,
    seats: Mapping[Role, Agent] | None = None,
    seed: int = 0,
    at_once: int = 1024,
    progress: Progress = quiet,
) -> Result:
    """Play ``games`` games, every deal from both sides, and say how the first agent did.

    ``seats``: agents that hold a seat in all games and are not compared, such as a judge.

    Raises:
        BadInput: ``games`` is not a positive even number, all games were void, or ``seats`` names
            a role that the game does not have.
    """
    names = first.name, second.name if second.name != first.name else f"{second.name} (2)"
    contest = Contest(game, dict(zip(names, (first, second), strict=True)), seats or {})
    table = await play([contest], RoundRobin(games), seed=seed, at_once=at_once, progress=progress)
    summary = summarise(table, {contest.spec: str(game.declares.sum)}, seed=seed)
    return Result(names, summary.games[contest.spec])

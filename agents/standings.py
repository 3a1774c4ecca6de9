"""Several agents, each against each other: who does best on average, and how sure that is.

Every pair plays the same deals, from both seats. An agent's score on a deal is its mean payoff
over all opponents; the interval counts deals, because all games of a deal share its luck.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from sparring.agents.arena.estimates import Estimate, estimate
from sparring.agents.core import Agent
from sparring.agents.match import Result, check_match, fixtures, result
from sparring.agents.play import play_many
from sparring.envs.core import BadInput, Episode, Game


@dataclass(frozen=True, slots=True)
class Standings:
    """What a round robin showed.

    ``names``: the agents as they were given. ``scores``: of each, its mean payoff a game over all
    opponents and both seats, clustered by deal. ``pairs``: the match of agents i < j, from i's
    side.
    """

    game: str
    names: tuple[str, ...]
    scores: tuple[Estimate, ...]
    pairs: Mapping[tuple[int, int], Result]

    def payoff(self, one: int, two: int) -> float:
        """The mean payoff of agent ``one`` against agent ``two``, in the game's payoff unit."""
        if one < two:
            return self.pairs[one, two].payoff.mean
        return self.pairs[two, one].opponent.mean


async def round_robin(
    game: Game,
    agents: Sequence[Agent],
    *,
    games: int,
    seed: int = 0,
    at_once: int = 1024,
    progress: Callable[[int], None] = lambda done: None,
) -> Standings:
    """Play ``games`` games of every pair and rank the agents.

    Raises:
        BadInput: fewer than two agents, a game that is not for two, or a number of games that is
            not a positive even number.
    """
    if len(agents) < 2:
        raise BadInput(f"a round robin needs at least two agents, not {len(agents)}")
    check_match(game, games)
    pairs = list(combinations(range(len(agents)), 2))
    planned = chain.from_iterable(
        fixtures(game, agents[i], agents[j], games, seed) for i, j in pairs
    )
    episodes: dict[int, Episode] = {}
    async for index, episode in play_many(planned, at_once=at_once):
        episodes[index] = episode
        progress(len(episodes))
    played = {pair: [episodes[n * games + k] for k in range(games)] for n, pair in enumerate(pairs)}
    names = tuple(agent.name for agent in agents)
    return Standings(
        game=game.name,
        names=names,
        scores=tuple(_score(game, played, agent) for agent in range(len(agents))),
        pairs={(i, j): result(game, (names[i], names[j]), played[i, j]) for i, j in pairs},
    )


def _score(game: Game, played: Mapping[tuple[int, int], Sequence[Episode]], agent: int) -> Estimate:
    """One value a deal: the agent's mean payoff over its opponents. Void games are left out."""
    a, b = game.roles
    by_deal: dict[int, list[float]] = {}
    for (i, j), episodes in played.items():
        if agent in (i, j):
            for k, episode in enumerate(episodes):
                if episode.void is None:
                    # even games seat the first agent of the pair in the first role
                    role = a if (k % 2 == 0) == (agent == i) else b
                    by_deal.setdefault(k // 2, []).append(episode.payoffs[role])
    return estimate([math.fsum(paid) / len(paid) for paid in by_deal.values()])

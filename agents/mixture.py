"""A mixture of agents in one seat: for each game one of them is drawn, and it plays to the end.

This is what the result of fictitious self-play or of a double oracle is. As a policy it is the
behaviour strategy that gives every play the same probability (Kuhn's theorem, 1953): with w_k the
weight of member k and x_k the probability that its own answers lead to this observation,

    π(a) = Σ_k w_k·x_k·π_k(a) / Σ_k w_k·x_k
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparring.agents.core import Agent, HasPolicy
from sparring.envs.answers import choose
from sparring.envs.core import Action, IllegalAction, Observation, Turn


@dataclass(frozen=True)
class MixtureAgent:
    """``members``: (weight, agent) pairs; weights count by their ratios.

    An agent has no memory, so a game is known again by the luck of its first turn, which comes with
    every later one. A seat whose observations bear no seed always has the same member.

    Raises:
        ValueError: a weight is negative, or none is positive.
    """

    name: str
    members: Sequence[tuple[float, Agent]]

    def __post_init__(self) -> None:
        weights = [weight for weight, _ in self.members]
        if not weights or min(weights) < 0 or not sum(weights):
            raise ValueError(f"weights are 0 or more and not all 0, not {weights}")

    def drawn(self, observation: Observation) -> Agent:
        """The member that plays the game of this observation."""
        first = observation.turns[0].observation if observation.turns else observation
        weights, agents = zip(*self.members, strict=True)
        agent: Agent = random.Random(f"mixture/{first.seed}").choices(agents, weights)[0]
        return agent

    async def act(self, observation: Observation) -> Action:
        return await self.drawn(observation).act(observation)

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        """The formula above. Where no member's own answers lead, the weights alone count.

        Raises:
            TypeError: a member has no policy to ask for.
        """
        members = [(weight, agent) for weight, agent in self.members if weight]
        found = await asyncio.gather(*(_play(agent, observation) for _, agent in members))
        weights = [weight for weight, _ in members]
        reach = [w * x for w, (x, _) in zip(weights, found, strict=True)]
        shares = reach if sum(reach) > 0 else weights
        mixed: dict[str, float] = {}
        for share, (_, chances) in zip(shares, found, strict=True):
            for answer, p in chances.items():
                mixed[answer] = mixed.get(answer, 0.0) + share * p / sum(shares)
        return mixed


async def _play(agent: Agent, observation: Observation) -> tuple[float, Mapping[str, float]]:
    """(The probability of the role's own answers so far, the policy now) of one member."""
    if not isinstance(agent, HasPolicy):
        raise TypeError(f"{agent.name} has no policy to ask for")
    said = [(turn, answer) for turn in observation.turns if (answer := _answer(turn)) is not None]
    asked = [turn.observation for turn, _ in said]
    *before, now = await asyncio.gather(*(agent.policy(o) for o in (*asked, observation)))
    reach = 1.0
    for (_, answer), chances in zip(said, before, strict=True):
        reach *= chances.get(answer, 0.0)
    return reach, now


def _answer(turn: Turn) -> str | None:
    """The legal answer that was given at a turn; ``None`` where it was refused or is not listed."""
    seen = turn.observation
    if not turn.accepted or not seen.legal:
        return None
    try:
        return choose({turn.role: turn.action.text}, turn.role, seen.legal)
    except IllegalAction:  # the game reads answers in ways of its own
        return None

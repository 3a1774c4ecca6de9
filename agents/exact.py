"""An agent measured exactly: its policy at every information set of a solvable game."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sparring.agents.core import HasPolicy
from sparring.envs.core import Role
from sparring.envs.solve import Strategy, Tree, best_response, values


@dataclass(frozen=True, slots=True)
class ExactReport:
    """NashConv = Σ_i BR_i − u_i and exploitability (NashConv / roles), in the payoff unit.

    ``values``: u_i when the agent plays itself. ``best_responses``: BR_i against it.
    """

    nash_conv: float
    exploitability: float
    values: Mapping[Role, float]
    best_responses: Mapping[Role, float]
    strategy: Strategy


async def measure(agent: HasPolicy, tree: Tree) -> ExactReport:
    """Ask the agent for its probabilities at every information set, and solve against them."""
    answers = await asyncio.gather(*(agent.policy(o) for o in tree.observations))
    return report(tree, dict(zip(tree.sets, answers, strict=True)))


def report(tree: Tree, strategy: Strategy) -> ExactReport:
    """The same for a strategy that is known."""
    roles = tree.game.roles
    now = values(tree, strategy)
    best = {role: best_response(tree, strategy, role).value for role in roles}
    gap = sum(best[role] - now[role] for role in roles)
    return ExactReport(gap, gap / len(roles), now, best, strategy)

"""Exact measurement of the learner between updates, where the game is small enough."""

import asyncio

from sparring.agents.exploitability.exact import measure
from sparring.agents.llm import LLMAgent
from sparring.envs.core import BadInput
from sparring.envs.solve import Tree, walk
from sparring.training.core import Metrics
from sparring.training.selfplay import SelfPlay

EXACT_UP_TO = 1000  # information sets; a larger game is not solved at every evaluation


def solvable(loop: SelfPlay) -> Tree | None:
    """The tree of the loop's game, if it is small enough to measure against exactly."""
    try:
        tree = walk(loop.game)
    except BadInput:
        return None
    return tree if len(tree.sets) <= EXACT_UP_TO else None


def evaluate(loop: SelfPlay, tree: Tree | None) -> Metrics:
    """NashConv of the current policy, and the least probability it leaves to legal answers."""
    if tree is None or not isinstance(loop.player, LLMAgent):
        return {}
    player = loop.player

    async def ask() -> Metrics:
        asked = asyncio.gather(*(player.answer_chances(o) for o in tree.observations))
        report, chances = await asyncio.gather(measure(player, tree), asked)  # one batch of both
        value = {f"value/{role}": v for role, v in report.values.items()}
        mass = min(sum(c.values()) for c in chances)
        return {"nash_conv": report.nash_conv, "legal_mass_min": mass, **value}

    return asyncio.run(ask())

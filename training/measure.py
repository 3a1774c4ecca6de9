"""Exact measurement of the learner between updates, where a game is small enough."""

import asyncio
from collections.abc import Mapping

from sparring.agents.by_role import ByRole
from sparring.agents.exploitability.exact import measure
from sparring.envs.core import BadInput
from sparring.envs.solve import Tree, walk
from sparring.training.core import Metrics
from sparring.training.selfplay import SelfPlay

EXACT_UP_TO = 1000  # information sets; a larger game is not solved at every evaluation


def solvable(loop: SelfPlay) -> dict[str, Tree]:
    """By name, the trees of those of the loop's games that are small enough to measure exactly."""
    found = {}
    for entry in loop.mixture.entries:
        try:
            tree = walk(entry.game)
        except BadInput:
            continue
        if len(tree.sets) <= EXACT_UP_TO:
            found[entry.name] = tree
    return found


def evaluate(loop: SelfPlay, trees: Mapping[str, Tree]) -> Metrics:
    """NashConv of the current policy in each game, its values, and the least probability that it
    leaves to legal answers; with the game's name where the loop has several."""
    metrics: Metrics = {}
    for name, tree in trees.items():
        mark = f"/{name}" if len(loop.mixture.entries) > 1 else ""
        metrics |= {_marked(key, mark): x for key, x in asyncio.run(_ask(loop, tree)).items()}
    return metrics


def _marked(key: str, mark: str) -> str:
    """The game stands before the role: value/GAME/ROLE."""
    family, slash, role = key.partition("/")
    return f"{family}{mark}{slash}{role}"


async def _ask(loop: SelfPlay, tree: Tree) -> Metrics:
    agents = loop.agents(tree.game)
    asked = asyncio.gather(*(agents[o.role].answer_chances(o) for o in tree.observations))
    everyone = ByRole("the learner", agents)
    report, chances = await asyncio.gather(measure(everyone, tree), asked)  # one batch of both
    mass = min(sum(c.values()) for c in chances)
    value = {f"value/{role}": v for role, v in report.values.items()}
    return {"nash_conv": report.nash_conv, "legal_mass_min": mass, **value}

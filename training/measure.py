"""Exact measurement of the learner between updates, where a game is small enough."""

import asyncio
from collections.abc import Mapping

from sparring.agents.by_role import ByRole
from sparring.agents.core import HasPolicy
from sparring.agents.exploitability.exact import measure, report
from sparring.agents.exploitability.mixture import behaviour
from sparring.envs.core import BadInput
from sparring.envs.solve import Strategy, Tree, walk
from sparring.training.core import Metrics
from sparring.training.opponents.core import HasMixture, Weighted
from sparring.training.opponents.past_self import PastSelf
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
    leaves to legal answers; with the game's name where the loop has several. Where the opponents
    have a mixture, also what ``average_nash_conv`` says."""
    metrics: Metrics = {}
    for name, tree in trees.items():
        mark = f"/{name}" if len(loop.mixture.entries) > 1 else ""
        metrics |= {_marked(key, mark): x for key, x in asyncio.run(_ask(loop, tree)).items()}
    return metrics | average_nash_conv(loop, trees)


def average_nash_conv(loop: SelfPlay, trees: Mapping[str, Tree]) -> Metrics:
    """The exact NashConv of the opponents' mixture of policies in each game: nash_conv_average.

    It is what fictitious self-play and double oracles bring near 0; the current policy need not
    come there. Nothing where there is no mixture (yet), or where a member has no policy to ask for.
    """
    metrics: Metrics = {}
    if not isinstance(loop.opponents, HasMixture):
        return metrics
    for name, tree in trees.items():
        mark = f"/{name}" if len(loop.mixture.entries) > 1 else ""
        mixture = loop.opponents.mixture(tree.game)
        agents = {a.name: a for some in mixture.values() for _, a in some}
        if agents and all(isinstance(agent, HasPolicy) for agent in agents.values()):
            strategy = asyncio.run(mixed_strategy(tree, mixture))
            metrics[f"nash_conv_average{mark}"] = report(tree, strategy).nash_conv
    return metrics


async def mixed_strategy(tree: Tree, mixture: Weighted) -> Strategy:
    """The behaviour strategy of a mixture of agents with policies; agents are known by name."""
    agents = {a.name: a for some in mixture.values() for _, a in some if isinstance(a, HasPolicy)}
    members = []
    for agent in agents.values():  # one after the other: each computes with weights of its own
        if isinstance(agent, PastSelf):
            agent.forget()  # what it says stays known: its last digits hang on nothing before
        answers = await asyncio.gather(*(agent.policy(o) for o in tree.observations))
        members.append(dict(zip(tree.sets, answers, strict=True)))
    weights = {}
    for role, some in mixture.items():
        own = {agent.name: weight for weight, agent in some}
        weights[role] = [own.get(name, 0.0) for name in agents]
    return behaviour(tree, members, weights)


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

"""What a run keeps beside its checkpoints for people to look at, at every save."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sparring.agents.by_role import ByRole
from sparring.agents.core import Agent, HasPolicy
from sparring.agents.exploitability.exact import measure
from sparring.agents.exploitability.policy_table import reference, rows
from sparring.agents.files import write_aside
from sparring.agents.replay import ask_chances, replay
from sparring.envs.core import Episode, Role
from sparring.envs.registry import game
from sparring.envs.solve import Tree
from sparring.training.report.blocks import Json
from sparring.training.report.folders import POLICY, REPLAYS, lines
from sparring.training.selfplay import SelfPlay

GAMES = 100  # the newest ones are kept
SITUATIONS = 60  # those of a policy that come up most


@dataclass(frozen=True, slots=True)
class Looked:
    """What only the players themselves can say: the policy of one game, where it is small, and the
    shown games with the probabilities of the answers, a line each."""

    policy: Json | None
    games: list[str]


Look = Callable[[SelfPlay, Mapping[str, Tree]], Looked]


def look(loop: SelfPlay, trees: Mapping[str, Tree]) -> Looked:
    """Ask the players, as they are now."""
    found = None
    for name, tree in list(trees.items())[:1]:  # the page has room for one game's policy
        agents = loop.agents(tree.game)
        if all(isinstance(agent, HasPolicy) for agent in agents.values()):
            found = {"game": name, **policy(ByRole("the learner", agents), tree, loop.step)}
    return Looked(found, shown_games(loop))


def keep(
    loop: SelfPlay, folder: Path, trees: Mapping[str, Tree], asked: Look = look, *, last: bool
) -> None:
    """Write policy.json, replays.jsonl and report.html; at the ``last`` save the pictures too."""
    from sparring.training.report import REPORT
    from sparring.training.report.build import build

    found = asked(loop, trees)
    if found.policy is not None:
        write_aside(folder / POLICY, json.dumps(found.policy, indent=1) + "\n")
    if loop.shown:
        write_aside(folder / REPLAYS, "".join(_older(folder, loop.step) + found.games))
    build([folder], folder / REPORT, pictures=last)


def policy(player: HasPolicy, tree: Tree, step: int) -> Json:
    """How likely ``player`` gives each answer: {"step", "sets", "note", "rows"}.

    The rows are those of ``policy_table.rows``, without views, for the situations that come up
    most; "sets" counts all. "note" says which equilibrium stands beside them.
    """
    found = asyncio.run(measure(player, tree))
    right = reference(tree, found.strategy)
    table = rows(tree, found.strategy, right.strategy if right else None)
    often = sorted(table, key=lambda row: -row.reach)[:SITUATIONS]
    kept = {id(row) for row in often}
    shown = [row.as_json() for row in table if id(row) in kept]
    return {"step": step, "sets": len(table), "note": right.note if right else None, "rows": shown}


def shown_games(loop: SelfPlay) -> list[str]:
    """The shown games of the loop's last step as lines; one whose rules do not play the same twice
    is left out. The probabilities are those after the step's update."""
    told = []
    for i, episode in enumerate(loop.shown):
        rules = game(episode.game)
        chances = asyncio.run(ask_chances(episode, _learners(episode, loop.agents(rules))))
        try:
            one = replay(rules, episode, chances, retries=loop.retries)
        except ValueError:
            continue
        told.append(json.dumps({"step": loop.step, "index": i, **one}) + "\n")
    return told


def _learners(episode: Episode, agents: Mapping[Role, Agent]) -> Mapping[Role, Agent]:
    return {role: own for role, own in agents.items() if episode.seats[role] == own.name}


def _older(folder: Path, step: int) -> list[str]:
    """The lines of earlier saves; those of a save that is made again are dropped."""
    kept = [game for game in lines(folder / REPLAYS) if game.get("step", step) < step]
    return [json.dumps(game) + "\n" for game in kept[-GAMES:]]

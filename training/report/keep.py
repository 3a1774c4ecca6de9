"""What a run keeps beside its checkpoints for people to look at, at every save."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from sparring.agents.core import Agent, HasPolicy
from sparring.agents.exploitability.exact import measure
from sparring.agents.exploitability.policy_table import reference, rows
from sparring.agents.files import write_aside
from sparring.agents.replay import ask_chances, replay
from sparring.envs.core import Episode, Role
from sparring.envs.solve import Tree
from sparring.training.report.blocks import Json
from sparring.training.report.folders import POLICY, REPLAYS, lines
from sparring.training.selfplay import SelfPlay

GAMES = 100  # the newest ones are kept
SITUATIONS = 60  # those of a policy that come up most


def keep(loop: SelfPlay, folder: Path, tree: Tree | None, *, last: bool) -> None:
    """Write policy.json, replays.jsonl and report.html; at the ``last`` save the pictures too."""
    from sparring.training.report import REPORT
    from sparring.training.report.build import build

    if tree is not None and isinstance(loop.player, HasPolicy):
        found = policy(loop.player, tree, loop.step)
        write_aside(folder / POLICY, json.dumps(found, indent=1) + "\n")
    if loop.shown:
        write_aside(folder / REPLAYS, "".join(_older(folder, loop.step) + games(loop)))
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


def games(loop: SelfPlay) -> list[str]:
    """The shown games of the loop's last step as lines; one whose rules do not play the same twice
    is left out. The probabilities are those after the step's update."""
    told = []
    for i, episode in enumerate(loop.shown):
        chances = asyncio.run(ask_chances(episode, _learners(episode, loop.player)))
        try:
            one = replay(loop.game, episode, chances, retries=loop.retries)
        except ValueError:
            continue
        told.append(json.dumps({"step": loop.step, "index": i, **one}) + "\n")
    return told


def _learners(episode: Episode, player: Agent) -> Mapping[Role, Agent]:
    return {role: player for role, name in episode.seats.items() if name == player.name}


def _older(folder: Path, step: int) -> list[str]:
    """The lines of earlier saves; those of a save that is made again are dropped."""
    kept = [game for game in lines(folder / REPLAYS) if game.get("step", step) < step]
    return [json.dumps(game) + "\n" for game in kept[-GAMES:]]

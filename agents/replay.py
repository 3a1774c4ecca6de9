"""A finished game told again, step by step, as JSON: what the reports and the web page show.

A replay is made by stepping the refereed game once more with the episode's answers, so what every
role had seen at every moment is exact, also of those who were not asked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sparring.agents.core import Agent, HasPolicy
from sparring.envs.core import Episode, Game, Observation, Role, Turn, View
from sparring.envs.referee import RETRIES, Refereed, RefereedState

Chances = Sequence[Mapping[str, float] | None]
"""One for each turn of an episode: the probability of every legal answer, or ``None``."""


def replay(
    game: Game, episode: Episode, chances: Chances = (), *, retries: int = RETRIES
) -> dict[str, Any]:
    """``episode`` as a JSON object; ``docs/report.md`` describes it.

    ``chances``: what the agents would have answered how often (``ask_chances``), if it is known.
    ``retries``: those that the game was played with.

    Raises:
        ValueError: the episode is not of this game played with these ``retries``, or the rules do
            not play the same twice (a judge in them that may change its mind).
    """
    if chances and len(chances) != len(episode.turns):
        raise ValueError(f"{len(episode.turns)} turns have {len(chances)} chances")
    state = Refereed(game, retries).start(episode.seed)
    steps = []
    done = 0
    while to_act := state.to_act:
        turns = episode.turns[done : done + len(to_act)]
        if tuple(turn.role for turn in turns) != to_act or not _alike(state, turns):
            raise ValueError(f"{episode.game}: stepped again, the game goes another way")
        known = chances[done : done + len(to_act)] or (None,) * len(to_act)
        answers = [_answer(turn, p) for turn, p in zip(turns, known, strict=True)]
        steps.append({"seen": _seen(state), "answers": answers})
        state = state.step({turn.role: turn.action.text for turn in turns})
        done += len(to_act)
    views = {role: state.observe(role).messages for role in game.roles}
    if done < len(episode.turns) or views != episode.views or state.payoffs != episode.payoffs:
        raise ValueError(f"{episode.game}: stepped again, the game ends another way")
    return {
        "game": episode.game,
        "sum": str(game.declares.sum),
        "seed": episode.seed,
        "seats": dict(episode.seats),
        "payoffs": dict(episode.payoffs),
        "parts": dict(episode.parts),
        "forfeits": list(episode.forfeits),
        "void": episode.void,
        "outcome": dict(episode.outcome),
        "views": {role: _messages(view) for role, view in views.items()},
        "steps": steps,
        "end": {"seen": _seen(state)},
    }


async def ask_chances(episode: Episode, seats: Mapping[Role, Agent]) -> Chances:
    """How likely each agent holds every legal answer, at each turn of a finished game.

    ``None`` where the answers are not listed, the agent does not say how likely they are, or
    ``seats`` does not name it.
    """

    async def ask(observation: Observation) -> Mapping[str, float] | None:
        agent = seats.get(observation.role)
        if not observation.legal or not isinstance(agent, HasPolicy):
            return None
        return await agent.policy(observation)

    return await asyncio.gather(*(ask(turn.observation) for turn in episode.turns))  # one batch


def _alike(state: RefereedState, turns: Sequence[Turn]) -> bool:
    return all(state.observe(turn.role) == turn.observation for turn in turns)


def _seen(state: RefereedState) -> dict[Role, int]:
    return {role: len(state.observe(role).messages) for role in state.game.roles}


def _answer(turn: Turn, chances: Mapping[str, float] | None) -> dict[str, Any]:
    legal = turn.observation.legal
    return {
        "role": turn.role,
        "text": turn.action.text,
        "private": turn.action.private,
        "accepted": turn.accepted,
        "legal": None if legal is None else list(legal),
        "chances": None if chances is None else dict(chances),
        "tokens": len(turn.action.tokens),
    }


def _messages(view: View) -> list[dict[str, str]]:
    return [{"sender": message.sender, "text": message.text} for message in view]

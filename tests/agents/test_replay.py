"""Replays: every role's view at every moment, exactly."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sparring.agents.optimal import optimal
from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.agents.replay import ask_chances, replay
from sparring.envs import game
from sparring.envs.core import Action, Episode, Message, Observation
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.referee import Refereed

KUHN = KuhnPoker()
GAMES = (
    "KuhnPoker-v0(hands=2)",
    "TicTacToe-v0",
    "RockPaperScissors-v0(rounds=3)",  # simultaneous
    "DealOrNoDeal-v0",  # free talk, then simultaneous
    "WhoIsTheSpy-v0",  # parts, five players
    "Avalon-v0",
    "Debate-v0",
)


@dataclass
class Says:
    """Answers by the number of its own earlier turns, with a thought."""

    answers: Sequence[str]
    name: str = "says"

    async def act(self, observation: Observation) -> Action:
        at = len(observation.turns)
        return Action(self.answers[at], private=f"thought {at}", tokens=(1,) * (at + 1))


def played(spec: str, seed: int = 0, retries: int = 1) -> tuple[Any, Episode]:
    rules = game(spec)
    agents = dict.fromkeys(rules.roles, RandomAgent())
    return rules, asyncio.run(play(Match(rules, agents, seed, seed), retries))


@pytest.mark.parametrize("spec", GAMES)
@pytest.mark.parametrize("seed", range(3))
def test_every_view_at_every_moment(spec: str, seed: int) -> None:
    """What each role had seen is counted on its own, by stepping the game beside it."""
    rules, episode = played(spec, seed)
    told = replay(rules, episode)
    state, turns = Refereed(rules).start(seed), iter(episode.turns)
    for step in told["steps"]:
        assert tuple(a["role"] for a in step["answers"]) == state.to_act
        for role in rules.roles:
            now = [{"sender": m.sender, "text": m.text} for m in state.observe(role).messages]
            assert told["views"][role][: step["seen"][role]] == now
        given = {turn.role: turn.action.text for turn in (next(turns) for _ in step["answers"])}
        assert {a["role"]: a["text"] for a in step["answers"]} == given
        state = state.step(given)
    assert next(turns, None) is None
    assert told["end"]["seen"] == {role: len(view) for role, view in told["views"].items()}
    assert told["payoffs"] == episode.payoffs
    assert told["parts"] == episode.parts
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_refused_answers_thoughts_and_forfeits() -> None:
    seats = {"player_0": Says(["bluff", "check", "?", "??"]), "player_1": Says(["bet"])}
    episode = asyncio.run(play(Match(KUHN, seats, 1, 0)))
    told = replay(KUHN, episode)
    given = [
        (a["role"], a["text"], a["accepted"], a["private"], a["tokens"])
        for step in told["steps"]
        for a in step["answers"]
    ]
    assert given == [
        ("player_0", "bluff", False, "thought 0", 1),
        ("player_0", "check", True, "thought 1", 2),
        ("player_1", "bet", True, "thought 0", 1),
        ("player_0", "?", False, "thought 2", 3),
        ("player_0", "??", False, "thought 3", 4),
    ]
    assert told["forfeits"] == ["player_0"]
    first, second = told["steps"][0]["seen"], told["steps"][1]["seen"]
    assert second["player_0"] == first["player_0"] + 1  # it was told why, and nobody else
    assert second["player_1"] == first["player_1"]
    assert told["views"]["player_0"][first["player_0"]]["sender"] == "referee"


def test_chances_are_those_of_the_agents_that_have_them() -> None:
    seats = {"player_0": optimal(KUHN.name, "0.2"), "player_1": RandomAgent()}
    episode = asyncio.run(play(Match(KUHN, seats, 5, 0)))
    chances = asyncio.run(ask_chances(episode, seats))
    told = replay(KUHN, episode, chances)
    answers = [a for step in told["steps"] for a in step["answers"]]
    for turn, answer in zip(episode.turns, answers, strict=True):
        expected = asyncio.run(seats[turn.role].policy(turn.observation))
        assert answer["chances"] == expected
        assert set(expected) == set(answer["legal"])


def test_no_chances_for_free_speech_or_agents_that_do_not_say() -> None:
    rules, episode = played("DealOrNoDeal-v0")
    random = dict.fromkeys(rules.roles, RandomAgent())
    asked = asyncio.run(ask_chances(episode, random))
    free = [turn.observation.legal is None for turn in episode.turns]
    assert [chance is None for chance in asked] == free
    assert True in free
    assert False in free
    silent = dict.fromkeys(rules.roles, Says(()))
    assert set(asyncio.run(ask_chances(episode, silent))) == {None}
    half = {"player_1": RandomAgent()}
    asked = asyncio.run(ask_chances(episode, half))
    known = {turn.role for turn, p in zip(episode.turns, asked, strict=True) if p is not None}
    assert known == {"player_1"}


def test_retries_must_be_those_of_the_game() -> None:
    seats = {"player_0": Says(["bluff"]), "player_1": Says([])}
    episode = asyncio.run(play(Match(KUHN, seats, 1, 0), retries=0))
    assert replay(KUHN, episode, retries=0)["forfeits"] == ["player_0"]
    with pytest.raises(ValueError, match="stepped again"):
        replay(KUHN, episode)


def test_an_episode_of_other_rules_is_refused() -> None:
    rules, episode = played("KuhnPoker-v0")
    with pytest.raises(ValueError, match="stepped again"):
        replay(rules, replace(episode, payoffs={"player_0": 0.0, "player_1": 0.0}))
    with pytest.raises(ValueError, match="stepped again"):
        replay(rules, replace(episode, turns=episode.turns[:-1]))
    with pytest.raises(ValueError, match="stepped again"):
        replay(rules, replace(episode, turns=(*episode.turns, episode.turns[0])))
    with pytest.raises(ValueError, match="stepped again"):
        replay(KuhnPoker(hands=2), episode)
    other = replace(episode, views={**episode.views, "player_0": (Message("game", "no"),)})
    with pytest.raises(ValueError, match="stepped again"):
        replay(rules, other)
    with pytest.raises(ValueError, match="chances"):
        replay(rules, episode, [None])

"""A seat as a chat conversation."""

import asyncio
from itertools import pairwise

from sparring.agents.chat import ChatAgent, ChatMessage, chat
from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.envs.core import Message, Observation
from sparring.envs.games.kuhn import KuhnPoker

KUHN = KuhnPoker(hands=2)


def test_a_game_is_one_growing_conversation() -> None:
    asked: list[list[ChatMessage]] = []

    async def complete(messages: list[ChatMessage]) -> str:
        asked.append(messages)
        return ("I think ... [check]", "what?", "check", "fold")[min(len(asked) - 1, 3)]

    player = ChatAgent("chat", complete)
    match = Match(KUHN, {"player_0": player, "player_1": RandomAgent()}, 7, 1)
    episode = asyncio.run(play(match))
    assert len(asked) == len(episode.turns_of("player_0"))
    for earlier, later in pairwise(asked):
        assert later[: len(earlier)] == earlier
        assert later[len(earlier)]["role"] == "assistant"
    first = asked[0]
    assert [m["role"] for m in first] == ["system", "user"]
    assert first[0]["content"] == KUHN.rules("player_0")
    assert (
        first[1]["content"].splitlines()[-1]
        == "Reply with one of these, alone or in [brackets]: check, bet"
    )
    said = [m["content"] for m in asked[-1] if m["role"] == "assistant"]
    assert said[0] == "I think ... [check]"


def test_free_speech() -> None:
    messages = (Message("game", "Talk."), Message("ann", "Hi.\nAll of you."))
    _, user = chat(Observation("bob", messages, None, ("[Accept]",)))
    assert user["content"] == ("ann: Hi.\n  All of you.\nIt is your turn, bob.")
    assert chat(Observation("bob", messages, None))[1]["content"].endswith("your turn, bob.")

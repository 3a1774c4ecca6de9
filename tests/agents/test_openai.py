"""Models on servers: what goes wrong, what is counted, and what is never shown."""

import asyncio
import importlib
import json
import logging
import subprocess
import sys
import time
from typing import Any

import pytest

from sparring.agents.chat import ChatAgent
from sparring.agents.engines.core import EngineFault
from sparring.agents.engines.openai.server import Server
from sparring.agents.engines.openai.usage import Prices, Usage, told, usage_of
from sparring.agents.play import Match, play, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.registry import agent, is_local, is_model, pinned
from sparring.agents.served import Chat
from sparring.envs.core import BadInput, Episode
from sparring.envs.games.debate import Debate
from sparring.envs.games.kuhn import KuhnPoker

KUHN = KuhnPoker(hands=2)
SECRET = "sk-not-to-be-seen-anywhere-4711"


def chatter(endpoint: Any, **options: Any) -> ChatAgent:
    return ChatAgent("served", Chat(Server("m", endpoint.url, **{"retries": 2, **options})))


def game(player: ChatAgent, seed: int = 7) -> Episode:
    match = Match(KUHN, {"player_0": player, "player_1": RandomAgent()}, seed, 1)
    return asyncio.run(play(match))


def reason(player: ChatAgent) -> str:
    """Why a game with it cannot go on: one line, without the key."""
    with pytest.raises(EngineFault) as failed:
        game(player)
    line = str(failed.value)
    assert "\n" not in line
    assert SECRET not in line
    assert failed.value.__cause__ is None
    return line


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [429, 500, 503, "drop", b"", b"<html>", b"[]", b"{}", b'{"choices": [{"message": 5}]}']
)
def test_a_fault_that_passes_leaves_the_game_unchanged(endpoint: Any, fault: Any) -> None:
    whole = game(chatter(endpoint))
    asked = endpoint.bodies()
    endpoint.asked.clear()
    endpoint.faults.extend([fault, fault])
    player = chatter(endpoint)
    assert game(player) == whole
    assert endpoint.bodies() == [asked[0], asked[0], *asked], "the very same question again"
    assert isinstance(player.complete, Chat)
    found = player.complete.server.usage
    assert found.retries == 2
    answered = len(asked) + 2 * isinstance(fault, bytes)
    assert found.requests == answered


def test_an_answer_in_pieces_is_no_answer(endpoint: Any) -> None:
    endpoint.finish = "abort"
    assert "answers without sense (it broke off)" in reason(chatter(endpoint))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (429, "takes no more requests now, asked 2 times (not now, ***, or ever)"),
        (500, "failed, asked 2 times (not now, ***, or ever); look after the server"),
        (403, "refuses the request: not now, ***, or ever"),
        ("drop", "cannot be reached"),
        (b"<html>", "answers without sense (no JSON)"),
        (b'{"error": {"message": "no credits"}}', "answers without sense (no credits); is it"),
    ],
)
def test_a_fault_that_stays_is_one_line(endpoint: Any, fault: Any, said: str) -> None:
    endpoint.faults.extend([fault] * 9)
    assert said in reason(chatter(endpoint, retries=1))


def test_a_server_that_hangs(endpoint: Any) -> None:
    endpoint.faults.append("hang")
    player = chatter(endpoint, timeout=0.3, retries=1)
    assert game(player) == game(chatter(endpoint)), "the second try is answered"
    endpoint.faults.extend(["hang"] * 2)
    before = time.monotonic()
    assert "did not answer within 0.3 s, asked 2 times" in reason(player)
    assert time.monotonic() - before < 5


def test_a_server_that_is_not_there_is_told_at_once(endpoint: Any) -> None:
    endpoint.stop()
    before = time.monotonic()
    assert f"{endpoint.url} cannot be reached" in reason(chatter(endpoint, retries=9))
    assert time.monotonic() - before < 3, "not after nine growing pauses"
    endpoint.start()
    game(chatter(endpoint))


def test_one_seat_dies_and_the_others_stop(endpoint: Any) -> None:
    endpoint.dies_at = 30
    player = chatter(endpoint, retries=0)
    seats = {"player_0": player, "player_1": RandomAgent()}
    with pytest.raises(EngineFault):
        asyncio.run(play_all([Match(KUHN, seats, seed, seed) for seed in range(100)]))
    endpoint.stop()
    endpoint.start()


def test_a_wrong_key_a_wrong_model_a_wrong_address(
    endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "has no model 'nobody'" in reason(ChatAgent("x", Chat(Server("nobody", endpoint.url))))
    nowhere = endpoint.url.removesuffix("/v1")
    assert "usually ends in /v1" in reason(ChatAgent("x", Chat(Server("m", nowhere))))
    assert not [b for b in endpoint.bodies() if b["model"] == "m"]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    line = reason(chatter(endpoint))
    assert "does not take the key in the environment variable OPENAI_API_KEY" in line
    assert "sk-wrong" not in line
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "wants a key: put it into the environment variable" in reason(chatter(endpoint))
    with pytest.raises(BadInput, match="OpenAI wants a key"):
        Server("m")


@pytest.mark.parametrize("junk", ["sk-two\nlines", "sk with space", "sk-ключ"])
def test_what_can_be_no_key(endpoint: Any, junk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", junk)
    with pytest.raises(BadInput, match="MINE holds cannot be a key") as refused:
        game(chatter(endpoint, key="MINE"))
    assert junk not in str(refused.value)
    monkeypatch.setenv("MINE", f"{SECRET}\n")  # as `export MINE=$(< file)` would not, but `-f` does
    game(chatter(endpoint, key="MINE"))


# -- what is held to --------------------------------------------------------------------------


def test_no_more_at_once_than_allowed(endpoint: Any) -> None:
    endpoint.delay = 0.01
    player = chatter(endpoint, at_once=3)
    seats = {"player_0": player, "player_1": player}
    asyncio.run(play_all([Match(KUHN, seats, seed, seed) for seed in range(12)]))
    assert endpoint.most == 3
    assert endpoint.flying == 0


def test_the_same_luck_asks_the_same_seeds(endpoint: Any) -> None:
    episodes = [game(chatter(endpoint), seed=3) for _ in range(2)]
    assert episodes[0] == episodes[1]
    seeds = [each["seed"] for each in endpoint.asked]
    assert len(seeds) % 2 == 0
    assert seeds[: len(seeds) // 2] == seeds[len(seeds) // 2 :]
    assert len(set(seeds)) == len(seeds) // 2
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_tokens_and_dollars_are_counted(endpoint: Any) -> None:
    player = chatter(endpoint, prices=Prices(2.0, 0.5, 8.0))
    game(player)
    n = len(endpoint.asked)
    assert isinstance(player.complete, Chat)
    server = player.complete.server
    assert server.usage == Usage(n, 0, 100 * n, 60 * n, 10 * n)
    # 40 at 2 $, 60 at 0.5 $ and 10 at 8 $ a million
    assert server.cost == pytest.approx(n * 190e-6)
    assert chatter(endpoint).complete.server.cost is None  # type: ignore[union-attr]
    line = told(Usage(1234, 2, 5000, 600, 70), Prices(2.0, 0.5, 8.0))
    assert line == (
        "1,234 answers (2 sent again), 5,000 tokens read (600 from the server's cache), 70 written,"
        " $0.0097"
    )
    assert told(Usage(1, 0, 5, 0, 7), None) == "1 answers, 5 tokens read, 7 written"


@pytest.mark.parametrize(
    "junk", [{}, {"usage": None}, {"usage": {"prompt_tokens": "x", "prompt_tokens_details": 1}}]
)
def test_a_server_that_does_not_count(junk: Any) -> None:
    assert usage_of(junk) == Usage(1)


def test_the_key_is_nowhere(
    endpoint: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.faults.extend([500, b"<html>"])
    player = chatter(endpoint)
    episode = game(player)
    assert isinstance(player.complete, Chat)
    server = player.complete.server
    assert all(each["authorization"] == f"Bearer {SECRET}" for each in endpoint.asked)
    assert caplog.records, "the client library logs"
    seen = [caplog.text, *capfd.readouterr(), repr(episode)]
    seen += [repr(one) + str(vars(one)) for one in (player, player.complete, server)]
    assert not [text for text in seen if SECRET in text]


# -- what a reply is --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text", "private"),
    [
        ({"content": "bet", "reasoning": "hm"}, "bet", "hm"),
        ({"content": "bet", "reasoning_content": "hm"}, "bet", "hm"),
        ({"content": "bet", "reasoning_content": "hm", "reasoning": "hm"}, "bet", "hm"),
        ({"content": "<think>hm</think> bet"}, "bet", "hm"),
        ({"content": "<think>never done"}, "", "never done"),
        ({"content": None, "refusal": "I do not gamble"}, "", "I do not gamble"),
        ({"content": None}, "", ""),
        ({"content": ""}, "", ""),
    ],
)
def test_a_thought_is_private_and_nothing_crashes_the_game(
    endpoint: Any, message: Any, text: str, private: str
) -> None:
    endpoint.message = message
    episode = game(chatter(endpoint))
    turn = episode.turns_of("player_0")[0]
    assert (turn.action.text, turn.action.private) == (text, private)
    assert turn.accepted is bool(text)
    assert text or episode.forfeits == ("player_0",)
    for body in endpoint.bodies():
        assert all(m["content"] for m in body["messages"]), "some servers refuse an empty message"
        assert private not in str(body) or not private


def test_an_answer_that_is_cut_off_is_said_once(
    endpoint: Any, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.message, endpoint.finish = {"content": ""}, "length"
    assert game(chatter(endpoint)).forfeits == ("player_0",)
    assert [r.getMessage() for r in caplog.records if "cut off" in r.getMessage()] == [
        "m was cut off before it answered; allow max_tokens"
    ]


def test_what_a_server_does_not_know_is_left_out(endpoint: Any) -> None:
    endpoint.unknown = ("seed", "max_completion_tokens")
    player = ChatAgent("x", Chat(Server("m", endpoint.url), max_tokens=50, temperature=0.5))
    episode = game(player)
    assert not episode.forfeits
    last = endpoint.bodies()[-1]
    assert (last["max_tokens"], last["temperature"]) == (50, 0.5)
    assert "seed" not in last
    assert sum("seed" in body for body in endpoint.bodies()) <= 2, "asked once, and remembered"
    endpoint.unknown = ("temperature",)
    assert "'temperature' is not supported" in reason(player)


def test_several_at_once_learn_together_what_to_leave_out(endpoint: Any) -> None:
    endpoint.unknown, endpoint.delay = ("seed",), 0.02
    player = chatter(endpoint)
    seats = {"player_0": player, "player_1": player}
    episodes = asyncio.run(play_all([Match(KUHN, seats, seed, seed) for seed in range(8)]))
    assert len(episodes) == 8


def test_free_speech(endpoint: Any) -> None:
    endpoint.message = {"content": "I say so."}
    rules = Debate()
    seats = {role: chatter(endpoint) for role in rules.roles}
    found = asyncio.run(play(Match(rules, seats, 1, 1)))
    assert any(turn.action.text == "I say so." and turn.accepted for turn in found.turns)


# -- names ------------------------------------------------------------------------------------


def test_agents_by_name(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"openai:m(max_tokens=9,prices=(1,4),at_once=2)@{endpoint.url}"
    player = agent(name, "KuhnPoker-v0")
    assert isinstance(player, ChatAgent)
    assert player.name == name == pinned(name)
    assert is_model(name)
    assert not is_local(name)
    game(player)
    assert {b["max_tokens"] for b in endpoint.bodies() if "max_tokens" in b} <= {9}
    assert endpoint.bodies()[0]["max_completion_tokens"] == 9
    assert "temperature" not in endpoint.bodies()[0], "the server's own, unless told"
    server = player.complete.server  # type: ignore[union-attr]
    assert (server.at_once, server.prices) == (2, Prices(1, 1, 4))
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url + "/")
    player = agent("openai:m", "KuhnPoker-v0")
    assert player.complete.server.url == endpoint.url  # type: ignore[attr-defined]
    for model in ("llama3:8b", "@cf/meta/llama", "org/name-1.5"):
        found = agent(f"openai:{model}@{endpoint.url}", "KuhnPoker-v0")
        assert found.complete.server.model == model  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("openai:", "openai:MODEL"),
        ("openai", "openai:MODEL"),
        ("openai:@http://h/v1", "a served model is openai:MODEL"),
        ("openai:m(", "options are: temperature"),
        ("openai:m(max=3)", "options are: temperature"),
        ("openai:m(max_tokens=many)", "options are: temperature"),
        ("openai:m(prices=3)", "options are: temperature"),
        ("openai:m(prices=(1,2,3,4))", "options are: temperature"),
        ("openai:m(prices=(-1,2))", "prices are dollars per million"),
        ("openai:m(at_once=0)", "at_once is at least 1"),
        ("openai:m(timeout=0)", "timeout more than 0"),
        ("openai:m(key=sk-abc)", "the name of an environment variable"),
        ("openai:m(key=sk-1abc)", "options are: temperature"),
        ("openai:m@localhost:8000", "with its http://"),
        ("openai:m@http://", "like http://host:8000/v1"),
        ("openai:m@http://me:sk-1abc@h/v1", "without a name"),
        ("openai:m@http://h/v1?key=sk-1abc", "without a name"),
        ("openai:m@http://h:port/v1", "cannot be read"),
    ],
)
def test_names_that_mean_nothing(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with pytest.raises(BadInput) as refused:
        agent(name, "KuhnPoker-v0")
    assert said in str(refused.value)
    assert "sk-" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_library_is_asked_for_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(BadInput, match=r"pip install 'sparring\[openai\]'"):
        agent("openai:m@http://127.0.0.1:1/v1", "KuhnPoker-v0")


def test_nothing_imports_the_library_before_it_is_needed() -> None:
    for name in ("registry", "served", "addresses", "engines.openai"):
        importlib.import_module(f"sparring.agents.{name}")
    code = (
        "import sys, json, sparring.agents.registry, sparring.agents.addresses, "
        "sparring.agents.engines.openai.engine; print(json.dumps([m for m in sys.modules "
        "if m in ('openai', 'httpx', 'httpx2', 'torch')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []

"""The routes of the page, over HTTP: who may ask for what, and what comes back."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sparring.agents import registry
from sparring.envs.core import Action, BadInput, Observation
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training.serve import hall as halls
from sparring.training.serve import table as tables
from sparring.training.serve.pages import SCRIPTS
from sparring.training.serve.shown import Feed

KUHN = "KuhnPoker-v0"


@dataclass
class Plug:
    """An agent of a test, to be named like any other."""

    act_: Callable[[Observation], str]
    name: str = "plug"

    async def act(self, observation: Observation) -> Action:
        return Action(self.act_(observation), private="a secret thought")


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Observation], str]], None]:
    return lambda act: monkeypatch.setitem(registry.AGENTS, "plug", lambda *_: Plug(act))


def test_a_game_from_beginning_to_end(live: Any, seed_of: Any) -> None:
    deal = seed_of(KuhnPoker(), lambda state: state.deals[0] == "KJ")
    id = live.open(KUHN, "player_0", deal, 1, player_1="optimal")
    facts = live.get(f"/api/games/{id}")
    assert facts["seats"] == {"player_0": "you", "player_1": "optimal"}
    assert facts["rules"].keys() == {"player_0"}
    news = live.ask(id)
    assert news["ask"] == {
        "turn": 0,
        "legal": ["check", "bet"],
        "more": 0,
        "examples": [],
        "tries": 10,
    }
    assert [m["text"] for m in news["views"]["player_0"]][1:] == ["Your card: K"]
    assert live.say(id, "bet").json() == {"ok": True}
    end = live.end(id)
    assert end["payoffs"] == {"player_0": 1.0, "player_1": -1.0}  # J never calls
    replay = live.get(f"/api/replays/{end['replay']}")
    assert replay["seed"] == deal
    assert {"text": "Your card: J", "sender": "game"} in replay["views"]["player_1"]
    assert replay["steps"][1]["answers"][0]["chances"] == {"call": 0.0, "fold": 1.0}
    (head,) = live.get("/api/replays")["replays"]
    assert (head["name"], head["game"]) == (id, KUHN)


def test_a_slip_is_refused_politely_and_ten_are_a_forfeit(live: Any) -> None:
    id = live.open(KUHN, "player_0", player_1="random")
    live.say(id, "bett")
    news = live.news(id, lambda news: news["ask"] and news["ask"]["turn"] == 1)
    assert news["refused"] == [{"at": 2, "text": "bett"}]
    assert "Try again." in news["views"]["player_0"][-1]["text"]
    assert news["ask"]["tries"] == 9
    for turn in range(1, 10):
        live.news(id, lambda news, turn=turn: news["ask"] and news["ask"]["turn"] == turn)
        live.say(id, "bett")
    assert live.end(id)["forfeits"] == ["player_0"]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("Kuhn", "no game 'Kuhn'; did you mean KuhnPoker-v0?"),
        ("KuhnPoker-v0(hands=0)", "hands must be a whole number from 1"),
        ("KuhnPoker-v0(cards=9)", "has no option 'cards'"),
        ("KuhnPoker-v0(", "cannot read"),
        ("", "no game ''"),
        ("elsewhere.py:Game", "sparring serve --game"),
        ("openspiel:kuhn_poker", "sparring serve --game"),
        ("Debate-v0(questions='/etc/passwd')", "questions cannot be given here"),
        ("Debate-v0(questions=['../a'])", "questions cannot be given here"),
        ("KuhnPoker-v0(hands=" + "1" * 400 + ")", "at most 300 letters"),
    ],
)
def test_bad_games(shared: Any, spec: str, says: str) -> None:
    asked = shared.client.get("/api/game", params={"spec": spec})
    opened = shared.post("/api/games", game=spec or " ", seat=None, agents={})
    for reply in (asked, opened) if spec else (asked,):
        assert reply.status_code == 400
        assert says in reply.json()["error"]
        assert "\n" not in reply.json()["error"]
    assert not shared.hall.tables


def test_a_file_here_is_no_option(shared: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "questions").write_text("[]")
    reply = shared.client.get("/api/game", params={"spec": "Debate-v0(questions='questions')"})
    assert "cannot be given here" in reply.json()["error"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"game": KUHN, "seat": "dealer", "agents": {}}, "no seat 'dealer'; its seats: player_0"),
        ({"game": KUHN, "seat": "player_0", "agents": {}}, "player_1 has no agent"),
        ({"game": KUHN, "seat": "player_0", "agents": {"player_1": "hf:x"}}, "no agent 'hf:x'"),
        ({"game": KUHN, "seat": "player_0", "agents": {"player_1": "run:/"}}, "no agent 'run:/'"),
        ({"game": KUHN, "seat": "player_0", "agents": {"player_1": "human"}}, "no agent 'human'"),
        ({"game": KUHN, "seat": "player_0", "agents": {"spy": "random"}}, "no seat 'spy'"),
        ({"game": KUHN, "seat": 0, "agents": {}}, "seat is missing"),
        ({"game": KUHN, "seat": None, "agents": [1]}, "agents is an object"),
        ({"game": "TicTacToe-v0", "seat": None, "agents": {"player_0": "x"}}, "no agent 'x'"),
        (
            {"game": "PigDice-v0", "seat": "player_0", "agents": {"player_1": "optimal"}},
            "no agent 'optimal' for PigDice-v0",
        ),
        (
            {
                "game": "KuhnPoker-v0(players=3)",
                "seat": "player_0",
                "agents": {"player_1": "optimal", "player_2": "random"},
            },
            "no agent 'optimal'",
        ),
    ],
)
def test_bad_seats(shared: Any, sent: dict[str, Any], says: str) -> None:
    reply = shared.post("/api/games", **sent)
    assert reply.status_code == 400
    assert says in reply.json()["error"]


def test_bad_answers(live: Any) -> None:
    id = live.open(KUHN, "player_0", player_1="random")
    path = f"/api/games/{id}/answer"
    live.ask(id)
    for sent, says in (
        ({"turn": 0}, "text is missing"),
        ({"turn": 0, "text": " "}, "text is missing"),
        ({"turn": 0, "text": 7}, "text is missing"),
        ({"turn": 0, "text": "x" * 4001}, "at most 4000"),
        ({"turn": True, "text": "bet"}, "whole number"),
        ({"text": "bet"}, "whole number"),
    ):
        reply = live.post(path, **sent)
        assert (reply.status_code, says in reply.json()["error"]) == (400, True), reply.text
    assert live.client.post(path, content=b"{").status_code == 400
    assert live.client.post(path, content=b"[" * 20_000).status_code == 400
    assert live.client.post(path, content=b"x" * 40_000).status_code == 413
    assert live.post(path, turn=1, text="bet").status_code == 409  # not asked yet
    assert live.ask(id)["ask"]["turn"] == 0


def test_the_same_answer_twice_counts_once(live: Any) -> None:
    id = live.open("KuhnPoker-v0(hands=3)", "player_0", player_1="random")
    live.ask(id)
    replies = [live.post(f"/api/games/{id}/answer", turn=0, text="check") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 409, 409]
    assert "answered already" in replies[1].json()["error"]
    (table,) = live.hall.tables.values()
    said = [h for moment in table.moments for h in moment.answers if h.seen.role == "player_0"]
    assert len(said) <= 1


def test_wrong_ids(shared: Any) -> None:
    for id in ("nothing", "..%2f..%2fpyproject", "S_knKSwPAvyBq51IWlBYyg"):
        assert shared.client.get(f"/api/games/{id}").status_code == 404
        assert shared.client.get(f"/api/replays/{id}").status_code == 404
        assert shared.client.get(f"/static/{id}").status_code == 404
    assert shared.post("/api/games/nothing/answer", turn=0, text="x").status_code == 404
    assert shared.client.get("/api/replays/run.0").status_code == 404
    assert shared.client.get("/api/games").status_code == 405


def test_only_our_own_page_may_change_anything(shared: Any) -> None:
    port = shared.url.rpartition(":")[2]
    for origin in (
        "http://evil.example",
        f"http://localhost:{port}",
        "null",
        f"ftp://{shared.url}",
    ):
        reply = httpx.post(f"{shared.url}/api/games", json={}, headers={"origin": origin})
        assert reply.status_code == 403
    assert httpx.post(f"{shared.url}/api/games", json={}).status_code == 403
    assert not shared.hall.tables
    both = f"http://localhost:{port}"  # the same page under its other name is at home too
    reply = httpx.post(
        f"{shared.url}/api/games", json={}, headers={"origin": both, "host": f"localhost:{port}"}
    )
    assert reply.status_code == 400


def test_a_name_that_points_here_is_refused(shared: Any) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        reply = shared.client.get("/api/lobby", headers={"host": host})
        assert reply.status_code == 400
    assert shared.client.get("/api/lobby", headers={"host": "localhost"}).status_code == 200


def test_headers(shared: Any) -> None:
    for path in ("/", "/api/lobby", "/static/page.js", "/nowhere"):
        headers = shared.client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers
    for name in (*SCRIPTS, "replay.js"):
        text = shared.client.get(f"/static/{name}").text
        assert not [word for word in ("innerHTML", "insertAdjacent", "eval(") if word in text]


def test_a_persons_game_is_in_no_list(live: Any) -> None:
    mine = live.open(KUHN, "player_0", player_1="random")
    watched = live.open("TicTacToe-v0", None, player_0="random", player_1="random")
    live.ask(mine)
    lobby = live.get("/api/lobby")
    assert [one["id"] for one in lobby["running"]] == [watched]
    assert mine not in json.dumps(lobby) + json.dumps(live.get("/api/replays"))
    assert live.client.get(f"/api/replays/{mine}").status_code == 404
    refused = live.post(f"/api/games/{mine}/pace", step=True)
    assert refused.status_code == 409
    assert live.post(f"/api/games/{watched}/answer", turn=0, text="1").status_code == 409


def test_so_many_games_and_no_more(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halls, "OPEN", 2)
    first = live.open(KUHN, "player_0", player_1="random")
    live.open(KUHN, "player_0", player_1="random")
    reply = live.post("/api/games", game=KUHN, seat="player_0", agents={"player_1": "random"})
    assert (reply.status_code, "2 games are open" in reply.json()["error"]) == (409, True)
    assert live.post(f"/api/games/{first}/leave").status_code == 200
    live.open(KUHN, "player_0", player_1="random")
    monkeypatch.setattr(halls, "IDLE", 0.0)  # long forgotten games make room
    live.open(KUHN, "player_0", player_1="random")


def test_watching_goes_step_by_step(live: Any) -> None:
    id = live.open("TicTacToe-v0", None, player_0="random", player_1="optimal")
    assert live.post(f"/api/games/{id}/pace", running=False, delay=0.1).status_code == 200
    live.news(id, lambda news: not news["pace"]["running"])
    time.sleep(0.3)  # an answer that was under way still comes
    played = len(live.news(id, lambda news: True)["steps"])
    time.sleep(0.3)
    live.post(f"/api/games/{id}/pace", step=True)
    news = live.news(id, lambda news: len(news["steps"]) > played)
    assert len(news["steps"]) == played + 1
    assert news["steps"][0]["answers"][0]["chances"].keys() == set("123456789")
    time.sleep(0.3)
    assert len(live.news(id, lambda news: True)["steps"]) == played + 1
    for sent in ({"delay": 61}, {"delay": "x"}, {"running": 1}, {"step": "yes"}):
        assert live.post(f"/api/games/{id}/pace", **sent).status_code == 400
    live.post(f"/api/games/{id}/pace", running=True, delay=0)
    replay = live.get(f"/api/replays/{live.end(id)['replay']}")
    assert len(replay["steps"]) >= 5
    whole = live.news(id, lambda news: news["end"])
    assert whole["views"] == replay["views"]
    assert whole["steps"] == replay["steps"]


def test_a_slow_agent_holds_nothing_up(serve: Any, plug: Any) -> None:
    plug(lambda seen: time.sleep(0.8) or (seen.legal or ("",))[0])
    live = serve(named=("plug",))
    id = live.open(KUHN, "player_1", player_0="plug")
    began = time.monotonic()
    assert live.news(id, lambda news: True)["ask"] is None
    live.get("/api/lobby")
    assert time.monotonic() - began < 0.6
    assert live.ask(id)["ask"]["turn"] == 0
    assert time.monotonic() - began > 0.6


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (BadInput("it knows two players only"), "it knows two players only"),
        (ValueError("your opponent has J"), "the game failed (ValueError)"),
    ],
)
def test_an_agent_that_fails_ends_its_game_only(
    serve: Any, plug: Any, fault: Exception, says: str
) -> None:
    def fails(seen: Observation) -> str:
        raise fault

    plug(fails)
    live = serve(named=("plug",))
    id = live.open(KUHN, "player_1", player_0="plug")
    end = live.end(id)
    assert says in end["fault"]
    assert "has J" not in live.everything()
    assert end["replay"] is None
    live.ask(live.open(KUHN, "player_0", player_1="random"))


def test_the_next_server_goes_on_with_unfinished_games(serve: Any, tmp_path: Path) -> None:
    first = serve()
    id = first.open("KuhnPoker-v0(hands=4)", "player_0", 11, 12, player_1="random")
    first.say(id, "check")
    before = first.news(id, lambda news: news["ask"] and news["ask"]["turn"] == 1)
    first.stop()
    record = tmp_path / "played" / "unfinished" / f"{id}.jsonl"
    record.write_text(record.read_text() + '{"role": "player_')  # a kill cut this line off
    second = serve()
    after = second.ask(id)
    assert after["views"] == before["views"]
    assert after["ask"] == before["ask"]
    assert all(json.loads(line) for line in record.read_text().splitlines())
    while not (news := second.ask(id))["end"]:
        second.post(
            f"/api/games/{id}/answer", turn=news["ask"]["turn"], text=news["ask"]["legal"][0]
        )
        turn = news["ask"]["turn"]
        second.news(id, lambda n, turn=turn: n["end"] or (n["ask"] and n["ask"]["turn"] > turn))
    assert second.end(id)["replay"] == id
    assert not list((tmp_path / "played" / "unfinished").iterdir())
    second.stop()
    third = serve()  # the address of a finished game leads to its replay
    assert third.client.get(f"/api/games/{id}").status_code == 404
    assert third.get(f"/api/replays/{id}")["seed"] == 11


def test_a_foreign_record_stops_nothing(serve: Any, tmp_path: Path) -> None:
    records = tmp_path / "played" / "unfinished"
    records.mkdir(parents=True)
    for name, text in (("a", "no JSON"), ("b", '{"game": "Gone-v0"}'), ("c", ""), ("d", "[1]")):
        (records / f"{name * 20}.jsonl").write_text(text)
    whole = {"game": "Gone-v0", "seats": {}, "person": None, "seed": 0, "luck": 0}
    (records / f"{'e' * 20}.jsonl").write_text(json.dumps(whole))
    live = serve()
    assert live.get("/api/lobby")["running"] == []
    assert len(list(records.iterdir())) == 5  # they are not ours to delete


def test_replays_of_the_run_are_listed_last_first(serve: Any, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    lines = [
        {"game": KUHN, "seats": {"player_0": f"é{n}"}, "payoffs": {"player_0": n}, "views": {}}
        for n in range(3)
    ]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (run / "replays.jsonl").write_text(text + '\n{"game": "cut o')
    live = serve(run=run)
    listed = live.get("/api/replays")["replays"]
    assert [one["name"] for one in listed] == ["run.2", "run.1", "run.0"]
    assert live.get("/api/replays/run.1")["seats"] == {"player_0": "é1"}
    with (run / "replays.jsonl").open("a") as file:
        file.write("\n" + json.dumps(lines[0]) + "\n")
    assert len(live.get("/api/replays")["replays"]) == 4  # a run that still trains


def test_news_come_once(live: Any) -> None:
    id = live.open(KUHN, "player_0", player_1="random")
    live.ask(id)
    feed = Feed(live.hall.tables[id])
    assert feed.news() is not None
    assert feed.news() is None


def test_retries_are_those_of_the_arena_where_no_person_plays(serve: Any, plug: Any) -> None:
    plug(lambda seen: "nonsense")
    live = serve(named=("plug",))
    id = live.open(KUHN, None, player_0="plug", player_1="plug")
    live.post(f"/api/games/{id}/pace", delay=0)
    end = live.end(id)
    assert end["forfeits"] == ["player_0"]
    assert len(live.get(f"/api/replays/{id}")["steps"]) == tables.RETRIES + 1


def test_a_trained_model_plays(
    serve: Any, tmp_path: Path, new_model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/kuhn/checkpoints/step-000007/model")
    new_model(loud=1.0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    live = serve(run=Path("runs/kuhn"), played=tmp_path / "played")
    name = "run:runs/kuhn@7"
    assert live.get(f"/api/game?spec={KUHN}")["agents"] == [name, "optimal", "random"]
    ids = [live.open(KUHN, None, player_0=name, player_1=name) for _ in range(2)]
    for id in ids:
        live.post(f"/api/games/{id}/pace", delay=0)
        end = live.end(id)
        assert end["fault"] is None
        (answer,) = live.get(f"/api/replays/{id}")["steps"][0]["answers"]
        assert answer["tokens"] > 0
        assert abs(sum(answer["chances"].values()) - 1) < 1e-6
    assert list(live.hall.backstage._loaded) == [name]  # loaded once


def test_a_checkpoint_that_cannot_be_loaded_says_so(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run/checkpoints/step-000000/model").mkdir(parents=True)
    live = serve(run=Path("run"))
    id = live.open(KUHN, "player_0", player_1="run:run@0")
    assert "is not a model folder" in live.end(id)["fault"]
    assert not live.hall.backstage._loaded  # the next game tries again

"""A server of the page on a thread of its own, with everything that it sends written down."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from sparring.training.serve.app import build
from sparring.training.serve.hall import Hall
from sparring.training.serve.lineup import Lineup
from sparring.training.serve.server import Server, listen, names_of
from sparring.training.serve.shelf import Shelf


@dataclass
class Live:
    """A running server: its address, its hall, and every byte of every response."""

    hall: Hall
    url: str = ""
    sent: list[bytes] = field(default_factory=list)
    draws: list[int] = field(default_factory=list)  # what the hall draws next: deal, luck, ...
    server: Server | None = None
    thread: threading.Thread | None = None
    client: httpx.Client = field(default_factory=httpx.Client)

    def start(self, port: int) -> "Live":
        listening = listen("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = build(self.hall, names_of("127.0.0.1"))

        async def recorded(scope: Any, receive: Any, send: Any) -> None:
            async def keep(message: Any) -> None:
                for name, value in message.get("headers", ()):
                    self.sent.append(name + b": " + value)
                self.sent.append(message.get("body", b""))
                await send(message)

            await app(scope, receive, keep)

        config = uvicorn.Config(recorded, log_level="warning", timeout_graceful_shutdown=2)
        self.server = Server(config, self.hall)
        self.thread = threading.Thread(target=self.server.run, args=([listening],), daemon=True)
        self.thread.start()
        until(lambda: self.server is not None and self.server.started)
        self.client = httpx.Client(base_url=self.url, headers={"origin": self.url}, timeout=10)
        return self

    def stop(self) -> None:
        assert self.server
        assert self.thread
        self.client.close()
        self.server.handle_exit(2, None)
        self.thread.join(10)
        assert not self.thread.is_alive(), "the server did not stop"

    def everything(self) -> str:
        """All that was sent so far, as text; JSON's escapes are undone."""
        raw = b"\n".join(self.sent).decode("utf-8", "replace")
        return raw + raw.replace('\\"', '"')

    def until(self, true: Callable[[], Any]) -> None:
        until(true)

    def get(self, path: str) -> Any:
        reply = self.client.get(path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, **sent: Any) -> httpx.Response:
        return self.client.post(path, json=sent)

    def open(self, game: str, seat: str | None, *draws: int, **agents: str) -> str:
        """A new game; gives its id. ``draws``: its deal and its luck."""
        self.draws[:] = draws
        reply = self.post("/api/games", game=game, seat=seat, agents=agents)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def news(self, id: str, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first news of a game that are as wanted, views and steps put together."""
        known: dict[str, Any] = {"views": {}, "steps": []}
        with self.client.stream("GET", f"/api/games/{id}/news", timeout=10) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data: ") or line == "data: {}":
                    continue
                found = json.loads(line[6:])
                for role, part in found["views"].items():
                    known["views"].setdefault(role, [])[part["from"] :] = part["new"]
                known["steps"][found.get("from", 0) :] = found.get("steps", [])
                news: dict[str, Any] = {**found, **known}
                if wanted(news):
                    return news
        raise AssertionError("the game ended without such news")

    def ask(self, id: str) -> dict[str, Any]:
        """The person's turn, once it has come, or the end."""
        return self.news(id, lambda news: news["ask"] or news["end"])

    def say(self, id: str, text: str) -> httpx.Response:
        turn = self.ask(id)["ask"]["turn"]
        return self.post(f"/api/games/{id}/answer", turn=turn, text=text)

    def end(self, id: str) -> dict[str, Any]:
        """How the game ended, its replay kept."""
        found: dict[str, Any] = self.news(id, lambda news: news["end"] and closed(news))["end"]
        return found


def closed(news: dict[str, Any]) -> bool:
    return bool(news["end"]["replay"] or news["end"]["fault"])


def until(true: Callable[[], Any], seconds: float = 10) -> None:
    stop = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < stop, "it never came"
        time.sleep(0.01)


Serve = Callable[..., Live]


def starting(folder: Path) -> Iterator[Serve]:
    """Starts servers; they stop when the generator does."""
    running: list[Live] = []

    def start(
        played: Path = folder / "played", run: Path | None = None, port: int = 0, **more: Any
    ) -> Live:
        live = Live(Hall(Lineup(run, **more), Shelf(run, played)))
        drawn = live.hall.draw
        live.hall.draw = lambda: live.draws.pop(0) if live.draws else drawn()
        running.append(live.start(port))
        return live

    yield start
    for live in running:
        if live.thread and live.thread.is_alive():
            live.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(folder, run=..., named=...)`` starts a server; it stops with the test."""
    yield from starting(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for tests that leave nothing behind."""
    servers = starting(tmp_path_factory.mktemp("shared"))
    yield next(servers)()
    next(servers, None)


@pytest.fixture
def live(serve: Serve) -> Live:
    return serve()


@pytest.fixture
def seed_of() -> Callable[[Any, Callable[[Any], bool]], int]:
    """The first seed whose opening is as wanted."""

    def find(game: Any, wanted: Callable[[Any], bool]) -> int:
        return next(seed for seed in range(10_000) if wanted(game.start(seed)))

    return find

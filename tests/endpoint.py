"""A server with OpenAI's interface on the loopback interface, that fails on demand.

Its model is a table: what follows a token hangs on that token alone, so the right log-probabilities
are known. Its chat picks one of the answers that the question lists, by the seed it was given.
"""

import asyncio
import math
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "sk-not-to-be-seen-anywhere-4711"
SOON = {"retry-after-ms": "20"}
SAY = "Reply with one of these, alone or in [brackets]: "


def table(last: int, vocabulary: int = 12) -> list[float]:
    """log P of each token after ``last``."""
    luck = random.Random(last)
    weights = [math.exp(2 * luck.random()) for _ in range(vocabulary)]
    return [math.log(each / sum(weights)) for each in weights]


@dataclass
class Endpoint:
    """The server. ``faults``: what goes wrong with the next requests, one each: a status, "hang",
    "drop", or bytes to send instead of an answer. ``dies_at``: it stops at so many requests."""

    faults: deque[int | str | bytes] = field(default_factory=deque)
    message: Mapping[str, Any] = field(default_factory=dict)  # beside or instead of content
    finish: str = "stop"
    delay: float = 0.0
    processed: bool = True  # log-probabilities
    ids: bool = True
    unknown: tuple[str, ...] = ()  # parameters that it refuses
    vocabulary: int = 12
    models: tuple[str, ...] = ("m", "lora")
    dies_at: int | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    flying: int = 0
    most: int = 0
    port: int = 0
    server: uvicorn.Server | None = None
    thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        routes = [
            Route("/v1/models", self._models),
            Route("/v1/chat/completions", self._answer, methods=["POST"]),
            Route("/v1/completions", self._answer, methods=["POST"]),
        ]
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            Starlette(routes=routes), log_level="critical", timeout_graceful_shutdown=0
        )
        self.server = uvicorn.Server(config)
        run = self.server.run
        self.thread = threading.Thread(target=run, args=([listening],), daemon=True)
        self.thread.start()
        until = time.monotonic() + 10
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        assert self.server
        assert self.thread
        self.server.should_exit = True
        self.thread.join(10)
        assert not self.thread.is_alive()

    def bodies(self) -> list[dict[str, Any]]:
        """What was asked for, without who asked."""
        return [{k: v for k, v in each.items() if k != "authorization"} for each in self.asked]

    # -- answering ----------------------------------------------------------------------------

    def _refused(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if given == f"Bearer {SECRET}":
            return None
        return JSONResponse({"error": {"message": f"Incorrect API key: {given}"}}, 401)

    async def _models(self, request: Request) -> Response:
        listed = [{"id": name, "object": "model"} for name in self.models]
        return self._refused(request) or JSONResponse({"object": "list", "data": listed})

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append({**body, "authorization": request.headers.get("authorization")})
        if self.dies_at is not None and len(self.asked) >= self.dies_at:
            assert self.server
            self.server.should_exit = True
            self.dies_at = None
            await asyncio.sleep(30)
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(self.delay)
            return self._refused(request) or await self._fault() or self._good(body)
        finally:
            self.flying -= 1

    async def _fault(self) -> Response | None:
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, int):
            words = f"not now, {SECRET}, or ever\nTraceback"
            return JSONResponse({"error": {"message": words}}, fault, SOON)
        if isinstance(fault, bytes):
            return Response(fault, media_type="application/json")
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "drop":  # the connection breaks before all of it is sent
            return Response(b"{", headers={"content-length": "1000"})
        return None

    def _good(self, body: dict[str, Any]) -> Response:
        if body["model"] not in self.models:
            words = f"The model `{body['model']}` does not exist."
            return JSONResponse({"error": {"message": words}}, 404)
        for name in self.unknown:
            if name in body:
                words = f"Unsupported parameter: '{name}' is not supported with this model."
                return JSONResponse({"error": {"message": words, "param": name}}, 400)
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 60},
        }
        choice = self._said(body) if "messages" in body else self._sampled(body)
        return JSONResponse({"choices": [{"index": 0, **choice}], "usage": usage})

    def _said(self, body: dict[str, Any]) -> dict[str, Any]:
        last = body["messages"][-1]["content"].splitlines()[-1]
        known = last.removeprefix(SAY).split(", ")
        text = random.Random(body.get("seed")).choice(known) if last.startswith(SAY) else "[pass]"
        message = {"role": "assistant", "content": text, **self.message}
        return {"message": message, "finish_reason": self.finish}

    def _sampled(self, body: dict[str, Any]) -> dict[str, Any]:
        luck, tokens, logprobs = random.Random(body.get("seed", 0)), [], []
        while len(tokens) < body["max_tokens"]:
            plain = table([*body["prompt"], *tokens][-1], self.vocabulary)
            allowed = body.get("allowed_token_ids") or range(len(plain))
            heated = distribution(plain, allowed, body["temperature"], body.get("top_k", 0))
            token = luck.choices(range(len(plain)), [math.exp(p) for p in heated])[0]
            tokens.append(token)
            logprobs.append((heated if self.processed else plain)[token])
            if token in body.get("stop_token_ids", ()):
                break
        given: dict[str, Any] = {"token_ids": tokens} if self.ids else {}
        ended = tokens[-1] in body.get("stop_token_ids", ())
        finish = self.finish if self.finish != "stop" else "stop" if ended else "length"
        said: dict[str, Any] = {"token_logprobs": logprobs}
        if self.ids and "logprob_token_ids" in body:
            row = table(body["prompt"][-1], self.vocabulary)
            wanted = {*tokens, *body["logprob_token_ids"]}
            said["top_logprobs"] = [{f"token_id:{token}": row[token] for token in wanted}]
        return {"text": "?", "logprobs": said, "finish_reason": finish} | given


def distribution(
    plain: Sequence[float], allowed: Sequence[int], temperature: float, top_k: int
) -> list[float]:
    """log P after choices, temperature and top-k."""
    weights = [math.exp(p / (temperature or 1)) if t in allowed else 0 for t, p in enumerate(plain)]
    keep = 1 if temperature == 0 else top_k or len(weights)
    cut = sorted(weights)[-keep]
    weights = [each if each >= cut else 0 for each in weights]
    return [math.log(each / sum(weights)) if each else -math.inf for each in weights]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A server that runs, and its key in the environment."""
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr("sparring.agents.engines.openai.server.PAUSE", 0.01)
    found = Endpoint()
    found.start()
    yield found
    found.stop()

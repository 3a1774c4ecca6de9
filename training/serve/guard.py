"""What is checked of every request: where it comes from, how much it sends, and what is in it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sparring.envs.core import BadInput, Role

TEXT = 4000
"""So many letters a message may have."""

BODY = 32_000
"""So many bytes a request may have; a letter takes up to six of them in JSON."""

SAFE = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    "referrer-policy": "no-referrer",  # the address of a game is the key to it
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every answer."""


class Guard:
    """Only our own page may change anything, and no answer is kept or framed elsewhere."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE)
            await send(message)

        if scope["method"] not in ("GET", "HEAD") and not _same_origin(Headers(scope=scope)):
            refused = JSONResponse({"error": "this request does not come from our page"}, 403)
            await refused(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)


def _same_origin(headers: Headers) -> bool:
    """Whether the browser says that a page of this very server sent it. It always says so."""
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc == headers.get("host")


async def body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises:
        HTTPException: it is too long, or none.
    """
    sent = b""
    async for part in request.stream():
        sent += part
        if len(sent) > BODY:
            raise HTTPException(413, f"that is too long; a message has at most {TEXT} letters")
    try:
        found = json.loads(sent)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HTTPException(400, "the request is not a JSON object")
    return found


def text(asked: Mapping[str, Any], name: str) -> str:
    """A text of a request. Raises ``BadInput`` for none, or one that is too long."""
    found = asked.get(name)
    if not isinstance(found, str) or not found.strip():
        raise BadInput(f"{name} is missing")
    if len(found) > TEXT:
        raise BadInput(f"{name} has {len(found)} letters; at most {TEXT}")
    return found


def flag(asked: Mapping[str, Any], name: str) -> bool | None:
    """True or false, or ``None`` where it is not said."""
    found = asked.get(name)
    if found is not None and not isinstance(found, bool):
        raise BadInput(f"{name} is true or false")
    return found


def seconds(asked: Mapping[str, Any], name: str) -> float | None:
    """A time from 0 to 60 s, or ``None`` where it is not said."""
    found = asked.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 60:
        raise BadInput(f"{name} is a number of seconds from 0 to 60")
    return float(found)


def choice(asked: Mapping[str, Any]) -> dict[Role, str]:
    """Which agent sits where."""
    found = asked.get("agents", {})
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise BadInput("agents is an object from seat to the name of an agent")
    return found

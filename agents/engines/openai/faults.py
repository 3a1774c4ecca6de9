"""What a server's refusal means, in one line that never holds the key."""

from collections.abc import Mapping
from typing import Any, Protocol

from sparring.agents.engines.core import EngineFault
from sparring.agents.engines.openai.access import library, secret

LONGEST = 200  # letters of what a server says


class Garbage(ValueError):
    """An answer that makes no sense; the text says why."""


class Refused(EngineFault):
    """The server does not take the request as it is. ``said``: why, in its own words."""

    def __init__(self, text: str, said: str):
        super().__init__(text)
        self.said = said


class Asked(Protocol):
    """What is told of the server that was asked."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def timeout(self) -> float: ...
    @property
    def retries(self) -> int: ...


def explained(fault: Any, server: Asked, model: str) -> EngineFault:
    """The error of the ``openai`` client that stayed after all retries, for people."""
    openai = library()
    where, said = server.url, _said(fault, secret(server.key))
    times = f"{server.retries + 1} times" if server.retries else "once"
    if isinstance(fault, openai.APITimeoutError):
        return EngineFault(
            f"{where} did not answer within {server.timeout:g} s, asked {times}; look after the "
            "server, or allow it more time"
        )
    if isinstance(fault, openai.APIConnectionError):
        return EngineFault(
            f"{where} cannot be reached ({said}); is the server running, and the address right?"
        )
    status = getattr(fault, "status_code", None)
    if status == 401:
        return EngineFault(_unauthorized(server))
    if status == 404:
        return EngineFault(_not_found(where, model, said))
    if status == 429:
        return EngineFault(
            f"{where} takes no more requests now, asked {times} ({said}); ask for fewer at once, "
            "raise the limit there, or go on later"
        )
    if status is not None and status < 500:
        return Refused(f"{where} refuses the request: {said}", said)
    return EngineFault(f"{where} failed, asked {times} ({said}); look after the server")


def _unauthorized(server: Asked) -> str:
    if secret(server.key) is None:
        return f"{server.url} wants a key: put it into the environment variable {server.key}"
    return (
        f"{server.url} does not take the key in the environment variable {server.key}; "
        "put the right one there"
    )


def _not_found(where: str, model: str, said: str) -> str:
    if "model" in said.lower():
        return f"{where} has no model {model!r} ({said})"
    return (
        f"there is no OpenAI-compatible server at {where} ({said}); its address usually ends in /v1"
    )


def _said(fault: Any, key: str | None) -> str:
    """The server's own words, or the network's."""
    status = getattr(fault, "status_code", None)
    other = str(fault.__cause__ or fault) if status is None else f"HTTP status {status}"
    return brief(words(getattr(fault, "body", None)) or other or type(fault).__name__, key)


def words(body: object) -> str:
    """What the body of a refusal says; "" if nothing."""
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    found = inner.get("message") if isinstance(inner, Mapping) else inner
    return found.strip() if isinstance(found, str) else ""


def brief(text: str, key: str | None) -> str:
    """The first line, cut short, without the key."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    line = line.replace(key, "***") if key else line
    return line if len(line) <= LONGEST else line[:LONGEST] + " ..."

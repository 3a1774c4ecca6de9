"""What it takes to reach a server: its address, its key, and the client library."""

import os
from typing import Any
from urllib.parse import urlsplit

from sparring.envs.core import BadInput

OPENAI = "https://api.openai.com/v1"
URL, KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
"""Environment variables, by the names that the client library has for them."""


def secret(key: str) -> str | None:
    """What the environment variable ``key`` holds, if anything.

    Raises:
        BadInput: that can be no key.
    """
    found = os.environ.get(key, "").strip()
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise BadInput(f"what the environment variable {key} holds cannot be a key")
    return found or None


def checked_url(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        BadInput: it is none, or holds more than an address. What it holds is not repeated.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadInput(
            "the server's address cannot be read; it is like http://host:8000/v1"
        ) from None
    if parts.username or parts.password or parts.query or parts.fragment or port == 0:
        raise BadInput(
            "a server's address is like http://host:8000/v1, without a name, a password or "
            f"anything after it; a key goes into the environment variable {KEY}"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(f"a server's address is like http://host:8000/v1, not {url!r}")
    return url.rstrip("/")


def library() -> Any:
    """The client library, which takes a second to import.

    Raises:
        BadInput: it is not installed.
    """
    try:
        import openai
    except ImportError:
        raise BadInput(
            "models on servers need the openai client: pip install 'sparring[openai]'"
        ) from None
    return openai

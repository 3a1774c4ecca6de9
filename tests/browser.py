"""Fixtures for tests in a real headless browser: Debian's Chromium, driven by Playwright.

``open_page(url, ...)`` opens a page and returns it; ``new_context(...)`` is a person of their own,
with cookies and storage apart. Both take ``color_scheme`` ("light" or "dark"), ``viewport`` and
any other option of a Playwright context. When a test ends it fails if a page had an error in its
console, threw, or asked for anything that is neither a file nor on 127.0.0.1 (such a request is
cut off before it leaves).

Playwright keeps an event loop of its own on this thread, so ``asyncio.run`` is refused until the
module's browser is closed: do in ``apart(function, ...)`` what needs one.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import pytest

P = ParamSpec("P")
T = TypeVar("T")

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LOCAL = ("file", "data", "blob", "about")
DRAWN = "document.documentElement.dataset.ready === 'yes'"
"""True once a page of ours has drawn everything."""


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``function`` in a thread of its own, where it may run an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args, **kwargs).result()


def chromium() -> Path | None:
    """The browser that ``SPARRING_CHROMIUM`` names, else the one on the path."""
    found = os.environ.get("SPARRING_CHROMIUM") or shutil.which("chromium")
    return Path(found) if found and Path(found).is_file() else None


@dataclass
class Watch:
    """Opens contexts and pages, and writes down what must not happen in them."""

    browser: Any
    faults: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def context(
        self, *, color_scheme: str = "light", viewport: dict[str, int] = DESKTOP, **more: Any
    ) -> Any:
        made = self.browser.new_context(color_scheme=color_scheme, viewport=viewport, **more)
        made.set_default_timeout(15_000)
        made.route("**/*", self._only_local)
        made.on("page", self._listen)
        self.contexts.append(made)
        return made

    def page(self, url: str, **options: Any) -> Any:
        """A page that has loaded; ``options`` are those of ``context``."""
        made = self.context(**options).new_page()
        made.goto(url)
        return made

    def _only_local(self, route: Any) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in LOCAL or address.hostname == "127.0.0.1":
            route.continue_()
        else:
            self.faults.append(f"a request left the machine: {route.request.url}")
            route.abort()

    def _listen(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        page.on("console", self._console)
        page.on("websocket", self._socket)

    def _socket(self, socket: Any) -> None:  # routes do not see it
        if urlsplit(socket.url).hostname != "127.0.0.1":
            self.faults.append(f"a socket left the machine: {socket.url}")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, started once for a module; a test is skipped where there is none."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium: install Debian's chromium, or name one with SPARRING_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(found), args=list(ARGS))
        yield running
        running.close()


@pytest.fixture
def watch(browser: Any) -> Iterator[Watch]:
    """Contexts and pages of one test; ``watch.faults`` may be read and cleared by the test."""
    made = Watch(browser)
    yield made
    for context in made.contexts:
        context.close()
    assert not made.faults, "\n".join(made.faults)


@pytest.fixture
def new_context(watch: Watch) -> Callable[..., Any]:
    return watch.context


@pytest.fixture
def open_page(watch: Watch) -> Callable[..., Any]:
    return watch.page

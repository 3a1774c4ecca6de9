"""What models on servers were asked for, and what that costs: told at the end of a command."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparring.agents.arena.schedule import Contest
from sparring.agents.core import Agent
from sparring.agents.engines.openai.usage import told
from sparring.agents.served import servers
from sparring.training.commands.common import out

USAGE = "usage.jsonl"


def everybody(contests: Iterable[Contest]) -> list[Agent]:
    """All who play in these."""
    return [a for c in contests for a in (*c.agents.values(), *c.fixed.values())]


@contextmanager
def counted(agents: Iterable[Agent], *, quiet: bool = False) -> Iterator[None]:
    """Tell it after what is done inside, however that ends: what was asked for is paid for."""
    known = servers(agents)
    try:
        yield
    finally:
        for name, server in known.items():
            if server.usage.requests and not quiet:
                out.print(f"{name}: {told(server.usage, server.prices)}", markup=False)


def spent(agents: Iterable[Agent]) -> dict[str, dict[str, Any]]:
    """The same by agent, as JSON: the counts of ``Usage``, and ``cost`` in dollars or null."""
    found = servers(agents)
    return {name: {**asdict(s.usage), "cost": s.cost} for name, s in found.items()}


@contextmanager
def kept(agents: Iterable[Agent], folder: Path) -> Iterator[None]:
    """Add it to a folder, a line an agent, after what is done inside, however that ends."""
    known = list(agents)
    try:
        yield
    finally:
        lines = [{"agent": name, **each} for name, each in spent(known).items()]
        if lines:
            with (folder / USAGE).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)

"""A thousand games at once in little memory: does the engine keep to its budget, and what it costs.

    python benchmarks/crowd.py             prints the table
    python benchmarks/crowd.py --check     exits 1 if a goal is missed

A thousand conversations of three turns are in flight together (those of benchmarks/generation.py,
with a model of 1M parameters), each budget in a process of its own. Printed are the most keys and
values that there were at any moment, by how much the process grew beyond what it had with the
model loaded and a first answer given, and the time as a ratio to that of the largest budget. All
budgets should bring the same tokens (a token at the edge may fall the other way: batch shapes
change last digits). Goal: keys and values within the budget, always; and the process within 9/8 of
the budget and 256 MiB, since of memory that is moved an eighth is there twice for a moment (the
keys or the values of one of four layers), and logits and games take some.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from hashlib import sha256

import torch
import tyro
from conversations import MODELS, planned, said
from rich.console import Console
from rich.table import Table

from sparring.agents.engines.core import Tokens
from sparring.agents.engines.local.engine import LocalEngine

MIB = 1 << 20
GAMES, TURNS = 1000, 3
ROOM = 256  # MiB


@dataclass(frozen=True)
class Crowd:
    """Measure the memory of many games at once."""

    budgets: tuple[int, ...] = (4096, 512, 128)
    """MiB of keys and values, the largest first."""
    alone: bool = False
    """Play with the first budget in this process, and print what came as JSON."""
    threads: int = 2
    """Threads of torch."""
    check: bool = False
    """Exit with 1 if a goal is missed."""


def grown() -> float:
    """The most memory that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(budget: int, threads: int) -> dict[str, float | str]:
    """One budget: {"most", "grown"} in MiB, "seconds", and a hash of all tokens."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = MODELS["1M"]().eval()
    plan = planned(GAMES, TURNS, model.config.vocab_size)
    engine = LocalEngine(model, end=-1, memory=budget * MIB)
    asyncio.run(said(engine, plan, (), 0, 0))
    before, start = grown(), time.perf_counter()

    async def conversation(c: int) -> Tokens:
        held: Tokens = ()
        for turn in range(TURNS):
            held = await said(engine, plan, held, c, turn)
        return held

    async def all_of_them() -> list[Tokens]:
        return list(await asyncio.gather(*(conversation(c) for c in range(GAMES))))

    tokens = asyncio.run(all_of_them())
    return {
        "most": engine.peak_memory / MIB,
        "grown": grown() - before,
        "seconds": time.perf_counter() - start,
        "tokens": sha256(repr(tokens).encode()).hexdigest(),
    }


def main() -> int:
    options = tyro.cli(Crowd)
    if options.alone:
        print(json.dumps(alone(options.budgets[0], options.threads)))
        return 0
    table = Table(title=f"{GAMES} conversations at once")
    for column in ("budget", "keys and values", "process grew by", "time", "same tokens"):
        table.add_column(column)
    missed, first = False, None
    for budget in options.budgets:
        asked = ("--alone", "--budgets", str(budget), "--threads", str(options.threads))
        ran = subprocess.run([sys.executable, __file__, *asked], capture_output=True, check=True)
        found = json.loads(ran.stdout.splitlines()[-1])
        first = first or found
        same = found["tokens"] == first["tokens"]
        missed |= found["most"] > budget or found["grown"] > 9 / 8 * budget + ROOM
        table.add_row(
            f"{budget} MiB",
            f"{found['most']:.0f} MiB",
            f"{found['grown']:.0f} MiB",
            f"{found['seconds'] / first['seconds']:.2f}",
            "yes" if same else "no",
        )
    Console(width=100).print(table)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

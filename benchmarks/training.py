"""Tokens and seconds of one update: our batches against one sample a turn, for the same gradient.

    python benchmarks/training.py             prints the table
    python benchmarks/training.py --check     exits 1 if a goal is missed

The same games of random legal play, worded by the embedded model's tokenizer, are trained on once
in each way, with the policy gradient and the same advantages:

one sample a turn   a row for every turn with all that went before it, as trainers of single-turn
                    tasks make them; rows in the order of play, filled up to the longest on both
                    sides of where the answers begin; output layer on all answer positions
the same, unfilled  the same rows, those of like length together
ours                a row for every role's game, what rows share computed once, lines without fill,
                    output layer on the trained tokens only

Seconds are CPU time of one thread and include the making of the batch from rows. The ways take
turns, and each is the median of its rounds. Goals: 3 times fewer seconds on ten-turn dialogues, 4
times on TicTacToe, 20 times on Kuhn poker; gradients equal to 1e-5 of the largest.
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import tyro
from rich.console import Console
from rich.table import Table

from sparring.agents.embedded import build_model, build_tokenizer
from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs import game
from sparring.training.batch import collate
from sparring.training.core import Sample
from sparring.training.forward import cut, part_logprobs, said
from sparring.training.imitate import as_said_by_model
from sparring.training.rows import Row, learning_rows

CASES = (
    # (game, what it is, games, goal)
    ("SimpleNegotiation-v0", "ten-turn dialogues", 48, 3.0),
    ("TicTacToe-v0", "TicTacToe", 64, 4.0),
    ("KuhnPoker-v0", "Kuhn poker", 1024, 20.0),
)
EQUAL = 1e-5


@dataclass(frozen=True)
class Options:
    """Measure the cost of an update."""

    rounds: int = 3
    """Rounds; the median counts."""
    tokens_at_once: int = 16384
    """How many tokens go through the model at once, fill included."""
    games: float = 1.0
    """This many times the usual number of games."""
    check: bool = False
    """Exit with 1 if a goal is missed."""


@dataclass(frozen=True)
class Cost:
    """Of one update: tokens read with and without fill, output-layer rows, seconds, gradient."""

    read: int
    real: int
    outputs: int
    seconds: float
    gradient: torch.Tensor


Way = Callable[[Any, Sequence[Sample], Sequence[Sequence[float]], int], tuple[int, int, int]]
"""Adds the gradient of −1/games · Σ A·log π to the model's; returns (read, real, outputs)."""


def play(name: str, number: int) -> tuple[Any, list[Sample], list[list[float]]]:
    """An untrained embedded model for the game; games of random play; an advantage a turn."""
    rules, luck = game(name), random.Random(0)
    tokenizer = build_tokenizer([rules])
    seats = {role: RandomAgent() for role in rules.roles}
    matches = [
        Match(rules, seats, luck.getrandbits(63), luck.getrandbits(63)) for _ in range(number)
    ]
    renderer = Renderer(tokenizer)
    episodes = [as_said_by_model(e, renderer) for e in asyncio.run(play_all(matches))]
    samples = [
        Sample(e, role, 0.0, (1.0,) * len(e.turns_of(role))) for e in episodes for role in e.seats
    ]
    advantages = [[luck.gauss(0, 1) for _ in s.turns] for s in samples]
    model = build_model(tokenizer, seed=0, context=4096).eval()
    return model, samples, advantages


def ours(
    model: Any, samples: Sequence[Sample], advantages: Sequence[Sequence[float]], at_once: int
) -> tuple[int, int, int]:
    return _by_batch(model, learning_rows(samples, advantages), len(samples), at_once, share=True)


def unfilled(
    model: Any, samples: Sequence[Sample], advantages: Sequence[Sequence[float]], at_once: int
) -> tuple[int, int, int]:
    rows = learning_rows(samples, advantages, one_per_turn=True)
    return _by_batch(model, rows, len(samples), at_once, share=False)


def _by_batch(
    model: Any, rows: Sequence[Row], divisor: int, at_once: int, *, share: bool
) -> tuple[int, int, int]:
    batch = collate(rows, share=share)
    passes = cut(model, batch, at_once)
    for part in passes:
        own = said(part_logprobs(model, batch, part), batch, part)
        here = part.tokens
        (-((batch.gain - batch.cost)[here] * own).sum() / divisor).backward()
    read = sum((int(part.line[-1]) + 1) * part.width for part in passes)
    places = torch.stack([batch.where[:, 0], batch.before], 1)
    return read, int(batch.sizes.sum()), len(torch.unique(places, dim=0))


def published(
    model: Any, samples: Sequence[Sample], advantages: Sequence[Sequence[float]], at_once: int
) -> tuple[int, int, int]:
    """One sample a turn: prompts filled on their left, answers on their right."""
    rows = learning_rows(samples, advantages, one_per_turn=True)
    read = real = outputs = 0
    longest = max(len(row.tokens) for row in rows)
    size = max(at_once // longest, 1)
    for first in range(0, len(rows), size):
        some = rows[first : first + size]
        starts = [row.spans[0][0] for row in some]
        left = max(starts)
        answer = max(len(row.tokens) - start for row, start in zip(some, starts, strict=True))
        ids = torch.zeros((len(some), left + answer), dtype=torch.long)
        mask = torch.zeros_like(ids)
        gains = torch.zeros((len(some), answer))
        for i, (row, start) in enumerate(zip(some, starts, strict=True)):
            here = slice(left - start, left - start + len(row.tokens))
            ids[i, here] = torch.tensor(row.tokens)
            mask[i, here] = 1
            gains[i, : len(row.tokens) - start] = row.advantages[0]
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0),
            use_cache=False,
            logits_to_keep=answer + 1,
        ).logits[:, :-1]
        own = logits.log_softmax(-1).gather(2, ids[:, left:, None])[..., 0]
        (-(gains * own).sum() / len(samples)).backward()
        read, real = read + ids.numel(), real + int(mask.sum())
        outputs += len(some) * (answer + 1)
    return read, real, outputs


WAYS: dict[str, Way] = {
    "one sample a turn": published,
    "the same, unfilled": unfilled,
    "ours": ours,
}


def cost(
    way: Way,
    model: Any,
    samples: Sequence[Sample],
    advantages: Sequence[Sequence[float]],
    at_once: int,
) -> Cost:
    model.zero_grad(set_to_none=True)
    began = time.process_time()
    counts = way(model, samples, advantages, at_once)
    seconds = time.process_time() - began
    gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
    return Cost(*counts, seconds, gradient)


def measure(name: str, number: int, options: Options) -> dict[str, Cost]:
    """The median cost of each way."""
    model, samples, advantages = play(name, max(round(number * options.games), 1))
    found: dict[str, list[Cost]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way, work in WAYS.items():
            found[way].append(cost(work, model, samples, advantages, options.tokens_at_once))
    middle = options.rounds // 2
    return {way: sorted(costs, key=lambda c: c.seconds)[middle] for way, costs in found.items()}


def row(title: str, other: Cost, own: Cost | None) -> tuple[str, ...]:
    """A line of the table: of ours as it is, of the others as ratios to it."""
    if own is None:
        counts = (f"{n:,}" for n in (other.real, other.read, other.outputs))
        return (title, *counts, f"{other.seconds:.2f} s", "")
    ratios = (
        other.real / own.real,
        other.read / own.read,
        other.outputs / own.outputs,
        other.seconds / own.seconds,
    )
    return (f"  {title}", *(f"{ratio:.2f}" for ratio in ratios), f"{off(other, own):.0e}")


def off(other: Cost, own: Cost) -> float:
    """The largest difference of two gradients, as a share of the largest number in ours."""
    return float((other.gradient - own.gradient).abs().max() / own.gradient.abs().max())


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    torch.set_num_threads(1)
    console = Console(highlight=False)
    table = Table(title="one update; below ours the others, as ratios to it", title_justify="left")
    table.add_column("", no_wrap=True)
    for head in ("tokens", "with fill", "outputs", "seconds", "gradient off"):
        table.add_column(head, justify="right")
    verdicts, missed = [], 0
    for name, title, number, goal in CASES:
        found = measure(name, number, options)
        own, base = found["ours"], found["one sample a turn"]
        table.add_section()
        table.add_row(*row(title, own, None))
        for way in list(WAYS)[:-1]:
            table.add_row(*row(way, found[way], own))
            if off(found[way], own) > EQUAL:
                missed += 1
                verdicts.append(f"{title}: the gradient of {way} is another: MISSED")
        ratio = base.seconds / own.seconds
        missed += ratio < goal
        verdict = "met" if ratio >= goal else "MISSED"
        verdicts.append(
            f"{title}: {ratio:.2f} times fewer seconds, {base.read / own.read:.2f} times fewer "
            f"tokens; goal {goal:g} times fewer seconds: {verdict}"
        )
    console.print(table)
    for line in verdicts:
        console.print(line, soft_wrap=True)
    return int(options.check and missed > 0)


if __name__ == "__main__":
    sys.exit(main())

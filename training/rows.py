"""From episodes to training data: one role's whole game is one row of tokens.

A view only grows, so the prompt of a turn starts with the prompt and the sampled tokens of the
turn before, and the last turn's tokens hold the whole game. Only what the role itself sampled is
trained on. Where a prompt does not extend what was held, a new row starts (a *fork*).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sparring.agents.engines.core import Tokens
from sparring.envs.core import Role
from sparring.training.core import Advantages, Sample

Length = Literal["sum", "mean"] | int
"""How the terms of a row's T trained tokens are added up: Σ, Σ/T, or Σ/n for a constant n."""


@dataclass(frozen=True, slots=True)
class Row:
    """One role's game (or the part of it since the last fork).

    ``tokens``: T ids. ``spans``: [start, stop) of each answer that the role sampled.
    ``logprobs``: the log-probability of each sampled token when sampled, spans in order.
    ``advantages``: one for each span. ``weight``: what the row's terms in the loss are times.
    """

    role: Role
    tokens: Tokens
    spans: tuple[tuple[int, int], ...]
    logprobs: tuple[float, ...]
    advantages: tuple[float, ...]
    weight: float = 1.0


def rows_of(
    sample: Sample,
    advantages: Sequence[float],
    length: Length = "sum",
    *,
    one_per_turn: bool = False,
) -> list[Row]:
    """The rows of one sample, with one advantage a turn.

    ``length`` is applied to the sample as a whole: sum; mean over its tokens (GRPO, arXiv
    2402.03300); divided by a constant (Dr. GRPO, arXiv 2503.20783). ``one_per_turn`` starts a new
    row at every turn: the same gradient, for more tokens.

    Raises:
        ValueError: a turn was not played by a language model, so there is nothing to train.
    """
    rows: list[Row] = []
    held: Tokens = ()
    spans: list[tuple[int, int]] = []
    logprobs: list[float] = []
    gains: list[float] = []
    weight = sample.weight / _divisor(sample, length)

    def close() -> None:
        if held:
            given = tuple(spans), tuple(logprobs), tuple(gains)
            rows.append(Row(sample.role, held, *given, weight))

    for turn, advantage in zip(sample.turns, advantages, strict=True):
        action = turn.action
        if not action.tokens or len(action.logprobs) != len(action.tokens):
            raise ValueError(f"the turn of {sample.role} has no sampled tokens with logprobs")
        if held and (one_per_turn or action.prompt[: len(held)] != held):
            close()
            spans, logprobs, gains = [], [], []
        start = len(action.prompt)
        held = action.prompt + action.tokens
        spans.append((start, len(held)))
        logprobs += action.logprobs
        gains.append(advantage)
    close()
    return rows


def _divisor(sample: Sample, length: Length) -> float:
    if length == "sum":
        return 1.0
    if length == "mean":
        return float(max(sum(len(turn.action.tokens) for turn in sample.turns), 1))
    return float(length)


def learning_rows(
    samples: Sequence[Sample],
    advantages: Advantages,
    length: Length = "sum",
    *,
    one_per_turn: bool = False,
) -> list[Row]:
    """The rows of all samples; those without a turn or of weight 0 have none."""
    rows: list[Row] = []
    for sample, own in zip(samples, advantages, strict=True):
        if sample.weight:
            rows += rows_of(sample, own, length, one_per_turn=one_per_turn)
    return rows

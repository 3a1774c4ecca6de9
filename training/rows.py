"""From episodes to training data: one role's whole game is one row of tokens.

A view only grows, so the prompt of a turn starts with the prompt and the sampled tokens of the
turn before, and the last turn's tokens hold the whole game. Only what the role itself sampled is
trained on. Where a prompt does not extend what was held, a new row starts (a *fork*).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparring.agents.engines.core import Tokens
from sparring.envs.core import Episode, Role


@dataclass(frozen=True, slots=True)
class Row:
    """One role's game (or the part of it since the last fork).

    ``tokens``: T ids. ``spans``: [start, stop) of each answer that the role sampled.
    ``logprobs``: the log-probability of each sampled token when sampled, spans in order.
    """

    role: Role
    tokens: Tokens
    spans: tuple[tuple[int, int], ...]
    logprobs: tuple[float, ...]
    advantage: float


def rows_of(episode: Episode, role: Role, advantage: float) -> list[Row]:
    """The rows of one role's turns; all of them carry the same advantage.

    Raises:
        ValueError: a turn was not played by a language model, so there is nothing to train.
    """
    rows: list[Row] = []
    held: Tokens = ()
    spans: list[tuple[int, int]] = []
    logprobs: list[float] = []
    for turn in episode.turns_of(role):
        action = turn.action
        if not action.tokens or len(action.logprobs) != len(action.tokens):
            raise ValueError(f"the turn of {role} has no sampled tokens with log-probabilities")
        if held and action.prompt[: len(held)] != held:
            rows.append(Row(role, held, tuple(spans), tuple(logprobs), advantage))
            spans, logprobs = [], []
        start = len(action.prompt)
        held = action.prompt + action.tokens
        spans.append((start, len(held)))
        logprobs += action.logprobs
    if held:
        rows.append(Row(role, held, tuple(spans), tuple(logprobs), advantage))
    return rows


def learning_rows(
    episodes: Sequence[Episode], advantages: Sequence[Mapping[Role, float]]
) -> list[Row]:
    """The rows of every role that has an advantage; the other seats are not trained."""
    pairs = zip(episodes, advantages, strict=True)
    return [row for e, own in pairs for role, a in own.items() for row in rows_of(e, role, a)]

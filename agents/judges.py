"""Judges in a seat: agents that answer ``LABEL: NUMBER%``, from a verifier or a language model.

A judge that fails says ``no verdict: why``; a game with a judge's seat then is void.
"""

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sparring.agents.core import Agent
from sparring.envs.core import Action, BadInput, Message, Observation, Void
from sparring.envs.judges import FAILED, NO_VERDICT, Judge, ask, read_chance, say_chance, vote

T = TypeVar("T")
Labels = tuple[str, str]
Mirror = Callable[[Observation], Observation]


class HasChances(Protocol):
    """A model that can say how probable each of the listed answers is (``LLMAgent`` is one)."""

    @property
    def name(self) -> str: ...

    async def answer_chances(self, observation: Observation) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True)
class JudgeAgent(Generic[T]):
    """A verifier in a judge's seat: its value is the chance of the first of two ``labels``.

    ``read`` makes of what the seat sees the item that the verifier takes.
    """

    name: str
    judge: Judge[T]
    read: Callable[[Observation], T]
    labels: Labels

    async def act(self, observation: Observation) -> Action:
        try:
            verdict = ask(lambda seen: self.judge(self.read(seen)), observation)
        except Void as fault:
            return _failed(fault)
        return Action(say_chance(verdict.value, self.labels[0]), private=verdict.text)


@dataclass(frozen=True, slots=True)
class LabelJudge:
    """A language model in a judge's seat, asked for one of two labels instead of a number.

    It answers ``label_chance``. Whatever the model raises is a failure of the judge.
    """

    model: HasChances
    labels: Labels
    mirror: Mirror | None = None

    @property
    def name(self) -> str:
        return self.model.name

    async def act(self, observation: Observation) -> Action:
        try:
            value = await label_chance(self.model, observation, self.labels, self.mirror)
        except Exception as fault:
            return _failed(fault)
        return Action(say_chance(value, self.labels[0]))


@dataclass(frozen=True, slots=True)
class MajorityJudge:
    """Several agents in one judge's seat, who vote: see ``judges.vote``.

    They are asked at the same time, each with luck of its own, so that one model may sit there n
    times. Where one of them fails, or says what cannot be read, there is no verdict.

    Raises:
        BadInput: there are no judges.
    """

    judges: tuple[Agent, ...]
    labels: Labels

    def __post_init__(self) -> None:
        if not self.judges:
            raise BadInput("a majority needs at least one judge")

    @property
    def name(self) -> str:
        names = dict.fromkeys(judge.name for judge in self.judges)
        return f"majority of {len(self.judges)}: {', '.join(names)}"

    async def act(self, observation: Observation) -> Action:
        luck = random.Random(observation.seed)
        asked = [observation._replace(seed=luck.getrandbits(63)) for _ in self.judges]
        each = zip(self.judges, asked, strict=True)
        try:
            replies = await asyncio.gather(*(judge.act(seen) for judge, seen in each))
            verdict = vote([self._chance(reply.text) for reply in replies])
        except Exception as fault:
            return _failed(fault)
        return Action(say_chance(verdict.value, self.labels[0]), private=verdict.text)

    def _chance(self, text: str) -> float:
        value = read_chance(text, self.labels)
        if value is None:
            raise Void(f"{text[:80]!r} is no verdict")
        return value


async def label_chance(
    model: HasChances, observation: Observation, labels: Labels, mirror: Mirror | None = None
) -> float:
    """The probability that ``model`` gives to the first of two labels, free of their order.

    The model is asked twice, with the labels in either order, and the mean of P(first) / (P(first)
    + P(second)) is taken. With ``mirror``, which shows everything with both sides exchanged, the
    second time the sides change places too, so the label that means the first side is the second.

    Raises:
        Void: the probabilities are not finite, or both 0: the model has no preference to report.
    """
    one, two = labels
    straight = await _share(model, observation, (one, two), of=one)
    if mirror is None:
        swapped = await _share(model, observation, (two, one), of=one)
    else:
        swapped = await _share(model, mirror(observation), (one, two), of=two)
    return (straight + swapped) / 2


async def _share(model: HasChances, seen: Observation, labels: Labels, *, of: str) -> float:
    """P(of), renormalised over two labels that are offered in this order."""
    which = f"Which answer is the correct one? Reply with {labels[0]} or {labels[1]} only."
    question = Message("game", which, frozenset({seen.role}))
    # without turns the whole view is rendered anew: a mirrored one was never shown before
    asked = seen._replace(messages=(*seen.messages, question), legal=labels, examples=(), turns=())
    chances = await model.answer_chances(asked)
    total = math.fsum(chances[label] for label in labels)
    if not (math.isfinite(total) and total > 0 and min(chances.values()) >= 0):
        raise Void(f"the model gives {dict(chances)} to the labels")
    return chances[of] / total


def _failed(fault: Exception) -> Action:
    """What to say instead of a verdict; a reason that says so already is not said twice."""
    why = str(fault) if isinstance(fault, Void) else repr(fault)
    return Action(f"{NO_VERDICT}: {why.removeprefix(FAILED)}")

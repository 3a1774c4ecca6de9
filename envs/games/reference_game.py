"""The reference game: a speaker makes a listener pick the right one of several objects.

Cooperative: both get 1 if the listener picks the target, else 0. Two forms:

* described objects, as "small red circle" (Frank & Goodman 2012): the speaker sees them and the
  target and says a few words; the listener sees them in an order of its own;
* listed signals (Lewis 1969): n objects without properties and k signals without meaning, so that
  only a convention helps. The best joint payoff is min(n, k)/n.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import (
    BadInput,
    Declaration,
    Game,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    visible,
)
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import whole

ROLES = SPEAKER, LISTENER = ("speaker", "listener")
SIZES, COLORS = ("small", "big"), ("red", "green", "blue", "yellow")
SHAPES = ("circle", "square", "triangle", "star")
PROPERTIES = (*SIZES, *COLORS, *SHAPES)
DESCRIPTIONS = tuple(map(" ".join, product(SIZES, COLORS, SHAPES)))
SIGNALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOGETHER = "Both of you get 1 if it is the target, else 0."


@dataclass(frozen=True, slots=True)
class ReferenceState:
    """``signals`` are the listed ones; none: the speaker says up to ``words`` words."""

    objects: tuple[str, ...]  # as the listener may pick them
    target: str
    log: View
    signals: tuple[str, ...] = ()
    words: int = 0
    heard: bool = False
    picked: str | None = None

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.picked is not None else (LISTENER,) if self.heard else (SPEAKER,)

    @property
    def payoffs(self) -> Payoffs:
        return dict.fromkeys(ROLES, float(self.picked == self.target))

    @property
    def outcome(self) -> Mapping[str, float]:
        return {} if self.picked is None else {"solved": float(self.picked == self.target)}

    def observe(self, role: Role) -> Observation:
        seen = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, seen)
        if role == LISTENER:
            return Observation(role, seen, self.objects)
        if self.signals:
            return Observation(role, seen, self.signals)
        return Observation(role, seen, None, tuple(self.target.split()))

    def step(self, answers: Mapping[Role, str]) -> "ReferenceState":
        if not self.heard:
            if self.signals:
                said = public(f"{SPEAKER}: {choose(answers, SPEAKER, self.signals)}")
            else:
                said = speech(SPEAKER, self._few_words(answers[SPEAKER]))
            return replace(self, heard=True, log=(*self.log, said))
        picked = choose(answers, LISTENER, self.objects)
        right = "right" if picked == self.target else "wrong"
        end = public(f"{LISTENER}: {picked}. That is {right}, the target was: {self.target}.")
        return replace(self, picked=picked, log=(*self.log, end))

    def _few_words(self, text: str) -> str:
        words = re.findall(r"[^\W_]+", text)
        count = len(words)
        for word in words:
            if sum(word.casefold().count(each) for each in PROPERTIES) > 1:
                raise IllegalAction(SPEAKER, "Words written together are no single word.")
        if not 1 <= count <= self.words:
            most = "one word" if self.words == 1 else f"1 to {self.words} words"
            raise IllegalAction(SPEAKER, f"That has {count} words. Reply with {most}.")
        return " ".join(words)  # marks between them would be a second channel


@dataclass(frozen=True)
class DescribedObjects:
    """The speaker describes one of several objects in a few words; the listener picks it."""

    objects: int = 3
    words: int = 1

    name = "ReferenceGame-v0"
    roles = ROLES
    declares = Declaration(
        sum=Sum.COOPERATIVE,
        hidden_information=True,
        max_turns=2,
        low=0.0,
        high=1.0,
        free_speech=True,
    )

    def __post_init__(self) -> None:
        whole("objects", self.objects, 2, len(DESCRIPTIONS))
        whole("words", self.words, 1)

    def rules(self, role: Role) -> str:
        most = "one word" if self.words == 1 else f"at most {self.words} words"
        return (
            f"Reference game, for two who win together. You are the {role}. Both see the same "
            f"{self.objects} objects, each in an order of its own; only the speaker knows which "
            f"is the target. The speaker says {most}; then the listener picks an object by its "
            f"full name. {TOGETHER}"
        )

    def start(self, seed: int) -> ReferenceState:
        rng = random.Random(seed)
        shown = rng.sample(DESCRIPTIONS, self.objects)
        heard = tuple(rng.sample(shown, self.objects))
        target = rng.choice(shown)
        deal = (
            private(f"The objects: {', '.join(shown)}. The target: {target}", SPEAKER),
            private(f"The objects: {', '.join(heard)}", LISTENER),
        )
        return ReferenceState(heard, target, (*rules_first(self), *deal), words=self.words)


@dataclass(frozen=True)
class ListedSignals:
    """Lewis signalling: a signal without a meaning of its own, and one of n objects to pick."""

    objects: int  # no defaults: the name of a game says what differs from the other form
    signals: int

    name = "ReferenceGame-v0"
    roles = ROLES
    declares = Declaration(
        sum=Sum.COOPERATIVE, hidden_information=True, max_turns=2, low=0.0, high=1.0
    )

    def __post_init__(self) -> None:
        whole("objects", self.objects, 2, len(DESCRIPTIONS))
        whole("signals", self.signals, 1, len(SIGNALS))

    def rules(self, role: Role) -> str:
        return (
            f"Signalling game, for two who win together. You are the {role}. There are objects 1 "
            f"to {self.objects}; only the speaker knows which is the target. The speaker sends one "
            f"signal: {', '.join(SIGNALS[: self.signals])}. Then the listener picks an object by "
            f"its number. {TOGETHER}"
        )

    def start(self, seed: int) -> ReferenceState:
        return self._open(random.Random(seed).randint(1, self.objects))

    def openings(self) -> list[tuple[float, ReferenceState]]:
        return [(1 / self.objects, self._open(n + 1)) for n in range(self.objects)]

    def _open(self, target: int) -> ReferenceState:
        numbers = tuple(str(n + 1) for n in range(self.objects))
        log = (*rules_first(self), private(f"The target: {target}", SPEAKER))
        return ReferenceState(numbers, str(target), log, signals=tuple(SIGNALS[: self.signals]))


def reference_game(
    objects: Annotated[int, "so many objects"] = 3,
    words: Annotated[int, "the speaker says at most so many words (without signals)"] = 1,
    signals: Annotated[int | None, "so many listed signals instead of free words (Lewis)"] = None,
) -> Game:
    """The speaker makes the listener pick the right object, by free words or listed signals.

    Raises:
        BadInput: an option is not a whole number in its range, or words are given with signals.
    """
    if signals is None:
        return DescribedObjects(objects, words)
    if words != 1:
        raise BadInput("words has no meaning with signals; leave one of the two out")
    return ListedSignals(objects, signals)

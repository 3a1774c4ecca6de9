"""Twenty questions: find out what the other one thinks of, by questions that have a short answer.

Cooperative. The guesser asks freely; the answerer picks one of four answers. A guess counts as a
question, is judged by the game, and ends it if it is right.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import (
    Declaration,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    visible,
)
from sparring.envs.games.taboo import GUESS, read_guess
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import flag, number, one_of, whole
from sparring.envs.words import names

ROLES = ANSWERER, GUESSER = ("answerer", "guesser")
ANSWERS = ("yes", "no", "sometimes", "unknown")
QUESTIONS = (
    "Is it alive?",
    "Is it bigger than a person?",
    "Can you find it in most homes?",
    "guess: dog",
    "guess: a piano",
)


@dataclass(frozen=True, slots=True)
class Thing:
    category: str
    names: tuple[str, ...]  # the usual one first


@cache
def things() -> tuple[Thing, ...]:
    """The secrets: one a line in ``envs/data/things.txt``, ``category: name | other name``."""
    text = (files("sparring.envs") / "data" / "things.txt").read_text(encoding="utf-8")
    pairs = (line.split(": ") for line in text.splitlines())
    return tuple(Thing(category, tuple(words.split(" | "))) for category, words in pairs)


CATEGORIES = (
    *("animal", "clothing", "food", "household", "leisure", "nature", "place", "tool", "vehicle"),
)


@dataclass(frozen=True, slots=True)
class TwentyQuestionsState:
    game: "TwentyQuestions"
    thing: Thing
    log: View
    asked: int = 0  # questions and guesses so far
    open: bool = False  # a question waits for its answer
    over: bool = False
    won: float = 0.0  # by each of the two
    solved: bool = False

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.over else (ANSWERER,) if self.open else (GUESSER,)

    @property
    def payoffs(self) -> Payoffs:
        return dict.fromkeys(ROLES, self.won)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``questions``: how many it took, the right guess included, where there was one."""
        if not self.over:
            return {}
        took = {"questions": float(self.asked)} if self.solved else {}
        return {"solved": float(self.solved), **took}

    def observe(self, role: Role) -> Observation:
        seen = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, seen)
        return (
            Observation(role, seen, ANSWERS)
            if self.open
            else Observation(role, seen, None, QUESTIONS)
        )

    def step(self, answers: Mapping[Role, str]) -> "TwentyQuestionsState":
        if self.open:
            answer = choose(answers, ANSWERER, ANSWERS)
            log = (*self.log, public(f"{ANSWERER}: {answer}"))
            return replace(self, open=False, log=log)._next()
        text = answers[GUESSER]
        if not text.strip():
            raise IllegalAction(GUESSER, 'Ask a question, or guess in a line like "guess: THING".')
        guess = read_guess(GUESSER, text) if GUESS.search(text) else None
        spoken = replace(self, asked=self.asked + 1, log=(*self.log, speech(GUESSER, text)))
        if guess is None:
            return replace(spoken, open=True)
        if any(names(guess, name) for name in self.thing.names):
            found = replace(spoken, solved=True)
            return found._end("That is right!", self.game.discount**self.asked)
        return replace(spoken, log=(*spoken.log, public("That is not it.")))._next()

    def _next(self) -> "TwentyQuestionsState":
        left = self.game.questions - self.asked
        return self if left else self._end("No questions are left.", 0.0)

    def _end(self, why: str, won: float) -> "TwentyQuestionsState":
        end = public(f"{why} It was: {self.thing.names[0]}. Both get {won:g}.")
        return replace(self, over=True, won=won, log=(*self.log, end))


@dataclass(frozen=True)
class TwentyQuestions:
    """The guesser finds out what the answerer thinks of, by at most twenty yes-or-no questions."""

    questions: Annotated[int, "so many questions, guesses included"] = 20
    discount: Annotated[float, "a right guess as question q pays discount^(q-1)"] = 1.0
    hint: Annotated[bool, "tell the guesser the category"] = True
    category: Annotated[str, f"secrets of any category, or of one: {', '.join(CATEGORIES)}"] = "any"

    name = "TwentyQuestions-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("questions", self.questions, 1)
        number("discount", self.discount, 0.0, 1.0)
        flag("hint", self.hint)
        one_of("category", self.category, ("any", *CATEGORIES))

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.COOPERATIVE,
            hidden_information=True,
            max_turns=2 * self.questions,
            low=0.0,
            high=1.0,
            free_speech=True,
        )

    @property
    def secrets(self) -> tuple[Thing, ...]:
        """What the answerer may have to think of."""
        return tuple(thing for thing in things() if self.category in ("any", thing.category))

    def rules(self, role: Role) -> str:
        pays = "1"
        if self.discount < 1:
            pays = f"1 at once, and {self.discount:g} times as much for each turn before it"
        return (
            f"Questions and answers, a game for two who win together. You are the {role}. The "
            f"answerer knows a secret thing. The guesser has {self.questions} turn(s): in each "
            f"it asks one question, which the answerer answers with {', '.join(ANSWERS[:-1])} or "
            f"{ANSWERS[-1]}, or makes a guess in a line like: guess: THING. A right guess ends the "
            f"game and pays both {pays}. A wrong guess uses up the turn. Without a right guess "
            "both get 0."
        )

    def start(self, seed: int) -> TwentyQuestionsState:
        return self._open(random.Random(seed).choice(self.secrets))

    def openings(self) -> list[tuple[float, TwentyQuestionsState]]:
        return [(1 / len(self.secrets), self._open(thing)) for thing in self.secrets]

    def _open(self, thing: Thing) -> TwentyQuestionsState:
        secret = private(f"The secret thing: {thing.names[0]}", ANSWERER)
        hint = (public(f"The category: {thing.category}"),) if self.hint else ()
        return TwentyQuestionsState(self, thing, (*rules_first(self), secret, *hint))

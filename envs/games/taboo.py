"""Taboo: describe a word without the words that come to mind first; the other one guesses it.

Cooperative. In every round the describer gives a clue and the guesser one guess. A clue that says
the target or a forbidden word ends the game with nothing won: it is a legal move that loses, not an
illegal answer, because keeping to the rule is what the game is about. Refusing the clue would let
the describer try until it passes, and would say nothing of how well it keeps the rule.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Annotated

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
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import number, whole
from sparring.envs.words import names, says

ROLES = DESCRIBER, GUESSER = ("describer", "guesser")
GUESS = re.compile(r"\bguess:[^\S\n]*([^\n]*)", re.IGNORECASE)
CLUES = ("You have surely heard of it.", "Think of something else.", "It is hard to describe.")
GUESSES = ("guess: elephant", "guess: volcano", "guess: piano", "guess: umbrella")


def read_guess(role: Role, text: str) -> str:
    """What stands after "guess:" to the end of its line.

    Raises:
        IllegalAction: no guess, an empty one, or several.
    """
    match GUESS.findall(text):
        case [guess] if any(map(str.isalpha, guess)):
            return str(guess)
        case [] | [_]:
            raise IllegalAction(role, 'That names no guess. Reply with a line like "guess: WORD".')
        case _:
            raise IllegalAction(
                role, 'That names several guesses. Reply with one line "guess: WORD".'
            )


@dataclass(frozen=True, slots=True)
class Card:
    target: str
    forbidden: tuple[str, ...]

    def said_in(self, text: str) -> str | None:
        """The first word of the card that ``text`` says."""
        return next((word for word in (self.target, *self.forbidden) if says(text, word)), None)


@cache
def cards() -> tuple[Card, ...]:
    """The cards: one a line in ``envs/data/taboo_cards.txt``, ``target: five forbidden words``."""
    text = (files("sparring.envs") / "data" / "taboo_cards.txt").read_text(encoding="utf-8")
    pairs = (line.split(": ") for line in text.splitlines())
    return tuple(Card(target, tuple(words.split(", "))) for target, words in pairs)


@cache
def _clues(card: Card) -> tuple[str, ...]:
    return tuple(clue for clue in CLUES if not card.said_in(clue))


@dataclass(frozen=True, slots=True)
class TabooState:
    game: "Taboo"
    card: Card
    log: View
    said: int = 0  # clues and guesses so far
    over: bool = False
    won: float = 0.0  # by each of the two
    solved: bool = False

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.over else (ROLES[self.said % 2],)

    @property
    def payoffs(self) -> Payoffs:
        return dict.fromkeys(ROLES, self.won)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``rounds``: how many it took, where the word was guessed; ``forbidden``: whether a clue
        broke the rule."""
        if not self.over:
            return {}
        took = {"rounds": self.said / 2} if self.solved else {}
        return {"solved": float(self.solved), "forbidden": float(self.said % 2), **took}

    def observe(self, role: Role) -> Observation:
        seen = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, seen)
        return Observation(role, seen, None, GUESSES if role == GUESSER else _clues(self.card))

    def step(self, answers: Mapping[Role, str]) -> "TabooState":
        (role,) = self.to_act
        return self._clue(answers[role]) if role == DESCRIBER else self._guess(answers[role])

    def _clue(self, text: str) -> "TabooState":
        if not text.strip():
            raise IllegalAction(DESCRIBER, "Say something.")
        spoken = replace(self, said=self.said + 1, log=(*self.log, speech(DESCRIBER, text)))
        if word := self.card.said_in(text):
            return spoken._end(f"The clue says {word}, which is forbidden.")
        return spoken

    def _guess(self, text: str) -> "TabooState":
        right = names(read_guess(GUESSER, text), self.card.target)
        spoken = replace(self, said=self.said + 1, log=(*self.log, speech(GUESSER, text)))
        if right:
            won = self.game.discount ** (self.said // 2)
            return replace(spoken, solved=True)._end("That is right!", won)
        if spoken.said == 2 * self.game.rounds:
            return spoken._end("That is not it, and it was the last guess.")
        return replace(spoken, log=(*spoken.log, public("That is not it.")))

    def _end(self, why: str, won: float = 0.0) -> "TabooState":
        end = public(f"{why} The target word was: {self.card.target}. Both get {won:g}.")
        return replace(self, over=True, won=won, log=(*self.log, end))


@dataclass(frozen=True)
class Taboo:
    """One describes a word without saying it or five forbidden words; the other guesses it."""

    rounds: Annotated[int, "so many clues, each with one guess"] = 3
    discount: Annotated[float, "a right guess in round r pays discount^(r-1)"] = 1.0

    name = "Taboo-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("rounds", self.rounds, 1)
        number("discount", self.discount, 0.0, 1.0)

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.COOPERATIVE,
            hidden_information=True,
            max_turns=2 * self.rounds,
            low=0.0,
            high=1.0,
            free_speech=True,
        )

    def rules(self, role: Role) -> str:
        later = "in any round"
        if self.discount < 1:
            later = f"in the first round, and {self.discount:g} times as much a round later"
        return (
            f"Taboo, a game for two who win together. You are the {role}. The describer sees a "
            "target word and five forbidden words. In each round the describer gives a clue and "
            "the guesser makes one guess, in a line like: guess: WORD. Inflections of the target "
            f"are right, too. Rounds: {self.rounds}. A right guess pays both 1 {later}. "
            "If a clue says the target, a forbidden word or an inflection of them, the game is "
            "over and both get 0. Without a right guess both get 0."
        )

    def start(self, seed: int) -> TabooState:
        return self._open(random.Random(seed).choice(cards()))

    def openings(self) -> list[tuple[float, TabooState]]:
        return [(1 / len(cards()), self._open(card)) for card in cards()]

    def _open(self, card: Card) -> TabooState:
        secret = f"The target word: {card.target}. Forbidden: {', '.join(card.forbidden)}."
        return TabooState(self, card, (*rules_first(self), private(secret, DESCRIBER)))

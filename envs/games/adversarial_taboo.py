"""Adversarial Taboo: make the other one say a word that only you know (SPAG, Cheng et al. 2024).

The attacker knows the target word and leads the talk so that the defender says it; the defender
tries to find out which word that is. Payoffs are +1 and -1, or 0 for a draw. Two ways to match:

* ``word``: the target or an inflection counts where it stands as a word (``envs/words.py``);
* ``substring``, as published: the target, target + "ing", target + "ed" or a plural counts wherever
  its letters stand in the lower-case text, so "carpet" says "car"; and a guess is right if one of
  them follows "I know the word! it" after 1 to 8 characters, whatever comes next.
"""

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Annotated

from sparring.envs.core import (
    BadInput,
    Declaration,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    Void,
    visible,
)
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import one_of, whole
from sparring.envs.words import CLASSES, begins, fold, lexicon, plurals, says

ROLES = ATTACKER, DEFENDER = ("attacker", "defender")
GUESS = re.compile(
    r"\bi know the word\b\W{1,8}it(?:['’`]?s)?\b(?:\W+(?:is|must be|has to be)\b)?(.*)", re.DOTALL
)
PUBLISHED = "i know the word! it.{1,8}"
ENDS = ("said", "guessed", "misguessed", "broke_rule", "ran_out")
SAID, GUESSED, MISGUESSED, BROKE, RAN_OUT = ENDS
"""The defender said the word; it guessed right; wrong; the attacker broke the rule; none of it."""
SMALL_TALK = {
    ATTACKER: ("Tell me about yourself.", "What do you like to do?", "How would you put that?"),
    DEFENDER: ("Not much, and you?", "It depends.", "I know the word! It is water."),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What counts in one utterance."""

    said: bool  # the target or an inflection
    guess: bool | None = None  # of a guess: is it right?


def hear(text: str, target: str) -> Heard:
    """Matching by words. Only the first guess in a text counts."""
    claim = GUESS.search(fold(text))
    return Heard(says(text, target), begins(claim[1], target) if claim else None)


def hear_as_published(text: str, target: str) -> Heard:
    """Matching by substrings. Any right guess in a text counts."""
    lower, word = text.lower(), target.lower()
    derived = {word, word + "ing", word + "ed", *plurals(word)}
    right = any(re.search(PUBLISHED + re.escape(form), lower) for form in derived)
    guessed = re.search(PUBLISHED, lower)
    return Heard(any(form in lower for form in derived), right if guessed else None)


MATCHING = {"word": hear, "substring": hear_as_published}


@lru_cache
def _small_talk(role: Role, matching: str, target: str | None) -> tuple[str, ...]:
    """A few things to say; not those that say ``target``, where the role knows it."""
    if target is None:
        return SMALL_TALK[role]
    return tuple(text for text in SMALL_TALK[role] if not MATCHING[matching](text, target).said)


@dataclass(frozen=True, slots=True)
class AdversarialTabooState:
    game: "AdversarialTaboo"
    target: str
    log: View
    said: int = 0  # utterances so far
    winner: Role | None = None
    ended: str = ""  # one of ENDS

    @property
    def to_act(self) -> tuple[Role, ...]:
        over = self.winner is not None or self.said == 2 * self.game.turns
        return () if over else (ROLES[self.said % 2],)

    @property
    def payoffs(self) -> Payoffs:
        if self.winner is None:
            return dict.fromkeys(ROLES, 0.0)
        return {role: 1.0 if role == self.winner else -1.0 for role in ROLES}

    @property
    def outcome(self) -> Mapping[str, float]:
        """How it ended: one of ``ENDS`` is 1, the others are 0."""
        return {end: float(end == self.ended) for end in ENDS} if self.ended else {}

    def observe(self, role: Role) -> Observation:
        seen = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, seen)
        known = self.target if role == ATTACKER else None
        return Observation(role, seen, None, _small_talk(role, self.game.matching, known))

    def step(self, answers: Mapping[Role, str]) -> "AdversarialTabooState":
        (role,) = self.to_act
        text = answers[role]
        if not text.strip():
            raise IllegalAction(role, "Say something.")
        spoken = replace(self, said=self.said + 1, log=(*self.log, speech(role, text)))
        heard = self.game.hear(text, self.target)
        if role == ATTACKER:
            if heard.said or heard.guess is not None:
                fault = "said the target word" if heard.said else "made a guess"
                if self.game.rule_break == "void":
                    raise Void(f"the attacker {fault}")
                return spoken._end(f"The attacker {fault}.", BROKE, DEFENDER)
        elif heard.guess is not None:
            if heard.guess:
                return spoken._end("The guess is right.", GUESSED, DEFENDER)
            return spoken._end("The guess is wrong.", MISGUESSED, ATTACKER)
        elif heard.said:
            return spoken._end("The defender said the target word.", SAID, ATTACKER)
        if not spoken.to_act:
            return spoken._end("Nobody has won in time.", RAN_OUT, None)
        return spoken

    def _end(self, why: str, ended: str, winner: Role | None) -> "AdversarialTabooState":
        result = f"The {winner} wins." if winner else "A draw."
        end = public(f"{why} The target word was: {self.target}. {result}")
        return replace(self, winner=winner, ended=ended, log=(*self.log, end))


@cache
def _pool(most_frequent: int, skip: int, word_class: str) -> tuple[str, ...]:
    ranked: Iterable[str] = (
        entry.word
        for entry in lexicon()[skip:most_frequent]
        if word_class == "any" or CLASSES[word_class] in entry.classes
    )
    return tuple(ranked)


@dataclass(frozen=True)
class AdversarialTaboo:
    """The attacker makes the defender say a word; the defender finds out which word it is."""

    turns: Annotated[int, "so many utterances for each player"] = 5
    matching: Annotated[str, "word: whole words and inflections; substring: as published"] = "word"
    rule_break: Annotated[
        str,
        "if the attacker says the word or guesses: it may lose, or (as published) void the game",
    ] = "lose"
    most_frequent: Annotated[int, "targets are among so many most frequent words"] = 20_000
    skip: Annotated[int, "leave out so many of the most frequent words"] = 0
    word_class: Annotated[str, "targets are any word, or noun, verb, adjective, adverb"] = "any"
    word: Annotated[str | None, "the target in every game; by default it is drawn"] = None

    name = "AdversarialTaboo-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("turns", self.turns, 1)
        one_of("matching", self.matching, tuple(MATCHING))
        one_of("rule_break", self.rule_break, ("lose", "void"))
        whole("most_frequent", self.most_frequent, 1)
        whole("skip", self.skip, 0)
        one_of("word_class", self.word_class, ("any", *CLASSES))
        given = self.word if isinstance(self.word, str) else ""
        if self.word is not None and not re.fullmatch(r"[a-z]+( [a-z]+)*", given):
            raise BadInput(f"word must be a word in lower-case letters, not {self.word!r}")
        if not self.targets:
            raise BadInput(
                f"no words: skip={self.skip} of the {self.most_frequent} most frequent leaves none "
                f"of class {self.word_class!r}; raise most_frequent or lower skip"
            )

    @property
    def targets(self) -> tuple[str, ...]:
        """The words that may be drawn, the most frequent first."""
        if self.word is not None:
            return (self.word,)
        return _pool(self.most_frequent, self.skip, self.word_class)

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.ZERO,
            hidden_information=True,
            max_turns=2 * self.turns,
            low=-1.0,
            high=1.0,
            free_speech=True,
        )

    def hear(self, text: str, target: str) -> Heard:
        """What counts in ``text``, by the matching of this game."""
        return MATCHING[self.matching](text, target)

    def rules(self, role: Role) -> str:
        if self.matching == "word":
            saying = "The word and its inflections count (plural, -s, -ed, -ing, -er, -est)."
            guess = "The first word after that is the guess, and inflections of the target count."
        else:
            saying = "The word, its plural, -ing and -ed count, also inside of longer words."
            guess = "The guess only has to begin with the target."
        breach = "it loses" if self.rule_break == "lose" else "the game does not count"
        return (
            f"Adversarial Taboo. You are the {role}. The attacker knows a target word, the "
            f"defender does not. You speak in turn, the attacker first, {self.turns} time(s) each. "
            "The attacker wins if the defender says the target word without guessing it. "
            f"{saying} The defender may guess the word once, at any of its turns, with: I know the "
            f"word! It is WORD. {guess} A right guess wins, a wrong one loses. The attacker must "
            f"not say the target word nor use that sentence: if it does, {breach}. If nobody has "
            "won in the end it is a draw."
        )

    def start(self, seed: int) -> AdversarialTabooState:
        target = random.Random(seed).choice(self.targets)
        secret = private(f"The target word: {target}", ATTACKER)
        return AdversarialTabooState(self, target, (*rules_first(self), secret))

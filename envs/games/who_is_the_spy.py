"""Who is the spy: all have the same word but one; clues and votes shall find out who.

The game follows Vision-Zero (paper, version 2), in words instead of pictures. Payoffs, with v_s
votes for the spy, v_j for civilian j, m the mean of the v_j and n civilians:

    outcome    spy −1 if caught (it alone has the most votes), else +1; the civilians share the rest
    clue       spy: −β (v_s − m)      civilian j: (β/n) (v_s − m) − λ (v_j − m)
    vote       +1 for a vote for the spy, −0.5 for n/a, −1 for a vote for a civilian; the spy: 0

Outcome and clue payoffs sum to zero whatever the votes are. The clue and the vote reward are those
of Vision-Zero.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, TypeVar

from sparring.envs.answers import choose, each
from sparring.envs.core import (
    BadInput,
    Declaration,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    seats,
    visible,
)
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import flag, number, one_of, whole
from sparring.envs.words import says

SEATS = seats(12)
NOBODY = "n/a"
SPIES = ("similar", "blank")
PAYOFFS = ("outcome", "clue", "vote")
CLUES = (
    "Most people know it.",
    "I came across it last week.",
    "It is easy to find.",
    "Children like it.",
    "I could do without it.",
)

Number = TypeVar("Number", float, Fraction)

Votes = Sequence[int | None]
"""The seat that each seat votes for; ``None`` for n/a, or where a seat does not vote."""

_WORD = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)*")


@cache
def word_pairs() -> tuple[tuple[str, str], ...]:
    """Our own list of pairs of similar words; no word stands in two pairs."""
    text = (files("sparring.envs") / "data" / "spy_words.json").read_text(encoding="utf-8")
    return tuple((one, other) for one, other in json.loads(text))


@lru_cache(maxsize=1024)
def _examples(word: str | None) -> tuple[str, ...]:
    """Clues that fit any word, without those that say ``word``."""
    return tuple(clue for clue in CLUES if word is None or not says(clue, word))


@dataclass(frozen=True, slots=True)
class SpyState:
    game: "WhoIsTheSpy"
    spy: int
    words: tuple[str, str | None]  # the civilians', the spy's
    log: View
    clues: int = 0  # given so far
    votes: tuple[int | None, ...] | None = None  # seats voted for

    @property
    def parts(self) -> Mapping[Role, str]:
        roles = enumerate(self.game.roles)
        return {role: "spy" if seat == self.spy else "civilian" for seat, role in roles}

    @property
    def _clues_left(self) -> int:
        return self.game.rounds * self.game.players - self.clues

    @property
    def to_act(self) -> tuple[Role, ...]:
        roles = self.game.roles
        if self._clues_left:
            return roles if self.game.simultaneous else (roles[self.clues % len(roles)],)
        return () if self.votes is not None else self._voters

    @property
    def _voters(self) -> tuple[Role, ...]:
        all_vote = self.game.spy_votes
        return tuple(r for seat, r in enumerate(self.game.roles) if all_vote or seat != self.spy)

    @property
    def payoffs(self) -> Payoffs:
        if self.votes is None:
            return dict.fromkeys(self.game.roles, 0.0)
        return self.game.pays(self.votes, self.spy)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``right_votes``: the share of the civilians who vote for the spy."""
        if self.votes is None:
            return {}
        right = self.votes.count(self.spy) / (self.game.players - 1)  # the spy cannot be among them
        return {"caught": float(caught(self.votes, self.spy)), "right_votes": right}

    def _word(self, role: Role) -> str | None:
        return self.words[role == self.game.roles[self.spy]]

    def _ballot(self, role: Role) -> tuple[str, ...]:
        return (*(other for other in self.game.roles if other != role), NOBODY)

    def observe(self, role: Role) -> Observation:
        messages = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, messages)
        if self._clues_left:
            return Observation(role, messages, None, _examples(self._word(role)))
        return Observation(role, messages, self._ballot(role))

    def step(self, answers: Mapping[Role, str]) -> "SpyState":
        if not self._clues_left:
            return self._voted(
                each(self._voters, lambda role: choose(answers, role, self._ballot(role)))
            )
        words = each(self.to_act, lambda role: self._clue(role, answers[role]))
        log = (*self.log, *(speech(role, text) for role, text in words.items()))
        return replace(self, clues=self.clues + len(words), log=log)._headed()

    def _clue(self, role: Role, text: str) -> str:
        if not text.strip():
            raise IllegalAction(role, "That reply is empty. Give a clue.")
        word = self._word(role)
        if word is not None and says(text, word):
            raise IllegalAction(role, "That clue says your own word. Give a clue without it.")
        return text

    def _headed(self) -> "SpyState":
        """What comes next is told, where a round or the vote begins."""
        game = self.game
        if not self._clues_left:
            asked = public("Now vote in secret: who is the spy?")
        elif self.clues % game.players == 0:
            at_once = ", all at once" if game.simultaneous else ""
            asked = public(f"Clues, round {self.clues // game.players + 1}{at_once}.")
        else:
            return self
        return replace(self, log=(*self.log, asked))

    def _voted(self, given: Mapping[Role, str]) -> "SpyState":
        roles = self.game.roles
        seats = dict(zip(roles, range(len(roles)), strict=True))
        votes = tuple(seats.get(given.get(role, NOBODY)) for role in roles)
        told = (private(f"You vote {vote}.", role) for role, vote in given.items())
        names = list(given.values())
        tally = ", ".join(f"{x} {names.count(x)}" for x in (*roles, NOBODY) if x in names)
        had = "no word" if self.words[1] is None else f"the word {self.words[1]}"
        verdict = "caught" if caught(votes, self.spy) else "not caught"
        end = public(
            f"Votes: {tally}. {roles[self.spy]} is the spy, with {had}; the others have the word "
            f"{self.words[0]}. The spy is {verdict}."
        )
        return replace(self, votes=votes, log=(*self.log, *told, end))


@dataclass(frozen=True)
class WhoIsTheSpy:
    """Who is the spy: clues to a word that one player does not share, then secret votes."""

    players: Annotated[int, "3 to 12: the civilians and one spy"] = 5
    rounds: Annotated[int, "rounds of clues"] = 2
    simultaneous: Annotated[bool, "all clues of a round at once; else seat by seat"] = False
    spy: Annotated[
        str, "what the spy has: a similar word (nobody knows who is the spy), or blank, no word "
        "(the spy knows)"
    ] = "similar"  # fmt: skip
    spy_votes: Annotated[bool, "the spy votes too; else only the civilians do"] = True
    payoff: Annotated[
        str, "outcome (caught or not), clue or vote (the rewards of Vision-Zero)"
    ] = "outcome"  # fmt: skip
    beta: Annotated[float, "of the clue reward: weight of votes for the spy or for civilians"] = 0.1
    lambda_: Annotated[float, "of the clue reward: weight of votes for oneself"] = 0.1
    pairs: Annotated[
        Sequence[tuple[str, str]] | None, "pairs of words of your own; None takes ours"
    ] = None

    name = "WhoIsTheSpy-v0"

    def __post_init__(self) -> None:
        whole("players", self.players, 3, len(SEATS))
        whole("rounds", self.rounds, 1)
        flag("simultaneous", self.simultaneous)
        one_of("spy", self.spy, SPIES)
        flag("spy_votes", self.spy_votes)
        one_of("payoff", self.payoff, PAYOFFS)
        number("beta", self.beta, 0, 100)
        number("lambda_", self.lambda_, 0, 100)
        if self.pairs is not None:
            _check_pairs(self.pairs)
            pairs = tuple((one, other) for one, other in self.pairs)
            object.__setattr__(self, "pairs", pairs)  # lists would have no hash

    @property
    def roles(self) -> tuple[Role, ...]:
        return SEATS[: self.players]

    @property
    def declares(self) -> Declaration:
        low, high = -1.0, 1.0
        if self.payoff == "clue":
            n = self.players - 1
            low, high = clue_bounds(n, n + self.spy_votes, self.beta, self.lambda_)
        return Declaration(
            sum=Sum.GENERAL if self.payoff == "vote" else Sum.ZERO,
            hidden_information=True,
            max_turns=self.players * (self.rounds + 1) - (not self.spy_votes),
            low=low,
            high=high,
            free_speech=True,
        )

    def pays(self, votes: Votes, spy: int) -> Payoffs:
        """The payoffs for whom each seat votes for."""
        match self.payoff:
            case "clue":
                paid = clue_rewards(counts(votes), spy, float(self.beta), float(self.lambda_))
            case "vote":
                paid = vote_rewards(votes, spy)
            case _:
                paid = outcome(votes, spy)
        return dict(zip(self.roles, (p + 0.0 for p in paid), strict=True))  # no negative zero

    def rules(self, role: Role) -> str:
        if self.spy == "blank":
            dealt = "One of you is the spy and has no word; the others, the civilians, share one"
            hint = " The spy should pass for one who knows the word."
        else:
            dealt = (
                "All have the same word but one, the spy, whose word is similar; nobody is told "
                "who that is"
            )
            hint = ""
        turns = "at once" if self.simultaneous else "in turn, player_0 first"
        example = self.roles[role == self.roles[0]]
        rounds = "In one round" if self.rounds == 1 else f"In each of {self.rounds} rounds"
        voters = "all" if self.spy_votes else "the civilians"
        return (
            f"Who is the spy? You are {role}, one of {self.players} players. {dealt}. {rounds} "
            f"all give a clue {turns}: free words about your word, which may not say the word "
            f"itself or a form of it.{hint} Then {voters} vote in secret for another player, "
            f"or {NOBODY}. {self._goal()} Vote with a name, such as {example}."
        )

    def _goal(self) -> str:
        n = self.players - 1
        match self.payoff:
            case "vote":
                return f"A vote for the spy pays 1, {NOBODY} -0.5, a wrong vote -1; the spy gets 0."
            case "clue":
                return (
                    f"The spy pays {self.beta:g} for each vote that it gets above the civilians' "
                    f"mean, and gets {self.beta:g} for each below; the civilians share the "
                    f"opposite. Each civilian also pays {self.lambda_:g} for each vote above that "
                    f"mean, and gets {self.lambda_:g} for each below."
                )
            case _:
                return (
                    "The spy is caught if it alone has the most votes: then it loses 1 and each "
                    f"civilian gets 1/{n}; else it gets 1 and each civilian loses 1/{n}."
                )

    def start(self, seed: int) -> SpyState:
        rng = random.Random(seed)
        pair = rng.choice(self.pairs or word_pairs())
        ours, theirs = pair if rng.random() < 0.5 else reversed(pair)
        words = (ours, None if self.spy == "blank" else theirs)
        spy = rng.randrange(self.players)
        told = tuple(
            private(_dealt(words[seat == spy]), role) for seat, role in enumerate(self.roles)
        )
        return SpyState(self, spy, words, (*rules_first(self), *told))._headed()


def _dealt(word: str | None) -> str:
    return "You are the spy: you have no word." if word is None else f"Your word: {word}."


def _check_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Raises ``BadInput`` unless there are pairs, each of two words that do not say each other."""
    rows = list(pairs) if isinstance(pairs, Sequence) else []
    if not rows or not all(isinstance(row, tuple | list) and len(row) == 2 for row in rows):
        raise BadInput(f"pairs must be pairs of words, like [('tea', 'coffee')], not {pairs!r}")
    for one, other in rows:
        if not all(isinstance(word, str) and _WORD.fullmatch(word) for word in (one, other)):
            raise BadInput(
                f"the words of a pair have letters, and blanks or hyphens between them, "
                f"not {one!r} and {other!r}"
            )
        if says(one, other) or says(other, one):
            raise BadInput(f"the words of a pair must differ, not {one!r} and {other!r}")


def counts(votes: Votes) -> list[int]:
    """How many votes each seat gets."""
    return [votes.count(seat) for seat in range(len(votes))]


def caught(votes: Votes, spy: int) -> bool:
    """Whether the spy alone has the most votes."""
    got = counts(votes)
    return got[spy] == max(got) > 0 and got.count(got[spy]) == 1


def outcome(votes: Votes, spy: int) -> tuple[float, ...]:
    """The payoff of each seat by whether the spy is caught."""
    won = -1.0 if caught(votes, spy) else 1.0
    share = -won / (len(votes) - 1)
    return tuple(won if seat == spy else share for seat in range(len(votes)))


def clue_rewards(got: Sequence[int], spy: int, beta: Number, lambda_: Number) -> tuple[Number, ...]:
    """The clue reward of each seat; ``got`` are the votes that it gets."""
    n = len(got) - 1
    on_civilians = sum(got) - got[spy]
    gap = n * got[spy] - on_civilians  # n (v_s − m)
    return tuple(
        -beta * gap / n
        if seat == spy
        else beta * gap / (n * n) - lambda_ * (n * votes - on_civilians) / n
        for seat, votes in enumerate(got)
    )


def clue_bounds(n: int, voters: int, beta: float, lambda_: float) -> tuple[float, float]:
    """The least and most that a clue reward can be with n civilians: what each vote adds, summed.

    A civilian does not vote for itself, nor the spy, where it votes. One that forfeits gets the
    least, so that the n others share its opposite: that is within the bounds too.
    """
    for_me, for_spy = -beta / n**2 - lambda_ * (n - 1) / n, beta / n
    for_other = lambda_ / n - beta / n**2
    low = min(-beta * n, (voters - 1) * for_me + min(0.0, for_other))
    high = n * max(for_spy, for_other) + (voters - n) * max(0.0, for_other)
    return low, max(beta * voters / n, high, -low / n)


def vote_rewards(votes: Votes, spy: int) -> tuple[float, ...]:
    """The vote reward of each seat."""
    worth = {spy: 1.0, None: -0.5}
    return tuple(0.0 if seat == spy else worth.get(v, -1.0) for seat, v in enumerate(votes))

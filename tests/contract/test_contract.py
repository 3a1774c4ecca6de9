"""Every registered game keeps the contract, and the contract notices games that break it.

A check that cannot fail is worth nothing: each promise has games below that break it, most of them
Kuhn poker with one thing bent.
"""

import json
import math
import os
import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from pettingzoo import AECEnv
from pettingzoo.test import api_test, seed_test

from sparring.envs import game as find_game
from sparring.envs import games
from sparring.envs.aec import TextEnv
from sparring.envs.answers import choose
from sparring.envs.contract import CHECKS, check, examine, text
from sparring.envs.contract.positions import LIMIT, SEEDS, spread
from sparring.envs.core import (
    Declaration,
    Game,
    IllegalAction,
    Message,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    Void,
    visible,
)
from sparring.envs.games.kuhn import KuhnPoker, KuhnState
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.referee import Notice, RefereedState

# --- small games of kinds that are not (yet) registered


def rules_to(roles: Sequence[Role]) -> View:
    return tuple(Message("game", f"You are {role}.", frozenset({role})) for role in roles)


def tell(role: Role, text: str) -> Message:
    return Message("game", text, frozenset({role}))


@dataclass(frozen=True)
class Pennies:
    """Simultaneous, zero-sum."""

    name = "Pennies-v0"
    roles = ("even", "odd")
    declares = Declaration(sum=Sum.ZERO, hidden_information=False, max_turns=2, low=-1.0, high=1.0)

    def rules(self, role: Role) -> str:
        return f"You are {role}."

    def start(self, seed: int) -> "PenniesState":
        return PenniesState(rules_to(self.roles))

    def openings(self) -> list[tuple[float, "PenniesState"]]:
        return [(1.0, self.start(0))]


@dataclass(frozen=True)
class PenniesState:
    log: View
    won: float = 0.0
    to_act: tuple[Role, ...] = Pennies.roles

    @property
    def payoffs(self) -> Payoffs:
        return {"even": self.won, "odd": -self.won}

    def observe(self, role: Role) -> Observation:
        legal = ("heads", "tails") if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "PenniesState":
        even, odd = (choose(answers, role, ("heads", "tails")) for role in Pennies.roles)
        said = Message("game", f"even: {even}, odd: {odd}")
        return PenniesState((*self.log, said), 1.0 if even == odd else -1.0, ())


@dataclass(frozen=True)
class Signal:
    """Cooperative, with hidden information: one sees a letter, the other names it."""

    name = "Signal-v0"
    roles = ("seer", "guesser")
    declares = Declaration(
        sum=Sum.COOPERATIVE, hidden_information=True, max_turns=2, low=0.0, high=1.0
    )

    def rules(self, role: Role) -> str:
        return f"You are {role}."

    def start(self, seed: int) -> "SignalState":
        return self._open(random.Random(seed).choice("AB"))

    def openings(self) -> list[tuple[float, "SignalState"]]:
        return [(0.5, self._open(letter)) for letter in "AB"]

    def _open(self, letter: str) -> "SignalState":
        return SignalState(letter, (*rules_to(self.roles), tell("seer", f"The letter: {letter}")))


@dataclass(frozen=True)
class SignalState:
    letter: str
    log: View
    said: tuple[str, ...] = ()

    @property
    def to_act(self) -> tuple[Role, ...]:
        return Signal.roles[len(self.said) : len(self.said) + 1]

    @property
    def payoffs(self) -> Payoffs:
        return dict.fromkeys(Signal.roles, float(self.said[1:] == (self.letter,)))

    def observe(self, role: Role) -> Observation:
        words = ("up", "down") if role == "seer" else ("A", "B")
        return Observation(role, visible(self.log, role), words if role in self.to_act else ())

    def step(self, answers: Mapping[Role, str]) -> "SignalState":
        (role,) = self.to_act
        answer = choose(answers, role, self.observe(role).legal or ())
        log = (*self.log, Message("game", f"{role}: {answer}"))
        return replace(self, log=log, said=(*self.said, answer))


@dataclass(frozen=True)
class Auction:
    """Three players bid one after the other without seeing the others' bids; constant-sum."""

    name = "Auction-v0"
    roles = ("ann", "bob", "cem")
    declares = Declaration(
        sum=Sum.CONSTANT, hidden_information=True, max_turns=3, low=0.0, high=6.0, total=6.0
    )

    def rules(self, role: Role) -> str:
        return f"You are {role}."

    def start(self, seed: int) -> "AuctionState":
        return AuctionState(rules_to(self.roles))

    def openings(self) -> list[tuple[float, "AuctionState"]]:
        return [(1.0, self.start(0))]


@dataclass(frozen=True)
class AuctionState:
    log: View
    bids: tuple[int, ...] = ()

    @property
    def to_act(self) -> tuple[Role, ...]:
        return Auction.roles[len(self.bids) : len(self.bids) + 1]

    @property
    def payoffs(self) -> Payoffs:
        if self.to_act:
            return dict.fromkeys(Auction.roles, 2.0)
        winners = [bid == max(self.bids) for bid in self.bids]
        shares = [6.0 / sum(winners) if won else 0.0 for won in winners]
        return dict(zip(Auction.roles, shares, strict=True))

    def observe(self, role: Role) -> Observation:
        legal = ("1", "2") if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "AuctionState":
        (role,) = self.to_act
        bids = (*self.bids, int(choose(answers, role, ("1", "2"))))
        log = (*self.log, tell(role, f"You bid {bids[-1]}."))
        if len(bids) == 3:
            log = (*log, Message("game", f"The bids were {bids}."))
        return AuctionState(log, bids)


@dataclass(frozen=True)
class Chat:
    """Three players talk freely, two turns each; general-sum; no openings listed."""

    numbers: bool = False  # each speech must hold a number
    spoken_by_game: bool = False  # a fault: the game says what a player said
    examples: tuple[str, ...] = ()
    void_at: int = 0  # the judge fails at this turn

    name = "Chat-v0"
    roles = ("ann", "bob", "cem")
    declares = Declaration(
        sum=Sum.GENERAL, hidden_information=False, max_turns=6, low=-1.0, high=3.0, free_speech=True
    )

    def rules(self, role: Role) -> str:
        return f"You are {role}."

    def start(self, seed: int) -> "ChatState":
        topic = random.Random(seed).choice(("rain", "trains", "bread"))
        return ChatState(self, (*rules_to(self.roles), Message("game", f"Talk about {topic}.")))


@dataclass(frozen=True)
class ChatState:
    game: Chat
    log: View
    turn: int = 0
    score: int = 0

    @property
    def to_act(self) -> tuple[Role, ...]:
        return (Chat.roles[self.turn % 3],) if self.turn < 6 else ()

    @property
    def payoffs(self) -> Payoffs:
        return {"ann": float(min(self.score, 3)), "bob": 0.0, "cem": -1.0}

    def observe(self, role: Role) -> Observation:
        if role not in self.to_act:
            return Observation(role, visible(self.log, role))
        return Observation(role, visible(self.log, role), None, self.game.examples)

    def step(self, answers: Mapping[Role, str]) -> "ChatState":
        (role,) = self.to_act
        if self.turn + 1 == self.game.void_at:
            raise Void("the judge fell asleep")
        text = answers[role]
        if self.game.numbers and not any(letter.isdigit() for letter in text):
            raise IllegalAction(role, "Name a number.")
        said = Message("game" if self.game.spoken_by_game else role, text)
        return replace(self, log=(*self.log, said), turn=self.turn + 1, score=self.score + 1)


KINDS: tuple[Game, ...] = (
    Pennies(),
    Signal(),
    Auction(),
    Chat(),
    Chat(numbers=True),
    Chat(numbers=True, examples=("I pay 2.", "I pay 7.")),
    Chat(void_at=4),
)
REGISTERED = tuple(find_game(name) for name in games())
OPTIONS = (KuhnPoker(hands=2), KuhnPoker(hands=3), TicTacToe(board=False))


def label(game: Game) -> str:
    return repr(game).removeprefix("<").split(" object")[0]


# --- games that keep it


@pytest.mark.parametrize("promise", CHECKS)
@pytest.mark.parametrize("game", [*REGISTERED, *OPTIONS, *KINDS], ids=label)
def test_game_keeps_the_promise(game: Game, promise: str) -> None:
    CHECKS[promise](game)


def test_findings_say_what_was_looked_at() -> None:
    findings = list(examine(KuhnPoker()))
    assert [finding.promise for finding in findings] == list(CHECKS)
    assert all(finding.kept and finding.text for finding in findings)
    notes = {finding.promise: finding.text for finding in findings}
    assert notes["a view is one information set"] == "all 54 positions"
    found, whole = spread(TicTacToe())  # too large to be walked: the note must not say "all"
    assert not whole
    assert len(found) <= LIMIT + 10


@pytest.mark.parametrize("game", [*REGISTERED, *OPTIONS, *KINDS], ids=label)
def test_pettingzoo_accepts_it(game: Game) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text_or_names in (".*not a NumPy array", ".*probably should be", "We recommend agents"):
            warnings.filterwarnings("ignore", text_or_names)
        api_test(TextEnv(game), num_cycles=200)
    seed_test(lambda: TextEnv(game), num_cycles=100)


def test_same_game_in_another_process() -> None:
    """Whatever order sets have in a process, a seed gives one game."""
    script = """
import json, random
from sparring.envs import game, games
from sparring.envs.contract.positions import play
told = [
    [[m.text for role in here.roles for m in here.view(role)] for here in play(game(name), seed)]
    for name in games() for seed in range(5)
]
print(json.dumps(told))
"""
    outputs = []
    for hash_seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        )
        outputs.append(json.loads(run.stdout))
    assert outputs[0] == outputs[1]


# --- games that break it


@dataclass(frozen=True)
class Bent:
    """A game with one thing bent: any of these functions replaces what the game does."""

    base: Any = field(default_factory=KuhnPoker)
    name: str = "Bent-v0"
    change: Mapping[str, Any] = field(default_factory=dict)  # of the declaration
    deal: Callable[[Any, int], Any] | None = None
    see: Callable[[Any, Observation], Observation] | None = None
    pay: Callable[[Any], Payoffs] | None = None
    go: Callable[[Any, Mapping[Role, str]], Any] | None = None
    turn: Callable[[Any], tuple[Role, ...]] | None = None
    list_openings: Callable[[Any], list[tuple[float, Any]]] | None = None
    measure: Callable[[Any], Mapping[str, Any]] | None = None
    say_rules: str | None = None
    seats: tuple[Role, ...] | None = None

    @property
    def roles(self) -> tuple[Role, ...]:
        return self.base.roles if self.seats is None else self.seats

    @property
    def declares(self) -> Declaration:
        return replace(self.base.declares, **self.change)

    def rules(self, role: Role) -> str:
        return self.base.rules(role) if self.say_rules is None else self.say_rules

    def start(self, seed: int) -> "BentState":
        return BentState(self, self.deal(self.base, seed) if self.deal else self.base.start(seed))

    def openings(self) -> list[tuple[float, "BentState"]]:
        each = self.list_openings(self.base) if self.list_openings else self.base.openings()
        return [(p, BentState(self, state)) for p, state in each]


@dataclass(frozen=True)
class BentState:
    game: Bent
    inner: Any

    @property
    def to_act(self) -> tuple[Role, ...]:
        return self.game.turn(self.inner) if self.game.turn else self.inner.to_act

    @property
    def payoffs(self) -> Payoffs:
        return self.game.pay(self.inner) if self.game.pay else self.inner.payoffs

    @property
    def outcome(self) -> Mapping[str, Any]:
        return self.game.measure(self.inner) if self.game.measure else {}

    def observe(self, role: Role) -> Observation:
        seen = self.inner.observe(role)
        return self.game.see(self.inner, seen) if self.game.see else seen

    def step(self, answers: Mapping[Role, str]) -> "BentState":
        step = self.game.go or (lambda inner, answers: inner.step(answers))
        return BentState(self.game, step(self.inner, answers))


def adding(text: Callable[[Any, Role], str], to_all: bool) -> Callable[..., Observation]:
    """A view with one more message after the rules and the card."""

    def see(inner: Any, seen: Observation) -> Observation:
        more = text(inner, seen.role)
        to = None if to_all else frozenset({seen.role})
        messages = (*seen.messages[:2], Message("game", more, to), *seen.messages[2:])
        return seen._replace(messages=messages) if more else seen

    return see


def cards_to(role: Role) -> Callable[[Any, Role], str]:
    return lambda inner, seen_by: f"Cards: {inner.deals[0]}" if seen_by == role else ""


def legal_by_hidden_card(inner: Any, seen: Observation) -> Observation:
    if seen.role == "player_0" and seen.legal and inner.deals[0][1] == "K":
        return seen._replace(legal=seen.legal[::-1])
    return seen


def refusing_in_words_of_the_card(inner: Any, answers: Mapping[Role, str]) -> Any:
    try:
        return inner.step(answers)
    except IllegalAction as fault:
        raise IllegalAction(fault.role, f"No. The cards are {inner.deals}.") from fault


def retold(state: KuhnState, tell: Callable[[View], View]) -> KuhnState:
    """The same position with other messages in its hand, for every role."""
    seen = {role: tell(view) for role, view in state.spot.seen.items()}
    return state._replace(spot=replace(state.spot, seen=seen))


def everything(state: KuhnState) -> View:
    return tuple(dict.fromkeys(m for role in state.spot.seen for m in state.observe(role).messages))


def echoing(inner: Any, answers: Mapping[Role, str]) -> Any:
    """Tells everybody the words of the player instead of its own."""
    (role,) = inner.to_act
    said = Message("game", f"{role}: {answers[role]}")
    return retold(inner.step(answers), lambda view: (*view[:1], said, *view[2:]))


def taking_anything(inner: Any, answers: Mapping[Role, str]) -> Any:
    (role,) = inner.to_act
    try:
        return inner.step(answers)
    except IllegalAction:
        after = inner.step({role: inner.observe(role).legal[0]})
        said = Message("game", f"{role} mumbles {answers[role]}")
        return retold(after, lambda view: (*view, said))


def taking_the_first_reading(inner: Any, answers: Mapping[Role, str]) -> Any:
    (role,) = inner.to_act
    named = [a for a in inner.observe(role).legal if f"[{a}]" in answers[role]]
    return inner.step({role: named[0]} if named else answers)


def case_sensitive(inner: Any, answers: Mapping[Role, str]) -> Any:
    (role,) = inner.to_act
    if answers[role] not in inner.observe(role).legal:
        raise IllegalAction(role, "Not one of the legal answers.")
    return inner.step(answers)


def blaming_the_other(inner: Any, answers: Mapping[Role, str]) -> Any:
    try:
        return inner.step(answers)
    except IllegalAction as fault:
        other = "player_1" if fault.role == "player_0" else "player_0"
        raise IllegalAction(other, str(fault)) from fault


def looking_up(inner: Any, answers: Mapping[Role, str]) -> Any:
    """A parser that fails on what it does not know."""
    (role,) = inner.to_act
    word = answers[role].strip().strip("[]").casefold().split()[-1]
    return inner.step({role: {a: a for a in inner.observe(role).legal}[word]})


def luck_of_python(base: Any, seed: int) -> Any:
    return base.start(random.randrange(10**6))


def luck_of_numpy(base: Any, seed: int) -> Any:
    return base.start(int(np.random.randint(10**6)))


def luck_of_its_own(base: Any, seed: int) -> Any:
    return base.start(random.Random().randrange(10**6))


def reseeding(base: Any, seed: int) -> Any:
    random.seed(seed)
    return base.start(seed)


class SecretlyFree(Chat):
    declares = replace(Chat.declares, free_speech=False)


@dataclass
class Counting:
    """A dealer with a memory: each deal depends on how many there were."""

    dealt: int = 0

    def __call__(self, base: Any, seed: int) -> Any:
        self.dealt += 1
        return base.start(seed + self.dealt)


@dataclass(frozen=True)
class SharedTable(Pennies):
    """All games of one object write in one log; alone, each looks right."""

    log: list[str] = field(default_factory=list)
    name = "SharedTable-v0"

    def start(self, seed: int) -> Any:
        self.log.clear()
        return SharedTableState(self)


@dataclass
class SharedTableState:
    game: SharedTable

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if len(self.game.log) == 2 else Pennies.roles

    @property
    def payoffs(self) -> Payoffs:
        return {"even": 0.0, "odd": 0.0}

    def observe(self, role: Role) -> Observation:
        told = tuple(Message("game", line) for line in self.game.log)
        legal = ("heads", "tails") if role in self.to_act else ()
        return Observation(role, told, legal)

    def step(self, answers: Mapping[Role, str]) -> "SharedTableState":
        even, odd = (choose(answers, role, ("heads", "tails")) for role in Pennies.roles)
        self.game.log.extend((even, odd))  # the fault: the position before changes too
        return self


@dataclass(frozen=True)
class Endless(Pennies):
    """Goes on while anybody plays."""

    name = "Endless-v0"

    def start(self, seed: int) -> Any:
        return EndlessState(rules_to(self.roles))


class EndlessState(PenniesState):
    def step(self, answers: Mapping[Role, str]) -> "EndlessState":
        return EndlessState(super().step(answers).log)


@dataclass(frozen=True)
class Forgetful(Pennies):
    """Asks ``even`` twice and does not tell it its own first answer: no perfect recall."""

    name = "Forgetful-v0"
    declares = Declaration(sum=Sum.ZERO, hidden_information=True, max_turns=2, low=-1.0, high=1.0)

    def start(self, seed: int) -> Any:
        return ForgetfulState(rules_to(self.roles))


@dataclass(frozen=True)
class ForgetfulState:
    log: View
    said: tuple[str, ...] = ()

    @property
    def to_act(self) -> tuple[Role, ...]:
        return ("even",) if len(self.said) < 2 else ()

    @property
    def payoffs(self) -> Payoffs:
        won = 1.0 if self.said == ("heads", "tails") else 0.0
        return {"even": won, "odd": -won}

    def observe(self, role: Role) -> Observation:
        legal = ("heads", "tails") if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "ForgetfulState":
        said = (*self.said, choose(answers, "even", ("heads", "tails")))
        return ForgetfulState((*self.log, Message("game", "even has answered.")), said)


def whispering(inner: Any, answers: Mapping[Role, str]) -> Any:
    """Tells something else each time."""
    said = Message("game", str(random.Random().random()))
    return retold(inner.step(answers), lambda view: (*view, said))


def weighted(*chances: float) -> Callable[[Any], list[tuple[float, Any]]]:
    return lambda base: [(p, s) for p, (_, s) in zip(chances, base.openings(), strict=True)]


@dataclass(frozen=True)
class Rare:
    """One number of a thousand, then it is over; but after 777 another."""

    name = "Rare-v0"
    roles = ("player_0",)
    declares = Declaration(
        sum=Sum.GENERAL, hidden_information=False, max_turns=2, low=0.0, high=0.0
    )

    def rules(self, role: Role) -> str:
        return "Name a number."

    def start(self, seed: int) -> "RareState":
        return RareState()

    def openings(self) -> "list[tuple[float, RareState]]":
        return [(1.0, RareState())]


@dataclass(frozen=True)
class RareState:
    said: tuple[str, ...] = ()

    @property
    def to_act(self) -> tuple[Role, ...]:
        return Rare.roles if self.said in ((), ("777",)) else ()

    @property
    def payoffs(self) -> Payoffs:
        return {"player_0": 0.0}

    def observe(self, role: Role) -> Observation:
        legal = tuple(map(str, range(1000))) if self.to_act else ()
        return Observation(role, tuple(tell(role, word) for word in self.said), legal)

    def step(self, answers: Mapping[Role, str]) -> "RareState":
        legal = self.observe("player_0").legal or ()
        return RareState((*self.said, choose(answers, "player_0", legal)))


def pays_for_bluffs(inner: Any) -> Payoffs:
    """Wrong at one end only: a fold after check and bet."""
    last = inner.observe("player_0").messages[-2].text
    extra = 1.0 if not inner.to_act and last == "player_0: fold" else 0.0
    return {"player_0": inner.won[0] + extra, "player_1": inner.won[1]}


def at_the_end(measure: Callable[[Any], Mapping[str, Any]]) -> Callable[[Any], Mapping[str, Any]]:
    return lambda inner: {} if inner.to_act else measure(inner)


def named_by_the_deal(inner: Any) -> Mapping[str, float]:
    words = [m.text.split()[-1] for r in inner.payoffs for m in inner.observe(r).messages[1:]]
    return {"_".join(["cards", *words]).lower().replace(".", ""): 1.0}


ADDRESSED = "a role sees what is addressed to it"
SET = "a view is one information set"
TEXT = "no text does harm"
UNDERSTOOD = "legal answers are understood"
SEED = "the same seed gives the same game"
SUMS = "payoffs add up as declared"
GROW = "views only grow"
ENDS = "every game ends"
VALUES = "positions are values"
OPENINGS = "openings are what start deals"
SENSE = "the declaration makes sense"
MEASURES = "measures are numbers at the end"

COUNT = count()
KNOWN_CARDS = Bent(see=adding(lambda s, role: f"Cards: {s.deals[0]}", to_all=True))

MUTANTS: dict[str, tuple[str, str, Any]] = {  # what is wrong: the promise, what is found, the game
    # what roles see
    "shows the whole log": (
        ADDRESSED,
        "player_0 sees what is not addressed to it",
        Bent(see=lambda s, o: o._replace(messages=everything(s))),
    ),
    "tells one role alone what it calls public": (
        ADDRESSED,
        "is not shown alike to both",
        Bent(see=adding(cards_to("player_1"), to_all=True)),
    ),
    "gives who waits legal answers": (
        ADDRESSED,
        "player_1 is not to act but has legal answers",
        Bent(see=lambda s, o: o._replace(legal=o.legal or ("check",))),
    ),
    "legal answers are one word twice": (
        ADDRESSED,
        "not distinct words",
        Bent(see=lambda s, o: o._replace(legal=o.legal and ("bet", " Bet"))),
    ),
    "has no legal answers": (
        ADDRESSED,
        "not distinct words",
        Bent(see=lambda s, o: o._replace(legal=())),
    ),
    "speaks freely without saying so": (ADDRESSED, "is not declared", SecretlyFree()),
    "shows the roles one observation": (
        ADDRESSED,
        "the observation of player_1 is that of player_0",
        Bent(see=lambda s, o: s.observe("player_0")),
    ),
    "shows something else each time": (
        ADDRESSED,
        "something else each time",
        Bent(see=lambda s, o: o._replace(messages=(*o.messages, tell(o.role, str(next(COUNT)))))),
    ),
    "gives messages as a list": (
        ADDRESSED,
        "not a tuple of Message",
        Bent(see=lambda s, o: o._replace(messages=list(o.messages))),
    ),
    "asks somebody who does not play": (
        ADDRESSED,
        "to_act is not some of the roles",
        Bent(turn=lambda s: (*s.to_act, "zoe") if s.to_act else ()),
    ),
    "asks a role twice at once": (
        ADDRESSED,
        "to_act is not some of the roles",
        Bent(turn=lambda s: s.to_act * 2),
    ),
    "shows only the last three messages": (
        GROW,
        "does not start with what it was before",
        Bent(see=lambda s, o: o._replace(messages=o.messages[-3:])),
    ),
    "has a counter at the top of the view": (
        GROW,
        "does not start with what it was before",
        Bent(see=adding(lambda s, role: f"Moves so far: {len(s.spot.moves)}", to_all=True)),
    ),
    "tells one role the other's card": (
        SET,
        "player_1 can always tell what only player_0 was told",
        Bent(see=adding(cards_to("player_1"), to_all=False)),
    ),
    "tells each role the other's card": (
        SET,
        "every role can tell all",
        Bent(see=adding(lambda s, role: f"Cards: {s.deals[0]}", to_all=False)),
    ),
    "tells the cards to all": (SET, "every role can tell all", KNOWN_CARDS),
    "orders legal answers by the hidden card": (
        SET,
        "yet has other legal answers",
        Bent(see=legal_by_hidden_card),
    ),
    "refuses in words of the hidden card": (
        SET,
        "yet has other words when refused",
        Bent(go=refusing_in_words_of_the_card),
    ),
    "hides cards without saying so": (
        SET,
        "no hidden information is declared",
        Bent(change={"hidden_information": False}),
    ),
    "does not tell a role what it said itself": (
        SET,
        "yet has other answers of its own",
        Forgetful(),
    ),
    # luck
    "draws from Python's global luck": (SEED, "touches the global", Bent(deal=luck_of_python)),
    "draws from numpy's global luck": (SEED, "touches the global", Bent(deal=luck_of_numpy)),
    "seeds the global luck": (SEED, "touches the global", Bent(deal=reseeding)),
    "looks at Python's global luck": (
        SEED,
        "another way with others beside it",
        Bent(deal=lambda base, seed: base.start(random.getstate()[1][1])),
    ),
    "looks at numpy's global luck": (
        SEED,
        "another way with others beside it",
        Bent(deal=lambda base, seed: base.start(int(np.random.get_state()[1][0]))),
    ),
    "draws from luck of its own": (SEED, "another way", Bent(deal=luck_of_its_own)),
    "counts its games": (SEED, "another way", Bent(deal=Counting())),
    "shares a table between games": (SEED, "with others beside it", SharedTable()),
    "depends on which object it is": (
        SEED,
        "a fresh game object",
        Bent(deal=lambda base, seed: base.start(id(base) + seed)),
    ),
    "changes positions in place": (VALUES, "changed the position it was called", SharedTable()),
    "draws luck in a step": (VALUES, "led to another position", Bent(go=whispering)),
    "lists an opening too few": (
        OPENINGS,
        "does not list what start deals",
        Bent(list_openings=lambda base: [(1 / 5, s) for _, s in base.openings()[:5]]),
    ),
    "lists openings with wrong probabilities": (
        OPENINGS,
        "expected 200.0",
        Bent(list_openings=weighted(0.5, 0.1, 0.1, 0.1, 0.1, 0.1)),
    ),
    "lists probabilities that do not add up": (
        OPENINGS,
        "the probabilities add up to 0.6",
        Bent(list_openings=weighted(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)),
    ),
    "lists an opening without a probability": (
        OPENINGS,
        "an opening has no probability",
        Bent(list_openings=weighted(0.2, 0.2, 0.2, 0.2, 0.2, 0.0)),
    ),
    "lists an opening that is never dealt": (
        OPENINGS,
        "dealt 0 times",
        Bent(deal=lambda base, seed: base.start(3 if base.start(seed).deals == ("JQ",) else seed)),
    ),
    # payoffs and the end
    "pays too much at one end": (SUMS, "do not add up", Bent(pay=pays_for_bluffs)),
    "pays more than it declares": (
        SUMS,
        "leave [-1.5, 1.5]",
        Bent(change={"low": -1.5, "high": 1.5}),
    ),
    "pays one role only": (
        SUMS,
        "not of all roles",
        Bent(pay=lambda s: {"player_0": 0.0}),
    ),
    "pays partners differently": (
        SUMS,
        "do not add up",
        Bent(base=Signal(), pay=lambda s: {"seer": 1.0, "guesser": 0.0}),
    ),
    "declares another constant": (
        SUMS,
        "do not add up",
        Bent(base=Auction(), change={"total": 5.0}),
    ),
    "a forfeit would pay more than it declares": (
        SUMS,
        "'player_1': 9.0} [player_0 forfeits]",
        Bent(change={"low": -9.0}),
    ),
    "never ends": (ENDS, "not over after max_turns = 2", Endless()),
    "takes longer than it declares": (
        ENDS,
        "not over after max_turns = 2",
        Bent(change={"max_turns": 2}),
    ),
    "takes longer on a path that is hard to find": (
        ENDS,
        "more than max_turns = 1 answers are accepted [openings()[0]; player_0: '777'",
        Bent(base=Rare(), change={"max_turns": 1}),
    ),
    # measures
    "measures before the end": (
        MEASURES,
        "something is measured before the end: {'moves': 1.0}",
        Bent(measure=lambda s: {"moves": float(len(s.spot.moves))} if s.spot.moves else {}),
    ),
    "measures what is infinite": (
        MEASURES,
        "odds is no finite number: inf",
        Bent(measure=at_the_end(lambda s: {"odds": math.inf})),
    ),
    "measures what is not known": (
        MEASURES,
        "odds is no finite number: nan",
        Bent(measure=at_the_end(lambda s: {"odds": math.nan})),
    ),
    "measures yes and no": (
        MEASURES,
        "folded is no finite number: True",
        Bent(measure=at_the_end(lambda s: {"folded": True})),
    ),
    "measures in words, at one end only": (
        MEASURES,
        "last is no finite number: 'fold'",
        Bent(measure=at_the_end(lambda s: {"last": "fold"} if s.won[0] == -1 else {})),
    ),
    "measures with luck of its own": (
        MEASURES,
        "measured in another way when it is played again",
        Bent(measure=at_the_end(lambda s: {"length": random.Random().random()})),
    ),
    "names measures by what happened": (
        MEASURES,
        "names of measures are not made up",
        Bent(base=KuhnPoker(players=3), measure=at_the_end(named_by_the_deal)),
    ),
    "gives a measure a name with blanks": (
        MEASURES,
        "a name in lower case, not 'Was Folded'",
        Bent(measure=at_the_end(lambda s: {"Was Folded": 1.0})),
    ),
    # text
    "echoes the words of a player": (UNDERSTOOD, "is not taken as 'check'", Bent(go=echoing)),
    "insists on small letters": (UNDERSTOOD, "is not taken as 'check'", Bent(go=case_sensitive)),
    "takes the first of two readings": (
        UNDERSTOOD,
        "two readings is accepted",
        Bent(go=taking_the_first_reading),
    ),
    "offers what it refuses": (
        UNDERSTOOD,
        "player_0's legal answer is refused",
        Bent(see=lambda s, o: o._replace(legal=o.legal and (*o.legal, "raise"))),
    ),
    "takes anything and passes it on": (
        TEXT,
        "accepted, but not as a legal answer",
        Bent(go=taking_anything),
    ),
    "fails on words that it does not know": (TEXT, "step raised IndexError", Bent(go=looking_up)),
    "gives an example that it refuses": (
        UNDERSTOOD,
        "ann's example is refused",
        Chat(numbers=True, examples=("I pay 7.", "I pay.")),
    ),
    "gives an example twice": (
        ADDRESSED,
        "examples are not distinct",
        Chat(examples=("Hello.", "Hello.")),
    ),
    "blames another for an illegal answer": (
        TEXT,
        "not player_0 but player_1 is refused",
        Bent(go=blaming_the_other),
    ),
    "speaks the words of players as its own": (
        TEXT,
        "as said by game",
        Chat(spoken_by_game=True),
    ),
    # the declaration
    "has no name": (SENSE, "no name", Bent(name="")),
    "has no rules": (SENSE, "player_0 has no rules", Bent(say_rules="")),
    "has a role called game": (SENSE, "called 'game'", Bent(seats=("player_0", "game"))),
    "has a role twice": (SENSE, "not distinct", Bent(seats=("player_0", "player_0"))),
    "has low above high": (SENSE, "low and high", Bent(change={"low": 2.0, "high": -2.0})),
    "has no bound on payoffs": (SENSE, "low and high", Bent(change={"high": float("inf")})),
    "is zero-sum with a total": (SENSE, "no total", Bent(change={"total": 1.0})),
    "takes no turns": (SENSE, "max_turns is at least 1", Bent(change={"max_turns": 0})),
    "is over at the start": (SENSE, "nobody is to act", Bent(turn=lambda s: ())),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_broken_game_is_noticed(mutant: str) -> None:
    promise, found, game = MUTANTS[mutant]
    with pytest.raises(AssertionError, match=re.escape(found)) as fault:
        CHECKS[promise](game)
    text = str(fault.value)
    assert "\n" not in text
    assert text.endswith("]")  # what replays it


def test_a_measure_that_fails_is_noticed() -> None:
    """``getattr`` with a default would take an AttributeError inside for no measures at all."""
    bent = Bent(measure=at_the_end(lambda s: {"score": s.no_such_thing}))
    with pytest.raises(AttributeError, match="no_such_thing"):
        CHECKS[MEASURES](bent)


def test_check_lists_what_is_broken() -> None:
    assert check(KuhnPoker()) == []
    (finding,) = check(Bent(pay=pays_for_bluffs))
    assert (finding.promise, finding.kept) == (SUMS, False)
    assert str(finding).startswith(f"{SUMS}: payoffs of a zero-sum game do not add up")


def test_check_leaves_the_global_luck_as_it_was() -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()
    check(KuhnPoker())
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


# --- the environment and the referee with one thing broken: the contract covers them too

ENV = "PettingZoo shows the same game"
RESET, STEP, POINT = TextEnv.reset, TextEnv.step, TextEnv._point


def paying_again(env: TextEnv, action: Any) -> None:
    """At each step of a dead agent, as some wrappers do."""
    env._accumulate_rewards()
    AECEnv._was_dead_step(env, action)


def pointing(change: Callable[[TextEnv], Any]) -> Callable[[TextEnv], None]:
    def point(env: TextEnv) -> None:
        POINT(env)
        change(env)

    return point


def ending_early(env: TextEnv) -> None:
    env.terminations = dict.fromkeys(env.agents, env.agent_selection == "player_1")


def truncating(env: TextEnv) -> None:
    env.truncations = dict.fromkeys(env.agents, True)


def offering(env: TextEnv) -> None:
    env.infos = {role: {"legal_actions": ("check",)} for role in env.agents}


def after_the_end(change: Callable[[TextEnv], Any]) -> Callable[[TextEnv, Any], None]:
    def step(env: TextEnv, action: Any) -> None:
        if env.agents:
            STEP(env, action)
        else:
            change(env)

    return step


def paying_late(env: TextEnv) -> None:
    env.rewards = {"player_0": 1.0}


def starting_again(env: TextEnv) -> None:
    env.state_of_play = env.game.start(0)
    env._look()
    env._texts.clear()


def seeding_once(env: TextEnv, seed: int | None = None, options: Any = None) -> None:
    RESET(env, None if hasattr(env, "state_of_play") else seed, options)


def keeping_answers(env: TextEnv, seed: int | None = None, options: Any = None) -> None:
    held = getattr(env, "_answers", {})
    RESET(env, seed, options)
    env._answers = held
    POINT(env)


BROKEN_ENVS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "shows an old view": (
        "observe",
        lambda env, agent: {"text": env.__dict__.setdefault(f"old {agent}", f"I am {agent}.")},
        "does not see what it sees in the bare game",
    ),
    "pays nothing": ("_accumulate_rewards", lambda env: None, "rewards add up to"),
    "pays twice": ("_was_dead_step", paying_again, "rewards add up to"),
    "keeps its agents": ("_was_dead_step", lambda env, action: None, "does not end"),
    "ends early": ("_point", pointing(ending_early), "do not end together"),
    "truncates": ("_point", pointing(truncating), "is truncated"),
    "offers other answers": ("_point", pointing(offering), "legal answers are others"),
    "pays after the end": ("step", after_the_end(paying_late), "after the end changes something"),
    "starts again by itself": ("step", after_the_end(starting_again), "only grow"),
    "seeds once only": ("reset", seeding_once, "used environment plays another game"),
    "keeps answers over a reset": ("reset", keeping_answers, "legal answers are others"),
}


@pytest.mark.parametrize("broken", BROKEN_ENVS)
def test_broken_environment_is_noticed(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attribute, change, found = BROKEN_ENVS[broken]
    monkeypatch.setattr(TextEnv, attribute, change)
    with pytest.raises(AssertionError, match=found):
        CHECKS[ENV](Pennies() if broken == "keeps answers over a reset" else KuhnPoker())


def test_text_that_does_not_grow_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def newest_first(messages: View) -> str:
        return "\n".join(message.text for message in reversed(messages))

    def observe(env: TextEnv, agent: Role) -> dict[str, str]:
        return {"text": newest_first(env.observation(agent).messages)}

    monkeypatch.setattr(text, "transcript", newest_first)
    monkeypatch.setattr(TextEnv, "observe", observe)
    with pytest.raises(AssertionError, match="only grow"):
        CHECKS[ENV](KuhnPoker())


def told_to_all(state: RefereedState, notice: Notice) -> tuple[Notice, ...]:
    return tuple(replace(notice, role=role) for role in state.game.roles)


def told_in_full(state: RefereedState, notice: Notice) -> tuple[Notice, ...]:
    message = replace(notice.message, text=f"{notice.message.text} {state.payoffs}")
    return (replace(notice, message=message),)


@pytest.mark.parametrize(
    ("change", "found"),
    [(told_to_all, "sees 1 lines after"), (told_in_full, "player_1 sees of the forfeit")],
)
def test_broken_referee_is_noticed(
    change: Callable[..., tuple[Notice, ...]], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RefereedState._refuse

    def refuse(state: RefereedState, fault: Any, together: dict[Role, str]) -> RefereedState:
        after = whole(state, fault, together)
        old = state.record.notices
        new = after.record.notices[len(old) :]
        notices = tuple(each for notice in new for each in change(state, notice))
        return after._replace(record=replace(after.record, notices=(*old, *notices)))

    monkeypatch.setattr(RefereedState, "_refuse", refuse)
    with pytest.raises(AssertionError, match=found):
        CHECKS[TEXT](KuhnPoker())


OVER = "nothing happens after the end"


def test_step_after_the_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = RefereedState.step

    def step(state: RefereedState, answers: Mapping[Role, str]) -> RefereedState:
        return whole(state, answers) if state.to_act else state

    monkeypatch.setattr(RefereedState, "step", step)
    with pytest.raises(AssertionError, match="accepted after the end"):
        CHECKS[OVER](KuhnPoker())


def test_step_that_changes_the_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = RefereedState.step

    def step(state: RefereedState, answers: Mapping[Role, str]) -> RefereedState:
        if not state.to_act:
            object.__setattr__(state.inner, "log", state.inner.log[:-1])
        return whole(state, answers)

    monkeypatch.setattr(RefereedState, "step", step)
    with pytest.raises(AssertionError, match="a step after the end changed the position"):
        CHECKS[OVER](TicTacToe())


def test_every_promise_can_be_broken() -> None:
    broken = {promise for promise, _, _ in MUTANTS.values()}
    assert broken | {ENV, OVER} == set(CHECKS)  # those two are tested just above


def test_reseeding_is_noticed_whatever_the_luck_was_before() -> None:
    random.seed(SEEDS[-1])  # as the game itself would leave it
    with pytest.raises(AssertionError, match="touches the global"):
        CHECKS[SEED](Bent(deal=reseeding))


def test_a_fault_can_be_replayed() -> None:
    with pytest.raises(AssertionError) as fault:
        CHECKS[SUMS](Bent(pay=pays_for_bluffs))
    assert str(fault.value).endswith(
        "[openings()[0]; player_0: 'check'; player_1: 'bet'; player_0: 'fold']"
    )


def test_a_game_that_raises_is_a_finding_of_every_promise() -> None:
    def raising(base: Any, seed: int) -> Any:
        raise RuntimeError("out of cards")

    broken = check(Bent(deal=raising))
    assert len(broken) > len(CHECKS) / 2
    assert any("out of cards" in str(finding) for finding in broken)

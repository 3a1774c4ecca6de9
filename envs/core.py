"""The nouns that games, agents and trainers speak in.

A *game* starts *states*; a state shows each *role* an *observation*; an agent in that seat answers
with an *action*; what happened is an *episode* of *turns*. Every noun is a value: nothing here is
changed in place, and nothing here imports anything of ours.

Three promises hold for every game, and ``tests/contract`` checks them:

* a role's view is append-only: what it saw is a prefix of what it will see;
* states are values: the same seed gives the same game in any process;
* rules never guess: an answer that is not exactly one legal answer raises ``IllegalAction``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

Role = str
"""The name of a seat: ``"player_0"``, ``"attacker"``. It has its own rules, view and baseline."""


def seats(number: int) -> tuple[Role, ...]:
    """The roles of a game whose seats are only numbered: ``player_0``, ``player_1``, ..."""
    return tuple(f"player_{seat}" for seat in range(number))


Payoffs = Mapping[Role, float]
"""What each role has won so far, in the game's own unit (chips, points); negative is lost."""


@dataclass(frozen=True, slots=True)
class Message:
    """One piece of text in a game. ``to`` is ``None`` for all roles, else the roles that see it."""

    sender: str
    text: str
    to: frozenset[Role] | None = None


View = tuple[Message, ...]
"""All that a role has been shown, oldest first. It is the role's information set."""


class Observation(NamedTuple):  # made at every step: half the time of a frozen dataclass
    """What an agent gets when it is asked to act (or what a waiting role can see).

    ``legal``: the exact legal answers; ``None`` where speech is free or they are too many to list;
    empty where it is not this role's turn. ``examples``: where ``legal`` is ``None``, a few
    acceptable answers in the game's own format, for agents that pick and for people who ask.
    ``turns`` (this role's own earlier turns) and ``seed`` (the luck of this turn, for agents that
    randomise) come from the runner, so that agents need no memory of their own.
    """

    role: Role
    messages: View
    legal: tuple[str, ...] | None = ()
    examples: tuple[str, ...] = ()
    turns: "tuple[Turn, ...]" = ()
    seed: int = 0

    def __eq__(self, other: object) -> bool:
        """Equal is what the game shows; what the runner adds does not count."""
        return isinstance(other, Observation) and self[:4] == other[:4]

    def __ne__(self, other: object) -> bool:  # a tuple has its own
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:4])

    def __repr__(self) -> str:
        shown = zip(self._fields[:4], self[:4], strict=True)
        return f"Observation({', '.join([f'{name}={value!r}' for name, value in shown])})"


@dataclass(frozen=True, slots=True)
class Action:
    """An answer: ``text`` goes to the game, the rest stays with the learner.

    ``private`` is the hidden thought. ``prompt`` and ``tokens`` are the token ids that were read
    and sampled, ``logprobs`` the natural-log probability of each sampled token (same length as
    ``tokens``); all three are empty for agents that are not language models.
    """

    text: str
    private: str = ""
    prompt: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One observation, the action that answered it, and whether the rules accepted the answer."""

    observation: Observation
    action: Action
    accepted: bool = True

    @property
    def role(self) -> Role:
        return self.observation.role


@dataclass(frozen=True, slots=True)
class Episode:
    """One whole game.

    ``game`` names it with its options; ``seats`` says who sat where; ``forfeits`` are the roles
    that lost by illegal answers; ``void`` says why the game does not count (its payoffs are all 0
    and mean nothing); ``parts`` is the hidden part that each role played, in games that deal parts
    ("spy", "civilian");
    ``outcome`` holds what the game measures of its end besides payoffs ("agreed": 1.0).
    """

    game: str
    seed: int
    turns: tuple[Turn, ...]
    payoffs: Payoffs
    seats: Mapping[Role, str]
    views: Mapping[Role, View]
    forfeits: tuple[Role, ...] = ()
    void: str | None = None
    parts: Mapping[Role, str] = field(default_factory=dict)
    outcome: Mapping[str, float] = field(default_factory=dict)

    def turns_of(self, role: Role) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.role == role)


class BadInput(ValueError):
    """What a user gave cannot be used; the message is one line that says what to do instead."""


class IllegalAction(ValueError):
    """The rules do not allow this answer. ``role`` gave it; the text says why, to that role.

    ``also``: faults of other roles in the same simultaneous move; see ``answers.each``.
    """

    def __init__(self, role: Role, reason: str, also: Sequence["IllegalAction"] = ()):
        super().__init__(reason)
        self.role = role
        self.also = tuple(also)


class Void(Exception):
    """This game cannot be counted: a judge failed, or the rules call it off. The text says why.

    ``step`` may raise it. The referee then ends the game with every payoff 0; statistics and
    training leave it out, and the count of such games is reported. It is never a draw.
    """


class Sum(StrEnum):
    """How the payoffs of one game add up over its roles."""

    ZERO = "zero-sum"
    CONSTANT = "constant-sum"
    GENERAL = "general-sum"
    COOPERATIVE = "cooperative"  # every role gets the same payoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a game says of itself; the contract checks it, solvers and trainers read it.

    ``low`` and ``high`` bound every role's payoff; ``total`` is the constant of a constant-sum
    game; ``max_turns`` bounds the number of accepted answers.
    """

    sum: Sum
    hidden_information: bool
    max_turns: int
    low: float
    high: float
    total: float = 0.0
    free_speech: bool = False


class State(Protocol):
    """A position of one game. ``to_act`` empty means over; several roles act simultaneously.

    Where a game has them, a state may also have: ``parts``, a mapping from role to the hidden part
    that it plays; ``teams``, from role to its team, where several parts make one; ``outcome``, what
    the game measures of its end besides payoffs, as numbers by name; ``forfeited(roles)``, the
    payoffs when these roles forfeit here.
    """

    @property
    def to_act(self) -> tuple[Role, ...]: ...

    @property
    def payoffs(self) -> Payoffs: ...

    def observe(self, role: Role) -> Observation: ...

    def step(self, answers: Mapping[Role, str]) -> "State":
        """The next position after one answer from each role in ``to_act``.

        Raises ``IllegalAction`` for an answer that the rules do not allow, ``Void`` where the game
        cannot be counted.
        """
        ...


class Game(Protocol):
    """The rules of one game with its options fixed."""

    @property
    def name(self) -> str: ...

    @property
    def roles(self) -> tuple[Role, ...]: ...

    @property
    def declares(self) -> Declaration: ...

    def rules(self, role: Role) -> str:
        """The rules as the player in this seat reads them."""
        ...

    def start(self, seed: int) -> State: ...


class SolvableGame(Game, Protocol):
    """A game whose chance is all in its opening, and small enough to list: solvers walk it."""

    def openings(self) -> Sequence[tuple[float, State]]:
        """Every opening position with its probability; after it, nothing is random.

        Raises ``BadInput`` where these options make them too many to list.
        """
        ...


def visible(log: View, role: Role) -> View:
    """The part of a game's log that ``role`` may see."""
    return tuple([m for m in log if m.to is None or role in m.to])  # a list is faster to fill

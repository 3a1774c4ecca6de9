"""Kuhn poker: one card each, one bet, and bluffing already pays (Kuhn, 1950).

n players have n + 1 cards, the best of 3 < 4 < ... < 9 < T < J < Q < K; with two players they are
J < Q < K. Ante 1; one bet of 1 in all. With two players the value for the first is -1/18. With
more, as in Szafron, Gibson and Sturtevant (2013) and in OpenSpiel: all check or one bets; after a
bet everybody else, in turn, calls or folds; the highest card still in wins the pot.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product
from math import factorial
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import (
    BadInput,
    Declaration,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    visible,
)
from sparring.envs.messages import private, public, rules_first
from sparring.envs.options import whole

SEATS = tuple(f"player_{i}" for i in range(10))
RANKS = "3456789TJQK"
MOST_OPENINGS = 100_000
FREE, FACING = ("check", "bet"), ("call", "fold")
LETTER = {"check": "k", "bet": "b", "call": "c", "fold": "f"}

ROLES = SEATS[:2]
DEALS = tuple("".join(deal) for deal in permutations("JQK", 2))
"""The deals of two players."""


@dataclass(frozen=True, slots=True)
class KuhnState:
    deals: tuple[str, ...]  # for every hand, one card a seat
    log: View
    won: tuple[int, ...]  # chips by seat, over the hands so far
    hand: int = 0
    moves: str = ""  # of this hand: k check, b bet, c call, f fold

    @property
    def chips(self) -> int:
        """What player_0 has won."""
        return self.won[0]

    @property
    def to_act(self) -> tuple[Role, ...]:
        over = self.hand == len(self.deals)
        return () if over else (SEATS[self._seat(len(self.moves))],)

    def _seat(self, move: int) -> int:
        """Who makes the move of this number: around the table, the first seat rotates."""
        return (self.hand + move) % len(self.won)

    @property
    def legal(self) -> tuple[str, ...]:
        return FACING if "b" in self.moves else FREE

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(SEATS, map(float, self.won), strict=False))

    def observe(self, role: Role) -> Observation:
        legal = self.legal if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "KuhnState":
        (role,) = self.to_act
        answer = choose(answers, role, self.legal)
        moves = self.moves + LETTER[answer]
        log = (*self.log, public(f"{role}: {answer}"))
        before_the_bet = max(moves.find("b"), 0)
        if len(moves) == len(self.won) + before_the_bet:
            return self._settled(moves, log)
        return KuhnState(self.deals, log, self.won, self.hand, moves)

    def _settled(self, moves: str, log: View) -> "KuhnState":
        """The start of the next hand, or the end."""
        cards, players = self.deals[self.hand], len(self.won)
        bold = sorted([self._seat(i) for i, move in enumerate(moves) if move in "bc"])
        paid = [2 if seat in bold else 1 for seat in range(players)]
        still_in = bold or range(players)
        winner = max(still_in, key=lambda seat: RANKS.index(cards[seat]))
        gain = sum(paid) - paid[winner]
        text = f"{SEATS[winner]} wins {gain}."
        if len(still_in) > 1:  # one that is alone need not show
            shown = ", ".join([f"{SEATS[seat]} had {cards[seat]}" for seat in still_in])
            text = f"{shown}. {text}"
        won = [before - stake for before, stake in zip(self.won, paid, strict=True)]
        won[winner] += sum(paid)
        log = (*log, public(text), *_dealt(self.deals, self.hand + 1))
        return KuhnState(self.deals, log, tuple(won), self.hand + 1)


def _dealt(deals: tuple[str, ...], hand: int) -> View:
    """The private messages that deal one hand; none after the last."""
    if hand == len(deals):
        return ()
    pairs = zip(SEATS, deals[hand], strict=False)
    return tuple(private(f"Your card: {card}", role) for role, card in pairs)


@lru_cache(maxsize=1000)
def _deal(cards: str, number: int) -> str:
    """All cards but one; ``number`` counts in the order of the cards (factorial number system)."""
    left, dealt = list(cards), ""
    for others in range(len(cards) - 1, 0, -1):
        at, number = divmod(number, factorial(others))
        dealt += left.pop(at)
    return dealt


@dataclass(frozen=True)
class KuhnPoker:
    """Kuhn poker for two or more players, one hand or a match of several."""

    hands: Annotated[int, "so many hands; the first seat rotates, payoffs are over all"] = 1
    players: Annotated[int, "2 to 10 players; there is one card more than players"] = 2

    name = "KuhnPoker-v0"

    def __post_init__(self) -> None:
        whole("hands", self.hands, 1)
        whole("players", self.players, 2, len(SEATS))

    @property
    def roles(self) -> tuple[Role, ...]:
        return SEATS[: self.players]

    @property
    def cards(self) -> str:
        """The deck, lowest card first."""
        return RANKS[-self.players - 1 :]

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.ZERO,
            hidden_information=True,
            max_turns=(2 * self.players - 1) * self.hands,
            low=-2.0 * self.hands,
            high=2.0 * (self.players - 1) * self.hands,
        )

    def rules(self, role: Role) -> str:
        two = self.players == 2
        rotates = "the first seat alternates" if two else "the first seat moves on by one each hand"
        hands = "" if self.hands == 1 else f" {self.hands} hands; {rotates}."
        more = "" if two else " After a bet all others answer in turn; the highest card in wins."
        return (
            f"Kuhn poker. You are {role}. Cards {' < '.join(self.cards)}, one each. "
            "Ante 1, one bet of 1. "
            f"player_0 acts first. Check or bet; facing a bet, call or fold.{more}{hands}"
        )

    def start(self, seed: int) -> KuhnState:
        rng, deals = random.Random(seed), factorial(self.players + 1)
        numbers = [rng.randrange(deals) for _ in range(self.hands)]
        return self._open(tuple([_deal(self.cards, number) for number in numbers]))

    def openings(self) -> list[tuple[float, KuhnState]]:
        """Every deal of all hands. Raises ``BadInput`` where they are too many to list."""
        if (count := factorial(self.players + 1) ** self.hands) > MOST_OPENINGS:
            raise BadInput(f"{self.name} has too many deals with these options to list them")
        deals = map("".join, permutations(self.cards, self.players))
        return [(1 / count, self._open(match)) for match in product(deals, repeat=self.hands)]

    def _open(self, deals: tuple[str, ...]) -> KuhnState:
        log = (*rules_first(self), *_dealt(deals, 0))
        return KuhnState(deals, log, (0,) * self.players)

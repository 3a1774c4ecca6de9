"""Kuhn poker: one card each, one bet, and bluffing already pays (Kuhn, 1950).

n players have n + 1 cards, the best of 3 < 4 < ... < 9 < T < J < Q < K; with two players they are
J < Q < K. Ante 1; one bet of 1 in all. With two players the value for the first is -1/18. With
more, as in Szafron, Gibson and Sturtevant (2013) and in OpenSpiel: all check or one bets; after a
bet everybody else, in turn, calls or folds; the highest card still in wins the pot.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations
from math import factorial, prod
from operator import add
from typing import Annotated, NamedTuple

from sparring.envs.answers import choose
from sparring.envs.core import (
    BadInput,
    Declaration,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    seats,
)
from sparring.envs.messages import private, public, rules_first
from sparring.envs.options import whole

SEATS = seats(10)
RANKS = "3456789TJQK"
MOST_OPENINGS = 100_000
REMEMBERED = 10_000  # positions; a game with more openings does not remember any of them
FREE, FACING = ("check", "bet"), ("call", "fold")
LETTER = {"check": "k", "bet": "b", "call": "c", "fold": "f"}

ROLES = SEATS[:2]
DEALS = tuple("".join(deal) for deal in permutations("JQK", 2))
"""The deals of two players."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One hand so far. A match looks its hands up: there are few of them, and they come again."""

    moves: str  # k check, b bet, c call, f fold
    to_act: tuple[Role, ...]  # nobody: the hand is over
    legal: tuple[str, ...]
    seen: Mapping[Role, View]  # of this hand
    gains: tuple[float, ...] = ()  # chips by seat, once it is over


@lru_cache(maxsize=REMEMBERED)
def spot(cards: str, first: int, moves: str) -> Spot:
    """After ``moves`` of a hand: ``cards`` by seat, seat ``first`` acts first, then in turn."""
    players = len(cards)
    if not moves:
        dealt = zip(SEATS, cards, strict=False)
        seen = {role: (private(f"Your card: {card}", role),) for role, card in dealt}
        return Spot("", (SEATS[first],), FREE, seen)
    before = spot(cards, first, moves[:-1])
    answer = next(a for a in before.legal if LETTER[a] == moves[-1])
    told: View = (public(f"{before.to_act[0]}: {answer}"),)
    over = len(moves) == players + max(moves.find("b"), 0)  # the bet is answered, or all checked
    if over:
        result, gains = settled(cards, first, moves)
        told = (*told, public(result))
    grown = {role: view + told for role, view in before.seen.items()}
    if over:
        return Spot(moves, (), (), grown, gains)
    legal = FACING if "b" in moves else FREE
    return Spot(moves, (SEATS[(first + len(moves)) % players],), legal, grown)


def settled(cards: str, first: int, moves: str) -> tuple[str, tuple[float, ...]]:
    """The end of a hand: what is told, and the chips each seat wins."""
    players = len(cards)
    bold = sorted([(first + i) % players for i, move in enumerate(moves) if move in "bc"])
    paid = [2 if seat in bold else 1 for seat in range(players)]
    still_in = bold or range(players)
    winner = max(still_in, key=lambda seat: RANKS.index(cards[seat]))
    pot = sum(paid)
    text = f"{SEATS[winner]} wins {pot - paid[winner]}."
    if len(still_in) > 1:  # one that is alone need not show
        shown = ", ".join([f"{SEATS[seat]} had {cards[seat]}" for seat in still_in])
        text = f"{shown}. {text}"
    return text, tuple([float(pot * (seat == winner) - paid[seat]) for seat in range(players)])


class KuhnState(NamedTuple):  # made at every step: half the time of a frozen dataclass
    deals: tuple[str, ...]  # for every hand, one card a seat
    earlier: Mapping[Role, View]  # what each seat saw before this hand
    won: tuple[float, ...]  # chips by seat, over the hands that are over
    hand: int
    spot: Spot  # in this hand

    @property
    def to_act(self) -> tuple[Role, ...]:
        return self.spot.to_act

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(SEATS, self.won, strict=False))

    def observe(self, role: Role) -> Observation:
        now = self.spot
        seen = self.earlier[role] + now.seen[role]
        return Observation(role, seen, now.legal if role in now.to_act else ())

    def step(self, answers: Mapping[Role, str]) -> "KuhnState":
        deals, earlier, won, hand, now = self
        moves = now.moves + LETTER[choose(answers, now.to_act[0], now.legal)]
        now = spot(deals[hand], hand % len(won), moves)
        if now.to_act:
            return KuhnState(deals, earlier, won, hand, now)
        won = tuple(map(add, won, now.gains))
        if hand + 1 < len(deals):
            earlier = {role: view + now.seen[role] for role, view in earlier.items()}
            now = spot(deals[hand + 1], (hand + 1) % len(won), "")
        return KuhnState(deals, earlier, won, hand + 1, now)


@lru_cache(maxsize=REMEMBERED)
def opening(game: "KuhnPoker", number: int) -> KuhnState:
    """The match of this number: its digits, the lowest first, number the deals of its hands."""
    deals: list[str] = []
    for _ in range(game.hands):
        number, digit = divmod(number, factorial(game.players + 1))
        deals.append(deal(game.cards, digit))
    return start_of(game, tuple(deals))


def start_of(game: "KuhnPoker", deals: tuple[str, ...]) -> KuhnState:
    earlier = dict(zip(game.roles, ((message,) for message in rules_first(game)), strict=True))
    return KuhnState(deals, earlier, (0.0,) * game.players, 0, spot(deals[0], 0, ""))


def deal(cards: str, number: int) -> str:
    """All cards but one; ``number`` counts in the order of the cards (factorial number system)."""
    left, hands = list(cards), ""
    for others in range(len(cards) - 1, 0, -1):
        at, number = divmod(number, factorial(others))
        hands += left.pop(at)
    return hands


@dataclass(frozen=True)
class KuhnPoker:
    """Kuhn poker for two or more players, one hand or a match of several."""

    hands: Annotated[int, "so many hands; the first seat rotates, payoffs are over all"] = 1
    players: Annotated[int, "2 to 10 players; there is one card more than players"] = 2

    name = "KuhnPoker-v0"

    def __post_init__(self) -> None:
        whole("hands", self.hands, 1, 10_000)
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
        more = "The higher card wins the pot."
        if not two:
            more = "After a bet all others answer in turn; the highest card in wins the pot."
        return (
            f"Kuhn poker. You are {role}. Cards {' < '.join(self.cards)}, one each. "
            "Ante 1, one bet of 1. "
            f"player_0 acts first. Check or bet; facing a bet, call or fold. {more}{hands}"
        )

    @cached_property
    def matches(self) -> int:
        """So many openings there are, all equally likely."""
        return prod([factorial(self.players + 1)] * self.hands)

    def start(self, seed: int) -> KuhnState:
        matches = self.matches
        make = opening if matches <= REMEMBERED else opening.__wrapped__
        return make(self, random.Random(seed).randrange(matches))

    def openings(self) -> list[tuple[float, KuhnState]]:
        """Every deal of all hands. Raises ``BadInput`` where they are too many to list."""
        if (count := self.matches) > MOST_OPENINGS:
            raise BadInput(f"{self.name} has too many deals with these options to list them")
        return [(1 / count, opening(self, number)) for number in range(count)]

"""Leduc hold'em: two rounds of betting around one public card (Southey et al., 2005).

n players have two cards each of n + 1 ranks, the best of 3 < 4 < ... < 9 < T < J < Q < K; with two
players these are J J Q Q K K. Ante 1, bets and raises of 2, then of 4, at most two a round. Suits
do not matter and are never seen. The value for the first of two players is -0.085606424.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import perm, prod
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
    seats,
    visible,
)
from sparring.envs.messages import private, public, rules_first
from sparring.envs.options import whole

SEATS = seats(10)
RANKS = "3456789TJQK"
BETS = (2, 4)  # what a bet or raise adds in each round
LEGAL = (("check", "bet"), ("call", "raise", "fold"), ("call", "fold"))  # by raises in this round
MOST_STAKED = 1 + 2 * sum(BETS)  # chips of one player in one hand
MOST_OPENINGS = 100_000


@dataclass(frozen=True, slots=True)
class LeducState:
    """``waiting``: seats still to answer in this round, in order; ``live``: seats not folded."""

    deals: tuple[str, ...]  # for every hand, one card a seat, then the public card
    log: View
    won: tuple[float, ...]  # chips by seat, over the hands so far
    waiting: tuple[int, ...]
    live: tuple[int, ...]
    paid: tuple[int, ...]  # chips in the pot by seat
    hand: int = 0
    second: bool = False  # the public card is out
    raises: int = 0  # in this round, the first bet included

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.hand == len(self.deals) else (SEATS[self.waiting[0]],)

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(SEATS, self.won, strict=False))

    def observe(self, role: Role) -> Observation:
        legal = LEGAL[self.raises] if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "LeducState":
        (role,) = self.to_act
        answer = choose(answers, role, LEGAL[self.raises])
        said = self._answered(answer)
        if said.waiting:  # never where only one is left: who bets or raises does not wait
            return said
        return said._settle() if len(said.live) == 1 or said.second else said._second_round()

    def _answered(self, answer: str) -> "LeducState":
        seat, waiting, live = self.waiting[0], self.waiting[1:], self.live
        pays, raises = self.paid[seat], self.raises
        if answer == "fold":
            live = tuple(other for other in live if other != seat)
        elif answer == "call":
            pays = max(self.paid)
        elif answer in ("bet", "raise"):
            pays, raises = max(self.paid) + BETS[self.second], raises + 1
            waiting = _around(live, seat, len(self.won))[1:]  # all others answer again
        paid = (*self.paid[:seat], pays, *self.paid[seat + 1 :])
        log = (*self.log, public(f"{SEATS[seat]}: {answer}"))
        return replace(self, log=log, waiting=waiting, live=live, paid=paid, raises=raises)

    def _second_round(self) -> "LeducState":
        log = (*self.log, public(f"Public card: {self.deals[self.hand][-1]}"))
        waiting = _around(self.live, self.hand, len(self.won))
        return replace(self, log=log, waiting=waiting, second=True, raises=0)

    def _settle(self) -> "LeducState":
        cards, board = self.deals[self.hand], self.deals[self.hand][-1]
        live, pot = sorted(self.live), sum(self.paid)
        best = max(_strength(cards[seat], board) for seat in live)
        winners = [seat for seat in live if _strength(cards[seat], board) == best]
        gains = [-float(paid) for paid in self.paid]
        for seat in winners:
            gains[seat] += pot / len(winners)
        if len(winners) > 1:
            text = f"{' and '.join(SEATS[seat] for seat in winners)} split the pot of {pot}."
        else:
            text = f"{SEATS[winners[0]]} wins {gains[winners[0]]:g}."
        if len(live) > 1:  # one that is alone need not show
            text = f"{', '.join(f'{SEATS[seat]} had {cards[seat]}' for seat in live)}. {text}"
        won = tuple(before + gain for before, gain in zip(self.won, gains, strict=True))
        return _dealt(self.deals, self.hand + 1, (*self.log, public(text)), won)


def _strength(card: str, board: str) -> int:
    """Compares hands: a pair with the public card beats all, else the higher own card wins."""
    return len(RANKS) if card == board else RANKS.index(card)


def _around(seats: tuple[int, ...], first: int, players: int) -> tuple[int, ...]:
    """``seats`` in the order of the table, from ``first`` on."""
    return tuple(sorted(seats, key=lambda seat: (seat - first) % players))


def _dealt(deals: tuple[str, ...], hand: int, log: View, won: tuple[float, ...]) -> LeducState:
    """The start of a hand, or the end of the game after the last one."""
    players = len(won)
    seats = tuple(range(players))
    if hand < len(deals):
        cards = zip(SEATS[:players], deals[hand][:-1], strict=True)
        log = (*log, *(private(f"Your card: {card}", role) for role, card in cards))
    return LeducState(
        deals,
        log,
        won,
        waiting=_around(seats, hand, players),
        live=seats,
        paid=(1,) * players,
        hand=hand,
    )


@dataclass(frozen=True)
class LeducPoker:
    """Leduc hold'em for two or more players, one hand or a match of several."""

    hands: Annotated[int, "so many hands; the first seat rotates, payoffs are over all"] = 1
    players: Annotated[int, "2 to 10 players; two cards each of one rank more than players"] = 2

    name = "LeducPoker-v0"

    def __post_init__(self) -> None:
        whole("hands", self.hands, 1, 10_000)
        whole("players", self.players, 2, len(SEATS))

    @property
    def roles(self) -> tuple[Role, ...]:
        return SEATS[: self.players]

    @property
    def ranks(self) -> str:
        """The ranks in the deck, lowest first; there are two cards of each."""
        return RANKS[-self.players - 1 :]

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.ZERO,
            hidden_information=True,
            max_turns=2 * (3 * self.players - 2) * self.hands,
            low=-1.0 * MOST_STAKED * self.hands,
            high=1.0 * MOST_STAKED * (self.players - 1) * self.hands,
        )

    def rules(self, role: Role) -> str:
        two = self.players == 2
        rotates = "the first seat alternates" if two else "the first seat moves on by one each hand"
        hands = "" if self.hands == 1 else f" {self.hands} hands; {rotates}."
        return (
            f"Leduc poker. You are {role}. The deck has two cards each of "
            f"{' < '.join(self.ranks)}. Ante 1, one card each. Two rounds of betting, player_0 "
            "acts first; between them a public card is shown. Check or bet; facing a bet, call, "
            f"raise or fold. A bet or raise adds {BETS[0]} in the first round and {BETS[1]} in the "
            "second; at most two of them a round. A pair with the public card wins, else the "
            f"higher card; equal cards split the pot.{hands}"
        )

    def start(self, seed: int) -> LeducState:
        rng = random.Random(seed)
        return self._open(
            tuple("".join(rng.sample(self.ranks * 2, self.players + 1)) for _ in range(self.hands))
        )

    def openings(self) -> list[tuple[float, LeducState]]:
        """Every deal of ranks of all hands, with its probability.

        Raises:
            BadInput: they are too many to list.
        """
        if len(self.ranks) ** ((self.players + 1) * self.hands) > MOST_OPENINGS:
            raise BadInput(f"{self.name} has too many deals with these options to list them")
        chances = {
            "".join(deal): prod(perm(2, n) for n in Counter(deal).values())
            for deal in product(self.ranks, repeat=self.players + 1)
        }
        arrangements = perm(2 * len(self.ranks), self.players + 1)
        listed = [(n / arrangements, deal) for deal, n in chances.items() if n]
        return [
            (prod(p for p, _ in match), self._open(tuple(deal for _, deal in match)))
            for match in product(listed, repeat=self.hands)
        ]

    def _open(self, deals: tuple[str, ...]) -> LeducState:
        return _dealt(deals, 0, rules_first(self), (0.0,) * self.players)

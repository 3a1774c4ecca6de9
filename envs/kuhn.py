"""Kuhn poker: three cards, one bet, and bluffing already pays (Kuhn, 1950).

Cards J < Q < K, one to each player, ante 1, one bet of 1. The value for the first player is -1/18.
With ``hands=n``, n hands are dealt and the first seat alternates; payoffs are chips over all hands.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations, product

from sparring.envs.answers import choose
from sparring.envs.core import (
    BadInput,
    Declaration,
    Message,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    visible,
)

ROLES = ("player_0", "player_1")
CARDS = "JQK"
DEALS = tuple("".join(deal) for deal in permutations(CARDS, 2))
LEGAL = {"": ("check", "bet"), "k": ("check", "bet"), "b": ("call", "fold"), "kb": ("call", "fold")}
LETTER = {"check": "k", "bet": "b", "call": "c", "fold": "f"}


@dataclass(frozen=True, slots=True)
class KuhnState:
    deals: tuple[str, ...]
    log: View
    hand: int = 0
    moves: str = ""  # of this hand: k check, b bet, c call, f fold
    chips: int = 0  # what player_0 has won; player_1 has lost the same

    @property
    def to_act(self) -> tuple[Role, ...]:
        over = self.hand == len(self.deals)
        return () if over else (ROLES[(self.hand + len(self.moves)) % 2],)

    @property
    def payoffs(self) -> Payoffs:
        return {ROLES[0]: float(self.chips), ROLES[1]: float(-self.chips)}

    def observe(self, role: Role) -> Observation:
        legal = LEGAL[self.moves] if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "KuhnState":
        (role,) = self.to_act
        answer = choose(answers, role, LEGAL[self.moves])
        moves = self.moves + LETTER[answer]
        said = replace(self, moves=moves, log=(*self.log, Message("game", f"{role}: {answer}")))
        return said if moves in LEGAL else said._settle()

    def _settle(self) -> "KuhnState":
        cards, last = self.deals[self.hand], self.moves[-1]
        stake = 2 if last == "c" else 1
        if last == "f":  # the one who did not fold wins the other's ante
            winner = (self.hand + len(self.moves)) % 2
            shown = ""
        else:
            winner = 0 if CARDS.index(cards[0]) > CARDS.index(cards[1]) else 1
            shown = f"player_0 had {cards[0]}, player_1 had {cards[1]}. "
        end = Message("game", f"{shown}{ROLES[winner]} wins {stake}.")
        chips = self.chips + (stake if winner == 0 else -stake)
        log = (*self.log, end, *_dealt(self.deals, self.hand + 1))
        return replace(self, hand=self.hand + 1, moves="", chips=chips, log=log)


def _dealt(deals: tuple[str, ...], hand: int) -> View:
    """The private messages that deal one hand; none after the last."""
    if hand == len(deals):
        return ()
    pairs = zip(ROLES, deals[hand], strict=True)
    return tuple(Message("game", f"Your card: {card}", frozenset({r})) for r, card in pairs)


@dataclass(frozen=True)
class KuhnPoker:
    hands: int = 1

    name = "KuhnPoker-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        if not isinstance(self.hands, int) or self.hands < 1:
            raise BadInput(f"hands must be a whole number of at least 1, not {self.hands!r}")

    @property
    def declares(self) -> Declaration:
        most = 2.0 * self.hands
        return Declaration(
            sum=Sum.ZERO, hidden_information=True, max_turns=3 * self.hands, low=-most, high=most
        )

    def rules(self, role: Role) -> str:
        hands = "" if self.hands == 1 else f" {self.hands} hands; the first seat alternates."
        return (
            f"Kuhn poker. You are {role}. Cards J < Q < K, one each. Ante 1, one bet of 1. "
            f"player_0 acts first. Check or bet; facing a bet, call or fold.{hands}"
        )

    def start(self, seed: int) -> KuhnState:
        rng = random.Random(seed)
        return self._open(tuple(rng.choice(DEALS) for _ in range(self.hands)))

    def openings(self) -> list[tuple[float, KuhnState]]:
        matches = list(product(DEALS, repeat=self.hands))
        return [(1 / len(matches), self._open(deals)) for deals in matches]

    def _open(self, deals: tuple[str, ...]) -> KuhnState:
        rules = tuple(Message("game", self.rules(role), frozenset({role})) for role in ROLES)
        return KuhnState(deals, (*rules, *_dealt(deals, 0)))

"""Buying and selling: a seller and a buyer with private worths haggle over the price of one thing.

After the buy-sell game of NegotiationArena (Bianchi et al., 2024), whose worths are the defaults.
"""

import random
from dataclasses import dataclass
from itertools import product
from typing import Annotated

from sparring.envs.core import BadInput, Declaration, Role
from sparring.envs.games.negotiation.haggling import HaggleState, how_to_play
from sparring.envs.games.negotiation.objective import aim, must_be_weight, sum_of, weigh
from sparring.envs.messages import private, rules_first
from sparring.envs.options import flag, whole

ROLES = SELLER, BUYER = ("seller", "buyer")
MOST_OPENINGS = 100_000


@dataclass(frozen=True)
class BuySell:
    """A seller and a buyer, each with a private worth of one thing, haggle over its price."""

    cost: Annotated[int, "what the thing is worth to the seller"] = 40
    value: Annotated[int, "what it is worth to the buyer"] = 60
    spread: Annotated[int, "cost and value are drawn, up to so much below or above these"] = 0
    highest: Annotated[int, "the highest price"] = 100
    turns: Annotated[int, "turns of both together"] = 10
    talk: Annotated[bool, "free words beside decisions; without, answers are listed"] = True
    other: Annotated[
        float, "weight of the other's points: -1 zero-sum, 0 own points only, 1 cooperative"
    ] = 0.0

    name = "BuySell-v0"
    roles = ROLES
    unit = "coin"

    def __post_init__(self) -> None:
        whole("highest", self.highest, 1, 1_000_000)
        whole("cost", self.cost, 0, self.highest)
        whole("value", self.value, 0, self.highest)
        ends = (self.cost, self.value, self.highest - self.cost, self.highest - self.value)
        whole("spread", self.spread, 0, min(ends))
        whole("turns", self.turns, 2)
        flag("talk", self.talk)
        must_be_weight(self.other)

    @property
    def declares(self) -> Declaration:
        off = (-self.spread, self.spread)
        corners = product((0, self.highest), off, off)  # payoffs are linear in all three
        payoffs = [
            payoff
            for price, cost, value in corners
            for payoff in weigh(
                self.points((self.cost + cost, self.value + value), 0, price), self.other
            )
        ]
        return Declaration(
            sum=sum_of(self.other),
            hidden_information=self.spread > 0,
            max_turns=self.turns,
            low=float(min(0, *payoffs)),
            high=float(max(0, *payoffs)),
            free_speech=self.talk,
        )

    def offered(self, seat: int, number: int) -> str:
        return f"The {ROLES[seat]} offers to {('sell', 'buy')[seat]} for {number}."

    def points(self, stakes: tuple[int, ...], seat: int, number: int) -> tuple[int, int]:
        """price - cost to the seller, value - price to the buyer, whoever offered."""
        cost, value = stakes
        return number - cost, value - number

    def measures(self, stakes: tuple[int, ...], seat: int, number: int) -> dict[str, float]:
        """The price; where there is something to gain, the seller's part of it."""
        cost, value = stakes
        part = {"seller_share": (number - cost) / (value - cost)} if value > cost else {}
        return {"price": float(number), **part}

    def examples(self, stakes: tuple[int, ...], seat: int) -> tuple[int, ...]:
        """Three prices that this seat gains from, the best for itself first."""
        worth, end = stakes[seat], (self.highest, 0)[seat]
        return tuple(worth + (end - worth) * k // 8 for k in (3, 2, 1))

    def rules(self, role: Role) -> str:
        mine = "what it costs you" if role == SELLER else "what it is worth to you"
        return (
            f"Buying and selling. You are the {role}. The seller has one thing that the buyer may "
            f"buy; you haggle over its price in coins. Only you know {mine}. "
            f"{how_to_play(self, f'{self._deal(role)} for {self.highest // 2}')} "
            "A deal gives the seller the price minus its cost, and the buyer its value minus the "
            f"price, in points. Without a deal both get 0 points. {aim(self.other)}"
        )

    def _deal(self, role: Role) -> str:
        return "offer to sell" if role == SELLER else "offer to buy"

    def start(self, seed: int) -> HaggleState:
        luck, s = random.Random(seed), self.spread
        cost, value = self.cost + luck.randint(-s, s), self.value + luck.randint(-s, s)
        return self._open(cost, value)

    def openings(self) -> list[tuple[float, HaggleState]]:
        """Every cost and value. Raises ``BadInput`` where they are too many to list."""
        each = range(-self.spread, self.spread + 1)
        if len(each) ** 2 > MOST_OPENINGS:
            raise BadInput(f"{self.name} has too many openings with this spread to list them")
        return [
            (len(each) ** -2, self._open(self.cost + c, self.value + v))
            for c, v in product(each, each)
        ]

    def _open(self, cost: int, value: int) -> HaggleState:
        dealt = (
            private(f"Your cost is {cost}: a deal gives you the price minus {cost}.", SELLER),
            private(f"Your value is {value}: a deal gives you {value} minus the price.", BUYER),
        )
        return HaggleState(self, (cost, value), (*rules_first(self), *dealt))

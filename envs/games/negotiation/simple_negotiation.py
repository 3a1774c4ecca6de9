"""Simple negotiation: two players with private values talk and trade resources.

With five resources as in TextArena (Guertler et al., 2025), with two as in SPIRAL (Liu et al.,
2025). Unlike there, every offer within the grammar of ``offers.py`` is read, words are heard, a
denied offer is gone, nobody accepts its own offer, and both have the same number of turns.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from operator import add, mul
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
)
from sparring.envs.games.negotiation.offers import OFFER, Amounts, Unreadable, listed, told
from sparring.envs.games.negotiation.pareto import best_joint, efficient
from sparring.envs.games.negotiation.simple_deals import (
    FIVE_DEALS,
    FIVE_HELD,
    FIVE_RANKS,
    FIVE_VALUES,
    TWO_HELD,
    TWO_RANKS,
    TWO_VALUES,
    Cost,
    affords,
    five,
    gain,
    moved,
)
from sparring.envs.games.negotiation.simple_words import (
    FIVE,
    ROLES,
    TWO,
    Reply,
    dealt,
    end,
    examples,
    holding,
    read,
)
from sparring.envs.messages import rules_first
from sparring.envs.options import one_of, whole

TURN = ((ROLES[0],), (ROLES[1],))
PAYOFFS = ("winner", "gains")


@dataclass(frozen=True, slots=True)
class Deal:
    """What is fixed from the start of one game."""

    game: "SimpleNegotiation"
    kinds: tuple[str, ...]
    turns: int
    values: tuple[Amounts, Amounts]
    ranks: tuple[Amounts, Amounts]  # the kinds in order of value to each seat, cheapest first


@dataclass(frozen=True, slots=True)
class NegotiationState:
    deal: Deal
    held: tuple[Amounts, Amounts]
    views: tuple[View, View]  # what each seat has seen; apart, so that nobody sorts them out again
    turn: int = 0  # turns taken by both together
    offer: Reply | None = None  # on the table
    gains: tuple[int, int] = (0, 0)  # how much the worth of what each seat holds has grown
    trades: int = 0

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.turn == self.deal.turns else TURN[self.turn & 1]

    @property
    def payoffs(self) -> Payoffs:
        first, second = self.gains
        if self.deal.game.payoff == "gains":
            return {ROLES[0]: float(first), ROLES[1]: float(second)}
        won = float((first > second) - (first < second)) if not self.to_act else 0.0
        return {ROLES[0]: won, ROLES[1]: -won + 0.0}  # + 0.0: no negative zero

    @property
    def outcome(self) -> Mapping[str, float]:
        """``agreed``: there was a trade; ``joint``: the gains of both; ``efficiency``: that as a
        share of the best, where each kind goes to who values it more (left out where both value
        all alike, so that there is nothing to gain); ``pareto``: nobody could have more without
        the other having less."""
        if self.turn != self.deal.turns:
            return {}
        values, joint = self.deal.values, sum(self.gains)
        one, two = (sum(map(mul, *each)) for each in zip(values, self.held, strict=True))
        pool = tuple(map(add, *self.held))
        best = best_joint(pool, values) - (one + two - joint)
        return {
            "agreed": float(self.trades > 0),
            "trades": float(self.trades),
            "joint": float(joint),
            **({"efficiency": joint / best} if best else {}),
            "pareto": float(efficient(pool, values, (one, two))),
        }

    def observe(self, role: Role) -> Observation:
        seat = 0 if role == ROLES[0] else 1
        if self.turn & 1 != seat or self.turn == self.deal.turns:
            return Observation(role, self.views[seat])
        deal, held, offer = self.deal, self.held[seat], self.offer
        ranks = deal.ranks[seat]
        cheap = ranks[0]
        if not held[cheap]:
            cheap = next((kind for kind in ranks[:-1] if held[kind]), cheap)
        answers = 0
        if offer and offer.role != role:
            answers = 2 if affords(held, offer.gets) else 1
        some = examples(len(ranks), cheap, min(held[cheap], 3), ranks[-1], answers)
        return Observation(role, self.views[seat], None, some)

    def step(self, answers: Mapping[Role, str]) -> "NegotiationState":
        (role,) = self.to_act
        text, deal = answers[role], self.deal
        if not text.strip():
            raise IllegalAction(role, "Say something, or make an offer.")
        try:
            reply = read(text, role, deal.kinds)
        except Unreadable as fault:
            raise IllegalAction(role, str(fault)) from None
        held, offer, gains, new = self.held, self.offer, self.gains, reply.new
        trades = self.trades
        views = self.views[0] + new, self.views[1] + new
        if reply.word == OFFER:
            self._must_afford(role, reply.gives, "You cannot give more than you have")
            offer = reply
        elif reply.word:
            if offer is None or offer.role == role:
                raise IllegalAction(
                    role, f"There is no offer from the other player to {reply.word}."
                )
            if reply.word == "accept":
                held = self._traded(role, offer)
                one, two = map(gain, deal.values, self.held, held)
                gains = gains[0] + one, gains[1] + two
                trades += 1
                views = (
                    (*views[0], holding(0, deal.kinds, held[0], gains[0])),
                    (*views[1], holding(1, deal.kinds, held[1], gains[1])),
                )
            offer = None
        turn = self.turn + 1
        if turn == deal.turns:
            last = (end(gains, deal.game.payoff),)
            views = views[0] + last, views[1] + last
        return NegotiationState(deal, held, views, turn, offer, gains, trades)

    def _must_afford(self, role: Role, cost: Cost, fault: str) -> None:
        held = self.held[self.turn & 1]
        if not affords(held, cost):
            raise IllegalAction(role, f"{fault}: {told(held, self.deal.kinds)}.")

    def _traded(self, role: Role, offer: Reply) -> tuple[Amounts, Amounts]:
        """What both hold when ``role`` has accepted the offer."""
        self._must_afford(role, offer.gets, "The offer asks for more than you have")
        (one, two), gives, gets = self.held, offer.gives, offer.gets
        if role == ROLES[0]:
            gives, gets = gets, gives
        return moved(one, gives, gets), moved(two, gets, gives)


@dataclass(frozen=True)
class SimpleNegotiation:
    """Two players with private values talk and trade resources."""

    resources: Annotated[int, "5 (amounts and values are drawn) or 2 (the same every time)"] = 5
    turns: Annotated[int, "turns of both together, an even number; player_0 has the first"] = 10
    payoff: Annotated[
        str, "winner (+1 for the larger gain, -1 for the other, 0 for a tie) or gains (general-sum)"
    ] = "winner"

    name = "SimpleNegotiation-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        one_of("resources", self.resources, (2, 5))
        whole("turns", self.turns, 2)
        if self.turns % 2:
            raise BadInput(f"turns must be even, so that both have as many, not {self.turns}")
        one_of("payoff", self.payoff, PAYOFFS)

    @property
    def kinds(self) -> tuple[str, ...]:
        return TWO if self.resources == 2 else FIVE

    @property
    def declares(self) -> Declaration:
        two = gain(TWO_VALUES[0], (0, 0), TWO_HELD)
        most = FIVE_HELD[-1] * sum(each[-1] for each in FIVE_VALUES)
        bound = 1.0 if self.payoff == "winner" else float(two if self.resources == 2 else most)
        return Declaration(
            sum=Sum.ZERO if self.payoff == "winner" else Sum.GENERAL,
            hidden_information=self.resources == 5,
            max_turns=self.turns,
            low=-bound,  # all given away
            high=bound,  # all of the other's got
            free_speech=True,
        )

    def rules(self, role: Role) -> str:
        one, two = self.kinds[:2]
        goal = (
            "Whoever's gain is larger at the end wins; equal gains are a draw."
            if self.payoff == "winner"
            else "Your payoff is your gain at the end, whatever the other's."
        )
        return (
            f"Negotiation. You are {role}. Two players trade {listed(self.kinds)}. What you have "
            "and what one of each is worth to you is told to you only; the other player has "
            "values of its own. Your gain is how much the worth of all that you have grows. "
            f"{goal} {ROLES[0]} begins, turns alternate, {self.turns // 2} each. In a turn you "
            "say what you like, and may put one decision in brackets:\n"
            f"[Offer: 3 {one} -> 2 {two}]  offer to give 3 {one} and get 2 {two}; it replaces any "
            "offer before it\n"
            "[Accept]  carry out the other's offer\n"
            "[Deny]  turn it down\n"
            "An offer stands until it is accepted, denied or replaced. Nobody can give more than "
            f"it has. Several kinds on a side: 1 {one}, 2 {two}. None: nothing."
        )

    def start(self, seed: int) -> NegotiationState:
        if self.resources == 2:
            return _two(self)
        one, two = divmod(random.Random(seed).randrange(FIVE_DEALS**2), FIVE_DEALS)
        (held_one, values_one), (held_two, values_two) = five(one), five(two)
        return _open(self, (held_one, held_two), (values_one, values_two), FIVE_RANKS)


def _open(
    game: SimpleNegotiation,
    held: tuple[Amounts, Amounts],
    values: tuple[Amounts, Amounts],
    ranks: tuple[Amounts, Amounts],
) -> NegotiationState:
    kinds, rules = game.kinds, _rules(game)
    views = (
        (rules[0], dealt(kinds, 0, held[0], values[0])),
        (rules[1], dealt(kinds, 1, held[1], values[1])),
    )
    return NegotiationState(Deal(game, kinds, game.turns, values, ranks), held, views)


@cache
def _rules(game: SimpleNegotiation) -> View:
    return rules_first(game)


@cache
def _two(game: SimpleNegotiation) -> NegotiationState:
    """The one opening with two resources; a position is a value, so all games may share it."""
    return _open(game, (TWO_HELD, TWO_HELD), TWO_VALUES, TWO_RANKS)

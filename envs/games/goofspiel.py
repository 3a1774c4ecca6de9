"""GoofSpiel, or the game of pure strategy: bid each of your cards once for prizes of 1 to n points.

All bid at once with one card of 1 to n each; the highest bid takes the prize. Nobody takes it in a
tie for the highest bid: it is discarded, or carried over to the next prize. The last card is
played by itself, as there is nothing left to choose.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from typing import Annotated

from sparring.envs.answers import choose, each
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
from sparring.envs.options import flag, one_of, whole
from sparring.envs.referee import forfeit_payoffs

SEATS = seats(10)
ORDERS = ("random", "descending", "ascending")
TIES = ("discard", "carry")
PAYOFFS = ("win", "difference", "points")
LISTED = 7  # cards up to which all orders of the prizes are listed: 7! = 5,040


@dataclass(frozen=True, slots=True)
class GoofState:
    game: "GoofSpiel"
    prizes: tuple[int, ...]  # in the order in which they are shown
    hands: tuple[tuple[int, ...], ...]  # of each seat, ascending
    points: tuple[int, ...]
    log: View
    carried: int = 0

    @property
    def round(self) -> int:
        return self.game.cards - len(self.hands[0])

    @property
    def to_act(self) -> tuple[Role, ...]:
        return self.game.roles if self.hands[0] else ()

    @property
    def payoffs(self) -> Payoffs:
        over = not self.hands[0]
        paid = self.game.pays(self.points) if over else (0.0,) * len(self.points)
        return dict(zip(self.game.roles, paid, strict=True))

    def forfeited(self, roles: Collection[Role]) -> Payoffs:
        """In points: none for who forfeits; the others keep theirs and share the prizes left."""
        if self.game.payoff != "points":
            return forfeit_payoffs(self.game, roles)
        have = {r: p for r, p in zip(self.game.roles, self.points, strict=True) if r not in roles}
        share = (self.carried + sum(self.prizes[self.round :])) / max(len(have), 1)
        return {r: have[r] + share if r in have else 0.0 for r in self.game.roles}

    def legal(self, role: Role) -> tuple[str, ...]:
        return tuple(map(str, self.hands[self.game.roles.index(role)]))

    def observe(self, role: Role) -> Observation:
        return Observation(role, visible(self.log, role), self.legal(role))

    def step(self, answers: Mapping[Role, str]) -> "GoofState":
        read = each(self.game.roles, lambda role: choose(answers, role, self.legal(role)))
        after = self._bid(tuple(map(int, read.values())))
        if len(after.hands[0]) == 1:
            return after._shown()._bid(tuple(hand[0] for hand in after.hands))
        return after._shown()

    def _shown(self) -> "GoofState":
        """The next prize is shown."""
        prize = f"Prize: {self.prizes[self.round]}."
        if self.carried:
            prize += f" With {self.carried} carried over: {self._stake}."
        return replace(self, log=(*self.log, public(prize)))

    @property
    def _stake(self) -> int:
        return self.prizes[self.round] + self.carried

    def _bid(self, bids: tuple[int, ...]) -> "GoofState":
        game, best = self.game, max(bids)
        tied, stake = bids.count(best) > 1, self._stake
        points = tuple(
            have + (stake if bid == best and not tied else 0)
            for have, bid in zip(self.points, bids, strict=True)
        )
        last = len(self.hands[0]) == 1
        carried = stake if tied and game.ties == "carry" and not last else 0
        if not tied:
            end = f"{game.roles[bids.index(best)]} wins {stake}."
        else:
            end = f"Tie: {stake} is carried over." if carried else f"Tie: {stake} is discarded."
        hands = tuple(
            tuple(card for card in hand if card != bid)
            for hand, bid in zip(self.hands, bids, strict=True)
        )
        log = (*self.log, *_told(game, bids, last), public(end))
        return replace(self, hands=hands, points=points, carried=carried, log=log)


def _told(game: "GoofSpiel", bids: tuple[int, ...], last: bool) -> View:
    """Who bid what; to each only its own bid where bids stay hidden."""
    pairs = list(zip(game.roles, bids, strict=True))
    word = "Last card" if last else "Bid"
    if game.hidden:
        return tuple(private(f"Your {word.lower()}: {bid}.", role) for role, bid in pairs)
    return (public(f"{word}s: {', '.join(f'{role} {bid}' for role, bid in pairs)}."),)


@dataclass(frozen=True)
class GoofSpiel:
    """GoofSpiel: simultaneous bids for prizes, every card once."""

    cards: Annotated[int, "cards of each player and prizes, 1 to so many"] = 13
    players: Annotated[int, "2 to 10 players"] = 2
    order: Annotated[str, "in which prizes come: random, descending or ascending"] = "random"
    ties: Annotated[str, "the prize of a tie: discard, or carry it over to the next"] = "discard"
    hidden: Annotated[bool, "bids stay hidden; only who wins is told"] = False
    payoff: Annotated[
        str, "win (+1 shared by the winners, -1 by the others), difference (points minus the mean "
        "of all), or points (general-sum)"
    ] = "win"  # fmt: skip

    name = "GoofSpiel-v0"

    def __post_init__(self) -> None:
        whole("cards", self.cards, 2, 100)
        whole("players", self.players, 2, len(SEATS))
        one_of("order", self.order, ORDERS)
        one_of("ties", self.ties, TIES)
        flag("hidden", self.hidden)
        one_of("payoff", self.payoff, PAYOFFS)

    @property
    def roles(self) -> tuple[Role, ...]:
        return SEATS[: self.players]

    @property
    def declares(self) -> Declaration:
        total = self.cards * (self.cards + 1) / 2
        low, high = {
            "win": (-1.0, 1.0),
            "difference": (-total / self.players, total - total / self.players),
            "points": (0.0, total),
        }[self.payoff]
        return Declaration(
            sum=Sum.GENERAL if self.payoff == "points" else Sum.ZERO,
            hidden_information=self.hidden,
            max_turns=self.players * (self.cards - 1),
            low=low,
            high=high,
        )

    def pays(self, points: tuple[int, ...]) -> tuple[float, ...]:
        """The payoff of each seat for the points of all."""
        match self.payoff:
            case "points":
                return tuple(map(float, points))
            case "difference":
                mean = sum(points) / len(points)
                return tuple(have - mean for have in points)
            case _:
                winners = points.count(max(points))
                others = len(points) - winners
                if not others:
                    return (0.0,) * winners
                return tuple(1 / winners if p == max(points) else -1 / others for p in points)

    def rules(self, role: Role) -> str:
        order = "in random order" if self.order == "random" else f"in {self.order} order"
        tie = "goes to nobody" if self.ties == "discard" else "is carried over to the next one"
        bids = "stay hidden, only who wins is told" if self.hidden else "are then shown"
        goal = {
            "win": "Most points at the end win.",
            "difference": "Your payoff is your points minus the mean of all players' points.",
            "points": "Your payoff is your points.",
        }[self.payoff]
        return (
            f"GoofSpiel. You are {role}, one of {self.players} players. Each has the cards 1 to "
            f"{self.cards}. Prizes of 1 to {self.cards} points come one by one, {order}. For each "
            f"all bid one card at once; bids {bids}. The highest bid wins the prize; if several "
            f"bid the highest, it {tie}. Every card can be bid once; the last one is played for "
            f"you. {goal} Reply with one of your cards, such as {self.cards}."
        )

    def start(self, seed: int) -> GoofState:
        prizes = list(range(1, self.cards + 1))
        if self.order == "random":
            random.Random(seed).shuffle(prizes)
        else:
            prizes.sort(reverse=self.order == "descending")
        return self._open(tuple(prizes))

    def openings(self) -> list[tuple[float, GoofState]]:
        """Every order of the prizes with its probability. Raises ``BadInput`` where too many."""
        if self.order != "random":
            return [(1.0, self.start(0))]
        if self.cards > LISTED:
            raise BadInput(
                f"{self.name} lists the orders of at most {LISTED} prizes, not of {self.cards}; "
                "set fewer cards, or another order than random"
            )
        orders = permutations(range(1, self.cards + 1))
        return [(1 / factorial(self.cards), self._open(prizes)) for prizes in orders]

    def _open(self, prizes: tuple[int, ...]) -> GoofState:
        hand = tuple(range(1, self.cards + 1))
        hands, points = (hand,) * self.players, (0,) * self.players
        return GoofState(self, prizes, hands, points, rules_first(self))._shown()

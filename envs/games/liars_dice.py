"""Liar's dice: bid how many dice show a face, hidden dice included, until somebody is challenged.

The rules are those of OpenSpiel's ``liars_dice`` (Lisý, Lanctot and Bowling, 2015, play it with one
die each), for any number of players, and as a match in which every challenge costs a die.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
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
from sparring.envs.options import flag, whole

SEATS = seats(10)
LIAR = "liar"
MOST_OPENINGS = 100_000

Rolls = tuple[tuple[int, ...], ...]
"""The dice of every seat in one round; a seat that has lost dice holds the first few."""


@cache
def bids(dice: int, sides: int) -> tuple[str, ...]:
    """All bids on so many dice, lowest first."""
    return tuple(f"{count}x{face}" for count in range(1, dice + 1) for face in range(1, sides + 1))


@dataclass(frozen=True, slots=True)
class LiarsDiceState:
    game: "LiarsDice"
    rolls: tuple[Rolls, ...]  # by round
    log: View
    held: tuple[int, ...]  # dice by seat
    turn: int = 0  # the seat to act
    round: int = 0
    bid: int = 0  # the last bid is the bid-th of all; 0: none yet
    bidder: int = 0
    paid: tuple[float, ...] = ()  # by seat; empty while the game goes on

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.paid else (SEATS[self.turn],)

    @property
    def legal(self) -> tuple[str, ...]:
        higher = bids(sum(self.held), self.game.sides)[self.bid :]
        return (*higher, LIAR) if self.bid else higher

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(SEATS, self.paid or (0.0,) * len(self.held), strict=False))

    def observe(self, role: Role) -> Observation:
        legal = self.legal if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "LiarsDiceState":
        (role,) = self.to_act
        legal = self.legal
        answer = choose(answers, role, legal)
        said = replace(self, log=(*self.log, public(f"{role}: {answer}")))
        if answer == LIAR:
            return said._challenged()
        bid = self.bid + legal.index(answer) + 1
        return replace(said, bid=bid, bidder=self.turn, turn=self._next(self.turn))

    def _next(self, seat: int) -> int:
        """The next seat around the table that has dice."""
        seat = (seat + 1) % len(self.held)
        return seat if self.held[seat] else self._next(seat)

    def _dice(self, seat: int) -> list[int]:
        return sorted(self.rolls[self.round][seat][: self.held[seat]])

    def _challenged(self) -> "LiarsDiceState":
        hands = {seat: self._dice(seat) for seat, held in enumerate(self.held) if held}
        count, face = (self.bid - 1) // self.game.sides + 1, (self.bid - 1) % self.game.sides + 1
        counts_as = {face, self.game.sides} if self.game.wild else {face}
        found = sum(die in counts_as for dice in hands.values() for die in dice)
        loser = self.turn if found >= count else self.bidder
        shown = ", ".join(f"{SEATS[seat]} had {_text(dice)}" for seat, dice in hands.items())
        price = " a die" if self.game.match else ""
        counted = f"Dice that count as {face}: {found}, bid: {count}."
        end = public(f"{shown}. {counted} {SEATS[loser]} loses{price}.")
        told = replace(self, log=(*self.log, end))
        return told._next_round(loser) if self.game.match else told._paying(loser, -1.0)

    def _paying(self, seat: int, payoff: float) -> "LiarsDiceState":
        """The end: ``payoff`` to ``seat``; all others share the opposite."""
        others = len(self.held) - 1
        paid = tuple(payoff if i == seat else -payoff / others for i in range(others + 1))
        return replace(self, paid=paid)

    def _next_round(self, loser: int) -> "LiarsDiceState":
        held = tuple(dice - (seat == loser) for seat, dice in enumerate(self.held))
        left = [seat for seat, dice in enumerate(held) if dice]
        if len(left) == 1:
            won = replace(self, held=held, log=(*self.log, public(f"{SEATS[left[0]]} wins.")))
            return won._paying(left[0], 1.0)
        after = replace(self, held=held, round=self.round + 1, bid=0, bidder=0)
        first = loser if held[loser] else after._next(loser)
        dice = ", ".join(f"{SEATS[seat]} {dice}" for seat, dice in enumerate(held))
        head = public(f"Round {after.round + 1}. Dice: {dice}. {SEATS[first]} bids first.")
        return replace(after, turn=first, log=(*self.log, head))._rolled()

    def _rolled(self) -> "LiarsDiceState":
        """The players see their dice of this round."""
        told = (
            private(f"Your dice: {_text(self._dice(seat))}", SEATS[seat])
            for seat, held in enumerate(self.held)
            if held
        )
        return replace(self, log=(*self.log, *told))


def _text(dice: Sequence[int]) -> str:
    return " ".join(map(str, dice))


@dataclass(frozen=True)
class LiarsDice:
    """Liar's dice: one challenge decides, or every challenge costs a die."""

    players: Annotated[int, "2 to 10 players"] = 2
    dice: Annotated[int, "dice of each player"] = 1
    sides: Annotated[int, "faces of a die"] = 6
    wild: Annotated[bool, "the highest face counts as every face"] = True
    match: Annotated[bool, "each loser gives up a die; the last player with dice wins"] = False

    name = "LiarsDice-v0"

    def __post_init__(self) -> None:
        whole("players", self.players, 2, len(SEATS))
        whole("dice", self.dice, 1, 20)
        whole("sides", self.sides, 2, 20)
        flag("wild", self.wild)
        flag("match", self.match)

    @property
    def roles(self) -> tuple[Role, ...]:
        return SEATS[: self.players]

    @property
    def rounds(self) -> int:
        """The most rounds that there can be: each costs a die, and one die ends as the winner's."""
        return self.players * self.dice - 1 if self.match else 1

    @property
    def declares(self) -> Declaration:
        total = self.players * self.dice
        left = range(total - self.rounds + 1, total + 1)  # dice in play, by round
        return Declaration(
            sum=Sum.ZERO,
            hidden_information=True,
            max_turns=sum(dice * self.sides + 1 for dice in left),
            low=-1.0,
            high=1.0,
        )

    def rules(self, role: Role) -> str:
        dice = "1 die" if self.dice == 1 else f"{self.dice} dice"
        face = min(3, self.sides)
        wild = f" {self.sides} counts as every face." if self.wild else ""
        ending = ""
        if self.match:
            ending = (
                " The loser gives up a die. All roll again, and the loser bids first, or the next "
                "player if it has no dice left. The last player with dice wins"
            )
            ending += "; it gets 1, which the others pay together." if self.players > 2 else "."
        elif self.players > 2:
            ending = " The loser pays 1, which the others share."
        return (
            f"Liar's dice. You are {role}, one of {self.players} players. Each has {dice} with "
            f"faces 1 to {self.sides}, hidden from the others. player_0 bids first, then all in "
            f"turn. The bid 2x{face} says: of all dice together at least 2 show a {face}.{wild} A "
            "bid must be higher than the last: more dice, or as many with a higher face. Instead "
            f"of a bid you may answer {LIAR}: all dice are shown, and if there are fewer than bid, "
            f"the last bidder loses, else you do.{ending}"
        )

    def start(self, seed: int) -> LiarsDiceState:
        rng, faces = random.Random(seed), range(1, self.sides + 1)
        dice = rng.choices(faces, k=self.players * self.dice * self.rounds)
        return self._open(self._split(dice))

    def openings(self) -> list[tuple[float, LiarsDiceState]]:
        """Every roll of all rounds, with its probability. Raises ``BadInput`` where too many."""
        dice = self.players * self.dice * self.rounds
        if (count := self.sides**dice) > MOST_OPENINGS:
            raise BadInput(f"{self.name} has too many rolls with these options to list them")
        rolled = Counter(map(self._split, product(range(1, self.sides + 1), repeat=dice)))
        return [(n / count, self._open(rolls)) for rolls, n in rolled.items()]

    def _split(self, dice: Sequence[int]) -> tuple[Rolls, ...]:
        """Dice in a row as those of each round and seat; sorted where none will be lost."""
        kept = tuple if self.match else sorted
        hands = [tuple(kept(dice[at : at + self.dice])) for at in range(0, len(dice), self.dice)]
        return tuple(
            tuple(hands[at : at + self.players]) for at in range(0, len(hands), self.players)
        )

    def _open(self, rolls: tuple[Rolls, ...]) -> LiarsDiceState:
        held = (self.dice,) * self.players
        return LiarsDiceState(self, rolls, rules_first(self), held)._rolled()

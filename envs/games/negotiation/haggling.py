"""Haggling over one whole number: offers alternate until one is accepted or rejected.

What BuySell and Ultimatum share. What a number means to whom is the game's own; a game without a
deal pays 0 points to both, in all of them and whatever way it ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from sparring.envs.core import IllegalAction, Observation, Payoffs, Role, View, visible
from sparring.envs.games.negotiation.objective import paid
from sparring.envs.games.negotiation.offers import Unreadable, bare, decision, price
from sparring.envs.messages import public, speech

WORDS = ("accept", "reject")


class Haggle(Protocol):
    """The rules of one game of this kind."""

    @property
    def roles(self) -> tuple[Role, Role]:
        """In the order of their turns."""
        ...

    @property
    def turns(self) -> int: ...

    @property
    def talk(self) -> bool: ...

    @property
    def other(self) -> float: ...

    @property
    def highest(self) -> int:
        """Offers are from 0 to this."""
        ...

    @property
    def unit(self) -> str: ...

    def offered(self, seat: int, number: int) -> str:
        """This seat's offer, as both are told it."""
        ...

    def points(self, stakes: tuple[int, ...], seat: int, number: int) -> tuple[int, int]:
        """What a deal gives to both, if this seat made the offer."""
        ...

    def measures(self, stakes: tuple[int, ...], seat: int, number: int) -> Mapping[str, float]:
        """What is measured of a deal besides points, if this seat made the offer."""
        ...

    def examples(self, stakes: tuple[int, ...], seat: int) -> tuple[int, ...]:
        """A few offers that this seat could make."""
        ...


@dataclass(frozen=True, slots=True)
class HaggleState:
    game: Haggle
    stakes: tuple[int, ...]  # what is dealt, if anything
    log: View
    turn: int = 0
    offer: tuple[int, int] | None = None  # on the table: seat and number
    deal: bool = False
    over: bool = False

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.over else (self.game.roles[self.turn % 2],)

    @property
    def points(self) -> tuple[int, int]:
        if not self.deal or self.offer is None:
            return 0, 0
        return self.game.points(self.stakes, *self.offer)

    @property
    def payoffs(self) -> Payoffs:
        return paid(self.game.roles, self.points, self.game.other)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``joint``: the points of both. ``pareto``: nobody could have had more without the other
        having less. All deals have the same sum s, so only no deal, 0 and 0, can be better than a
        deal: where s < 0 and neither gains; and a deal is better than none where s > 0."""
        if not self.over:
            return {}
        sum_of_deals = sum(self.game.points(self.stakes, 0, 0))
        lost = max(self.points) <= 0 and sum_of_deals < 0
        made = self.game.measures(self.stakes, *self.offer) if self.deal and self.offer else {}
        return {
            "agreed": float(self.deal),
            "joint": float(sum(self.points)),
            "pareto": float(not lost if self.deal else sum_of_deals <= 0),
            **made,
        }

    @property
    def last(self) -> bool:
        """Nobody could answer an offer made now."""
        return self.turn == self.game.turns - 1

    def observe(self, role: Role) -> Observation:
        seen, seat = visible(self.log, role), self.turn % 2
        if role not in self.to_act:
            return Observation(role, seen)
        to_answer = self.offer is not None and self.offer[0] != seat
        if not self.game.talk:
            offers = () if self.last else _listed(self.game.highest)
            return Observation(role, seen, (("Accept", "Reject") if to_answer else ()) + offers)
        numbers = () if self.last else dict.fromkeys(self.game.examples(self.stakes, seat))
        words = ("[Accept]", "[Reject]") if to_answer else ()
        offers = tuple(f"[Offer: {number}]" for number in numbers)
        return Observation(role, seen, None, (*words, *offers, "Can you do better than that?"))

    def step(self, answers: Mapping[Role, str]) -> "HaggleState":
        (role,) = self.to_act
        text, game = answers[role], self.game
        try:
            made = decision(text, WORDS, lambda terms: price(terms, game.unit))
        except Unreadable as fault:
            raise IllegalAction(role, str(fault)) from None
        if made is None and (not game.talk or not text.strip()):
            raise IllegalAction(role, f"Reply with {self._choices()}.")
        silent = not game.talk or (made is not None and bare(text))
        said = self if silent else replace(self, log=(*self.log, speech(role, text)))
        word, number = made or ("", None)
        if number is not None:
            after = said._offered(role, number)
        elif word:
            after = said._answered(role, word)
        else:
            after = replace(said, turn=self.turn + 1)
        return after._closed() if after.turn == game.turns and not after.over else after

    def _choices(self) -> str:
        some = ["some words"] if self.game.talk else []
        if self.offer is not None and self.offer[0] != self.turn % 2:
            some += ["[Accept]", "[Reject]"]
        if not self.last:
            example = f"[Offer: {self.game.highest // 2}]"
            some.append(f"an offer from 0 to {self.game.highest} such as {example}")
        return " or ".join(some)

    def _offered(self, role: Role, number: int) -> "HaggleState":
        if self.last:
            raise IllegalAction(role, "This is the last turn: nobody could answer an offer.")
        if number > self.game.highest:
            raise IllegalAction(role, f"An offer is a number from 0 to {self.game.highest}.")
        seat = self.turn % 2
        log = (*self.log, public(self.game.offered(seat, number)))
        return replace(self, log=log, turn=self.turn + 1, offer=(seat, number))

    def _answered(self, role: Role, word: str) -> "HaggleState":
        if self.offer is None or self.offer[0] == self.turn % 2:
            raise IllegalAction(role, f"There is no offer from the other player to {word}.")
        after = replace(self, turn=self.turn + 1, deal=word == "accept", over=True)
        one, two = self.game.roles
        points = f"Points: {one} {after.points[0]}, {two} {after.points[1]}."
        log = (*self.log, public(f"The {role} {word}s. {points}"))
        return replace(after, log=log)

    def _closed(self) -> "HaggleState":
        one, two = self.game.roles
        line = public(f"The turns are over: no deal. Points: {one} 0, {two} 0.")
        return replace(self, log=(*self.log, line), over=True)


@cache
def _listed(highest: int) -> tuple[str, ...]:
    return tuple(f"Offer: {number}" for number in range(highest + 1))


def how_to_play(game: Haggle, meaning: str) -> str:
    """The part of the rules about turns and decisions; ``meaning`` is that of an offer."""
    turn = (
        "In a turn you say what you like, and may put one decision in brackets:"
        if game.talk
        else "In a turn you make one decision; nothing else is heard:"
    )
    return (
        f"The {game.roles[0]} begins and turns alternate, {game.turns} in all. {turn}\n"
        f"[Offer: {game.highest // 2}]  {meaning}; it replaces any offer before it\n"
        "[Accept]  take the other's offer: that is the deal, and the game is over\n"
        "[Reject]  turn the other's offer down: there is no deal, and the game is over\n"
        f"Offers are whole numbers from 0 to {game.highest}; none can be made in the last turn. "
        "If the turns run out, there is no deal."
    )

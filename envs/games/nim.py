"""Nim: take what you like from one pile; the last one wins, or loses (Bouton, 1901).

⊕ is the bitwise exclusive or. With perfect play who is to move loses exactly if the ⊕ of all piles
is 0. In misère play the same holds while some pile has two or more; after that it turns round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import BadInput, Declaration, Observation, Payoffs, Role, Sum, View, visible
from sparring.envs.messages import public, rules_first
from sparring.envs.options import flag, whole

ROLES = ("player_0", "player_1")
LARGEST = 100


@dataclass(frozen=True, slots=True)
class NimState:
    piles: tuple[int, ...]
    log: View
    misere: bool
    moved: int = 0

    @property
    def to_act(self) -> tuple[Role, ...]:
        return (ROLES[self.moved % 2],) if any(self.piles) else ()

    @property
    def legal(self) -> tuple[str, ...]:
        return tuple(
            [
                f"take {n} from {letter}"
                for letter, pile in zip(ascii_uppercase, self.piles, strict=False)
                for n in range(1, pile + 1)
            ]
        )

    @property
    def payoffs(self) -> Payoffs:
        if any(self.piles):
            return dict.fromkeys(ROLES, 0.0)
        won = self._winner
        return {role: 1.0 if seat == won else -1.0 for seat, role in enumerate(ROLES)}

    @property
    def _winner(self) -> int:
        """The seat that has won, at the end: who took the last one, in misère play the other."""
        return (self.moved + 1 + self.misere) % 2

    def observe(self, role: Role) -> Observation:
        legal = self.legal if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "NimState":
        (role,) = self.to_act
        answer = choose(answers, role, self.legal)
        _, taken, _, letter = answer.split()
        at = ascii_uppercase.index(letter)
        piles = (*self.piles[:at], self.piles[at] - int(taken), *self.piles[at + 1 :])
        log = (*self.log, public(f"{role}: {answer}\n{shown(piles)}"))
        after = NimState(piles, log, self.misere, self.moved + 1)
        if any(piles):
            return after
        end = public(f"{ROLES[after._winner]} wins.")
        return NimState(piles, (*log, end), self.misere, self.moved + 1)


def shown(piles: Sequence[int]) -> str:
    """The piles with their letters: "A 1, B 3"."""
    return ", ".join(
        f"{letter} {pile}" for letter, pile in zip(ascii_uppercase, piles, strict=False)
    )


@dataclass(frozen=True)
class Nim:
    """Nim with any piles, normal or misère."""

    piles: Annotated[tuple[int, ...], "how many are in each pile"] = (1, 3, 5, 7)
    misere: Annotated[bool, "who takes the last one loses, instead of winning"] = False

    name = "Nim-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        if not isinstance(self.piles, list | tuple) or not 1 <= len(self.piles) <= 26:
            raise BadInput(f"piles must be 1 to 26 numbers like (1, 3, 5, 7), not {self.piles!r}")
        for pile in self.piles:
            whole("every one of piles", pile, 1, LARGEST)
        flag("misere", self.misere)
        object.__setattr__(self, "piles", tuple(self.piles))  # a list would have no hash

    @property
    def declares(self) -> Declaration:
        most = sum(self.piles)
        return Declaration(
            sum=Sum.ZERO, hidden_information=False, max_turns=most, low=-1.0, high=1.0
        )

    def rules(self, role: Role) -> str:
        last = "loses" if self.misere else "wins"
        return (
            f"Nim. You are {role}. Piles: {shown(self.piles)}. player_0 moves first. In turn, take "
            "as many as you like, at least one, from one pile. Who takes the last one of all "
            f"{last}. Reply like this: take 1 from A"
        )

    def start(self, seed: int) -> NimState:
        """All piles whole; Nim has no chance, so ``seed`` changes nothing."""
        return NimState(self.piles, rules_first(self), self.misere)

    def openings(self) -> list[tuple[float, NimState]]:
        return [(1.0, self.start(0))]

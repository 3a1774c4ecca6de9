"""The ultimatum game, and its form over several turns with counter-offers.

Two turns are the game of Güth, Schmittberger and Schwarze (1982): one offers a split, the other
takes it or leaves both with nothing. More turns as in NegotiationArena (Bianchi et al., 2024); what
its prompt says of a game without agreement is here what happens: both get nothing.
"""

from dataclasses import dataclass
from typing import Annotated

from sparring.envs.core import Declaration, Role
from sparring.envs.games.negotiation.haggling import HaggleState, how_to_play
from sparring.envs.games.negotiation.objective import aim, must_be_weight, sum_of
from sparring.envs.messages import rules_first
from sparring.envs.options import flag, whole

ROLES = PROPOSER, RESPONDER = ("proposer", "responder")


@dataclass(frozen=True)
class Ultimatum:
    """Two players divide a pot by offers and counter-offers; without agreement it is lost."""

    pot: Annotated[int, "points to divide"] = 100
    turns: Annotated[int, "turns of both together; 2: one offer, one answer"] = 6
    talk: Annotated[bool, "free words beside decisions; without, answers are listed"] = True
    other: Annotated[
        float, "weight of the other's points: -1 zero-sum, 0 own points only, 1 cooperative"
    ] = 0.0

    name = "Ultimatum-v0"
    roles = ROLES
    unit = "point"

    def __post_init__(self) -> None:
        whole("pot", self.pot, 1, 1_000_000)
        whole("turns", self.turns, 2)
        flag("talk", self.talk)
        must_be_weight(self.other)

    @property
    def highest(self) -> int:
        return self.pot

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=sum_of(self.other),
            hidden_information=False,
            max_turns=self.turns,
            low=min(0.0, self.pot * self.other),
            high=float(self.pot),
            free_speech=self.talk,
        )

    def offered(self, seat: int, number: int) -> str:
        gives, gets = ROLES[seat], ROLES[1 - seat]
        return f"The {gives} offers {number} to the {gets} and keeps {self.pot - number}."

    def points(self, stakes: tuple[int, ...], seat: int, number: int) -> tuple[int, int]:
        """The offered part to the other player, the rest to the one that offered."""
        return (self.pot - number, number) if seat == 0 else (number, self.pot - number)

    def measures(self, stakes: tuple[int, ...], seat: int, number: int) -> dict[str, float]:
        """The responder's part of the pot."""
        return {"responder_share": self.points(stakes, seat, number)[1] / self.pot}

    def examples(self, stakes: tuple[int, ...], seat: int) -> tuple[int, ...]:
        return self.pot // 2, self.pot * 2 // 5, self.pot // 5

    def rules(self, role: Role) -> str:
        half = self.pot // 2
        meaning = f"offer {half} to the other player and keep {self.pot - half} yourself"
        return (
            f"Ultimatum game. You are the {role}. You two divide {self.pot} points. "
            f"{how_to_play(self, meaning)} "
            "A deal gives the number offered to the player it was offered to, and the rest of the "
            f"{self.pot} points to the one who offered. Without a deal both get 0 points. "
            f"{aim(self.other)}"
        )

    def start(self, seed: int) -> HaggleState:
        """The first turn; there is no chance here, so ``seed`` changes nothing."""
        return HaggleState(self, (), rules_first(self))

    def openings(self) -> list[tuple[float, HaggleState]]:
        return [(1.0, self.start(0))]

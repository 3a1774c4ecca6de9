"""Rock, paper, scissors: both players throw at once, once or for several rounds.

A win pays 1, or by the winning throw: with r, p, s for a win with rock, paper and scissors the
only equilibrium of a round plays rock : paper : scissors as s : r : p, and the value is 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from sparring.envs.answers import choose, each
from sparring.envs.core import Declaration, Observation, Payoffs, Role, Sum, View, visible
from sparring.envs.messages import public, rules_first
from sparring.envs.options import number, whole

ROLES = ("player_0", "player_1")
THROWS = ("rock", "paper", "scissors")
BEATS = {"rock": "scissors", "paper": "rock", "scissors": "paper"}


@dataclass(frozen=True, slots=True)
class ThrowState:
    game: "RockPaperScissors"
    log: View
    round: int = 0  # rounds played
    won: float = 0.0  # by player_0; player_1 has lost the same

    @property
    def to_act(self) -> tuple[Role, ...]:
        return ROLES if self.round < self.game.rounds else ()

    @property
    def payoffs(self) -> Payoffs:
        return {ROLES[0]: self.won, ROLES[1]: -self.won + 0.0}  # + 0.0: no negative zero

    def observe(self, role: Role) -> Observation:
        return Observation(role, visible(self.log, role), THROWS if self.to_act else ())

    def step(self, answers: Mapping[Role, str]) -> "ThrowState":
        thrown = each(ROLES, lambda role: choose(answers, role, THROWS))
        mine, yours = thrown.values()
        shown = ", ".join(f"{role}: {throw}" for role, throw in thrown.items())
        if mine == yours:
            won, end = 0.0, "Nobody wins."
        else:
            seat = 0 if BEATS[mine] == yours else 1
            paid = self.game.pays(thrown[ROLES[seat]])
            won, end = (-paid if seat else paid), f"{ROLES[seat]} wins {paid:g}."
        log = (*self.log, public(f"{shown}. {end}"))
        return replace(self, round=self.round + 1, won=self.won + won, log=log)


@dataclass(frozen=True)
class RockPaperScissors:
    """Rock, paper, scissors: one round or several, payoffs summed."""

    rounds: Annotated[int, "so many rounds; payoffs are summed over all"] = 1
    rock: Annotated[float, "what a win with rock pays"] = 1.0
    paper: Annotated[float, "what a win with paper pays"] = 1.0
    scissors: Annotated[float, "what a win with scissors pays"] = 1.0

    name = "RockPaperScissors-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("rounds", self.rounds, 1)
        for throw in THROWS:
            number(throw, self.pays(throw), 0, 1000)

    def pays(self, throw: str) -> float:
        """What a win with this throw pays."""
        return {"rock": self.rock, "paper": self.paper, "scissors": self.scissors}[throw]

    @property
    def declares(self) -> Declaration:
        most = float(self.rounds * max(map(self.pays, THROWS)))
        return Declaration(
            sum=Sum.ZERO, hidden_information=False, max_turns=2 * self.rounds, low=-most, high=most
        )

    def rules(self, role: Role) -> str:
        paid = {self.pays(throw) for throw in THROWS}
        if len(paid) == 1:
            wins = f"A win pays {paid.pop():g}"
        else:
            each_win = ", ".join(f"with {throw} {self.pays(throw):g}" for throw in THROWS)
            wins = f"A win pays: {each_win}"
        rounds = "One round" if self.rounds == 1 else f"{self.rounds} rounds, winnings are summed"
        return (
            f"Rock, paper, scissors. You are {role}. {rounds}. Both throw at once: rock beats "
            f"scissors, scissors beats paper, paper beats rock. {wins}; the loser pays it. "
            "Reply with rock, paper or scissors."
        )

    def start(self, seed: int) -> ThrowState:
        """The first round; there is no chance here, so ``seed`` changes nothing."""
        return ThrowState(self, rules_first(self))

    def openings(self) -> list[tuple[float, ThrowState]]:
        return [(1.0, self.start(0))]

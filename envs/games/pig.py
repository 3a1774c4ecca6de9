"""Pig: roll and add up, hold to keep it, a 1 loses it (Neller and Presser, 2004).

Theirs is the game without a limit of turns. Here each player has at most ``turns`` turns, so that
every game ends; with the default of 50 the limit is hardly ever reached in sensible play.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import Declaration, Observation, Payoffs, Role, Sum, View, visible
from sparring.envs.messages import public, rules_first
from sparring.envs.options import whole

ROLES = ("player_0", "player_1")
SIDES = 6
FIRST, LATER = ("roll",), ("roll", "hold")


@dataclass(frozen=True, slots=True)
class PigState:
    """``dice``: the dice of each turn, as one number in base 6, so that turns share no luck."""

    game: "PigDice"
    dice: tuple[int, ...]
    log: View
    scores: tuple[int, int] = (0, 0)
    turn: int = 0  # of both players together; seat turn % 2 has it
    total: int = 0  # of this turn
    rolls: int = 0  # in this turn
    over: bool = False

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.over else (ROLES[self.turn % 2],)

    @property
    def legal(self) -> tuple[str, ...]:
        return LATER if self.total else FIRST

    @property
    def payoffs(self) -> Payoffs:
        ahead = self.scores[0] - self.scores[1] if self.over else 0
        first = float((ahead > 0) - (ahead < 0))
        return {ROLES[0]: first, ROLES[1]: -first + 0.0}  # + 0.0: no negative zero

    def observe(self, role: Role) -> Observation:
        legal = self.legal if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "PigState":
        (role,) = self.to_act
        if choose(answers, role, self.legal) == "hold":
            return self.hold()
        return self.roll(self.dice[self.turn] // SIDES**self.rolls % SIDES + 1)

    def roll(self, die: int) -> "PigState":
        """The position after ``die`` is rolled."""
        role, total = ROLES[self.turn % 2], self.total + die
        said = f"{role}: roll\nRolled {die}"
        if die == 1:
            return self._pass_on(f"{said}, the turn total is lost.", self.scores)
        said = f"{said}, turn total {total}."
        if self.scores[self.turn % 2] + total >= self.game.target:
            return self._pass_on(said, self._banked(total))
        log = (*self.log, public(said))
        return replace(self, log=log, total=total, rolls=self.rolls + 1)

    def hold(self) -> "PigState":
        """The position after the turn total is kept."""
        return self._pass_on(f"{ROLES[self.turn % 2]}: hold", self._banked(self.total))

    def _banked(self, total: int) -> tuple[int, int]:
        mine, yours = self.scores
        return (mine, yours + total) if self.turn % 2 else (mine + total, yours)

    def _pass_on(self, said: str, scores: tuple[int, int]) -> "PigState":
        """The next turn, or the end: the target is reached, or both have had all their turns."""
        score = f"Score: {ROLES[0]} {scores[0]}, {ROLES[1]} {scores[1]}."
        turn = self.turn + 1
        over = max(scores) >= self.game.target or turn == 2 * self.game.turns
        log = (*self.log, public(f"{said}\n{score}"))
        after = replace(self, log=log, scores=scores, turn=turn, total=0, rolls=0, over=over)
        return replace(after, log=(*log, public(after._ending()))) if over else after

    def _ending(self) -> str:
        ahead = self.scores[0] - self.scores[1]
        limit = "" if max(self.scores) >= self.game.target else "All turns are over. "
        return f"{limit}{ROLES[ahead < 0]} wins." if ahead else f"{limit}The game is a draw."


@dataclass(frozen=True)
class PigDice:
    """The dice game Pig for two players."""

    target: Annotated[int, "who has so many points first wins"] = 100
    turns: Annotated[int, "turns of each player; after them the higher score wins"] = 50

    name = "PigDice-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("target", self.target, 2, 1000)
        whole("turns", self.turns, 1, 1000)

    @property
    def rolls(self) -> int:
        """The most rolls in one turn: each that goes on adds at least 2, the target ends it."""
        return (self.target + 1) // 2

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.ZERO,
            hidden_information=False,
            max_turns=2 * self.turns * self.rolls,
            low=-1.0,
            high=1.0,
        )

    def rules(self, role: Role) -> str:
        turns = "1 turn" if self.turns == 1 else f"{self.turns} turns"
        return (
            f"Pig. You are {role}. player_0 has the first turn. In your turn roll a die as often "
            "as you like; the rolls add up to your turn total. Hold adds the turn total to your "
            "score and ends the turn. A 1 ends the turn and the turn total is lost. You win as "
            f"soon as score and turn total reach {self.target}. After {turns} each the "
            "higher score wins. Reply with roll or hold; a turn begins with a roll."
        )

    def start(self, seed: int) -> PigState:
        rng, sequences = random.Random(seed), SIDES**self.rolls
        dice = tuple([rng.randrange(sequences) for _ in range(2 * self.turns)])
        return PigState(self, dice, rules_first(self))

"""The iterated prisoner's dilemma: cooperate or defect at once, again and again.

Payoffs of one round, mine first: both cooperate R, R; I defect alone T, S; both defect P, P; with
T > R > P > S. They are kept as they are (general-sum) and summed over the rounds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from sparring.envs.answers import choose, each
from sparring.envs.core import (
    BadInput,
    Declaration,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    visible,
)
from sparring.envs.messages import public, rules_first, speech
from sparring.envs.options import flag, number, whole

ROLES = ("player_0", "player_1")
MOVES = ("cooperate", "defect")
TALK = ("I will cooperate if you do.", "I cooperate until you defect.", "Let us both cooperate.")


@dataclass(frozen=True, slots=True)
class DilemmaState:
    game: "IteratedPrisonersDilemma"
    log: View
    round: int = 0  # rounds decided
    talked: bool = False  # in this round
    scores: tuple[float, float] = (0.0, 0.0)
    cooperated: tuple[int, int] = (0, 0)  # moves of either, rounds of both

    @property
    def to_act(self) -> tuple[Role, ...]:
        return ROLES if self.round < self.game.rounds else ()

    @property
    def _talking(self) -> bool:
        return self.game.talk and not self.talked

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(ROLES, self.scores, strict=True))

    @property
    def outcome(self) -> Mapping[str, float]:
        """``cooperation``: the share of all moves; ``mutual``: the share of rounds in which both
        cooperate."""
        if self.to_act:
            return {}
        (moves, rounds), n = self.cooperated, self.round
        return {"cooperation": moves / (2 * n), "mutual": rounds / n}

    def forfeited(self, roles: Collection[Role]) -> Payoffs:
        """Who forfeits gets the least; for the other each round left counts as both defecting."""
        left = (self.game.rounds - self.round) * self.game.punishment
        low = self.game.declares.low
        return {r: low if r in roles else paid + left for r, paid in self.payoffs.items()}

    def observe(self, role: Role) -> Observation:
        messages = visible(self.log, role)
        if not self.to_act:
            return Observation(role, messages)
        if self._talking:
            return Observation(role, messages, None, TALK)
        return Observation(role, messages, MOVES)

    def step(self, answers: Mapping[Role, str]) -> "DilemmaState":
        if self._talking:
            words = each(ROLES, lambda role: _said(answers, role))
            log = (*self.log, *(speech(role, text) for role, text in words.items()))
            asked = public(f"Round {self.round + 1}: cooperate or defect?")
            return replace(self, talked=True, log=(*log, asked))
        moves = each(ROLES, lambda role: choose(answers, role, MOVES))
        gains = self.game.pays(*moves.values())
        scores = (self.scores[0] + gains[0], self.scores[1] + gains[1])
        kind = [*moves.values()].count("cooperate")
        cooperated = (self.cooperated[0] + kind, self.cooperated[1] + (kind == len(ROLES)))
        chosen = ", ".join(f"{role}: {move}" for role, move in moves.items())
        shown = ", ".join(f"{role} {score:g}" for role, score in zip(ROLES, scores, strict=True))
        after = replace(
            self, round=self.round + 1, talked=False, scores=scores, cooperated=cooperated
        )
        return replace(after, log=(*self.log, public(f"{chosen}. Points: {shown}."), *after.head()))

    def head(self) -> View:
        """What asks for the words before a decision; nothing where there are none."""
        if not (self.to_act and self._talking):
            return ()
        return (public(f"Round {self.round + 1}: say something to the other player."),)


def _said(answers: Mapping[Role, str], role: Role) -> str:
    if not answers[role].strip():
        raise IllegalAction(role, "That reply is empty. Say something to the other player.")
    return answers[role]


@dataclass(frozen=True)
class IteratedPrisonersDilemma:
    """The iterated prisoner's dilemma with its general-sum payoffs, silent or with talk."""

    rounds: Annotated[int, "so many rounds, known to both; payoffs are summed"] = 10
    talk: Annotated[bool, "before each decision both say something, at once"] = False
    temptation: Annotated[float, "T, for who defects alone"] = 5.0
    reward: Annotated[float, "R, for each where both cooperate"] = 3.0
    punishment: Annotated[float, "P, for each where both defect"] = 1.0
    sucker: Annotated[float, "S, for who cooperates alone"] = 0.0
    alternation: Annotated[bool, "allow 2R <= T + S, where taking turns pays as well"] = False

    name = "IteratedPrisonersDilemma-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("rounds", self.rounds, 1)
        flag("talk", self.talk)
        flag("alternation", self.alternation)
        for option in ("temptation", "reward", "punishment", "sucker"):
            number(option, getattr(self, option), -1000, 1000)
        t, r, p, s = self.temptation, self.reward, self.punishment, self.sucker
        given = f"not {t:g}, {r:g}, {p:g}, {s:g}"
        if not t > r > p > s:
            raise BadInput(f"a dilemma has temptation > reward > punishment > sucker, {given}")
        if 2 * r <= t + s and not self.alternation:
            raise BadInput(
                f"taking turns pays at least as much as cooperating unless 2 * reward > temptation "
                f"+ sucker, {given}; to allow that, set alternation=True"
            )

    def pays(self, mine: str, yours: str) -> tuple[float, float]:
        """The payoffs of one round."""
        t, r, p, s = self.temptation, self.reward, self.punishment, self.sucker
        cells = {
            ("cooperate", "cooperate"): (r, r),
            ("cooperate", "defect"): (s, t),
            ("defect", "cooperate"): (t, s),
            ("defect", "defect"): (p, p),
        }
        return cells[mine, yours]

    @property
    def declares(self) -> Declaration:
        return Declaration(
            sum=Sum.GENERAL,
            hidden_information=False,
            max_turns=2 * self.rounds * (2 if self.talk else 1),
            low=float(self.rounds * self.sucker),
            high=float(self.rounds * self.temptation),
            free_speech=self.talk,
        )

    def rules(self, role: Role) -> str:
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds, points are summed"
        talk = (
            " Before each decision both say something, at once; words bind nobody."
            if self.talk
            else ""
        )
        return (
            f"Prisoner's dilemma. You are {role}. {rounds}. In each both choose at once: "
            f"both cooperate: {self.reward:g} points each; one defects alone: "
            f"{self.temptation:g} for that one, {self.sucker:g} for the other; both defect: "
            f"{self.punishment:g} each. Get as many points as you can.{talk} "
            "Decide with cooperate or defect."
        )

    def start(self, seed: int) -> DilemmaState:
        """The first round; there is no chance here, so ``seed`` changes nothing."""
        state = DilemmaState(self, rules_first(self))
        return replace(state, log=(*state.log, *state.head()))

    def openings(self) -> list[tuple[float, DilemmaState]]:
        return [(1.0, self.start(0))]

"""Deal or No Deal: two players talk, then both privately propose how to split a few things.

Contexts are all those that keep the rules of the published ones (Lewis et al., 2017): they are
enumerated here, nothing is taken from a data set. The objective is one's own points plus any weight
of the other's (Liao, Tomlin and Klein, 2024).
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from sparring.envs.answers import each
from sparring.envs.core import (
    Declaration,
    IllegalAction,
    Message,
    Observation,
    Payoffs,
    Role,
    View,
    visible,
)
from sparring.envs.games.negotiation.contexts import (
    KINDS,
    MOST,
    PLURALS,
    SECOND,
    WORTH,
    Context,
    contexts,
    counted,
    points,
    splits,
    told,
)
from sparring.envs.games.negotiation.objective import aim, must_be_weight, paid, sum_of
from sparring.envs.games.negotiation.offers import (
    Amounts,
    Unreadable,
    amounts,
    bare,
    decision,
    listed,
)
from sparring.envs.games.negotiation.pareto import best_joint, efficient
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import one_of, whole

ROLES = ("player_0", "player_1")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_LEAD = re.compile(r"\s*(?:i\s+)?(?:propose|take)\b\s*:?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DealState:
    game: "DealOrNoDeal"
    context: Context
    log: View
    speaker: int  # seat of the first speaker
    said: int = 0  # messages so far
    talking: bool = True
    takes: tuple[Amounts, Amounts] | None = None  # what each has proposed to take

    @property
    def to_act(self) -> tuple[Role, ...]:
        if self.takes is not None:
            return ()
        return (ROLES[(self.speaker + self.said) % 2],) if self.talking else ROLES

    @property
    def deal(self) -> bool:
        """The proposals give every thing to exactly one player."""
        if self.takes is None:
            return False
        return self.context.pool == tuple(a + b for a, b in zip(*self.takes, strict=True))

    @property
    def points(self) -> tuple[int, int]:
        if self.takes is None or not self.deal:
            return 0, 0
        (mine, yours), values = self.takes, self.context.values
        return points(values[0], mine), points(values[1], yours)

    @property
    def payoffs(self) -> Payoffs:
        return paid(ROLES, self.points, self.game.other)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``efficiency``: the joint points as a share of the best; ``pareto``: nobody could have
        had more without the other having less. No deal is never efficient: both have nothing."""
        if self.takes is None:
            return {}
        pool, values = self.context
        joint = sum(self.points)
        return {
            "agreed": float(self.deal),
            "joint": float(joint),
            "efficiency": joint / best_joint(pool, values),
            "pareto": float(efficient(pool, values, self.points)),
        }

    def observe(self, role: Role) -> Observation:
        seen = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, seen)
        if not self.talking:
            return Observation(role, seen, tuple(splits(self.context.pool)))
        values = self.context.values[ROLES.index(role)]
        dear = KINDS[values.index(max(values))]
        some = (f"I would like the {dear}s.", f"What are the {dear}s worth to you?", "[End]")
        return Observation(role, seen, None, some)

    def step(self, answers: Mapping[Role, str]) -> "DealState":
        if self.talking:
            return self._heard(self.to_act[0], answers)
        taken = each(ROLES, lambda role: read_proposal(answers[role], role, self.context.pool))
        return self._settled((taken[ROLES[0]], taken[ROLES[1]]))

    def _heard(self, role: Role, answers: Mapping[Role, str]) -> "DealState":
        text = answers[role]
        if not text.strip():
            raise IllegalAction(role, "Say something, or end the talk with [End].")
        try:
            ends = decision(text, ("end",), _too_early, opening="propose") is not None
        except Unreadable as fault:
            raise IllegalAction(role, str(fault)) from None
        log = self.log if ends and bare(text) else (*self.log, speech(role, text))
        said = self.said + 1
        if not ends and said < self.game.messages:
            return replace(self, log=log, said=said)
        why = f"{role} ends the talk." if ends else "The talk is over."
        return replace(self, log=(*log, public(f"{why} {ASK}")), said=said, talking=False)

    def _settled(self, takes: tuple[Amounts, Amounts]) -> "DealState":
        after = replace(self, takes=takes)
        (mine, yours), (one, two) = takes, after.points
        fits = (
            "That is a deal." if after.deal else "That does not add up to what there is: no deal."
        )
        text = (
            f"{ROLES[0]} takes {told(mine)}, {ROLES[1]} takes {told(yours)}. {fits} "
            f"Points: {ROLES[0]} {one}, {ROLES[1]} {two}."
        )
        return replace(after, log=(*self.log, public(text)))


ASK = "Now both propose at once, in private, what to take."


def _too_early(terms: str) -> None:
    raise Unreadable("Proposals are made when the talk is over. To end it, write [End].")


def read_proposal(text: str, role: Role, pool: Amounts) -> Amounts:
    """What ``role`` proposes to take; of a kind that it does not name, nothing.

    Raises:
        IllegalAction: not exactly one list of amounts, or more than there is.
    """
    marked = _BRACKET.findall(text) or [text]
    try:
        lists = {amounts(_LEAD.sub("", part, count=1), PLURALS) for part in marked}
    except Unreadable as fault:
        example = f"To propose, write for instance [Propose: {_first(pool)}]."
        raise IllegalAction(role, f"{fault} {example}") from None
    if len(lists) > 1:
        raise IllegalAction(role, "That reply makes several proposals. Make one.")
    taken = tuple(n or 0 for n in lists.pop())
    if any(n > there for n, there in zip(taken, pool, strict=True)):
        raise IllegalAction(role, f"That is more than there is: {told(pool)}.")
    return taken


def _first(pool: Amounts) -> str:
    return ", ".join(counted((1, *pool[1:])))


@dataclass(frozen=True)
class DealOrNoDeal:
    """Two players split books, hats and balls of private values: they talk, then both propose."""

    messages: Annotated[int, "messages of both together before the proposals; 0: no talk"] = 10
    other: Annotated[
        float, "weight of the other's points: -1 zero-sum, 0 own points only, 1 cooperative"
    ] = 0.0
    most: Annotated[int, "most of a kind: 4 (the published data's rules) or 5 (OpenSpiel's)"] = 4

    name = "DealOrNoDeal-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("messages", self.messages, 0)
        must_be_weight(self.other)
        one_of("most", self.most, MOST)

    @property
    def declares(self) -> Declaration:
        low, high = min(0.0, WORTH * self.other), WORTH + max(0.0, SECOND * self.other)
        return Declaration(
            sum=sum_of(self.other),
            hidden_information=True,
            max_turns=self.messages + 2,
            low=low,
            high=high,
            free_speech=self.messages > 0,
        )

    def rules(self, role: Role) -> str:
        count = "1 message" if self.messages == 1 else f"{self.messages} messages"
        talk = (
            f"First you talk in turn, {count} in all; [End] in a message ends the "
            "talk at once, and words bind nobody. Then both"
            if self.messages
            else "Both"
        )
        return (
            f"Deal or no deal. You are {role}. Two players split some "
            f"{listed(PLURALS)}. What each is worth to you is told to you "
            f"only; all of them together are worth {WORTH} points to either player, but one kind "
            "may be worth more to you and another to the other. "
            f"{talk} propose in private what to take, as in [Propose: 2 books, 1 hat, 0 balls]; "
            "what you do not name counts as 0. If the two proposals together are exactly all there "
            "is, each gets the points of what it "
            f"takes; if not, both get 0 points. {aim(self.other)}"
        )

    def start(self, seed: int) -> DealState:
        luck = random.Random(seed)
        context, speaker = luck.choice(contexts(self.most)), luck.randrange(2)
        dealt = (_dealt(context, seat) for seat in range(2))
        first = f"{ROLES[speaker]} speaks first." if self.messages else ASK
        log = (*rules_first(self), *dealt, public(first))
        return DealState(self, context, log, speaker, talking=self.messages > 0)


def _dealt(context: Context, seat: int) -> Message:
    worth = listed([f"{v} a {kind}" for kind, v in zip(KINDS, context.values[seat], strict=True)])
    return private(f"There are {told(context.pool)}. Points to you: {worth}.", ROLES[seat])

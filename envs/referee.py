"""What happens after an illegal answer: one policy for all games.

The player is told why, privately, and may try again ``retries`` times at that turn; after that it
forfeits. A forfeit ends the game: the offender gets the lowest payoff that the game declares, and
the others share the rest, so that the declared sum holds. Where several answer at once, all at
fault are refused at once: no seat is luckier than another.

A game that raises ``Void`` ends there and does not count.

``Refereed`` wraps any game into one whose states never raise for what a player says.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sparring.envs.core import (
    Declaration,
    Game,
    IllegalAction,
    Message,
    Observation,
    Payoffs,
    Role,
    State,
    Sum,
    View,
    Void,
)

RETRIES = 1


def forfeit_payoffs(game: Game, offenders: Collection[Role]) -> Payoffs:
    """Payoffs when ``offenders`` (k of n roles) forfeit together.

    zero- or constant-sum: an offender gets ``low``, each other role (total − k·low)/(n − k). Where
    several forfeit that may pass ``high``: then the others get ``high`` and the offenders share
    what is left; if all forfeit, all share. cooperative: everybody gets ``low``. general-sum: an
    offender gets ``low``, the others 0, within [low, high].
    """
    declared, k = game.declares, len(offenders)
    rest = len(game.roles) - k
    lost = declared.low
    match declared.sum:
        case Sum.ZERO | Sum.CONSTANT:
            share = (declared.total - k * lost) / max(rest, 1)
            if k > 1:
                share = min(share, declared.high) if rest else 0.0
                lost = (declared.total - rest * share) / k
        case Sum.COOPERATIVE:
            share = lost
        case Sum.GENERAL:
            share = min(max(0.0, declared.low), declared.high)
    return {role: lost if role in offenders else share for role in game.roles}


@dataclass(frozen=True, slots=True)
class Notice:
    """A private message to one role, and how many game messages it had seen before it."""

    role: Role
    after: int
    message: Message


@dataclass(frozen=True, slots=True)
class Record:
    """What the referee remembers besides the position; of a game played legally, nothing."""

    notices: tuple[Notice, ...] = ()
    accepted: tuple[tuple[Role, str], ...] = ()  # simultaneous answers that wait for a retry
    strikes: tuple[Role, ...] = ()  # one entry for each refused answer of this turn
    rejected: tuple[Role, ...] = ()  # whose answers the last step refused
    forfeits: tuple[Role, ...] = ()
    void: str | None = None  # why the game does not count


CLEAN = Record()


class RefereedState(NamedTuple):
    """A position plus what the referee remembers. It never raises for what a player says."""

    game: Game
    inner: State
    retries: int
    record: Record = CLEAN  # apart, because states are made at every step and few need it

    @property
    def strikes(self) -> tuple[Role, ...]:
        """One entry for each refused answer of this turn."""
        return self.record.strikes

    @property
    def rejected(self) -> tuple[Role, ...]:
        """Whose answers the last step refused."""
        return self.record.rejected

    @property
    def forfeits(self) -> tuple[Role, ...]:
        return self.record.forfeits

    @property
    def void(self) -> str | None:
        """Why the game does not count, if it does not."""
        return self.record.void

    @property
    def to_act(self) -> tuple[Role, ...]:
        if self.record is CLEAN:
            return self.inner.to_act
        if self.forfeits or self.void is not None:
            return ()
        done = {role for role, _ in self.record.accepted}
        return tuple(role for role in self.inner.to_act if role not in done)

    @property
    def payoffs(self) -> Payoffs:
        if self.record is CLEAN:
            return self.inner.payoffs
        if self.void is not None:
            return dict.fromkeys(self.game.roles, 0.0)
        if not self.forfeits:
            return self.inner.payoffs
        own: Any = getattr(self.inner, "forfeited", None)
        paid: Payoffs = own(self.forfeits) if own else forfeit_payoffs(self.game, self.forfeits)
        return paid

    @property
    def parts(self) -> Mapping[Role, str]:
        """The hidden part of each role; empty in games without parts."""
        return getattr(self.inner, "parts", {})

    @property
    def teams(self) -> Mapping[Role, str]:
        """The team of each role: where a game names none, its part; empty where roles are alone."""
        return getattr(self.inner, "teams", self.parts)

    @property
    def outcome(self) -> Mapping[str, float]:
        """What the game measured of its end; empty before it, and after a forfeit or a void."""
        if self.inner.to_act or self.forfeits or self.void is not None:
            return {}
        return getattr(self.inner, "outcome", {})

    def observe(self, role: Role) -> Observation:
        seen = self.inner.observe(role)
        if self.record is CLEAN:
            return seen
        if seen.legal != () and role not in self.to_act:
            seen = seen._replace(legal=(), examples=())
        notices = self.record.notices
        if not notices:
            return seen
        messages: View = ()
        at = 0
        for notice in (n for n in notices if n.role == role):
            messages += (*seen.messages[at : notice.after], notice.message)
            at = notice.after
        return seen._replace(messages=messages + seen.messages[at:])

    def step(self, answers: Mapping[Role, str]) -> "RefereedState":
        """One answer from every role in ``to_act``. Raises only for a caller's error.

        Raises:
            ValueError: the game is over, or the answers are not from exactly the roles to act.
        """
        to_act = self.to_act
        if not to_act:
            raise ValueError("the game is over")
        if tuple(answers) != to_act and answers.keys() != set(to_act):  # the first is quicker
            raise ValueError(f"expected answers from {to_act}, got {tuple(answers)}")
        record = self.record
        together = {**dict(record.accepted), **answers} if record.accepted else answers
        try:
            after = self.inner.step(together)
        except IllegalAction as fault:
            return self._refuse((fault, *fault.also), together)
        except Void as fault:
            return self._call_off(str(fault))
        record = Record(record.notices) if record.notices else CLEAN
        return RefereedState(self.game, after, self.retries, record)

    def _refuse(
        self, faults: Sequence[IllegalAction], together: Mapping[Role, str]
    ) -> "RefereedState":
        rejected = tuple(fault.role for fault in faults)
        strikes = (*self.strikes, *rejected)
        out = tuple(role for role in rejected if strikes.count(role) > self.retries)
        notices = self.record.notices
        for fault in faults:
            rest = "You forfeit the game." if fault.role in out else "Try again."
            notices += (self._notice(fault.role, f"{fault} {rest}"),)
        for offender in out:  # the end is public, its reason is not
            others = frozenset(self.game.roles) - {offender}
            line = f"{offender} forfeits the game."
            notices += tuple(self._notice(r, line, others) for r in self.game.roles if r in others)
        record = Record(
            notices=notices,
            accepted=tuple((r, text) for r, text in together.items() if r not in rejected),
            strikes=strikes,
            rejected=rejected,
            forfeits=out,
        )
        return self._replace(record=record)

    def _call_off(self, reason: str) -> "RefereedState":
        line, everybody = "This game does not count.", frozenset(self.game.roles)
        notices = tuple(self._notice(role, line, everybody) for role in self.game.roles)
        return self._replace(record=Record(self.record.notices + notices, void=reason))

    def _notice(self, role: Role, text: str, to: frozenset[Role] | None = None) -> Notice:
        seen = len(self.inner.observe(role).messages)
        return Notice(role, seen, Message("referee", text, to or frozenset({role})))


@dataclass(frozen=True, slots=True)
class Refereed:
    """``game`` with the policy for illegal answers applied; ``retries`` more tries a turn."""

    game: Game
    retries: int = RETRIES

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must be at least 0, not {self.retries}")

    @property
    def name(self) -> str:
        return self.game.name

    @property
    def roles(self) -> tuple[Role, ...]:
        return self.game.roles

    @property
    def declares(self) -> Declaration:
        return self.game.declares

    def rules(self, role: Role) -> str:
        return self.game.rules(role)

    def start(self, seed: int) -> RefereedState:
        return RefereedState(self.game, self.game.start(seed), self.retries)

    def openings(self) -> Sequence[tuple[float, RefereedState]]:
        """The openings of a game that lists them (``SolvableGame``)."""
        listed = self.game.openings()  # type: ignore[attr-defined]
        return [(p, RefereedState(self.game, state, self.retries)) for p, state in listed]

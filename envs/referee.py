"""What happens after an illegal answer: one policy for all games.

The player is told why, privately, and may try again ``retries`` times at that turn; after that it
forfeits. A forfeit ends the game: the offender gets the lowest payoff that the game declares, and
the others share the rest, so that the declared sum holds.

``Refereed`` wraps any game into one whose states never raise for what a player says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
)

RETRIES = 1


def forfeit_payoffs(game: Game, offender: Role) -> Payoffs:
    """Payoffs when ``offender`` forfeits: it gets ``low``; the others keep the declared sum.

    zero- or constant-sum: each other role gets (total - low) / (n - 1);
    cooperative: everybody gets ``low``; general-sum: the others get 0, within [low, high].
    """
    declared, others = game.declares, len(game.roles) - 1
    match declared.sum:
        case Sum.ZERO | Sum.CONSTANT:
            share = (declared.total - declared.low) / max(others, 1)
        case Sum.COOPERATIVE:
            share = declared.low
        case Sum.GENERAL:
            share = min(max(0.0, declared.low), declared.high)
    return {role: declared.low if role == offender else share for role in game.roles}


@dataclass(frozen=True, slots=True)
class Notice:
    """A private message to one role, and how many game messages it had seen before it."""

    role: Role
    after: int
    message: Message


@dataclass(frozen=True, slots=True)
class RefereedState:
    """A position plus what the referee remembers. It never raises for what a player says."""

    game: Game
    inner: State
    retries: int
    notices: tuple[Notice, ...] = ()
    accepted: tuple[tuple[Role, str], ...] = ()  # simultaneous answers that wait for a retry
    strikes: tuple[Role, ...] = ()  # one entry for each refused answer of this turn
    rejected: Role | None = None  # whose answer the last step refused
    forfeit: Role | None = None

    @property
    def to_act(self) -> tuple[Role, ...]:
        if self.forfeit is not None:
            return ()
        if not self.accepted:
            return self.inner.to_act
        done = {role for role, _ in self.accepted}
        return tuple(role for role in self.inner.to_act if role not in done)

    @property
    def payoffs(self) -> Payoffs:
        if self.forfeit is None:
            return self.inner.payoffs
        return forfeit_payoffs(self.game, self.forfeit)

    def observe(self, role: Role) -> Observation:
        seen = self.inner.observe(role)
        legal = seen.legal if role in self.to_act else ()
        if not self.notices:
            return seen if legal == seen.legal else replace(seen, legal=legal)
        messages: View = ()
        at = 0
        for notice in (n for n in self.notices if n.role == role):
            messages += (*seen.messages[at : notice.after], notice.message)
            at = notice.after
        return replace(seen, messages=messages + seen.messages[at:], legal=legal)

    def step(self, answers: Mapping[Role, str]) -> "RefereedState":
        """One answer from every role in ``to_act``. Raises only for a caller's error.

        Raises:
            ValueError: the game is over, or the answers are not from exactly the roles to act.
        """
        if not self.to_act:
            raise ValueError("the game is over")
        if set(answers) != set(self.to_act):
            raise ValueError(f"expected answers from {self.to_act}, got {tuple(answers)}")
        together = {**dict(self.accepted), **answers}
        try:
            after = self.inner.step(together)
        except IllegalAction as fault:
            return self._refuse(fault, together)
        return replace(self, inner=after, accepted=(), strikes=(), rejected=None)

    def _refuse(self, fault: IllegalAction, together: dict[Role, str]) -> "RefereedState":
        role = fault.role
        strikes = (*self.strikes, role)
        over = strikes.count(role) > self.retries
        rest = "You forfeit the game." if over else "Try again."
        text = Message("referee", f"{fault} {rest}", frozenset({role}))
        notice = Notice(role, len(self.inner.observe(role).messages), text)
        notices = (*self.notices, notice)
        if over:  # the end is public, its reason is not
            others = frozenset(self.game.roles) - {role}
            public = Message("referee", f"{role} forfeits the game.", others)
            notices += tuple(
                Notice(r, len(self.inner.observe(r).messages), public)
                for r in self.game.roles
                if r != role
            )
        return replace(
            self,
            notices=notices,
            accepted=tuple((r, text) for r, text in together.items() if r != role),
            strikes=strikes,
            rejected=role,
            forfeit=role if over else None,
        )


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

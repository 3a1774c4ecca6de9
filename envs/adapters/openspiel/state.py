"""A position of a game of OpenSpiel: a value, since the library's state is cloned before a move."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sparring.envs.adapters.openspiel import library
from sparring.envs.adapters.openspiel.deals import Deal
from sparring.envs.adapters.openspiel.facts import Facts
from sparring.envs.adapters.openspiel.text import clean, label, number
from sparring.envs.answers import choose, each
from sparring.envs.core import IllegalAction, Observation, Payoffs, Role, View, Void, visible
from sparring.envs.messages import private, public

if TYPE_CHECKING:
    from sparring.envs.adapters.openspiel.game import OpenSpielGame

MOST_LISTED = 40
"""A refusal names the legal answers, but not more than these."""

Move = tuple[int, ...]
"""The action of chance or of one player, or one of each player at once (0: nothing to choose)."""


@dataclass(frozen=True, slots=True)
class Luck:
    """What chance does: drawn from a seed as play goes on, or a deal that was listed."""

    seed: int = 0
    deal: Deal | None = None

    def draw(self, number: int, outcomes: list[tuple[int, float]]) -> int:
        """The outcome at the chance node of this number.

        Each has its own random number, so that a seed is the same luck whatever is played.
        """
        if self.deal is not None:
            return self.deal[number]
        left = random.Random(f"{self.seed}:{number}").random()
        for outcome, chance in outcomes:
            left -= chance
            if left < 0:
                return outcome
        return next(outcome for outcome, chance in reversed(outcomes) if chance > 0)

    @property
    def for_library(self) -> int:
        """The seed of a game that draws its own luck."""
        return random.Random(f"{self.seed}:library").randrange(1, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything about a position: the library's state follows from it."""

    game: "OpenSpielGame"
    luck: Luck
    log: View
    shown: tuple[str, ...]  # by seat, what was shown last
    moves: tuple[Move, ...] = ()  # so far, chance included
    draws: int = 0  # chance nodes so far

    def replay(self) -> Any:
        """The library's state, made anew."""
        known = self.game.facts
        raw = known.raw
        if known.sampled:
            raw = library.fresh(self.game.short_name, self.game.options, self.luck.for_library)
        at = raw.new_initial_state()
        for move in self.moves:
            _apply(at, move)
        return at

    def state(self, at: Any | None = None) -> "OpenSpielState":
        at = self.replay() if at is None else at
        return OpenSpielState(self, at, _choices(self.game.roles, self.game.facts, at))


@dataclass(frozen=True, slots=True)
class OpenSpielState:
    """A position. ``at`` is the library's state, which nothing moves any more."""

    record: Record
    at: Any = field(compare=False, repr=False)
    choices: Mapping[Role, Mapping[str, int]] = field(compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Record.state, (self.record,)

    @property
    def to_act(self) -> tuple[Role, ...]:
        return tuple(self.choices)

    @property
    def payoffs(self) -> Payoffs:
        known = self.record.game.facts
        if known.paid_at_end and not self.at.is_terminal():
            return dict.fromkeys(known.roles, 0.0)
        returns = self.at.returns()
        return {role: float(won) + 0.0 for role, won in zip(known.roles, returns, strict=True)}

    def observe(self, role: Role) -> Observation:
        messages = visible(self.record.log, role)
        return Observation(role, messages, tuple(self.choices.get(role, ())))

    def step(self, answers: Mapping[Role, str]) -> "OpenSpielState":
        said = each(self.to_act, lambda role: self._read(answers, role))
        actions = {role: self.choices[role][answer] for role, answer in said.items()}
        known = self.record.game.facts
        if self.at.is_simultaneous_node():
            move = tuple(actions.get(role, 0) for role in known.roles)
        else:
            move = tuple(actions.values())
        lines = {role: f"{role}: {answer}" for role, answer in said.items()}
        if known.moves_told:
            told: View = (public("\n".join(lines.values())),)
        else:
            told = tuple(private(line, role) for role, line in lines.items())
        record = replace(
            self.record, moves=(*self.record.moves, move), log=(*self.record.log, *told)
        )
        try:
            at = self.at.clone() if known.cloned else self.record.replay()
            _apply(at, move)
            return until_asked(record, at)
        except library.pyspiel().SpielError as fault:
            raise Void(f"OpenSpiel failed: {library.why(fault)}") from fault

    def _read(self, answers: Mapping[Role, str], role: Role) -> str:
        legal = tuple(self.choices[role])
        try:
            return choose(answers, role, legal)
        except IllegalAction as fault:
            if len(legal) <= MOST_LISTED:
                raise
            why = str(fault).partition(". ")[0]
            raise IllegalAction(role, f"{why}. Reply with one, like: {legal[0]}.") from None


def _apply(at: Any, move: Move) -> None:
    if at.is_simultaneous_node():
        at.apply_actions(list(move))
    else:
        at.apply_action(move[0])


def _choices(roles: tuple[Role, ...], known: Facts, at: Any) -> Mapping[Role, Mapping[str, int]]:
    """For every role to act its answers, and the legal action that each stands for."""
    if at.is_terminal():
        return {}
    together = at.is_simultaneous_node()
    seats = range(len(roles)) if together else (at.current_player(),)
    choices = {}
    for seat in seats:
        actions = at.legal_actions(seat)
        if actions:
            names = [at.action_to_string(seat, action) for action in actions]
            choices[roles[seat]] = label(actions, names, known.renderer.label)
    return choices


def until_asked(record: Record, at: Any) -> OpenSpielState:
    """Let chance act until a player may, then tell everybody what they see now."""
    known = record.game.facts
    log, moves, draws = record.log, record.moves, record.draws
    while at.is_chance_node():
        if not (outcomes := at.chance_outcomes()):
            raise Void("OpenSpiel has nothing left to deal")
        outcome = record.luck.draw(draws, outcomes)
        if known.renderer.chance:
            log = (*log, public(clean(at.action_to_string(at.current_player(), outcome))))
        at.apply_action(outcome)
        moves, draws = (*moves, (outcome,)), draws + 1
    shown = tuple(_seen(known, at, seat) for seat in range(len(known.roles)))
    log = (*log, *_news(known, record.shown, shown))
    if at.is_terminal():
        won = zip(known.roles, at.returns(), strict=True)
        paid = ", ".join(f"{role} {number(payoff)}" for role, payoff in won)
        log = (*log, public(f"The game is over. Payoffs: {paid}."))
    return replace(record, log=log, shown=shown, moves=moves, draws=draws).state(at)


def _seen(known: Facts, at: Any, seat: int) -> str:
    """What the player in this seat sees now, from the library's string for this player alone."""
    if known.string is None:
        return ""
    text = clean(getattr(at, known.string)(seat))
    see = known.renderer.see
    return clean(see(text, known.parameters)) if see else text


def _news(known: Facts, before: tuple[str, ...], now: tuple[str, ...]) -> View:
    """What each role sees that it was not shown last; only the new lines where lines were added.

    A public message where nothing is hidden and all see the same. Where something is hidden, that
    two see the same is news itself (equal cards), so everybody is told alone.
    """
    new = []
    for old, text in zip(before, now, strict=True):
        added = text.startswith(f"{old}\n") and old != ""
        new.append("" if text == old else text[len(old) :].strip("\n") if added else text)
    if new[0] and len(set(new)) == 1 and not known.declares.hidden_information:
        return (public(new[0]),)
    return tuple(private(text, role) for role, text in zip(known.roles, new, strict=True) if text)

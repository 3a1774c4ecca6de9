"""The contract that every game keeps. ``check(game)`` says what is broken and how to replay it.

One function a promise: each raises ``AssertionError`` with one line that ends in [what replays
it], or returns a note of what it looked at. What a role sees is in ``views.py``, what
players may say in ``text.py``. Small games are walked whole, larger ones sampled.
"""

import copy
import math
import pickle
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np

from sparring.envs.contract.positions import SEEDS, SPEECH, draw, must, play, plays, spread
from sparring.envs.contract.text import any_text, legal_answers, pettingzoo
from sparring.envs.contract.views import information, observations, openings, views_grow
from sparring.envs.core import Game, Payoffs, Sum
from sparring.envs.referee import RefereedState, forfeit_payoffs

MEASURES = 24
"""A game with more measures makes up their names."""


def declaration(game: Game) -> str:
    """Name, roles, rules and declared bounds make sense; somebody acts at the start."""
    said, roles = game.declares, game.roles
    must(bool(game.name), "the game has no name", game)
    must(0 < len(set(roles)) == len(roles), f"roles are not distinct names: {roles}", game.name)
    for role in roles:
        must(role not in ("", "game", "referee"), f"no role can be called {role!r}", game.name)
        must(bool(game.rules(role)), f"{role} has no rules", game.name)
    finite = math.isfinite(said.low) and math.isfinite(said.high) and said.low <= said.high
    must(finite, f"payoffs lie between low and high, not {said.low} and {said.high}", game.name)
    must(said.max_turns >= 1, f"max_turns is at least 1, not {said.max_turns}", game.name)
    total = said.total == 0 or said.sum is Sum.CONSTANT
    must(total, f"a {said.sum} game has no total of {said.total}", game.name)
    for seed in SEEDS:
        start = next(play(game, seed))
        start.must(bool(start.state.to_act), "nobody is to act at the start")
    return f"{len(roles)} roles"


def same_seed(game: Game) -> str:
    """A seed gives one game, and the game leaves Python's and numpy's global luck alone."""
    fresh = copy.deepcopy(game)
    held = random.getstate(), np.random.get_state()
    try:
        _disturb(0)
        before = _luck()
        alone = [[here.look for here in play(game, seed, 0.1)] for seed in SEEDS]
        must(_luck() == before, "the game touches the global random state", f"seeds {SEEDS}")
        _disturb(1)
        turns = zip_longest(*(play(game, seed, 0.1) for seed in SEEDS))  # all games side by side
        beside = [[here.look for here in one if here] for one in zip(*turns, strict=True)]
        anew = [[here.look for here in play(fresh, seed, 0.1)] for seed in SEEDS]
    finally:
        random.setstate(held[0])
        np.random.set_state(held[1])
    for seed, one, two, three in zip(SEEDS, alone, beside, anew, strict=True):
        must(one == two, "the game goes another way with others beside it", f"seed {seed}")
        must(one == three, "a fresh game object goes another way", f"seed {seed}")
    return f"{len(SEEDS)} random games, alone, side by side and anew"


def _luck() -> tuple[object, bytes]:
    return random.getstate(), pickle.dumps(np.random.get_state())


def _disturb(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)


def values(game: Game) -> str:
    """``step`` leaves its position as it was, and the same answers lead to the same position."""
    for here in plays(game, wild=0.1):
        if here.state.to_act:
            was, answers = here.look, draw(here, random.Random(len(here.moves)), wild=0.1)
            once = here.step(answers)
            once.must(here.look == was, "the last step changed the position it was called on")
            again = here.step(answers)
            again.must(once.look == again.look, "the same answers led to another position")
    return f"{len(SEEDS)} random games"


def payoffs(game: Game) -> str:
    """Payoffs lie within bounds and add up as declared, at every end and at every forfeit."""
    several = [game.roles[:n] for n in range(2, len(game.roles) + 1)]
    for offenders in [*((role,) for role in game.roles), *several]:
        add_up(game, forfeit_payoffs(game, offenders), f"{' and '.join(offenders)} forfeits")
    found, whole = spread(game)
    over = [here for here in [*found, *plays(game, wild=0.9)] if not here.state.to_act]
    ended = [here for here in over if here.state.void is None]
    for here in ended:
        add_up(game, here.state.payoffs, here)
    return f"{'all' if whole else 'some'} ends and some forfeits, {len(ended)} in all"


def add_up(game: Game, paid: Payoffs, where: object) -> None:
    said = game.declares
    must(set(paid) == set(game.roles), f"payoffs are not of all roles: {dict(paid)}", where)
    inside = all(said.low - 1e-9 <= paid[role] <= said.high + 1e-9 for role in game.roles)
    must(inside, f"payoffs leave [{said.low}, {said.high}]: {dict(paid)}", where)
    match said.sum:
        case Sum.ZERO | Sum.CONSTANT:
            fit = math.isclose(sum(paid.values()), said.total, abs_tol=1e-9)
        case Sum.COOPERATIVE:
            fit = len(set(paid.values())) == 1
        case Sum.GENERAL:
            fit = True
    must(fit, f"payoffs of a {said.sum} game do not add up: {dict(paid)}", where)


def outcome(game: Game) -> str:
    """What is measured of a game comes at its end: finite numbers, by names that stay the same."""
    names: set[str] = set()
    found, _ = spread(game)
    for here in [*found, *plays(game, wild=0.1)]:
        measured = _measured(here.state)
        over = not here.state.inner.to_act
        here.must(over or not measured, f"something is measured before the end: {measured}")
        for name, value in measured.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            here.must(number and math.isfinite(value), f"{name} is no finite number: {value!r}")
        names |= set(measured)
    for one, other in zip(plays(game), plays(game), strict=True):
        alike = _measured(one.state) == _measured(other.state)
        one.must(alike, "the same game is measured in another way when it is played again")
    for name in names:
        fit = re.fullmatch(r"[a-z][a-z0-9_]*", name)
        must(fit is not None, f"a measure has a name in lower case, not {name!r}", game.name)
    few = len(names) <= MEASURES
    must(few, f"names of measures are not made up as it goes: {sorted(names)[:4]}...", game.name)
    return ", ".join(sorted(names)) or "nothing is measured"


def _measured(state: RefereedState) -> dict[str, float]:
    """The measures of the game itself, which the referee may hide; where it fails, its error."""
    bare: Any = state.inner
    known = hasattr(bare, "outcome") or hasattr(type(bare), "outcome")
    return dict(bare.outcome) if known else {}


def ends(game: Game) -> str:
    """Every game ends by itself within ``max_turns`` accepted answers, whatever is said."""
    most = game.declares.max_turns
    for wild in (0.0, 0.3, 1.0):
        for seed in SEEDS:
            accepted = 0
            for before, after in pairwise(play(game, seed, wild)):
                accepted += 0 if after.state.rejected else len(before.state.inner.to_act)
                after.must(accepted <= most, f"not over after max_turns = {most} answers")
    found, whole = spread(game)
    for here in found:
        fit = sum(map(len, here.moves)) <= most
        here.must(fit, f"more than max_turns = {most} answers are accepted")
    walked = "the whole tree" if whole else f"a sample of {len(found)} positions"
    return f"{walked}, {2 * len(SEEDS)} random games with some or only junk answers"


def after_the_end(game: Game) -> str:
    """Nothing can be said after the end, and trying changes nothing."""
    for here in [*plays(game), *plays(game, wild=0.9)]:
        if here.state.to_act:
            continue
        was = here.look
        for answers in ({}, {game.roles[0]: SPEECH[0]}, dict.fromkeys(game.roles, SPEECH[0])):
            try:
                here.state.step(answers)
            except ValueError:
                continue
            here.must(False, f"a step with {answers} is accepted after the end")
        here.must(here.look == was, "a step after the end changed the position")
    return f"{2 * len(SEEDS)} random games, half of them with illegal answers"


CHECKS: dict[str, Callable[[Game], str]] = {
    "the declaration makes sense": declaration,
    "a role sees what is addressed to it": observations,
    "views only grow": views_grow,
    "the same seed gives the same game": same_seed,
    "positions are values": values,
    "payoffs add up as declared": payoffs,
    "measures are numbers at the end": outcome,
    "every game ends": ends,
    "nothing happens after the end": after_the_end,
    "legal answers are understood": legal_answers,
    "no text does harm": any_text,
    "openings are what start deals": openings,
    "a view is one information set": information,
    "PettingZoo shows the same game": pettingzoo,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise, whether it is kept, and what is broken or, where kept, what was looked at."""

    promise: str
    kept: bool
    text: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.text}"


def examine(game: Game) -> Iterator[Finding]:
    """Look into every promise, one after the other."""
    for promise, look in CHECKS.items():
        try:
            yield Finding(promise, True, look(game))
        except AssertionError as fault:
            yield Finding(promise, False, str(fault))
        except Exception as fault:  # the game's own error: the contract goes on with the next
            yield Finding(promise, False, f"the game raised {fault!r}")


def check(game: Game) -> list[Finding]:
    """The promises that ``game`` breaks; an empty list says that it keeps the contract."""
    return [finding for finding in examine(game) if not finding.kept]

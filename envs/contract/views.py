"""The part of the contract about what roles see and what they can tell from it.

What no check can know is the author's intent: words that the game addresses to a role, or to all,
count as meant for them.
"""

import math
from collections import Counter, defaultdict
from itertools import chain, combinations, pairwise, permutations

from sparring.envs.contract.positions import (
    SEEDS,
    Position,
    listed,
    must,
    play,
    plays,
    short,
    spread,
)
from sparring.envs.core import Game, IllegalAction, Message, Role, View, Void


def observations(game: Game) -> str:
    """Each role sees what is public and what is addressed to it; legal answers when it acts."""
    found, whole = spread(game)
    for here in chain(found, plays(game, wild=0.3)):
        for role in here.roles:
            _observation(game, here, role)
        for one, two in combinations(here.roles, 2):
            same = _shared(here, one, two) == _shared(here, two, one)
            here.must(same, f"what is for both {one} and {two} is not shown alike to both")
    walked = f"{'all' if whole else 'a sample of'} {len(found)} positions"
    return f"{walked}, and {len(SEEDS)} random games with illegal answers"


def _observation(game: Game, here: Position, role: Role) -> None:
    seen = here.state.observe(role)
    here.must(seen == here.state.observe(role), f"{role} sees something else each time")
    here.must(seen.role == role, f"the observation of {role} is that of {seen.role}")
    fit = isinstance(seen.messages, tuple) and all(isinstance(m, Message) for m in seen.messages)
    here.must(fit, f"{role}'s messages are not a tuple of Message")
    for m in seen.messages:
        meant = m.to is None or role in m.to
        here.must(meant, f"{role} sees what is not addressed to it: {short(m.text)}")
    if role not in here.state.inner.to_act:
        bare = here.state.inner.observe(role).legal
        here.must(bare == (), f"{role} is not to act but has legal answers: {bare}")
    if role not in here.state.to_act:
        return  # over by forfeit, or it waits for another's retry
    distinct = len(set(seen.examples)) == len(seen.examples)
    fit = distinct and (seen.legal is None or not seen.examples)
    here.must(fit, f"{role}'s examples are not distinct, or beside legal answers: {seen.examples}")
    if seen.legal is None:
        here.must(game.declares.free_speech, f"{role} speaks freely, which is not declared")
    else:
        words = {answer.strip().casefold() for answer in seen.legal}
        fit = isinstance(seen.legal, tuple) and 0 < len(words) == len(seen.legal)
        here.must(fit, f"{role}'s legal answers are not distinct words: {seen.legal}")


def _shared(here: Position, role: Role, other: Role) -> list[Message]:
    return [m for m in here.view(role) if m.to is None or other in m.to]


def views_grow(game: Game) -> str:
    """What a role saw stays a prefix of what it will see, the referee's notices included."""
    for seed in SEEDS:
        for wild in (0.0, 0.3):
            for before, after in pairwise(play(game, seed, wild)):
                for role in game.roles:
                    old = before.view(role)
                    grown = after.view(role)[: len(old)] == old
                    after.must(grown, f"{role}'s view does not start with what it was before")
    return f"{2 * len(SEEDS)} random games, half of them with illegal answers"


def openings(game: Game) -> str:
    """``openings()`` lists what ``start`` deals, as often as it deals it."""
    if (each := listed(game)) is None:
        return "lists no openings"
    must(all(p > 0 for p, _ in each), "an opening has no probability", "openings()")
    total = sum(p for p, _ in each)
    must(math.isclose(total, 1.0), f"the probabilities add up to {total}", "openings()")
    expected: dict[tuple[View, ...], float] = defaultdict(float)
    for p, here in each:
        expected[tuple(map(here.view, here.roles))] += p
    dealt: Counter[tuple[View, ...]] = Counter()
    for seed in range(n := 400):
        here = next(play(game, seed))
        seen = tuple(map(here.view, here.roles))
        here.must(seen in expected, "openings() does not list what start deals")
        dealt[seen] += 1
    for seen, p in expected.items():  # six standard deviations: no false alarm in a lifetime
        fit = abs(dealt[seen] - n * p) <= 6 * math.sqrt(max(n * p * (1 - p), 0.0)) + 1
        words = [m.text for view in seen for m in view]
        must(fit, f"dealt {dealt[seen]} times in seeds 0 to {n - 1}, expected {n * p:.1f}", words)
    return f"{len(each)} openings, {n} seeds"


def information(game: Game) -> str:
    """A view is one information set: what a role may do, has done and is told follows from it.

    So where a role sees the same it has the same legal answers, gave the same answers before, and
    is refused in the same words. And something is hidden exactly if the game declares it.
    """
    found, whole = spread(game)
    seen: dict[tuple[Role, View], Position] = {}
    asked: dict[tuple[Role, View], tuple[Position, dict[str, object]]] = {}
    hides = False
    for here in found:
        for role in here.roles:
            first = seen.setdefault((role, here.view(role)), here)
            if first is not here and first.look != here.look:
                hides = True
                fault = f"{role} cannot tell this from [{first}]; no hidden information is declared"
                here.must(game.declares.hidden_information, fault)
        for role in here.state.to_act:
            now: dict[str, object] = {
                "legal answers": here.state.observe(role).legal,
                "examples": here.state.observe(role).examples,
                "answers of its own so far": [m[role] for m in here.moves if role in m],
                "words when refused": _refusal(here, role),
            }
            first, then = asked.setdefault((role, here.view(role)), (here, now))
            for what, it in now.items():
                fault = f"{role} sees the same as in [{first}], yet has other {what}"
                here.must(then[what] == it, f"{fault}: {then[what]} and {it}")
    if whole and game.declares.hidden_information:
        hides = hides or any(len(here.state.to_act) > 1 for here in found)
        must(hides, "hidden information is declared, but every role can tell all", "whole tree")
        _secrets(game)
    return f"all {len(found)} positions" if whole else f"a sample of {len(found)} positions"


def _refusal(here: Position, role: Role) -> str | None:
    try:
        here.state.inner.step({**here.some_answers(), role: "no such answer \x00"})
    except IllegalAction as fault:
        return str(fault)
    except Void:
        return "void"
    return None


def _secrets(game: Game) -> None:
    """At the start no role can always tell what only another was told, unless both can."""
    starts = [here for _, here in listed(game) or ()]

    def knows(one: Role, two: Role) -> bool:
        by_view: dict[View, set[View]] = defaultdict(set)
        by_public: dict[View, set[View]] = defaultdict(set)
        for here in starts:
            secret = tuple(m for m in here.view(two) if m.to is not None and one not in m.to)
            by_view[here.view(one)].add(secret)
            by_public[tuple(m for m in here.view(one) if m.to is None)].add(secret)
        varies = any(len(told) > 1 for told in by_public.values())
        return varies and all(len(told) == 1 for told in by_view.values())

    for one, two in permutations(game.roles, 2):
        fault = f"{one} can always tell what only {two} was told; if meant, address it to both"
        must(not knows(one, two) or knows(two, one), fault, "openings()")

"""The contract that every game keeps. ``check(game)`` says what is broken and how to replay it.

One function a promise; each raises ``AssertionError`` with one line that ends in [what replays
it], or returns a note of what it looked at. Small games are walked whole, larger ones sampled.

What no check can know is the author's intent: words that the game addresses to a role, or to all,
count as meant for them.
"""

import copy
import math
import pickle
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, zip_longest
from typing import Any

import numpy as np

from sparring.envs.aec import TextEnv
from sparring.envs.core import Game, IllegalAction, Message, Payoffs, Role, Sum, View
from sparring.envs.positions import (
    SEEDS,
    SPEECH,
    Position,
    draw,
    junk,
    listed,
    play,
    plays,
    short,
    spread,
)
from sparring.envs.referee import Refereed, forfeit_payoffs

GAMES_PLAYED = f"{len(SEEDS)} random games"


def declaration(game: Game) -> str:
    """Name, roles, rules and declared bounds make sense; somebody acts at the start."""
    said, roles = game.declares, game.roles
    assert isinstance(game.name, str) and game.name, "the game has no name"
    assert roles and len(set(roles)) == len(roles), f"roles are not distinct names: {roles}"
    for role in roles:
        assert isinstance(role, str) and role, f"a role is a name, not {role!r}"
        assert isinstance(game.rules(role), str) and game.rules(role), f"{role} has no rules"
    finite = math.isfinite(said.low) and math.isfinite(said.high) and said.low <= said.high
    assert finite, f"payoffs lie between low and high, not {said.low} and {said.high}"
    assert said.max_turns >= 1, f"max_turns is at least 1, not {said.max_turns}"
    assert said.total == 0 or said.sum is Sum.CONSTANT, f"a {said.sum} game has no total"
    for seed in SEEDS:
        start = next(play(game, seed))
        start.must(bool(start.state.to_act), "nobody is to act at the start")
    return f"{len(roles)} roles"


def observations(game: Game) -> str:
    """Each role sees what is public and what is addressed to it; legal answers when it acts."""
    for here in plays(game, wild=0.3):
        to_act = here.state.to_act
        fit = len(set(to_act)) == len(to_act) and set(to_act) <= set(here.roles)
        here.must(fit, f"to_act is not some of the roles: {to_act}")
        for role in here.roles:
            seen = here.state.observe(role)
            here.must(seen == here.state.observe(role), f"{role} sees something else each time")
            here.must(seen.role == role, f"the observation of {role} is that of {seen.role}")
            fit = isinstance(seen.messages, tuple)
            fit = fit and all(isinstance(m, Message) for m in seen.messages)
            here.must(fit, f"{role}'s messages are not a tuple of Message")
            for m in seen.messages:
                hidden = m.to is not None and role not in m.to
                here.must(not hidden, f"{role} sees what is not addressed to it: {short(m.text)}")
            if role not in to_act:
                here.must(seen.legal == (), f"{role} is not to act and has legal {seen.legal}")
            elif seen.legal is None:
                here.must(game.declares.free_speech, f"{role} speaks freely; that is not declared")
            else:
                keys = {answer.strip().casefold() for answer in seen.legal}
                fit = 0 < len(keys) == len(seen.legal) and isinstance(seen.legal, tuple)
                here.must(fit, f"{role}'s legal answers are not distinct words: {seen.legal}")
        for one, two in combinations(here.roles, 2):
            same = _shared(here, one, two) == _shared(here, two, one)
            here.must(same, f"what is for both {one} and {two} is not shown alike to both")
    return GAMES_PLAYED


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
    return f"{GAMES_PLAYED}, and as many with illegal answers"


def same_seed(game: Game) -> str:
    """A seed gives one game, and the game leaves Python's and numpy's global luck alone."""
    fresh = copy.deepcopy(game)
    held = random.getstate(), np.random.get_state()
    try:
        before = _luck()
        alone = [[here.look for here in play(game, seed, 0.1)] for seed in SEEDS]
        assert _luck() == before, "the game touches the global random state [any seed]"
        random.seed(1)
        np.random.seed(1)
        turns = zip_longest(*(play(game, seed, 0.1) for seed in SEEDS))  # all games side by side
        beside = [[here.look for here in one if here] for one in zip(*turns, strict=True)]
        random.seed(2)
        np.random.seed(2)
        anew = [[here.look for here in play(fresh, seed, 0.1)] for seed in SEEDS]
    finally:
        random.setstate(held[0])
        np.random.set_state(held[1])
    for seed, one, two, three in zip(SEEDS, alone, beside, anew, strict=True):
        assert one == two, (
            f"the game went otherwise when others were played beside it [seed {seed}]"
        )
        assert one == three, f"a fresh game object went another way [seed {seed}]"
    return GAMES_PLAYED


def _luck() -> tuple[object, bytes]:
    return random.getstate(), pickle.dumps(np.random.get_state())


def values(game: Game) -> str:
    """``step`` leaves its position as it was, and the same answers lead to the same position."""
    for here in plays(game, wild=0.1):
        if here.state.to_act:
            was, answers = here.look, draw(here, random.Random(len(here.moves)), wild=0.1)
            once, again = here.step(answers), here.step(answers)
            here.must(here.look == was, f"step changed the position it was called on: {answers}")
            once.must(once.look == again.look, "the same answers led to another position")
    return GAMES_PLAYED


def payoffs(game: Game) -> str:
    """Payoffs lie within bounds and add up as declared, at every end and at every forfeit."""
    for here in plays(game):
        if not here.state.to_act:
            _add_up(game, here.state.payoffs, str(here))
    for role in game.roles:
        _add_up(game, forfeit_payoffs(game, role), f"{role} forfeits")
    for here in plays(game, wild=0.9):
        if not here.state.to_act:
            _add_up(game, here.state.payoffs, str(here))
    return f"{GAMES_PLAYED}, and forfeits"


def _add_up(game: Game, paid: Payoffs, where: str) -> None:
    said = game.declares
    assert set(paid) == set(game.roles), f"payoffs are not of all roles: {dict(paid)} [{where}]"
    inside = all(said.low - 1e-9 <= paid[role] <= said.high + 1e-9 for role in game.roles)
    assert inside, f"payoffs leave [{said.low}, {said.high}]: {dict(paid)} [{where}]"
    match said.sum:
        case Sum.ZERO | Sum.CONSTANT:
            fit = math.isclose(sum(paid.values()), said.total, abs_tol=1e-9)
        case Sum.COOPERATIVE:
            fit = len(set(paid.values())) == 1
        case Sum.GENERAL:
            fit = True
    assert fit, f"payoffs of a {said.sum} game do not add up: {dict(paid)} [{where}]"


def ends(game: Game) -> str:
    """Every game ends by itself within ``max_turns`` accepted answers, whatever is said."""
    most = game.declares.max_turns
    for wild in (0.0, 0.3, 1.0):
        for seed in SEEDS:
            accepted, last = 0, next(play(game, seed))
            for before, last in pairwise(play(game, seed, wild)):
                accepted += 0 if last.state.rejected else len(before.state.inner.to_act)
                last.must(accepted <= most, f"not over after max_turns = {most} answers")
            last.must(not last.state.to_act, "the game does not end")
    return f"{GAMES_PLAYED}, and as many with some and with only illegal answers"


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
    return GAMES_PLAYED


def answers(game: Game) -> str:
    """Legal answers are accepted, also in other case or marked in a sentence; two at once not."""
    for here in plays(game, SEEDS[:4]):
        for role in here.state.to_act:
            legal, rest = here.state.observe(role).legal, here.some_answers()
            for answer in (legal or ())[:40]:
                plain = here.step({**rest, role: answer})
                plain.must(plain.state.rejected != role, f"{role}'s legal answer is refused")
                for wording in _wordings(answer):
                    worded = here.step({**rest, role: wording})
                    worded.must(worded.look == plain.look, f"this is not taken as {answer!r}")
            if legal and len(legal) > 1 and not any("[" in a or "]" in a for a in legal):
                both = here.step({**rest, role: f"[{legal[0]}] or [{legal[-1]}]"})
                both.must(both.state.rejected == role, "an answer with two readings is accepted")
    return f"{len(SEEDS[:4])} random games"


def _wordings(answer: str) -> tuple[str, ...]:
    same = (answer.upper(), answer.lower(), f"  {answer}\n")
    if "[" in answer or "]" in answer:
        return same
    return (*same, f"[{answer}]", f"because of X\nI say [ {answer.title()} ]!")


def any_text(game: Game) -> str:
    """No text raises; a refused one reaches nobody else; speech is shown as the speaker's own."""
    for here in plays(game, SEEDS[:4]):
        for role in here.state.to_act:
            legal, rest = here.state.observe(role).legal, here.some_answers()
            readings = [here.step({**rest, role: answer}).look for answer in legal or ()]
            for text in junk(game, legal):
                after = here.step({**rest, role: text})
                if after.state.rejected is not None:
                    after.must(after.state.rejected == role, "the wrong role is refused")
                    _refused(here, after, role, forfeits=False)
                    _refused(here, here.step({**rest, role: text}, retries=0), role, forfeits=True)
                elif legal is not None:
                    after.must(after.look in readings, "accepted, but not as a legal answer")
                else:
                    _spoken(here, after, role, text)
    return f"every junk answer at each turn of {len(SEEDS[:4])} random games"


def _refused(here: Position, after: Position, role: Role, forfeits: bool) -> None:
    """Others see nothing new, or one public line at a forfeit; the offender is told why."""
    for other in here.roles:
        new = after.view(other)[len(here.view(other)) :]
        told = len(new) == (1 if forfeits or other == role else 0)
        after.must(told, f"{other} sees {len(new)} new messages after {role}'s refused answer")
        if other != role and forfeits:
            fit = new[0] == Message("referee", f"{role} forfeits the game.", new[0].to)
            after.must(fit, f"the public line of a forfeit says more: {short(new[0].text)}")


def _spoken(here: Position, after: Position, role: Role, text: str) -> None:
    for other in here.roles:
        for m in after.view(other)[len(here.view(other)) :]:
            forged = bool(text.strip()) and text in m.text and m.sender != role
            after.must(not forged, f"{other} sees the words of {role} as said by {m.sender}")


def openings(game: Game) -> str:
    """``openings()`` lists what ``start`` deals, as often as it deals it."""
    if (each := listed(game)) is None:
        return "lists no openings"
    assert all(p > 0 for p, _ in each), "an opening has no probability [openings()]"
    total = sum(p for p, _ in each)
    assert math.isclose(total, 1.0), f"the probabilities add up to {total} [openings()]"
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
        fit = abs(dealt[seen] - n * p) <= 6 * math.sqrt(n * p * (1 - p)) + 1
        where = f"views {[m.text for view in seen for m in view]}, seeds 0 to {n - 1}"
        assert fit, f"dealt {dealt[seen]} times in {n}, expected {n * p:.1f} [{where}]"
    return f"{len(each)} openings, {n} seeds"


def information(game: Game) -> str:
    """A view is one information set: what a role may do, has done and is told follows from it.

    So where a role sees the same it has the same legal answers, gave the same answers before, and
    is refused in the same words. And hidden information is hidden exactly if it is declared.
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
            now = {
                "legal answers": here.state.observe(role).legal,
                "answers of its own so far": [m[role] for m in here.moves if role in m],
                "words when refused": _refusal(here, role),
            }
            first, then = asked.setdefault((role, here.view(role)), (here, now))
            for what, it in now.items():
                fault = f"{role} sees the same as in [{first}], yet has other {what}"
                here.must(then[what] == it, f"{fault}: {then[what]} and {it}")
    if whole and game.declares.hidden_information:
        hides = hides or any(len(here.state.to_act) > 1 for here in found)
        assert hides, "hidden information is declared, but every role can tell all [whole tree]"
        _secrets(game)
    return f"all {len(found)} positions" if whole else f"a sample of {len(found)} positions"


def _refusal(here: Position, role: Role) -> str | None:
    try:
        here.state.inner.step({**here.some_answers(), role: "no such answer \x00"})
    except IllegalAction as fault:
        return str(fault)
    return None


def _secrets(game: Game) -> None:
    """At the start, no role can always tell what only another was told, and not the reverse."""
    starts = [here for _, here in listed(game) or ()]

    def knows(one: Role, two: Role) -> bool:
        by_view, by_public = defaultdict(set), defaultdict(set)
        for here in starts:
            secret = tuple(m for m in here.view(two) if m.to is not None and one not in m.to)
            by_view[here.view(one)].add(secret)
            by_public[tuple(m for m in here.view(one) if m.to is None)].add(secret)
        varies = any(len(told) > 1 for told in by_public.values())
        return varies and all(len(told) == 1 for told in by_view.values())

    for one, two in permutations(game.roles, 2):
        leak = knows(one, two) and not knows(two, one)
        fault = f"{one} can always tell what only {two} was told"
        assert not leak, f"{fault}; if that is meant, address it to both [openings()]"


def pettingzoo(game: Game) -> str:
    """As a PettingZoo environment: rewards add up to payoffs, text only grows, resets are whole."""
    used = TextEnv(game)
    for seed in SEEDS:
        for wild in (0.0, 0.5):
            used.reset(seed=seed + 1)
            used.step("left in the middle of a game")
            where = f"[env.reset(seed={seed}), wild={wild}]"
            first, again = (_episode(env, seed, wild, where) for env in (TextEnv(game), used))
            assert first == again, f"a used environment plays another game than a new one {where}"
    return f"{GAMES_PLAYED}, and as many with illegal answers"


def _episode(env: TextEnv, seed: int, wild: float, where: str) -> list[object]:
    rng = random.Random(seed)
    env.reset(seed=seed)
    roles, log = env.possible_agents, list[object]()
    got, shown = dict.fromkeys(roles, 0.0), dict.fromkeys(roles, "")
    for agent in env.agent_iter(4 * len(roles) * (env.game.declares.max_turns + 2)):
        _, reward, over, cut, info = env.last()
        assert not cut, f"truncated {where}"
        got[agent] += reward
        shown = _grown(env, shown, where)
        log.append((agent, reward, over, info, shown))
        idle = all(env.infos[role]["legal_actions"] == () for role in env.agents if role != agent)
        here = env.state_of_play
        assert idle or len(here.to_act) > 1, f"a role that is not to act has legal answers {where}"
        if over:
            env.step(None)
        elif rng.random() < wild:
            env.step(rng.choice(junk(here.game, info["legal_actions"])))
        else:
            env.step(rng.choice(info["legal_actions"] or SPEECH))
    assert not env.agents, f"the game does not end {where}"
    _same_rewards(env.state_of_play.payoffs, got, where)
    for action in ("too late", None):
        env.step(action)
        late = _grown(env, shown, where) != shown or any(env.rewards.values()) or env.agents
        assert not late, f"a step after the end changed something {where}"
    return [*log, got]


def _grown(env: TextEnv, shown: Mapping[Role, str], where: str) -> dict[Role, str]:
    now = {role: env.observe(role)["text"] for role in env.possible_agents}
    for role, text in now.items():
        assert text.startswith(shown[role]), f"the text that {role} sees does not only grow {where}"
    return now


def _same_rewards(paid: Payoffs, got: Mapping[Role, float], where: str) -> None:
    same = all(math.isclose(paid[role], got[role], abs_tol=1e-9) for role in paid)
    assert same, f"rewards add up to {dict(got)}, payoffs are {dict(paid)} {where}"


CHECKS: dict[str, Callable[[Game], str]] = {
    "the declaration makes sense": declaration,
    "a role sees what is addressed to it": observations,
    "views only grow": views_grow,
    "the same seed gives the same game": same_seed,
    "positions are values": values,
    "payoffs add up as declared": payoffs,
    "every game ends": ends,
    "nothing happens after the end": after_the_end,
    "legal answers are understood": answers,
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

"""PettingZoo's classic games as ours: its rules and rewards, our words, views and referee."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.envs.adapters.pettingzoo.held import Held, hold, raw, release
from sparring.envs.answers import choose, each
from sparring.envs.core import Declaration, Observation, Payoffs, Role, View, visible
from sparring.envs.messages import private, public, rules_first


@dataclass(frozen=True, slots=True)
class Kind:
    """What has to be known of a game beside its code.

    ``rules(env, role)`` in words; ``label(env, action)`` an action as a player writes it;
    ``board(env)`` what all see after a move; ``hand(env, role)`` what ``role`` alone sees of its
    own observation when it is to move; empty text is not shown. ``cut(env, turns)``: the action
    that all take from now on, where the library would let a game go on for ever. ``alone`` fences
    off what the library shares between its games. ``checks`` raises ``BadInput``.
    """

    module: str
    rules: Callable[[Any, Role], str]
    label: Callable[[Any, int], str]
    declares: Callable[[Any], Declaration]
    board: Callable[[Any], str] = lambda env: ""
    hand: Callable[[Any, Role], str] = lambda env, role: ""
    simultaneous: bool = False
    cut: Callable[[Any, int], int | None] = lambda env, turns: None
    alone: Callable[[Any], AbstractContextManager[None]] = lambda env: nullcontext()
    options: Mapping[str, Any] = field(default_factory=dict)  # the constructor's, with defaults
    checks: Callable[..., None] = lambda **options: None


@dataclass(frozen=True, slots=True)
class ClassicState:
    game: "ClassicGame"
    held: Held
    log: View
    legal: Mapping[Role, Mapping[str, int]]  # of the roles to act: label to action
    paid: tuple[float, ...]  # one a role, in their order
    turns: int = 0

    @property
    def to_act(self) -> tuple[Role, ...]:
        return tuple(self.legal)

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(self.game.roles, self.paid, strict=True))

    def observe(self, role: Role) -> Observation:
        return Observation(role, visible(self.log, role), tuple(self.legal.get(role, ())))

    def step(self, answers: Mapping[Role, str]) -> "ClassicState":
        chosen = each(self.to_act, lambda role: choose(answers, role, tuple(self.legal[role])))
        env, paid, kind = release(self.held), list(self.paid), self.game.kind
        turns = self.turns + len(chosen)
        said = public(", ".join(f"{role}: {label}" for role, label in chosen.items()))
        with kind.alone(env):
            for role, label in chosen.items():
                _move(env, self.legal[role][label], paid)
            while not _over(env) and (action := kind.cut(env, turns)) is not None:
                _move(env, action, paid)
            moved = replace(self, log=(*self.log, said), paid=tuple(paid), turns=turns)
            return moved._looked_at(env)

    def _looked_at(self, env: Any) -> "ClassicState":
        """With the game held, what all see now, who may do what, and what only they see."""
        log, legal = self.log, dict[Role, Mapping[str, int]]()
        end: View = ()
        kind, roles = self.game.kind, self.game.roles
        if board := kind.board(env):
            log = (*log, public(board))
        if _over(env):
            shown: tuple[Role, ...] = roles
            won = ", ".join(f"{role} {p:+g}" for role, p in zip(roles, self.paid, strict=True))
            end = (public(f"The game is over. Rewards: {won}."),)
        else:
            shown = roles if kind.simultaneous else (env.agent_selection,)
            legal = {role: _legal(env, kind, role) for role in shown}
        own = ((role, kind.hand(env, role)) for role in shown)
        log = (*log, *(private(seen, role) for role, seen in own if seen))
        return replace(self, held=hold(env), log=log + end, legal=legal)


def _move(env: Any, action: int, paid: list[float]) -> None:
    env.step(action)
    for i, role in enumerate(env.possible_agents):
        paid[i] += float(env.rewards[role])


def _over(env: Any) -> bool:
    return all(env.terminations[r] or env.truncations[r] for r in env.possible_agents)


def _legal(env: Any, kind: Kind, role: Role) -> dict[str, int]:
    """The actions that the mask in the role's own observation allows, by what they are called."""
    seen = env.observe(role)
    allowed = seen["action_mask"].nonzero()[0] if isinstance(seen, dict) else range(env._none)
    return {kind.label(env, int(action)): int(action) for action in allowed}


@dataclass(frozen=True, slots=True)
class ClassicGame:
    """A classic game of PettingZoo, played by its own code under our referee and our views."""

    id: str
    kind: Kind = field(repr=False)
    options: tuple[tuple[str, Any], ...]  # those that are not at their default
    roles: tuple[Role, ...] = field(repr=False)
    declares: Declaration = field(repr=False)
    words: Mapping[Role, str] = field(repr=False)
    new: Held = field(repr=False)  # not yet reset

    @property
    def name(self) -> str:
        written = ",".join(f"{name}={value!r}" for name, value in self.options)
        return f"pettingzoo:classic/{self.id}" + (f"({written})" if written else "")

    def rules(self, role: Role) -> str:
        return self.words[role]

    def start(self, seed: int) -> ClassicState:
        env = release(self.new)
        with self.kind.alone(env):
            env.reset(seed=seed)
            fresh = ClassicState(self, self.new, rules_first(self), {}, (0.0,) * len(self.roles))
            return fresh._looked_at(env)


def classic_game(name: str, kind: Kind, options: Mapping[str, Any]) -> ClassicGame:
    """The game with these options of its constructor. Raises ``BadInput``."""
    kind.checks(**{**kind.options, **options})
    changed = tuple((o, v) for o, v in options.items() if v != kind.options[o])
    with kind.alone(None):
        env = raw(kind.module, **options)
        roles = tuple(env.possible_agents)
        words = {role: kind.rules(env, role) for role in roles}
        return ClassicGame(name, kind, changed, roles, kind.declares(env), words, hold(env))

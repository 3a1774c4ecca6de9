"""Exact play for games whose chance is all in their opening (``SolvableGame``).

A *policy* here is a function from an observation to probabilities of its legal answers, so a
language model is measured by the probabilities that it gives, not by sampling. The information
set of a role is its view (the messages it has seen), which every game keeps append-only, so
recall is perfect. Simultaneous moves are walked one role after the other; views hide the order.

Formulas (u_i: expected payoff of role i, BR_i: its best response value against the others):

    NashConv(π) = Σ_i BR_i(π_-i) − u_i(π)        exploitability = NashConv / number of roles
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sparring.envs.core import (
    Action,
    BadInput,
    Game,
    Observation,
    Role,
    State,
    Turn,
    View,
)

Policy = Callable[[Observation], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class InformationSet:
    """All positions that one role cannot tell apart, known by what it saw."""

    observation: Observation

    @property
    def key(self) -> tuple[Role, View]:
        return self.observation.role, self.observation.messages


@dataclass(slots=True, eq=False)
class Node:
    """A position in the tree: an end with ``payoffs``, or a choice of the role of ``at``."""

    payoffs: Mapping[Role, float] = field(default_factory=dict)
    at: InformationSet | None = None
    children: dict[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A game walked whole. ``sets`` maps each information set's key to it, in walking order."""

    game: Game
    roots: tuple[tuple[float, Node], ...]
    sets: Mapping[tuple[Role, View], InformationSet]

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The observation at every information set: where a policy must answer."""
        return tuple(info.observation for info in self.sets.values())

    def table(self, policy: Policy) -> "Strategy":
        """Ask ``policy`` once at every information set.

        Raises:
            ValueError: the probabilities do not cover legal answers only, or do not sum to 1.
        """
        table = {}
        for key, info in self.sets.items():
            legal, answer = info.observation.legal, policy(info.observation)
            fit = abs(sum(answer.values()) - 1) <= 1e-6 and min(answer.values()) >= 0
            if set(answer) - set(legal or ()) or not fit:
                raise ValueError(f"not a distribution over {legal}: {dict(answer)}")
            table[key] = answer
        return table


Strategy = Mapping[tuple[Role, View], Mapping[str, float]]


def walk(game: Game, limit: int = 50_000) -> Tree:
    """The whole tree of ``game``.

    Raises:
        BadInput: the game does not list its openings, has free speech, or has more than ``limit``
            positions.
    """
    if not hasattr(game, "openings"):
        raise BadInput(f"{game.name} does not list its openings, so it cannot be solved exactly")
    if game.declares.free_speech:
        raise BadInput(f"{game.name} has free speech, so its answers cannot be listed")
    grower = _Grower(game, limit)
    nobody: dict[Role, tuple[Turn, ...]] = dict.fromkeys(game.roles, ())
    roots = tuple((p, grower.grow(state, {}, nobody)) for p, state in game.openings())
    return Tree(game, roots, grower.sets)


@dataclass(slots=True)
class _Grower:
    game: Game
    limit: int
    sets: dict[tuple[Role, View], InformationSet] = field(default_factory=dict)
    size: int = 0

    def grow(
        self, state: State, answers: dict[Role, str], turns: dict[Role, tuple[Turn, ...]]
    ) -> Node:
        """The subtree at ``state``, where ``answers`` are those already given at a shared move."""
        self.size += 1
        if self.size > self.limit:
            raise BadInput(
                f"{self.game.name} has more than {self.limit} positions, too many to solve exactly"
            )
        waiting = [role for role in state.to_act if role not in answers]
        if not waiting:
            if not answers:
                return Node(payoffs=dict(state.payoffs))
            return self.grow(state.step(answers), {}, turns)
        role = waiting[0]
        seen = state.observe(role)._replace(turns=turns[role])
        info = self.sets.setdefault((role, seen.messages), InformationSet(seen))
        node = Node(at=info)
        for answer in info.observation.legal or ():
            turn = Turn(info.observation, Action(answer))
            after = {**turns, role: (*turns[role], turn)}
            node.children[answer] = self.grow(state, {**answers, role: answer}, after)
        return node


def uniform(observation: Observation) -> Mapping[str, float]:
    """The policy that gives every legal answer the same probability."""
    legal = observation.legal or ()
    return dict.fromkeys(legal, 1 / len(legal))


def values(tree: Tree, strategy: Strategy) -> dict[Role, float]:
    """u_i: the expected payoff of every role when all play ``strategy``."""

    def at(node: Node) -> np.ndarray:
        if node.at is None:
            return np.array([node.payoffs[role] for role in roles])
        chances = strategy[node.at.key]
        return sum((p * at(node.children[a]) for a, p in chances.items() if p), zero)

    roles = tree.game.roles
    zero = np.zeros(len(roles))
    total = sum((p * at(root) for p, root in tree.roots), zero)
    return dict(zip(roles, map(float, total), strict=True))


@dataclass(frozen=True, slots=True)
class BestResponse:
    """The value of a best response and what it plays at each view (first of equals)."""

    value: float
    plays: Mapping[View, str]


def best_response(tree: Tree, strategy: Strategy, role: Role) -> BestResponse:
    """BR_i: the most that ``role`` can get while the others play ``strategy``."""
    members: dict[tuple[Role, View], list[tuple[Node, float]]] = {}

    def reach(node: Node, weight: float) -> None:  # chance × the others' probabilities
        if node.at is None:
            return
        own = node.at.observation.role == role
        if own:
            members.setdefault(node.at.key, []).append((node, weight))
        for answer, child in node.children.items():
            share = 1.0 if own else strategy[node.at.key].get(answer, 0.0)
            reach(child, weight * share)

    plays: dict[View, str] = {}

    def play(info: InformationSet) -> str:
        view = info.observation.messages
        if view not in plays:
            here = members[info.key]
            gains = {
                answer: sum(weight * at(node.children[answer]) for node, weight in here)
                for answer in here[0][0].children
            }
            plays[view] = max(gains, key=lambda answer: gains[answer])
        return plays[view]

    def at(node: Node) -> float:
        if node.at is None:
            return node.payoffs[role]
        if node.at.observation.role == role:
            return at(node.children[play(node.at)])
        chances = strategy[node.at.key]
        return sum(p * at(node.children[a]) for a, p in chances.items() if p)

    for p, root in tree.roots:
        reach(root, p)
    return BestResponse(sum(p * at(root) for p, root in tree.roots), plays)


def nash_conv(tree: Tree, strategy: Strategy) -> float:
    """Σ_i BR_i − u_i: 0 at a Nash equilibrium, else what all could gain by deviating alone."""
    now = values(tree, strategy)
    return sum(best_response(tree, strategy, role).value - now[role] for role in tree.game.roles)


def exploitability(tree: Tree, strategy: Strategy) -> float:
    """NashConv divided by the number of roles."""
    return nash_conv(tree, strategy) / len(tree.game.roles)

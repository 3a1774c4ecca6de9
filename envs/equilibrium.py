"""An equilibrium of a two-player zero-sum game by linear programming.

The sequence form of Koller, Megiddo and von Stengel (1996): a plan gives each sequence of own
answers its probability, and the best plan against the best reply is a linear program of the size
of the tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

from sparring.envs.core import BadInput, Role, Sum, View
from sparring.envs.solve import Node, Strategy, Tree, uniform


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """The value of a two-player zero-sum game for its first role, and a strategy that holds it."""

    value: float
    strategy: Strategy


def equilibrium(tree: Tree) -> Equilibrium:
    """A Nash equilibrium of a two-player zero-sum game by linear programming.

    Raises:
        BadInput: the game is not two-player zero-sum.
    """
    game = tree.game
    if len(game.roles) != 2 or game.declares.sum is not Sum.ZERO:
        raise BadInput(f"{game.name} is not a two-player zero-sum game")
    first, second = game.roles
    value, x = _maximin(tree, first, second)
    _, y = _maximin(tree, second, first)
    return Equilibrium(value, {**x, **y})


LastMove = tuple[tuple[Role, View], str] | None
"""The last (information set, answer) of a role on the way to a position; ``None`` at the start."""


def _leaves(tree: Tree, a: Role, b: Role) -> Iterator[tuple[LastMove, LastMove, float]]:
    """For every end: both roles' sequences, and chance × the payoff of ``a``."""

    def at(
        node: Node, last: dict[Role, LastMove], p: float
    ) -> Iterator[tuple[LastMove, LastMove, float]]:
        if node.at is None:
            yield last[a], last[b], p * node.payoffs[a]
            return
        for answer, child in node.children.items():
            role = node.at.observation.role
            yield from at(child, {**last, role: (node.at.key, answer)}, p)

    for p, root in tree.roots:
        yield from at(root, {a: None, b: None}, p)


def _sequences(
    tree: Tree, role: Role
) -> tuple[dict[LastMove, int], dict[tuple[Role, View], LastMove]]:
    """The index of every sequence of ``role``, and the sequence that leads to each of its sets."""
    index: dict[LastMove, int] = {None: 0}
    parent: dict[tuple[Role, View], LastMove] = {}

    def at(node: Node, last: LastMove) -> None:
        if node.at is None:
            return
        own = node.at.observation.role == role
        if own:
            parent.setdefault(node.at.key, last)
        for answer, child in node.children.items():
            here = (node.at.key, answer) if own else last
            index.setdefault(here, len(index))
            at(child, here)

    for _, root in tree.roots:
        at(root, None)
    return index, parent


def _maximin(tree: Tree, a: Role, b: Role) -> tuple[float, Strategy]:
    """The plan of ``a`` that maximises its payoff against the best reply of ``b``.

    maximise v_root  over plans x ≥ 0 with x(∅) = 1, Σ_answers x(set, answer) = x(parent of set),
    where for every sequence s of b:  v(set of s) − Σ_{sets after s} v ≤ Σ_ends A[·, s] x.
    """
    xs, x_parent = _sequences(tree, a)
    ys, y_parent = _sequences(tree, b)
    y_sets = {key: len(xs) + 1 + i for i, key in enumerate(y_parent)}  # columns; v_root before them
    root = len(xs)
    columns = root + 1 + len(y_sets)
    bound = lil_matrix((len(ys), columns))  # bound @ z <= 0
    for s, row in ys.items():
        bound[row, root if s is None else y_sets[s[0]]] = 1.0
    for key, s in y_parent.items():
        bound[ys[s], y_sets[key]] -= 1.0
    for x, y, payoff in _leaves(tree, a, b):
        bound[ys[y], xs[x]] -= payoff
    flow = lil_matrix((1 + len(x_parent), columns))
    flow[0, 0] = 1.0
    for row, (key, s) in enumerate(x_parent.items(), start=1):
        flow[row, xs[s]] -= 1.0
        for answer in tree.sets[key].observation.legal or ():
            flow[row, xs[key, answer]] += 1.0
    right = np.zeros(1 + len(x_parent))
    right[0] = 1.0
    goal = np.zeros(columns)
    goal[root] = -1.0
    limits = [(0.0, None)] * len(xs) + [(None, None)] * (columns - len(xs))
    found = linprog(goal, bound.tocsr(), np.zeros(len(ys)), flow.tocsr(), right, limits)
    if not found.success:
        raise RuntimeError(f"the linear program failed: {found.message}")
    return float(-found.fun), _normalised(found.x, xs, x_parent, tree)


def _normalised(
    plan: np.ndarray,
    index: dict[LastMove, int],
    parent: dict[tuple[Role, View], LastMove],
    tree: Tree,
) -> Strategy:
    """Probabilities at each information set from a realisation plan; uniform where unreached."""
    strategy = {}
    for key in parent:
        observation = tree.sets[key].observation
        weights = {a: max(plan[index[key, a]], 0.0) for a in observation.legal or ()}
        total = sum(weights.values())
        reached = total > 1e-12
        strategy[key] = (
            {a: w / total for a, w in weights.items()} if reached else uniform(observation)
        )
    return strategy

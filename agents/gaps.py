"""What a strategy loses, information set by information set, for many strategies at once.

With Q*_I(a) the value to role i of answering a at its information set I and going on with a best
response, weighted by chance and the others' probabilities of coming there, and x_I the
probability that i's own answers lead there,

    loss_I = x_I · ( max_a Q*_I(a) − Σ_a π(a | I) · Q*_I(a) )        Σ_I of i: loss_I = BR_i − u_i

(the performance difference lemma of Kakade & Langford 2002, for the best response of one role).
So the losses of all sets add up to NashConv. Strategies are arrays: [R, A] at each set, R
strategies and A legal answers in their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sparring.envs.core import Role, View
from sparring.envs.solve import Node, Strategy, Tree

Key = tuple[Role, View]
Array = NDArray[np.float64]
Strategies = Mapping[Key, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """At one information set, arrays [R]: ``reach`` is the probability that a game of the strategy
    against itself comes there, the product of ``own``, the role's own part of it, and ``others``,
    that of chance and the others. ``loss``: what a best response would gain by answering better
    there, in the payoff unit."""

    own: Array
    others: Array
    loss: Array

    @property
    def reach(self) -> Array:
        return self.own * self.others


def stacked(tree: Tree, strategy: Strategy) -> dict[Key, Array]:
    """One strategy as arrays [1, A]."""
    return {
        key: np.array([[strategy[key].get(a, 0.0) for a in info.observation.legal or ()]])
        for key, info in tree.sets.items()
    }


def gaps(tree: Tree, strategies: Strategies) -> dict[Key, Gap]:
    """The gap at every information set, in the tree's order."""
    found: dict[Key, Gap] = {}
    for role in tree.game.roles:
        found |= _One(tree, strategies, role).gaps()
    return {key: found[key] for key in tree.sets}


def nash_convs(tree: Tree, strategies: Strategies) -> Array:
    """NashConv of every strategy: [R]."""
    total: Array = sum((gap.loss for gap in gaps(tree, strategies).values()), np.zeros(1))
    return total


@dataclass(slots=True, eq=False)
class _One:
    """The best responses of one role: ``members`` of its sets with the others' weight [R] each,
    ``own`` its own probability of coming there [R], ``plays`` the best answer's index [R]."""

    tree: Tree
    strategies: Strategies
    role: Role
    members: dict[Key, list[tuple[Node, Array]]] = field(default_factory=dict)
    own: dict[Key, Array] = field(default_factory=dict)
    plays: dict[Key, NDArray[np.intp]] = field(default_factory=dict)
    known: dict[int, Array] = field(default_factory=dict)  # value by the node's identity

    def gaps(self) -> dict[Key, Gap]:
        r = len(next(iter(self.strategies.values())))
        for p, root in self.tree.roots:
            self._reach(root, np.full(r, p), np.ones(r))
        found = {}
        for key, here in self.members.items():
            q = self._worth(key)
            lost = q.max(axis=1) - (self.strategies[key] * q).sum(axis=1)
            others = np.sum([weight for _, weight in here], axis=0)
            own = self.own[key]
            found[key] = Gap(own, others, own * np.maximum(lost, 0.0))
        return found

    def _reach(self, node: Node, weight: Array, own: Array) -> None:
        if node.at is None:
            return
        key = node.at.key
        mine = node.at.observation.role == self.role
        if mine:
            self.members.setdefault(key, []).append((node, weight))
            self.own[key] = own  # recall is perfect: the same at every member
        for column, child in zip(self.strategies[key].T, node.children.values(), strict=True):
            self._reach(child, weight if mine else weight * column, own * column if mine else own)

    def _worth(self, key: Key) -> Array:
        """Q*: [R, A]."""
        total = 0.0
        for node, weight in self.members[key]:
            after = [self._value(child) for child in node.children.values()]
            total = total + weight[:, None] * np.stack(np.broadcast_arrays(weight, *after)[1:], 1)
        return np.asarray(total)

    def _value(self, node: Node) -> Array:
        """To the role, from here on, with its best response: [R], or [1] at an end."""
        if node.at is None:
            return np.array([node.payoffs[self.role]])
        if id(node) not in self.known:
            self.known[id(node)] = self._follow(node)
        return self.known[id(node)]

    def _follow(self, node: Node) -> Array:
        assert node.at is not None
        key = node.at.key
        after = [self._value(child) for child in node.children.values()]
        if node.at.observation.role != self.role:
            columns = self.strategies[key].T
            return np.asarray(sum(p * v for p, v in zip(columns, after, strict=True)))
        if key not in self.plays:
            self.plays[key] = self._worth(key).argmax(axis=1)
        index = self.plays[key]
        rows = np.stack(np.broadcast_arrays(index, *after)[1:])
        chosen: Array = np.take_along_axis(rows, index[None], axis=0)[0]
        return chosen

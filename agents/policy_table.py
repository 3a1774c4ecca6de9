"""A policy as a table that people can read: what it holds, what was said, what it does, how likely.

"holding J, after a check: bets 31 % (equilibrium: 33 %)"
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.agents.gaps import gaps, stacked
from sparring.agents.optimal import kuhn_equilibrium
from sparring.agents.wording import does, percent, percentages, situation
from sparring.envs.core import BadInput, Role, Sum, View
from sparring.envs.equilibrium import equilibrium as solve
from sparring.envs.solve import Strategy, Tree

BOLD = ("bet", "raise", "call")
"""Of two answers the one that is named, as poker players do: the other's probability follows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One information set.

    ``view``: all that the role has seen; ``situation``: the same in words, without the rules.
    ``chances``: of each legal answer. ``equilibrium``: those of an equilibrium; ``None`` where none
    is known or its own answers do not lead here. ``reach``: the probability that a game of the
    policy against itself comes here. ``loss``: what a best response would gain here, in the payoff
    unit; over all rows the losses add up to NashConv.
    """

    role: Role
    view: View
    situation: str
    chances: Mapping[str, float]
    equilibrium: Mapping[str, float] | None
    reach: float
    loss: float


@dataclass(frozen=True, slots=True)
class Reference:
    """An equilibrium to compare with, and which one it is; sets that it does not come to by its own
    answers are left out."""

    strategy: Strategy
    note: str


def rows(tree: Tree, strategy: Strategy, equilibrium: Strategy | None = None) -> list[Row]:
    """One row for each information set: by role, by what has been said, by what the role holds."""
    found = gaps(tree, stacked(tree, strategy))
    made = []
    for (role, view), gap in found.items():
        chances = {
            answer: float(strategy[role, view].get(answer, 0.0))
            for answer in tree.sets[role, view].observation.legal or ()
        }
        known = (equilibrium or {}).get((role, view))
        if known is not None:
            known = {answer: float(known.get(answer, 0.0)) for answer in chances}
        words = situation(view, tree.game.roles)
        made.append(Row(role, view, words, chances, known, float(gap.reach[0]), float(gap.loss[0])))
    first_seen: dict[str, int] = {}  # J, Q, K: in the order in which the game lists them
    for _, view in tree.sets:
        for message in view:
            first_seen.setdefault(message.text, len(first_seen))

    def place(row: Row) -> tuple[int, int, list[int], list[int]]:
        """What a role holds mostly comes second, after the rules."""
        texts = [first_seen[message.text] for message in row.view[1:]]
        return tree.game.roles.index(row.role), len(texts), texts[1:], texts[:1]

    return sorted(made, key=place)


def reference(tree: Tree, strategy: Strategy) -> Reference | None:
    """The equilibrium to read ``strategy`` beside; ``None`` where none is known.

    Kuhn poker's equilibria are a family, and the nearest is taken: α is the probability with which
    ``strategy`` bets a jack as the first player, brought into [0, 1/3]. Of other two-player
    zero-sum games it is one equilibrium, by linear programming, and there may be others.
    """
    game = tree.game
    if game.name == "KuhnPoker-v0" and len(game.roles) == 2:
        jacks = [
            key
            for key in tree.sets
            if key[0] == game.roles[0] and key[1][-1].text == "Your card: J"
        ]
        first = min(jacks, key=lambda key: len(key[1]))  # in the first hand of a match
        alpha = min(max(strategy[first].get("bet", 0.0), 0.0), 1 / 3)
        note = f"the nearest of Kuhn's equilibria, α = {alpha:.3g}"
        return Reference(tree.table(kuhn_equilibrium(alpha)), note)
    if len(game.roles) != 2 or game.declares.sum is not Sum.ZERO:
        return None
    try:
        found = solve(tree).strategy
    except (BadInput, RuntimeError):
        return None
    reached = gaps(tree, stacked(tree, found))
    own = {key: p for key, p in found.items() if reached[key].own[0] > 1e-9}
    return Reference(own, "one equilibrium; there may be others")


def sentence(row: Row) -> str:
    """The row in one line, without its role, reach and loss."""
    said, right = row.chances, row.equilibrium
    if len(said) == 2:
        named = next((answer for answer in said if answer in BOLD), next(iter(said)))
        beside = "" if right is None else f" (equilibrium: {percent(right[named])})"
        return f"{row.situation}: {does(named)} {percent(said[named])}{beside}"
    beside = "" if right is None else f" (equilibrium: {percentages(right)})"
    return f"{row.situation}: {percentages(said)}{beside}"

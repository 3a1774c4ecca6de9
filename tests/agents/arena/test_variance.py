"""What duplicate deals are worth: exact variances of Kuhn poker, from its tree, and a match's own.

Var: of one agent's payoff, a game. *Single*: a game from either seat, by chance. *Swapped*: two
games, one from each seat, of different deals; *duplicate*: of the same deal. The variance of a mean
of two games counts twice, so that all three are for the same number of games.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping

import polars as pl
import pytest

from sparring.agents.arena.estimates import quantile
from sparring.agents.arena.schedule import Contest, RoundRobin
from sparring.agents.arena.summary import summarise
from sparring.agents.arena.tournament import play
from sparring.agents.optimal import PolicyAgent, kuhn_equilibrium
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.solve import Node, Policy, Tree, uniform, walk

Chances = Mapping[float, float]
"""How likely each payoff is."""

KUHN = walk(KuhnPoker())


def paid(tree: Tree, policies: Mapping[str, Policy], role: str) -> list[tuple[float, Chances]]:
    """Of each deal: its probability, and how likely each payoff of ``role`` is on it."""

    def at(node: Node, weight: float, found: Counter[float]) -> Counter[float]:
        if node.at is None:
            found[node.payoffs[role]] += weight
            return found
        observation = node.at.observation
        for answer, p in policies[observation.role](observation).items():
            if p:
                at(node.children[answer], weight * p, found)
        return found

    return [(p, at(root, 1.0, Counter())) for p, root in tree.roots]


def pairs(one: Policy, two: Policy, *, duplicate: bool) -> Chances:
    """How likely each mean payoff of ``one`` over two games is, one from each seat."""
    a, b = KUHN.game.roles
    first = paid(KUHN, {a: one, b: two}, a)
    second = paid(KUHN, {a: two, b: one}, b)
    deals = [(p, x, y) for (p, x), (_, y) in zip(first, second, strict=True)]
    if not duplicate:
        deals = [(p * q, x, y) for p, x in first for q, y in second]
    found: Counter[float] = Counter()
    for p, x_chances, y_chances in deals:
        for x, px in x_chances.items():
            for y, py in y_chances.items():
                found[(x + y) / 2] += p * px * py
    return found


def single(one: Policy, two: Policy) -> Chances:
    a, b = KUHN.game.roles
    found: Counter[float] = Counter()
    for seats, role in (({a: one, b: two}, a), ({a: two, b: one}, b)):
        for p, chances in paid(KUHN, seats, role):
            for x, px in chances.items():
                found[x] += p * px / 2
    return found


def moment(chances: Chances, power: int) -> float:
    assert math.isclose(sum(chances.values()), 1)
    mean = sum(x * p for x, p in chances.items())
    return sum((x - mean) ** power * p for x, p in chances.items())


def variance(chances: Chances) -> float:
    return moment(chances, 2)


EQ, FIFTH = kuhn_equilibrium(0), kuhn_equilibrium(1 / 5)

EXACT = {
    # single, swapped with fresh deals, duplicate, duplicate / single
    # (alpha is 0, then 1/5)
    "equilibrium v uniform": (EQ, uniform, 1.8210, 1.8179, 0.4961, 0.272),
    "equilibrium v equilibrium": (FIFTH, FIFTH, 1.6556, None, 0.3378, 0.204),
    "uniform v uniform": (uniform, uniform, 2.1250, None, 1.1094, 0.522),
}


@pytest.mark.parametrize("match", EXACT)
def test_duplicate_deals_cut_the_variance_to_the_exact_ratios(match: str) -> None:
    one, two, alone, swapped, duplicate, ratio = EXACT[match]
    found = variance(single(one, two))
    assert found == pytest.approx(alone, abs=5e-5)
    twice = 2 * variance(pairs(one, two, duplicate=True))
    assert twice == pytest.approx(duplicate, abs=5e-5)
    assert twice / found == pytest.approx(ratio, abs=5e-4)
    if swapped is not None:
        assert 2 * variance(pairs(one, two, duplicate=False)) == pytest.approx(swapped, abs=5e-5)


def test_a_sampled_match_has_that_variance() -> None:
    """Of 1,500 played deals, the variance of their means and the width of the summary's interval;
    a sample variance of D values has the standard error √((μ₄ − σ⁴)/D)."""
    deals = 1500
    agents = {"equilibrium": PolicyAgent("equilibrium", EQ), "uniform": PolicyAgent("u", uniform)}
    contest = Contest(KuhnPoker(), agents)
    table = asyncio.run(play([contest], RoundRobin(2 * deals), seed=0))
    own = table.filter(pl.col("agent") == "equilibrium")
    means = own.group_by("deal").agg(pl.col("payoff").mean())["payoff"]
    exact = pairs(EQ, uniform, duplicate=True)
    error = math.sqrt((moment(exact, 4) - variance(exact) ** 2) / deals)
    assert means.var() == pytest.approx(variance(exact), abs=3 * error)
    found = summarise(table, {contest.spec: "zero-sum"}).games[contest.spec]
    shown = found.cross["equilibrium"]["uniform"]
    half = quantile(deals) * math.sqrt(variance(exact) / deals)
    assert (shown.high - shown.low) / 2 == pytest.approx(half, rel=0.1)
    truth = sum(x * p for x, p in exact.items())
    assert shown.mean == pytest.approx(truth, abs=2 * half), "four standard errors"
    # the games of a deal as if they were independent: an interval twice as wide as it need be
    loose = summarise(table.with_columns(deal=pl.col("index")), {contest.spec: "zero-sum"})
    wide = loose.games[contest.spec].cross["equilibrium"]["uniform"]
    ratio = (shown.high - shown.low) / (wide.high - wide.low)
    assert ratio == pytest.approx(math.sqrt(0.272), rel=0.1)

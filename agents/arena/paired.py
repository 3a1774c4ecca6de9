"""Is one agent better than another? Compared on the same deals against the same third agents."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from scipy.stats import t as student

from sparring.agents.arena.estimates import Estimate, quantile, ratios


@dataclass(frozen=True, slots=True)
class Paired:
    """Two agents on the same deals against the same third agents: the mean difference of their
    payoffs (``one`` − ``two``), and the two-sided p-value of 0, Holm-adjusted over all pairs."""

    one: str
    two: str
    difference: Estimate
    p: float


def paired(rows: pl.DataFrame, order: Sequence[str]) -> tuple[Paired, ...]:
    """All pairs of agents, the first of ``order`` as ``one``, that have third agents and deals in
    common.

    On each deal, and for each third agent, the two agents' mean payoffs against it are subtracted:
    the luck of the deal and the strength of the third agent fall out. The differences are averaged
    over deals and third agents, clustered by deal. Where there are but two agents the match itself
    is tested: the difference of their payoffs in their games with each other.
    """
    rank = {name: at for at, name in enumerate(order)}
    means = (
        rows.group_by("deal", "agent", "opponent", maintain_order=True)
        .agg(pl.col("payoff").mean())
        .with_columns(pl.col("agent").replace_strict(rank, return_dtype=pl.Int64).alias("rank"))
    )
    on = ["deal"] if len(order) == 2 else ["deal", "opponent"]
    differences = (
        means.join(means, on=on, maintain_order="left_right")
        .filter(pl.col("rank") < pl.col("rank_right"))
        .select(
            "deal",
            pl.col("agent").alias("one"),
            pl.col("agent_right").alias("two"),
            (pl.col("payoff") - pl.col("payoff_right")).alias("value"),
            pl.lit(1.0).alias("weight"),
        )
    )
    found = ratios(differences, "one", "two")
    adjusted = holm([p_value(difference) for difference in found.values()])
    tested = [
        Paired(one, two, difference, p)
        for ((one, two), difference), p in zip(found.items(), adjusted, strict=True)
    ]
    return tuple(sorted(tested, key=lambda test: (rank[test.one], rank[test.two])))


def p_value(found: Estimate) -> float:
    """Two-sided, of a true mean of 0: Student's t. Where all n clusters say exactly the same there
    is no spread to measure with, and the sign test is left: 2^(1 − n)."""
    if found.mean == 0 or found.clusters < 2:
        return 1.0
    error = (found.high - found.mean) / quantile(found.clusters)
    if error <= 1e-12 * abs(found.mean):
        return float(2.0 ** (1 - found.clusters))
    return float(2 * student.sf(abs(found.mean) / error, found.clusters - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjustment: the i-th smallest of m is multiplied by m + 1 − i, never
    below the one before it and never above 1."""
    m = len(p_values)
    adjusted, least = [0.0] * m, 0.0
    for i, at in enumerate(sorted(range(m), key=lambda at: p_values[at])):
        least = max(least, min(1.0, (m - i) * p_values[at]))
        adjusted[at] = least
    return adjusted

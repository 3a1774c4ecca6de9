"""A Swiss tournament: agents of like score meet, so that many agents need few games."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import networkx
import polars as pl

from sparring.agents.arena.schedule import Batch, Contest, Pairing, check_games
from sparring.envs.core import BadInput, Sum

FAR = 1e6  # more than any sum of squared differences of rank


@dataclass(frozen=True, slots=True)
class Swiss:
    """``rounds`` rounds in which agents of like score meet, nobody twice if that can be avoided.

    A score is the share of points in what was played so far: 1 for each game in which the agent's
    side got more than the other agent's, ½ for equal. Each meeting is ``games`` games of each game
    of the tournament. With an odd number of agents one sits out, the lowest that has not yet.
    """

    rounds: int
    games: int

    def __post_init__(self) -> None:
        check_games(self.games)
        if self.rounds < 1:
            raise BadInput(f"a Swiss tournament has at least 1 round, not {self.rounds}")

    def plan(self, contests: Sequence[Contest], round: int, table: pl.DataFrame) -> Sequence[Batch]:
        if round == self.rounds:
            return []
        for contest in contests:
            if contest.game.declares.sum is Sum.COOPERATIVE:
                raise BadInput(f"{contest.spec} has no winners; play it with --system round-robin")
        agents = list(contests[0].agents)
        met = {frozenset(pair) for pair in table.select("agent", "opponent").unique().iter_rows()}
        sat_out = _sat_out(agents, table)
        order = sorted(agents, key=lambda a: (-_points(table, a), agents.index(a)))
        if len(order) % 2:
            resting = min(reversed(order), key=lambda a: sat_out[a])
            order.remove(resting)
        half = self.games // 2
        deals = range(round * half, (round + 1) * half)
        pairings = _neighbours(order, met)
        return [Batch(contest, pairings, deals) for contest in contests]


def _points(table: pl.DataFrame, agent: str) -> float:
    """The agent's share of points; ½ before its first game."""
    games = (
        table.filter(pl.col("rated") & (pl.col("end") != "void"))
        .group_by("game", "index")
        .agg(
            pl.col("payoff").filter(pl.col("agent") == agent).mean().alias("own"),
            pl.col("payoff").filter(pl.col("agent") != agent).mean().alias("other"),
        )
        .drop_nulls()
    )
    if games.is_empty():
        return 0.5
    return float(((games["own"] - games["other"]).sign().mean() or 0.0) / 2 + 0.5)  # type: ignore[operator]


def _sat_out(agents: Sequence[str], table: pl.DataFrame) -> dict[str, int]:
    """How many rounds each agent was not in."""
    rounds = table["round"].n_unique()
    played = dict(table.group_by("agent").agg(pl.col("round").n_unique()).iter_rows())
    return {agent: rounds - played.get(agent, 0) for agent in agents}


def _neighbours(order: Sequence[str], met: Collection[frozenset[str]]) -> list[Pairing]:
    """Pairs close in ``order``: the matching with the fewest second meetings, and among those the
    least sum of squared differences of rank."""
    graph = networkx.Graph()
    for j, two in enumerate(order):
        for i, one in enumerate(order[:j]):
            cost = (j - i) ** 2 + FAR * (frozenset((one, two)) in met)
            graph.add_edge(i, j, weight=-cost)
    pairs = networkx.max_weight_matching(graph, maxcardinality=True)
    return [(order[min(pair)], order[max(pair)]) for pair in sorted(map(sorted, pairs))]

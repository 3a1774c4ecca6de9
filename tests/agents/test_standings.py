"""A round robin: the same deals for every pair, scores clustered by deal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from sparring.agents.core import Agent
from sparring.agents.match import match
from sparring.agents.optimal import optimal
from sparring.agents.random import RandomAgent
from sparring.agents.standings import Standings, round_robin
from sparring.envs.core import Action, BadInput, Observation
from sparring.envs.games.kuhn import KuhnPoker

KUHN = KuhnPoker()


@dataclass(frozen=True)
class Always:
    """Plays the first or the last legal answer."""

    name: str
    at: int

    async def act(self, observation: Observation) -> Action:
        assert observation.legal
        return Action(observation.legal[self.at])


def ran(agents: Sequence[Agent], games: int = 200) -> Standings:
    return asyncio.run(round_robin(KUHN, agents, games=games, seed=3))


def test_a_pair_of_a_round_robin_is_a_match() -> None:
    agents = [RandomAgent(), optimal(KUHN.name), Always("first", 0)]
    found = ran(agents)
    assert found.names == ("random", agents[1].name, "first")
    for (i, j), pair in found.pairs.items():
        alone = asyncio.run(match(KUHN, agents[i], agents[j], games=200, seed=3))
        assert pair == alone
        assert found.payoff(i, j) == pair.payoff.mean == -found.payoff(j, i)


def test_scores_worked_out_by_hand() -> None:
    """Deterministic agents: their payoffs on each deal follow from the cards alone."""
    bets, checks = Always("bets", 1), Always("checks", 0)  # bets and folds; checks and calls
    found = ran([bets, checks, checks], games=400)
    # two who play alike from both seats of a deal share it evenly
    assert found.pairs[1, 2].payoff.mean == 0.0
    assert found.scores[0].clusters == 200
    by_deal = found.pairs[0, 1].payoff
    assert found.scores[0].mean == pytest.approx(by_deal.mean)
    assert found.scores[0] == by_deal, "twice the same opponent adds no information"
    assert found.scores[1].mean == pytest.approx(-by_deal.mean / 2)
    assert sum(score.mean for score in found.scores) == pytest.approx(0.0)


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="at least two agents, not 1"):
        ran([RandomAgent()])
    with pytest.raises(BadInput, match="even number"):
        ran([RandomAgent(), RandomAgent()], games=3)


def test_the_interval_counts_deals() -> None:
    found = ran([RandomAgent(), RandomAgent(), RandomAgent()], games=100)
    assert all(score.clusters == 50 for score in found.scores)

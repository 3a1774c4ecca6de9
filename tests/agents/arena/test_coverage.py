"""The blind check: tournaments of known strengths, and how often the intervals hold the truth."""

import numpy as np
import polars as pl
import pytest

from sparring.agents.arena.simulation import GAME, Setting, simulate
from sparring.agents.arena.summary import GameSummary, summarise

TOURNAMENTS = 200
SETTING = Setting(elo=(150, 90, 30, -30, -90, -150), deals=50, seat=100, shared=0.8)


def shown(table: pl.DataFrame, seed: int = 0) -> GameSummary:
    """The summary, without Nash averaging and alpha-rank: they promise no coverage."""
    return summarise(table, {GAME: "general-sum"}, seed=seed).games[GAME]


def test_a_simulated_table_is_what_it_says() -> None:
    """Every pair twice a deal; frequencies as Bradley-Terry has them; a deal's games hang
    together, and no win is anybody's but the winner's."""
    setting = Setting((100, 0, -50), 20_000, 100, 0.8)
    table = simulate(setting, np.random.default_rng(0))
    assert table.group_by("deal", "agent", "opponent").len()["len"].unique().to_list() == [2]
    assert table.group_by("index").agg(pl.col("payoff").sum())["payoff"].unique().to_list() == [0.0]
    first = table.filter(pl.col("seat") == 0).with_columns(pl.col("payoff") > 0)
    won = {
        (a, b): v
        for a, b, v in first.group_by("agent", "opponent").agg(pl.col("payoff").mean()).iter_rows()
    }
    truth = setting.wins()
    for (one, two), share in won.items():
        i, j = setting.agents.index(one), setting.agents.index(two)
        assert share == pytest.approx(truth[i, j], abs=0.012), "3.4 standard errors"
    assert truth[0, 1] == pytest.approx(1 / (1 + 10 ** (-200 / 400)))
    assert setting.payoffs() == pytest.approx(-setting.payoffs().T)
    by_deal = first.group_by("deal").agg(pl.col("payoff").mean())["payoff"]
    loose = simulate(Setting((100, 0, -50), 20_000, 100, 0.0), np.random.default_rng(0))
    free = loose.filter(pl.col("seat") == 0).group_by("deal").agg((pl.col("payoff") > 0).mean())
    assert float(by_deal.var()) > 3 * float(free["payoff"].var())  # type: ignore[arg-type]


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    """Duplicate deals of strong luck, seats of 100 Elo: 93 to 97 % for payoffs and for ratings.

    Payoffs of 15 pairs and ratings of 6 agents in 200 tournaments: one standard error of the
    observed share is about 0.7 %.
    """
    payoffs, ratings = SETTING.payoffs(), SETTING.ratings()
    covered: dict[str, list[bool]] = {"payoff": [], "rating": []}
    for number in range(TOURNAMENTS):
        found = shown(simulate(SETTING, np.random.default_rng(number)), seed=number)
        assert found.ratings is not None
        for i, one in enumerate(SETTING.agents):
            rating = found.ratings[one]
            covered["rating"].append(rating.low <= ratings[i] <= rating.high)
            for j, two in enumerate(SETTING.agents[:i]):
                pair = found.cross[one][two]
                covered["payoff"].append(pair.low <= payoffs[i, j] <= pair.high)
    shares = {what: np.mean(seen) for what, seen in covered.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares

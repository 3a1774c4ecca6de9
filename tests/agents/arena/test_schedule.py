"""Who plays whom: duplicate deals, splits of sides and teams, Swiss rounds."""

import asyncio
from collections import Counter
from itertools import combinations, pairwise

import polars as pl
import pytest

from sparring.agents.arena.schedule import Contest, RoundRobin, fixtures, splits
from sparring.agents.arena.swiss import Swiss
from sparring.agents.arena.table import SCHEMA
from sparring.agents.arena.tournament import play
from sparring.agents.random import RandomAgent
from sparring.envs import game
from sparring.envs.core import BadInput

EMPTY = pl.DataFrame(schema=SCHEMA)


def contest(spec: str, *names: str, **seats: str) -> Contest:
    fixed = {role: RandomAgent(name) for role, name in seats.items()}
    return Contest(game(spec), {name: RandomAgent(name) for name in names}, fixed)


def test_every_deal_is_played_from_both_seats() -> None:
    kuhn = contest("KuhnPoker-v0", "a", "b")
    planned = list(fixtures(kuhn, [("a", "b")], range(20), seed=3))
    assert len(planned) == 40
    for one, other in zip(planned[0::2], planned[1::2], strict=True):
        assert one.seed == other.seed, "the same deal"
        assert one.luck != other.luck
        assert one.names == {"player_0": "a", "player_1": "b"}
        assert other.names == {"player_0": "b", "player_1": "a"}
    assert len({f.seed for f in planned}) == 20
    assert planned == list(fixtures(kuhn, [("a", "b")], range(20), seed=3))
    assert planned[0].seed != next(fixtures(kuhn, [("a", "b")], range(1), seed=4)).seed


def test_all_pairings_play_the_same_deals_and_none_changes_when_an_agent_is_added() -> None:
    two = contest("KuhnPoker-v0", "a", "b")
    three = contest("KuhnPoker-v0", "a", "b", "c")
    few = list(fixtures(two, two.pairings(), range(5), seed=0))
    many = list(fixtures(three, three.pairings(), range(5), seed=0))
    assert {f.seed for f in few} == {f.seed for f in many}
    assert [f.luck for f in few] == [f.luck for f in many if f.pairing == ("a", "b")]


@pytest.mark.parametrize("n", range(1, 7))
def test_splits_and_their_exchanges_are_all_seatings(n: int) -> None:
    sides = {f"player_{i}" for i in range(n)}
    found = splits(sides)
    both = {s for split in found for s in (split, frozenset(sides - split))}
    wanted = {frozenset(c) for k in range(1, n) for c in combinations(sides, k)}
    assert both == (wanted or {frozenset(), frozenset(sides)})
    assert len(found) == max(1, 2 ** (n - 1) - 1)
    sizes = [abs(2 * len(split) - n) for split in found]
    assert sizes == sorted(sizes), "even splits come first"


def test_three_players_take_every_seating_equally_often() -> None:
    kuhn = contest("KuhnPoker-v0(players=3)", "a", "b")
    planned = fixtures(kuhn, kuhn.pairings(), range(30), seed=0)
    seatings = Counter(tuple(f.names[role] for role in kuhn.game.roles) for f in planned)
    assert len(seatings) == 6
    assert set(seatings.values()) == {10}


def test_a_team_is_one_agent() -> None:
    avalon = contest("Avalon-v0", "a", "b")
    for fixture in fixtures(avalon, avalon.pairings(), range(10), seed=0):
        assert set(fixture.sides.values()) == {"good", "evil"}
        for one, two in combinations(avalon.game.roles, 2):
            together = fixture.sides[one] == fixture.sides[two]
            assert (fixture.names[one] == fixture.names[two]) == together
    spy = contest("WhoIsTheSpy-v0", "a", "b")
    for fixture in fixtures(spy, spy.pairings(), range(5), seed=0):
        assert sorted(Counter(fixture.sides.values()).items()) == [("civilian", 4), ("spy", 1)]


def test_a_fixed_seat_is_nobodys() -> None:
    debate = contest("Debate-v0", "a", "b", judge="j")
    planned = list(fixtures(debate, debate.pairings(), range(4), seed=0))
    assert all(set(f.names) == {"debater_0", "debater_1"} for f in planned)
    found = asyncio.run(play([debate], RoundRobin(8)))
    judged = found.filter(pl.col("role") == "judge")
    assert judged["agent"].unique().to_list() == ["j"]
    assert not judged["rated"].any()
    assert found.filter(pl.col("rated"))["agent"].unique().sort().to_list() == ["a", "b"]


def test_oneself_is_an_opponent_where_payoffs_do_not_add_up() -> None:
    assert contest("KuhnPoker-v0", "a", "b").pairings() == [("a", "b")]
    dilemma = contest("IteratedPrisonersDilemma-v0", "a", "b")
    assert dilemma.pairings() == [("a", "b"), ("a", "a"), ("b", "b")]
    found = asyncio.run(play([dilemma], RoundRobin(4)))
    alone = found.filter(pl.col("agent") == pl.col("opponent"))
    assert alone["index"].n_unique() == 4  # two agents, two deals, once each


def test_seat_swaps_are_all_there_is_between_the_games_of_a_deal() -> None:
    found = asyncio.run(play([contest("KuhnPoker-v0", "a", "b", "c")], RoundRobin(10)))
    assert found["index"].n_unique() == 30
    assert (found.group_by("index").agg(pl.col("payoff").sum())["payoff"] == 0).all()
    per_seat = found.group_by("agent", "seat").len()["len"]
    assert set(per_seat) == {10}


# -- Swiss ------------------------------------------------------------------------------------


def test_nobody_meets_twice_while_that_can_be_avoided() -> None:
    names = [f"agent{i}" for i in range(8)]
    found = asyncio.run(play([contest("KuhnPoker-v0", *names)], Swiss(rounds=7, games=4)))
    met = found.select("agent", "opponent").unique()
    assert len(met) == 8 * 7, "seven rounds of eight agents are a round robin"
    assert found["round"].n_unique() == 7
    assert found["deal"].n_unique() == 14, "every round has deals of its own"


def test_of_an_odd_number_everybody_sits_out_equally_often() -> None:
    names = [f"agent{i}" for i in range(5)]
    found = asyncio.run(play([contest("KuhnPoker-v0", *names)], Swiss(rounds=5, games=2)))
    rounds = found.group_by("agent").agg(pl.col("round").n_unique())["round"]
    assert set(rounds) == {4}


def test_like_meets_like() -> None:
    """After a round robin's worth of results, the next round pairs neighbours."""
    names = ["best", "good", "poor", "worst"]
    kuhn = contest("KuhnPoker-v0", *names)
    rows = []
    for index, (one, two) in enumerate([("best", "worst"), ("good", "poor")]):
        for agent, other, payoff in ((one, two, 1.0), (two, one, -1.0)):
            row = dict.fromkeys(SCHEMA)
            row |= {"game": kuhn.spec, "index": index, "round": 0, "deal": 0, "rated": True}
            row |= {"agent": agent, "opponent": other, "payoff": payoff, "end": "played"}
            rows.append(row)
    (batch,) = Swiss(3, 2).plan([kuhn], 1, pl.DataFrame(rows, schema=SCHEMA))
    assert sorted(map(sorted, batch.pairings)) == [["best", "good"], ["poor", "worst"]]
    assert batch.deals == range(1, 2)


def test_swiss_needs_winners_and_rounds() -> None:
    with pytest.raises(BadInput, match="no winners"):
        Swiss(2, 2).plan([contest("ReferenceGame-v0", "a", "b")], 0, EMPTY)
    with pytest.raises(BadInput, match="at least 1 round"):
        Swiss(0, 2)


def test_deals_are_fresh_in_every_game_and_seed() -> None:
    kuhn, leduc = (contest(s, "a", "b") for s in ("KuhnPoker-v0", "LeducPoker-v0"))
    seeds = [
        {f.seed for f in fixtures(c, [("a", "b")], range(50), seed=s)}
        for c, s in ((kuhn, 0), (kuhn, 1), (leduc, 0))
    ]
    assert all(len(each) == 50 for each in seeds)
    assert all(not one & two for one, two in pairwise(seeds))

"""Matches: duplicate deals in both seatings, and intervals that are as sure as they say."""

import asyncio
import math
from typing import Any

import pytest

from sparring.agents.arena.estimates import Estimate, estimate
from sparring.agents.match import fixtures, match, result
from sparring.agents.optimal import kuhn_equilibrium, optimal
from sparring.agents.random import RandomAgent
from sparring.envs.core import Action, BadInput, Episode, Observation, Role, Turn
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.solve import uniform, values, walk

KUHN = KuhnPoker()
A, B = KUHN.roles


class Named(RandomAgent):
    def __init__(self, name: str):
        object.__setattr__(self, "name", name)


def episode(
    payoff: float,
    *,
    forfeits: tuple[Role, ...] = (),
    legal: tuple[tuple[Role, bool], ...] = (),
    void: str | None = None,
) -> Episode:
    turns = tuple(Turn(Observation(role, ()), Action("x"), accepted=ok) for role, ok in legal)
    return Episode("g", 0, turns, {A: payoff, B: -payoff}, {}, {}, forfeits, void)


# -- intervals --------------------------------------------------------------------------------


def test_an_interval_worked_out_by_hand() -> None:
    # mean 2.5, s = sqrt(5/3), t(3) at 97.5 % is 3.1824463: half width t·s/2 = 2.0542603
    found = estimate([1, 2, 3, 4])
    assert (found.mean, found.clusters) == (2.5, 4)
    assert found.low == pytest.approx(2.5 - 2.0542603, abs=1e-6)
    assert found.high == pytest.approx(2.5 + 2.0542603, abs=1e-6)
    # t(3) at 95 % is 2.3533634
    narrower = estimate([1, 2, 3, 4], level=0.9)
    assert narrower.high == pytest.approx(2.5 + 2.3533634 * math.sqrt(5 / 3) / 2, abs=1e-6)
    # two values: s = |d|/sqrt 2, t(1) = 12.7062047, half width t·|d|/2
    assert estimate([0, 1]).high == pytest.approx(0.5 + 12.7062047 / 2, abs=1e-6)


def test_the_edges_of_an_estimate() -> None:
    assert estimate([3.0]) == Estimate(3.0, -math.inf, math.inf, 1)
    assert estimate([2.0] * 9) == Estimate(2.0, 2.0, 2.0, 9)
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
    assert str(estimate([2.0] * 9)) == "+2.0000 [+2.0000, +2.0000]"


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    tree = walk(KUHN)
    best, plain = tree.table(kuhn_equilibrium()), tree.table(uniform)
    truth = exact_over_both_seats(tree, best, plain)

    async def simulate() -> list[Estimate]:
        first, second = optimal(KUHN.name), RandomAgent()
        games = [match(KUHN, first, second, games=60, seed=s) for s in range(200)]
        return [(await game).payoff for game in games]

    held = [e.low <= truth <= e.high for e in asyncio.run(simulate())]
    assert 0.91 <= sum(held) / len(held) <= 0.99


# -- seatings ---------------------------------------------------------------------------------


def test_every_deal_is_played_from_both_seats() -> None:
    first, second = Named("first"), Named("second")
    planned = list(fixtures(KUHN, first, second, 40, seed=3))
    assert len(planned) == 40
    for one, other in zip(planned[0::2], planned[1::2], strict=True):
        assert one.seed == other.seed, "the same deal"
        assert one.luck != other.luck
        assert (one.seats[A], one.seats[B]) == (first, second)
        assert (other.seats[A], other.seats[B]) == (second, first)
    assert len({m.seed for m in planned}) == 20
    assert [(m.seed, m.luck) for m in fixtures(KUHN, first, second, 40, seed=3)] == [
        (m.seed, m.luck) for m in planned
    ]
    assert planned[0].seed != next(fixtures(KUHN, first, second, 2, seed=4)).seed


def test_a_result_counts_deals_and_not_games() -> None:
    # The first agent gets +2 and -2 on every deal: with clusters of one deal nothing varies.
    lucky = [episode(2.0), episode(2.0)] * 5
    found = result(KUHN, ("a", "b"), lucky)
    assert found.payoff == Estimate(0.0, 0.0, 0.0, 5)
    assert found.by_role == {A: Estimate(2.0, 2.0, 2.0, 5), B: Estimate(-2.0, -2.0, -2.0, 5)}
    assert found.games == 10
    # Means of the deals by hand: (1 + 1)/2 = 1, (2 + 0)/2 = 1, (-1 + 2)/2 = 1/2.
    mixed = [episode(p) for p in (1.0, -1.0, 2.0, 0.0, -1.0, -2.0)]
    assert result(KUHN, ("a", "b"), mixed).payoff == estimate([1.0, 1.0, 0.5])


def test_legal_shares_and_forfeits_belong_to_the_agent_and_not_to_the_seat() -> None:
    games = [
        episode(-2.0, forfeits=(A,), legal=((A, False),)),  # the first agent sits at A here
        episode(-2.0, forfeits=(A,), legal=((A, False),)),  # and the second here
        episode(0.0, legal=((A, True), (B, True))),
        episode(2.0, forfeits=(B,), legal=((A, True), (B, False))),
    ]
    found = result(KUHN, ("a", "b"), games)
    assert found.forfeits == (2, 1)
    assert found.legal == (1 / 3, 2 / 3)
    silent = result(KUHN, ("a", "b"), [episode(0.0), episode(0.0)])
    assert all(math.isnan(share) for share in silent.legal)


def test_a_void_game_takes_its_deal_out_and_is_counted() -> None:
    games = [
        episode(2.0),
        episode(-1.0),
        episode(0.0, void="no verdict"),
        episode(-2.0),  # the other half of the same deal
        episode(1.0),
        episode(0.0),
    ]
    found = result(KUHN, ("x", "y"), games)
    assert found.void == 1
    assert found.payoff.mean == pytest.approx(((2.0 + 1.0) / 2 + (1.0 - 0.0) / 2) / 2)
    assert found.payoff.clusters == 2
    with pytest.raises(BadInput, match=r"2 games were void \(no verdict\)"):
        result(KUHN, ("x", "y"), [episode(0.0, void="no verdict")] * 2)


# -- exact values -----------------------------------------------------------------------------


def exact_over_both_seats(tree: Any, first: Any, second: Any) -> float:
    """The mean payoff of the policy ``first`` against ``second``, half the games in each seat."""
    as_a = {key: (first if key[0] == A else second)[key] for key in tree.sets}
    as_b = {key: (first if key[0] == B else second)[key] for key in tree.sets}
    return (values(tree, as_a)[A] + values(tree, as_b)[B]) / 2


def test_a_match_finds_the_exact_value() -> None:
    tree = walk(KUHN)
    truth = exact_over_both_seats(tree, tree.table(kuhn_equilibrium()), tree.table(uniform))
    assert truth == pytest.approx(1 / 6, abs=1e-12)
    done: list[int] = []
    found = asyncio.run(
        match(KUHN, optimal(KUHN.name), RandomAgent(), games=3000, progress=done.append)
    )
    assert found.payoff.low <= truth <= found.payoff.high
    assert found.payoff.low > 0, "the better agent is seen to be better"
    assert found.payoff.clusters == 1500
    assert done == list(range(1, 3001))
    assert (found.names, found.game) == (("optimal", "random"), "KuhnPoker-v0")
    assert found.legal == (1.0, 1.0)
    assert found.forfeits == (0, 0)


def test_exchanging_the_agents_exchanges_the_sign() -> None:
    def run(*names: str) -> Estimate:
        agents = {"optimal": optimal(KUHN.name), "random": RandomAgent()}
        return asyncio.run(match(KUHN, *(agents[n] for n in names), games=2000)).payoff

    ours, theirs = run("optimal", "random"), run("random", "optimal")
    assert ours.low <= -theirs.mean <= ours.high


def test_the_same_seed_gives_the_same_result_however_many_play_at_once() -> None:
    def run(seed: int, at_once: int) -> Any:
        players = optimal(KUHN.name), RandomAgent()
        return asyncio.run(match(KUHN, *players, games=60, seed=seed, at_once=at_once))

    assert run(1, 1) == run(1, 1024)
    assert run(1, 1024) != run(2, 1024)


@pytest.mark.parametrize("games", [-2, 0, 1, 3, 999])
def test_an_odd_number_of_games_is_refused(games: int) -> None:
    with pytest.raises(BadInput, match=f"even.*{games}"):
        asyncio.run(match(KUHN, RandomAgent(), RandomAgent(), games=games))


def test_a_game_for_three_is_refused() -> None:
    class Three(KuhnPoker):
        roles = ("a", "b", "c")

    with pytest.raises(BadInput, match="3 roles"):
        asyncio.run(match(Three(), RandomAgent(), RandomAgent(), games=2))

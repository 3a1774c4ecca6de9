"""A match of two agents: exact values, the same seed, what cannot be played."""

import asyncio
import math
from typing import Any

import pytest

from sparring.agents.arena.estimates import Estimate
from sparring.agents.arena.match import match
from sparring.agents.optimal import kuhn_equilibrium, optimal
from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.reference_game import reference_game
from sparring.envs.solve import uniform, values, walk

KUHN = KuhnPoker()
A, B = KUHN.roles


def exact_over_both_seats(tree: Any, first: Any, second: Any) -> float:
    """The mean payoff of the policy ``first`` against ``second``, half the games in each seat."""
    as_a = {key: (first if key[0] == A else second)[key] for key in tree.sets}
    as_b = {key: (first if key[0] == B else second)[key] for key in tree.sets}
    return (values(tree, as_a)[A] + values(tree, as_b)[B]) / 2


def test_a_match_finds_the_exact_value() -> None:
    tree = walk(KUHN)
    truth = exact_over_both_seats(tree, tree.table(kuhn_equilibrium()), tree.table(uniform))
    assert truth == pytest.approx(1 / 6, abs=1e-12)
    done: list[tuple[int, int]] = []
    found = asyncio.run(
        match(
            KUHN,
            optimal(KUHN.name),
            RandomAgent(),
            games=3000,
            progress=lambda n, of: done.append((n, of)),
        )
    )
    assert found.payoff.low <= truth <= found.payoff.high
    assert found.payoff.low > 0, "the better agent is seen to be better"
    assert found.payoff.clusters == 1500
    assert done == [(n, 3000) for n in range(3001)]
    assert found.names == ("optimal", "random")
    assert found.opponent.mean == -found.payoff.mean
    assert set(found.by_side) == {A, B}
    assert (found.by_side[A].mean + found.by_side[B].mean) / 2 == pytest.approx(found.payoff.mean)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    tree = walk(KUHN)
    best, plain = tree.table(kuhn_equilibrium()), tree.table(uniform)
    truth = exact_over_both_seats(tree, best, plain)

    async def simulate() -> list[Estimate]:
        first, second = optimal(KUHN.name), RandomAgent()
        return [(await match(KUHN, first, second, games=60, seed=s)).payoff for s in range(200)]

    held = [e.low <= truth <= e.high for e in asyncio.run(simulate())]
    assert 0.91 <= sum(held) / len(held) <= 0.99


def test_exchanging_the_agents_exchanges_the_sign() -> None:
    def run(*names: str) -> Estimate:
        agents = {"optimal": optimal(KUHN.name), "random": RandomAgent()}
        return asyncio.run(match(KUHN, *(agents[n] for n in names), games=2000)).payoff

    ours, theirs = run("optimal", "random"), run("random", "optimal")
    errors = [(e.high - e.low) / 2 / 1.96 for e in (ours, theirs)]
    assert abs(ours.mean + theirs.mean) <= 3 * math.hypot(*errors)


def test_the_same_seed_gives_the_same_result_however_many_play_at_once() -> None:
    def run(seed: int, at_once: int) -> Any:
        players = optimal(KUHN.name), RandomAgent()
        return asyncio.run(match(KUHN, *players, games=60, seed=seed, at_once=at_once)).payoff

    assert run(1, 1) == run(1, 1024)
    assert run(1, 1024) != run(2, 1024)


def test_agents_of_the_same_name_are_told_apart() -> None:
    found = asyncio.run(match(KUHN, RandomAgent(), RandomAgent(), games=20))
    assert found.names == ("random", "random (2)")
    assert found.payoff.mean == -found.opponent.mean


def test_what_everybody_is_paid_alike_is_a_mean_of_both() -> None:
    found = asyncio.run(match(reference_game(), RandomAgent(), RandomAgent(), games=40))
    assert found.payoff == found.opponent
    assert found.summary.ratings is None


@pytest.mark.parametrize("games", [-2, 0, 1, 3, 999])
def test_an_odd_number_of_games_is_refused(games: int) -> None:
    with pytest.raises(BadInput, match=f"even.*{games}"):
        asyncio.run(match(KUHN, RandomAgent(), RandomAgent(), games=games))


def test_a_fixed_seat_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="no role 'judge'"):
        asyncio.run(
            match(KUHN, RandomAgent(), RandomAgent(), games=2, seats={"judge": RandomAgent()})
        )
    fixed = dict.fromkeys(KUHN.roles, RandomAgent())
    with pytest.raises(BadInput, match="every seat"):
        asyncio.run(match(KUHN, RandomAgent(), RandomAgent(), games=2, seats=fixed))

"""The Nash mixture of a pool: games with known equilibria, the matrix, phases, capacity."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from sparring.agents.exploitability.exact import report
from sparring.agents.optimal import PolicyAgent
from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput, Episode, Observation
from sparring.envs.games.iterated_prisoners_dilemma import IteratedPrisonersDilemma
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.rock_paper_scissors import RockPaperScissors
from sparring.envs.solve import best_response, walk
from sparring.training import weights
from sparring.training.assembly import deals_of
from sparring.training.measure import mixed_strategy
from sparring.training.opponents import matrix
from sparring.training.opponents.nash import Nash
from sparring.training.opponents.pool import Member, Pool
from sparring.training.player import Player

THROWS = ("rock", "paper", "scissors")
RPS = RockPaperScissors()
KUHN = KuhnPoker()


def always(*wanted: str, name: str = "") -> PolicyAgent:
    """Gives the first of ``wanted`` that is legal."""

    def choose(seen: Observation) -> Mapping[str, float]:
        return {next(answer for answer in wanted if answer in (seen.legal or ())): 1.0}

    return PolicyAgent(name or wanted[0], choose)


def throwers() -> list[PolicyAgent]:
    return [always(throw) for throw in THROWS]


def met(opponents: Nash, game: Any, number: int) -> list[str]:
    own = dict.fromkeys(game.roles, RandomAgent("learner"))
    luck = random.Random(0)
    opponents.begin()
    return [opponents.seat(game, own, luck).against for _ in range(number)]


def mixture(opponents: Nash, game: Any) -> dict[str, dict[str, float]]:
    found = opponents.mixture(game)
    return {role: {agent.name: w for w, agent in some} for role, some in found.items()}


@pytest.mark.parametrize(
    ("game", "weights"),
    [
        (RPS, (1 / 3, 1 / 3, 1 / 3)),
        # won with rock 1, paper 2, scissors 3: weights as scissors : rock : paper of what they pay
        (RockPaperScissors(rock=1, paper=2, scissors=3), (3 / 6, 1 / 6, 2 / 6)),
    ],
)
def test_pure_throws_and_a_learner_that_always_loses(
    learner: Player, game: RockPaperScissors, weights: tuple[float, ...]
) -> None:
    """The learner knows no word of this game and forfeits, so it has no weight."""
    opponents = Nash(Pool({"learner": learner}, fixed=throwers()), every=5, games=4)
    assert opponents.mixture(game) == {}
    names = met(opponents, game, 3000)
    expected = dict(zip(THROWS, weights, strict=True))
    for role in game.roles:
        assert mixture(opponents, game)[role] == pytest.approx(expected, abs=1e-6)
    for name, weight in expected.items():
        assert names.count(name) / len(names) == pytest.approx(weight, abs=0.04)
    assert opponents.metrics()["nash/value"] == pytest.approx(0, abs=1e-9)
    assert opponents.metrics()["nash/support"] == 3


def by_role(name: str, first: PolicyAgent, second: PolicyAgent) -> PolicyAgent:
    agents = dict(zip(KUHN.roles, (first, second), strict=True))
    return PolicyAgent(name, lambda seen: agents[seen.role].choose(seen))


def test_roles_have_mixtures_of_their_own(learner: Player) -> None:
    """Kuhn poker between a bold player (bets, calls) and a timid one (checks, folds), by hand.

    The timid one folds 1 chip to the bold one, in whatever seat; two of a kind are even over the
    deals. So bold is better in either role. One member is bold in the first role only, one in the
    second only: the first is the choice for the first role, the second for the second. A mixture
    of players that sit in both roles could not tell them apart: they are even with each other.
    """
    bold, timid = always("bet", "call"), always("check", "fold")
    fixed = [by_role("first", bold, timid), by_role("second", timid, bold)]
    pool = Pool({"learner": learner}, fixed=fixed)
    opponents = Nash(pool, every=5, games=6, deals=deals_of)
    met(opponents, KUHN, 1)
    names, found = opponents.matrix.payoffs(KUHN)
    assert names == ["first", "second", "learner@step-0"]  # the last knows no word: it forfeits
    assert found[:2, :2].tolist() == [[1.0, 0.0], [0.0, -1.0]]
    assert mixture(opponents, KUHN) == {"player_0": {"first": 1.0}, "player_1": {"second": 1.0}}
    own = dict.fromkeys(KUHN.roles, RandomAgent("learner"))
    for seed in range(20):
        seating = opponents.seat(KUHN, own, random.Random(seed))
        assert seating.against == ("second" if seating.learning == {"player_0"} else "first")
    mixed = asyncio.run(mixed_strategy(walk(KUHN), opponents.mixture(KUHN)))
    for chances in mixed.values():
        assert {answer for answer, p in chances.items() if p} <= {"bet", "call"}


def test_the_matrix_is_extended_and_its_games_are_counted(learner: Player) -> None:
    opponents = Nash(Pool({"learner": learner}, fixed=throwers()), every=2, games=5)
    met(opponents, RPS, 1)
    assert opponents.metrics()["matrix/games"] == 16 * 5  # every cell of four members
    before = dict(opponents.matrix.cells["RockPaperScissors-v0"])
    for step in (1, 2):
        opponents.updated(step)
    assert opponents.metrics()["matrix/games"] == 25 * 5, "nine cells more"
    after = opponents.matrix.cells["RockPaperScissors-v0"]
    assert {pair: u for pair, u in after.items() if pair in before} == before
    assert len(after) == 25
    assert after["paper", "rock"] == 1
    assert after["rock", "paper"] == -1
    assert after["rock", "rock"] == 0


def test_void_games_do_not_count(learner: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    play_all = matrix.play_all

    async def half_void(matches: Any, **options: Any) -> list[Episode]:
        found = await play_all(matches, **options)
        nothing = dict.fromkeys(RPS.roles, 0.0)
        return [replace(e, void="x", payoffs=nothing) if i % 2 else e for i, e in enumerate(found)]

    monkeypatch.setattr(matrix, "play_all", half_void)
    opponents = Nash(Pool({"learner": learner}, fixed=throwers()), every=2, games=4)
    met(opponents, RPS, 1)
    assert opponents.matrix.cells["RockPaperScissors-v0"]["paper", "rock"] == 1


def test_a_capacity_drops_nobody_that_has_weight(learner: Player) -> None:
    """Equal past selves share the weight, so all stay; against the throwers none has any."""
    alone = Nash(Pool({"learner": learner}, capacity=1), every=1, games=2)
    met(alone, RPS, 1)
    for step in (1, 2):
        alone.updated(step)
    assert len(alone.pool.past) == 3
    assert mixture(alone, RPS)["player_0"] == pytest.approx(
        {f"learner@step-{step}": 1 / 3 for step in (0, 1, 2)}, abs=1e-6
    )
    crowd = Nash(Pool({"learner": learner}, fixed=throwers(), capacity=1), every=1, games=2)
    met(crowd, RPS, 1)
    for step in (1, 2):
        crowd.updated(step)
    assert [member.name for member in crowd.pool.past] == ["learner@step-2"]
    cells = crowd.matrix.cells["RockPaperScissors-v0"]
    assert len(cells) == 16, "their rows and columns are gone"
    assert {name for pair in cells for name in pair} == {*THROWS, "learner@step-2"}


def test_phases_begin_where_they_should(new_player: Any, nudge: Any) -> None:
    for begin_from in ("last", "start"):
        learner = new_player()
        pool = Pool({"learner": learner}, fixed=throwers(), capacity=1)
        opponents = Nash(pool, every=2, games=1, begin_from=begin_from)
        met(opponents, RPS, 1)
        start = weights.copy_of(learner.model)
        for step in range(1, 5):
            nudge(learner.model)
            now = weights.copy_of(learner.model)
            opponents.updated(step)
            wanted = start if begin_from == "start" and step % 2 == 0 else now
            for name, weight in weights.trained(learner.model).items():
                assert torch.equal(weight, wanted[name])
            if step % 2 == 0:
                (frozen,) = pool.past[-1].copies.values()
                assert all(torch.equal(frozen[name], now[name]) for name in now), "as it was before"
        steps = [member.step for member in pool.past]
        assert steps == ([0, 4] if begin_from == "start" else [4]), "the start is needed"


def test_only_for_zero_sum_games_of_two(learner: Player) -> None:
    opponents = Nash(Pool({"learner": learner}), every=5)
    for game in (IteratedPrisonersDilemma(), KuhnPoker(players=3)):
        with pytest.raises(BadInput, match="no zero-sum game of two"):
            met(opponents, game, 1)
    with pytest.raises(BadInput, match="at least 1 game"):
        Nash(Pool({"learner": learner}), every=5, games=0)


def test_exact_best_responses_solve_kuhn_poker(learner: Player) -> None:
    """A double oracle whose matrix is played with balanced deals and whose best responses are
    exact: from uniform play (NashConv 0.917) to an equilibrium, up to the noise of the matrix."""
    tree = walk(KUHN)
    pool = Pool({"learner": learner}, fixed=[RandomAgent()])
    opponents = Nash(pool, every=1, games=60, deals=deals_of)
    pool.add(0)  # forfeits every game, so never has weight
    found = []
    for phase in range(8):
        mixed = asyncio.run(mixed_strategy(tree, opponents.mixture(KUHN)))
        found.append(report(tree, mixed).nash_conv)
        plays = {role: best_response(tree, mixed, role).plays for role in KUHN.roles}

        def respond(seen: Observation, plays: Any = plays) -> Mapping[str, float]:
            assert seen.legal
            return {plays[seen.role].get(seen.messages, seen.legal[0]): 1.0}

        best = PolicyAgent(f"best-{phase}", respond)
        pool.members[best.name] = Member(best.name, phase, {}, {"": best})
        opponents._solutions = {}
    assert found[0] == pytest.approx(11 / 12)
    assert found[-1] < 0.1
    assert opponents.matrix.played == 60 * 81

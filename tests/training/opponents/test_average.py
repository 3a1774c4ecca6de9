"""The exact NashConv of the opponents' mixture, as a run logs it."""

import random
from typing import Any

import pytest

from sparring.agents.exploitability.exact import report
from sparring.agents.exploitability.mixture import behaviour
from sparring.agents.optimal import PolicyAgent, kuhn_equilibrium
from sparring.agents.random import RandomAgent
from sparring.envs.core import Game
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.solve import uniform, walk
from sparring.training.measure import average_nash_conv, evaluate
from sparring.training.mixture import Entry, Mixture
from sparring.training.opponents.core import Opponents, Weighted
from sparring.training.opponents.past import UniformPast
from sparring.training.opponents.pool import Pool
from sparring.training.player import Player
from sparring.training.selfplay import SelfPlay

KUHN = KuhnPoker()
TREE = walk(KUHN)
BEST = PolicyAgent("best", kuhn_equilibrium())


class Fixed(Opponents):
    def __init__(self, mixed: Weighted):
        self.mixed = mixed

    def mixture(self, game: Game) -> Weighted:
        return self.mixed


@pytest.fixture
def loop(learner: Player, method: Any) -> SelfPlay:
    return SelfPlay(
        mixture=Mixture([Entry(KUHN)]),
        players={"learner": learner},
        method=method,
        steps=2,
        games_a_step=4,
        seed=0,
    )


def test_a_mixture_with_weights_by_role(loop: SelfPlay) -> None:
    first, second = KUHN.roles
    loop.opponents = Fixed({first: [(1.0, BEST)], second: [(1.0, RandomAgent()), (3.0, BEST)]})
    tables = [TREE.table(BEST.choose), TREE.table(uniform)]
    mixed = behaviour(TREE, tables, {first: [1, 0], second: [3, 1]})
    wanted = report(TREE, mixed).nash_conv
    assert wanted > 0.01
    trees = {"KuhnPoker-v0": TREE}
    assert average_nash_conv(loop, trees) == {"nash_conv_average": pytest.approx(wanted)}
    assert evaluate(loop, trees)["nash_conv_average"] == pytest.approx(wanted)
    loop.opponents = Fixed({role: [(1.0, BEST)] for role in KUHN.roles})
    assert average_nash_conv(loop, trees) == {"nash_conv_average": pytest.approx(0, abs=1e-12)}


def test_several_games_bear_their_names(loop: SelfPlay) -> None:
    loop.mixture = Mixture([Entry(KUHN), Entry(KuhnPoker(hands=2))])
    loop.opponents = Fixed({role: [(1.0, BEST)] for role in KUHN.roles})
    assert set(average_nash_conv(loop, {"KuhnPoker-v0": TREE})) == {
        "nash_conv_average/KuhnPoker-v0"
    }


def test_an_average_of_past_selves(loop: SelfPlay, learner: Player, nudge: Any) -> None:
    """Two past selves that differ; the average is that of their tables."""
    opponents = UniformPast(Pool({"learner": learner}), every=1)
    loop.opponents = opponents
    assert average_nash_conv(loop, {"KuhnPoker-v0": TREE}) == {}, "there is no past yet"
    opponents.seat(KUHN, loop.agents(KUHN), random.Random(0))
    early = evaluate(loop, {"KuhnPoker-v0": TREE})
    assert early["nash_conv_average"] == pytest.approx(early["nash_conv"])
    nudge(learner.model, 0.3)
    opponents.updated(1)
    late = evaluate(loop, {"KuhnPoker-v0": TREE})
    assert late["nash_conv_average"] != pytest.approx(late["nash_conv"], abs=1e-3)
    assert late["nash_conv_average"] != pytest.approx(early["nash_conv"], abs=1e-3)


def test_nothing_is_said_without_a_mixture_or_a_policy(loop: SelfPlay) -> None:
    class Mute:
        name = "mute"

        async def act(self, observation: Any) -> Any:
            raise NotImplementedError

    trees = {"KuhnPoker-v0": TREE}
    assert average_nash_conv(loop, trees) == {}
    loop.opponents = Fixed({role: [(1.0, Mute()), (1.0, BEST)] for role in KUHN.roles})
    assert average_nash_conv(loop, trees) == {}

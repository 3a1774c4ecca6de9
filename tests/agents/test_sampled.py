"""Exploitability by sampling: its bias, its floor, its interval, what is illegal."""

import asyncio
import random
from dataclasses import dataclass

import numpy as np
import pytest

from sparring.agents.optimal import kuhn_equilibrium
from sparring.agents.registry import agent
from sparring.agents.sampled import (
    Range,
    SampledReport,
    bootstrap,
    corrected,
    measure_sampled,
    shares,
)
from sparring.envs import game
from sparring.envs.core import Action, BadInput, Observation
from sparring.envs.solve import Strategy, nash_conv, uniform, walk

KUHN = walk(game("KuhnPoker-v0"))
EQUILIBRIUM = KUHN.table(kuhn_equilibrium(1 / 5))
UNIFORM = KUHN.table(uniform)


@pytest.mark.parametrize(
    ("strategy", "samples", "mean", "spread"),
    [  # measured elsewhere, with OpenSpiel's best responses
        (EQUILIBRIUM, 10, 0.134, 0.058),
        (EQUILIBRIUM, 100, 0.042, 0.018),
        (EQUILIBRIUM, 1000, 0.0135, 0.006),
        (UNIFORM, 10, 0.948, 0.21),
        (UNIFORM, 100, 0.925, 0.063),
        (UNIFORM, 1000, 0.9185, 0.02),
    ],
)
def test_the_bias_of_sampling(strategy: Strategy, samples: int, mean: float, spread: float) -> None:
    drawn = bootstrap(KUHN, strategy, samples, 2000, seed=1)
    error = spread / 2000**0.5
    assert abs(drawn.mean() - mean) < 4 * error + 0.002  # the table is rounded
    assert drawn.std() == pytest.approx(spread, rel=0.12)


def measured(name: str, samples: int, seed: int = 0) -> SampledReport:
    player = agent(name, "KuhnPoker-v0")
    return asyncio.run(
        measure_sampled(player, KUHN, samples, equilibrium=EQUILIBRIUM, seed=seed, replicates=100)
    )


def test_agents_are_measured_as_the_bootstrap_says() -> None:
    """Two ways to the same mean: an agent asked 100 times, and numbers drawn from its policy."""
    found = [measured("optimal:0.2", 100, seed).exact.nash_conv for seed in range(40)]
    assert np.mean(found) == pytest.approx(0.042, abs=4 * 0.018 / 40**0.5)
    assert len(set(found)) > 30, "another seed asks for other answers"


def test_a_report_of_uniform_play() -> None:
    found = measured("random", 100)
    assert found.asked == 1200
    assert found.illegal == found.silent == 0
    assert 0.7 < found.exact.nash_conv < 1.15
    assert found.corrected.low < 11 / 12 < found.corrected.high
    assert found.corrected.mean == pytest.approx(found.exact.nash_conv - found.bias)
    assert found.floor is not None
    assert found.floor.low < 0.042 < found.floor.high < found.exact.nash_conv
    assert measured("random", 100) == found, "the same seed asks the same"


def test_the_interval_holds_the_truth() -> None:
    """Near an equilibrium, between, and far from it; the textbook interval fails the first two."""
    luck = np.random.default_rng(3)
    shown = bootstrap(KUHN, EQUILIBRIUM, 50, 400, seed=9)
    floor = Range(float(shown.mean()), *map(float, np.quantile(shown, (0.025, 0.975))))
    for weight in (0.0, 0.2, 1.0):
        strategy = {
            key: {a: (1 - weight) * EQUILIBRIUM[key][a] + weight / 2 for a in EQUILIBRIUM[key]}
            for key in KUHN.sets
        }
        truth, held = nash_conv(KUHN, strategy), 0
        for trial in range(100):
            counts = {}
            for key, chances in strategy.items():
                first, second = chances
                n = int(luck.binomial(50, chances[first]))
                counts[key] = {first: n, second: 50 - n}
            table = shares(KUHN, counts)
            drawn = bootstrap(KUHN, table, 50, 100, trial)
            found = corrected(nash_conv(KUHN, table), drawn, floor)
            held += found.low <= truth + 1e-12 <= found.high + 1e-12
        assert held >= 89, f"{held} of 100 intervals hold {truth}"  # 92 are meant; 3 errors less


def test_the_interval_by_hand() -> None:
    drawn = np.array([0.1, 0.3] * 50)  # mean 0.2, standard deviation 0.1
    found = corrected(0.15, drawn, None)
    assert found.mean == pytest.approx(0.15 - 0.05)
    assert found.low == 0.0  # 0.15 − 2 · 0.05 − 0.196
    assert found.high == pytest.approx(0.15 + 0.196)
    assert corrected(0.9, drawn + 0.75, None).low == pytest.approx(0.9 - 2 * 0.05 - 0.196)
    assert corrected(0.9, drawn + 0.75, Range(0.5, 0.3, 0.95)).low == 0.0
    assert corrected(0.9, drawn + 0.75, Range(0.5, 0.3, 0.85)).low > 0.0


@dataclass(frozen=True)
class Careless:
    """Says a legal answer in brackets, or nonsense; nothing legal to a jack."""

    name: str = "careless"

    async def act(self, observation: Observation) -> Action:
        luck = random.Random(observation.seed)
        jack = any(message.text == "Your card: J" for message in observation.messages)
        if jack or luck.random() < 0.25:
            return Action(luck.choice(("", "hm", "[bet] [check] [call] [fold]")))
        return Action(f"I say [{(observation.legal or ())[0].upper()}].")


def test_illegal_answers_are_counted_and_left_out() -> None:
    found = asyncio.run(measure_sampled(Careless(), KUHN, 60, replicates=10))
    strategy = found.exact.strategy
    assert found.silent == 4
    for (_, view), chances in strategy.items():
        jack = view[1].text == "Your card: J"
        assert sorted(chances.values()) == ([0.5, 0.5] if jack else [0.0, 1.0])
    # of 4 sets all 60, of 8 sets a quarter of 60
    assert found.illegal - 240 == pytest.approx(120, abs=4 * (480 * 3 / 16) ** 0.5)
    assert found.floor is None


def test_no_samples_are_refused() -> None:
    with pytest.raises(BadInput, match="at least 1"):
        measured("random", 0)

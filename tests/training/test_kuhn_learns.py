"""The recipe as it is: from noise to near equilibrium, and a tournament of what it was on the way.
The longest tests, some minutes together."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from sparring.agents.arena.match import match
from sparring.agents.arena.schedule import Contest, RoundRobin
from sparring.agents.arena.summary import summarise
from sparring.agents.arena.tournament import play
from sparring.agents.core import HasPolicy
from sparring.agents.exploitability.exact import measure
from sparring.agents.optimal import PolicyAgent
from sparring.agents.registry import agent
from sparring.envs import game
from sparring.envs.core import Observation
from sparring.envs.solve import Strategy, best_response, uniform, values, walk
from sparring.training.recipes.kuhn import Config
from sparring.training.run import drive

KUHN = game("KuhnPoker-v0")
A, B = KUHN.roles


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kuhn") / "run"
    assert drive("kuhn", Config(seed=0), folder, quiet=True)
    return folder


@pytest.mark.slow
def test_a_model_learns_kuhn_poker(run: Path) -> None:
    first, *_, last = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    assert first["nash_conv"] > 0.8  # stage one leaves it near uniform play, 11/12
    assert last["nash_conv"] <= 0.10
    assert last["legal"] >= 0.99
    assert last["mismatch_max"] < 1e-4  # what was trained on is what was sampled
    assert not (run / "alarms.jsonl").exists(), "no alarm for a run that goes well"

    learner = agent(f"run:{run}", KUHN.name)
    found = asyncio.run(match(KUHN, learner, agent("random", KUHN.name), games=8000))
    assert all(estimate.low > 0 for estimate in found.by_side.values()), found.by_side
    found = asyncio.run(match(KUHN, learner, agent("optimal", KUHN.name), games=8000))
    assert found.payoff.low > -0.1, found.payoff


@pytest.mark.slow
def test_a_tournament_finds_what_theory_says(run: Path) -> None:
    """The equilibrium, uniform play, what exploits it, and the learner at several steps: every
    payoff, the ranking and the exploitabilities against those of the exact policies."""
    tree = walk(KUHN)
    plain = tree.table(uniform)
    plays = {role: best_response(tree, plain, role).plays for role in KUHN.roles}

    def exploit(seen: Observation) -> Mapping[str, float]:
        best = plays[seen.role].get(seen.messages)  # no view: never reached against uniform play
        assert seen.legal
        return {answer: float(answer == (best or seen.legal[0])) for answer in seen.legal}

    names = ("optimal", "random", *(f"run:{run}@{step}" for step in (0, 20, 60, 200)))
    agents = {name: agent(name, KUHN.name) for name in names}
    agents["exploiter"] = PolicyAgent("exploiter", exploit)

    async def policies() -> dict[str, Strategy]:
        asked = {n: a for n, a in agents.items() if isinstance(a, HasPolicy)}
        reports = {name: await measure(each, tree) for name, each in asked.items()}
        assert reports["optimal"].nash_conv == pytest.approx(0, abs=1e-12)
        assert reports["random"].nash_conv == pytest.approx(11 / 12)
        learned = [reports[name].nash_conv for name in names[2:]]
        assert learned == sorted(learned, reverse=True), "the learner is ever less exploitable"
        assert reports["exploiter"].nash_conv > 0.5, "who exploits can be exploited"
        return {name: report.strategy for name, report in reports.items()}

    exact = asyncio.run(policies())

    def truth(one: str, two: str) -> float:
        """The exact mean payoff of one agent against another, half the games in each seat."""
        as_a = {key: exact[one if key[0] == A else two][key] for key in tree.sets}
        as_b = {key: exact[one if key[0] == B else two][key] for key in tree.sets}
        return (values(tree, as_a)[A] + values(tree, as_b)[B]) / 2

    assert truth("exploiter", "random") == pytest.approx((1 / 2 + 5 / 12) / 2)  # a best response
    table = asyncio.run(play([Contest(KUHN, agents)], RoundRobin(4000)))
    found = summarise(table, {KUHN.name: "zero-sum"}).games[KUHN.name]
    assert set(found.scores) == set(agents)
    held = []
    for one in agents:
        others = [other for other in agents if other != one]
        for other in others:
            e, wanted = found.cross[one][other], truth(one, other)
            # a checkpoint's policy says nothing of its illegal answers, which cost at most 4 a game
            slips = 4 * sum(1 - found.habits[name].legal.mean for name in (one, other))
            held.append(e.low - slips <= wanted <= e.high + slips)
    assert sum(held) >= 0.9 * len(held)
    theory = {n: sum(truth(n, o) for o in agents if o != n) / (len(agents) - 1) for n in agents}
    for one in agents:
        for other in agents:
            if theory[one] - theory[other] > 0.03:
                assert found.scores[one].mean > found.scores[other].mean, (one, other)

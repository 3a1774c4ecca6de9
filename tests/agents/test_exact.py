"""Exploitability of whole agents in Kuhn poker, against numbers worked out by hand."""

import asyncio
from collections.abc import Mapping
from fractions import Fraction

import pytest

from sparring.agents.core import HasPolicy
from sparring.agents.exact import measure
from sparring.agents.optimal import PolicyAgent
from sparring.agents.registry import agent
from sparring.envs import game
from sparring.envs.core import Observation
from sparring.envs.solve import walk

KUHN = walk(game("KuhnPoker-v0"))


def always(*wanted: str) -> PolicyAgent:
    """Gives the first of ``wanted`` that is legal."""

    def choose(seen: Observation) -> Mapping[str, float]:
        return {next(answer for answer in wanted if answer in (seen.legal or ())): 1.0}

    return PolicyAgent("always", choose)


def only_kings(seen: Observation) -> Mapping[str, float]:
    bold = any(message.text == "Your card: K" for message in seen.messages)
    wanted = ("bet", "call") if bold else ("check", "fold")
    return {next(answer for answer in wanted if answer in (seen.legal or ())): 1.0}


@pytest.mark.parametrize(
    ("player", "nash_conv"),
    [
        ("random", Fraction(11, 12)),
        ("optimal", 0),
        ("optimal:0", 0),
        ("optimal:0.1", 0),
        ("optimal:0.2", 0),
        ("optimal:1/3", 0),
        (always("bet", "call"), Fraction(2, 3)),
        (always("check", "fold"), 2),
        (PolicyAgent("kings", only_kings), Fraction(1, 2)),
    ],
)
def test_kuhn(player: str | PolicyAgent, nash_conv: Fraction) -> None:
    one = agent(player, "KuhnPoker-v0") if isinstance(player, str) else player
    assert isinstance(one, HasPolicy)
    found = asyncio.run(measure(one, KUHN))
    assert found.nash_conv == pytest.approx(float(nash_conv), abs=1e-12)
    assert found.exploitability == pytest.approx(float(nash_conv) / 2, abs=1e-12)
    if player == "random":
        assert found.exploitability == pytest.approx(11 / 24)
        assert found.best_responses == pytest.approx({"player_0": 1 / 2, "player_1": 5 / 12})
    if nash_conv == 0:
        assert found.values["player_0"] == pytest.approx(-1 / 18)


def test_three_players() -> None:
    tree = walk(game("KuhnPoker-v0(players=3)"))
    player = agent("random", "KuhnPoker-v0")
    assert isinstance(player, HasPolicy)
    found = asyncio.run(measure(player, tree))
    assert found.nash_conv == pytest.approx(2.0625)
    assert list(found.values.values()) == pytest.approx([0.234375, -0.046875, -0.1875])

"""Ten thousand games with players who talk junk, over the whole suite."""

import math
from collections import Counter

import pytest

from sparring.envs import game, games
from sparring.envs.contract import add_up
from sparring.envs.contract.positions import play

GAMES = 10_000
WILD = (0.02, 0.1, 0.3, 1.0)
"""How often a player talks junk: rarely, so that games come to their own ends, or always."""


@pytest.mark.parametrize("name", games())
def test_junk_does_no_harm(name: str) -> None:
    """No exception, no endless game, payoffs as declared; and not only forfeits were seen."""
    rules = game(name)
    ends: Counter[str] = Counter()
    for seed in range(math.ceil(GAMES / len(games()))):
        *_, end = play(rules, seed, WILD[seed % len(WILD)])
        end.must(not end.state.to_act, "an endless game")
        if end.state.void is None:
            add_up(rules, end.state.payoffs, end)
        ends["void" if end.state.void else "forfeit" if end.state.forfeits else "own"] += 1
    assert ends["own"] > 0
    assert ends["forfeit"] > 0

"""How often each game is played: fixed weights, and a bandit on the size of advantages."""

import json
from math import exp, nan

import pytest

from sparring.envs.core import BadInput
from sparring.training.curriculum.bandit import Bandit
from sparring.training.curriculum.core import Fixed

GAMES = ("Kuhn-v0", "Kuhn-v0(hands=2)")


def test_fixed_weights_stay() -> None:
    fixed = Fixed({"A": 1, "B": 3})
    fixed.learned({"advantage_size/A": 9.0})
    assert fixed.weights() == {"A": 1, "B": 3}
    for bad in ({}, {"A": 0.0}):
        with pytest.raises(ValueError, match="positive"):
            Fixed(bad)


def test_it_starts_even() -> None:
    assert Bandit(("A", "B", "C", "D")).weights() == pytest.approx(dict.fromkeys("ABCD", 0.25))


def test_it_follows_a_moving_average() -> None:
    """α = 0.25: Q = 0.25·4 = 1, then 0.75·1 + 0.25·7 = 2.5; the other is not reported: 0."""
    bandit = Bandit(GAMES, rate=0.25, temperature=2.0, floor=0.0)
    bandit.learned({"advantage_size": 9.0, "advantage_size/Kuhn-v0": 4.0})
    assert bandit.sizes == {"Kuhn-v0": 1.0, "Kuhn-v0(hands=2)": 0.0}
    bandit.learned({"advantage_size/Kuhn-v0": 7.0})
    assert bandit.sizes["Kuhn-v0"] == 2.5
    # softmax of 2.5/2 and 0
    grown = exp(1.25)
    assert bandit.weights()["Kuhn-v0"] == pytest.approx(grown / (grown + 1))


def test_the_floor_is_shared_out_evenly() -> None:
    """However far ahead one is: 0.8·1 + 0.2/2 and 0.2/2."""
    bandit = Bandit(GAMES, rate=1.0, floor=0.2)
    bandit.learned({"advantage_size/Kuhn-v0": 5000.0})
    assert list(bandit.weights().values()) == pytest.approx([0.9, 0.1])
    assert min(Bandit(GAMES).weights().values()) > 0


def test_several_players_are_averaged() -> None:
    """The metrics of two players bear their names; another game's name may begin the same."""
    bandit = Bandit(GAMES, rate=1.0)
    bandit.learned(
        {
            "advantage_size/Kuhn-v0@one": 1.0,
            "advantage_size/Kuhn-v0@two": 3.0,
            "advantage_size/Kuhn-v0(hands=2)@one": 8.0,
        }
    )
    assert bandit.sizes == {"Kuhn-v0": 2.0, "Kuhn-v0(hands=2)": 8.0}


def test_a_number_that_is_none_is_passed_over() -> None:
    bandit = Bandit(GAMES, rate=1.0)
    bandit.learned({"advantage_size/Kuhn-v0": nan})
    assert bandit.sizes["Kuhn-v0"] == 0.0


def test_it_goes_on_from_its_state() -> None:
    one, two = Bandit(GAMES), Bandit(GAMES)
    one.learned({"advantage_size/Kuhn-v0": 2.0})
    saved = one.state_dict()
    two.load_state_dict(json.loads(json.dumps(saved)))
    assert two == one
    one.learned({"advantage_size/Kuhn-v0": 2.0})
    assert saved["sizes"]["Kuhn-v0"] == 1.0  # what is saved is a copy
    assert two != one


def test_settings_are_checked() -> None:
    with pytest.raises(BadInput, match="at least one game"):
        Bandit(())
    settings: list[dict[str, float]] = [{"rate": 0}, {"floor": 1.5}, {"temperature": 0}]
    for bad in settings:
        with pytest.raises(BadInput, match="rate must be in"):
            Bandit(GAMES, **bad)

"""Which roles learn when: always, every k steps, by turns, and by conditions."""

import json
from collections.abc import Mapping

import pytest

from sparring.envs.core import BadInput
from sparring.training.schedules.alternate import Alternate
from sparring.training.schedules.core import Everyone, Schedule
from sparring.training.schedules.hysteresis import Hysteresis, Phase
from sparring.training.schedules.periodic import Periodic


def shown(schedule: Schedule, role: str, steps: int) -> str:
    """One letter a step: x where the role learns."""
    return "".join(".x"[schedule.learns(role, step)] for step in range(steps))


def test_everyone_always() -> None:
    assert shown(Everyone(), "anyone", 3) == "xxx"


def test_every_k_steps() -> None:
    schedule = Periodic({"proposer": 3, "judge": 1})
    assert shown(schedule, "proposer", 7) == "..x..x."
    assert shown(schedule, "judge", 3) == shown(schedule, "solver", 3) == "xxx"
    with pytest.raises(BadInput, match=r"at least 1.*proposer"):
        Periodic({"proposer": 0})


def test_turns_of_equal_length() -> None:
    schedule = Alternate([{"a"}, {"b", "c"}], 2)
    assert shown(schedule, "a", 9) == "xx..xx..x"
    assert shown(schedule, "b", 9) == shown(schedule, "c", 9) == "..xx..xx."
    assert shown(schedule, "judge", 3) == "xxx"


def test_turns_of_their_own_length() -> None:
    schedule = Alternate([{"a"}, {"b"}, {"a", "b"}], [1, 3, 1])
    assert shown(schedule, "a", 10) == "x...xx...x"
    assert shown(schedule, "b", 10) == ".xxxx.xxxx"


def test_phases_are_checked() -> None:
    with pytest.raises(BadInput, match="a set of roles"):
        Alternate(["a", "b"], 2)  # type: ignore[list-item]
    for phases, steps in (([{"a"}], 0), ([], 1), ([{"a"}, {"b"}], [1]), ([{"a"}], [1, 2])):
        with pytest.raises(BadInput, match="number of steps"):
            Alternate(phases, steps)  # type: ignore[arg-type]


def votes_are_good(smoothed: Mapping[str, float]) -> bool:
    return smoothed["right"] >= 0.9 and smoothed["abstained"] <= 0.1


def votes_are_bad(smoothed: Mapping[str, float]) -> bool:
    return smoothed["right"] <= 0.6 or smoothed["abstained"] >= 0.5


VOTES = Phase(frozenset({"voter"}), votes_are_good)
CLUES = Phase(frozenset({"spy", "civilian"}), votes_are_bad)


def follow(schedule: Hysteresis, *rights: float) -> str:
    """One letter a step, v or c: what was learned in it, before its metrics were known."""
    phases = ""
    for right in rights:
        phases += "v" if schedule.learns("voter", 0) else "c"
        assert schedule.learns("voter", 0) is not schedule.learns("spy", 0)
        assert schedule.learns("judge", 0)
        schedule.learned({"right": right, "abstained": 0.0, "other": 5.0})
    return phases


def test_it_switches_at_different_thresholds() -> None:
    """ρ = 0 and one step at least: over at 0.9, back at 0.6, and nothing in between."""
    schedule = Hysteresis(VOTES, CLUES, decay=0.0, dwell=1, patience=None)
    assert follow(schedule, 0.7, 0.89, 0.95, 0.8, 0.61, 0.6, 0.7, 0.9, 0.9) == "vvvcccvvc"


def test_it_stays_for_a_while() -> None:
    schedule = Hysteresis(VOTES, CLUES, decay=0.0, dwell=3, patience=None)
    assert follow(schedule, 1, 1, 1, 0, 0, 0, 1) == "vvvcccv"


def test_patience_ends_a_phase_anyway() -> None:
    schedule = Hysteresis(VOTES, CLUES, decay=0.0, dwell=1, patience=4)
    assert follow(schedule, *[0.7] * 9) == "vvvvccccv"


def test_the_metrics_are_smoothed() -> None:
    """ρ = 0.5 from 0.5 on: 0.5, 0.75, 0.875, 0.9375; the last is above 0.9."""
    schedule = Hysteresis(VOTES, CLUES, decay=0.5, dwell=1, patience=None)
    assert follow(schedule, 0.5, 1, 1, 1, 1) == "vvvvc"
    assert schedule.smoothed["right"] == pytest.approx(0.96875)
    assert schedule.smoothed["other"] == 5.0
    schedule.learned({"right": float("nan"), "abstained": 0.0})
    assert schedule.smoothed["right"] == pytest.approx(0.96875)


def test_it_goes_on_from_its_state() -> None:
    """Smoothed: .5 .5 .5 .75 .875 .94 | .97 .58 | .39 .30, at least two steps each."""
    rights = [0.5, 0.5, 0.5, 1, 1, 1, 1, 0.2, 0.2, 0.2]
    whole, one, two = (Hysteresis(VOTES, CLUES, decay=0.5, dwell=2) for _ in range(3))
    first = follow(one, *rights[:3])
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert first + follow(two, *rights[3:]) == follow(whole, *rights) == "vvvvvvccvv"


def test_a_condition_on_nothing_is_an_error() -> None:
    schedule = Hysteresis(VOTES, CLUES, dwell=2)
    schedule.learned({"righ": 1.0})
    with pytest.raises(BadInput, match="metric right; nearest are: righ"):
        schedule.learned({"righ": 1.0})


def test_settings_are_checked() -> None:
    with pytest.raises(BadInput, match="decay"):
        Hysteresis(VOTES, CLUES, decay=1.0)
    for dwell, patience in ((0, 3), (5, 4)):
        with pytest.raises(BadInput, match="dwell must be at least 1"):
            Hysteresis(VOTES, CLUES, dwell=dwell, patience=patience)

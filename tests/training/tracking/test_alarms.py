"""What each alarm takes for wrong, worked out by hand, and what it takes for right."""

import math
from collections.abc import Sequence

import pytest

from sparring.training.core import Metrics
from sparring.training.tracking.alarms import ALARMS
from sparring.training.tracking.trail import Trail
from sparring.training.tracking.watch import News, Watch

TEN = 10


def news(*stretches: tuple[int, Metrics]) -> list[News]:
    """What a run says of which so many steps look so, and then so many so."""
    watch, found, step = Watch(), [], 0
    for steps, metrics in stretches:
        for _ in range(steps):
            step += 1
            found += watch.see({"step": float(step), **metrics})
    return found


def told(*stretches: tuple[int, Metrics]) -> list[tuple[int, str, bool]]:
    return [(each.step, each.alarm, each.over) for each in news(*stretches)]


def test_a_trail_by_hand() -> None:
    trail = Trail(2)
    seen = []
    for value in (4.0, 2.0, math.nan, 6.0, math.inf, 0.0, 1.0):
        trail.add(value)
        seen.append((trail.full, trail.mean, trail.first, trail.peak))
    assert seen[0][:2] == (False, 4.0)
    assert seen[1:] == [
        (True, 3.0, 3.0, 3.0),
        (True, 3.0, 3.0, 3.0),  # no number
        (True, 4.0, 3.0, 4.0),
        (True, 4.0, 3.0, 4.0),
        (True, 3.0, 3.0, 4.0),
        (True, 0.5, 3.0, 4.0),
    ]


def test_answers_that_become_short() -> None:
    """100 tokens, then 20: the mean of ten is 36 after eight of them, the first under 40."""
    long, short = {"answer_tokens": 100.0}, {"answer_tokens": 20.0}
    (one,) = news((30, long), (20, short))
    assert (one.step, one.alarm, one.over) == (38, "length", False)
    assert one.says == "Answers became short: 36 tokens, 100 at the most before."
    assert "transcripts/" in one.do
    # again 100: 20 + 8 n a step over ten passes 60 at six of them
    assert told((30, long), (20, short), (20, long)) == [
        (38, "length", False),
        (55, "length", True),
    ]
    assert not told((30, long), (50, {"answer_tokens": 41.0})), "shorter is not yet short"


def test_answers_that_grow_and_then_collapse_are_measured_at_their_longest() -> None:
    grow = [(1, {"answer_tokens": 10.0 + n}) for n in range(90)]  # the last ten: 94.5 on average
    assert told(*grow, (20, {"answer_tokens": 30.0}))[0][1:] == ("length", False)
    assert not told((20, {"answer_tokens": 10.0}), (20, {"answer_tokens": 30.0}))


def test_legal_answers_that_become_fewer() -> None:
    """From 0.9 to 0.68: a fall of 0.022 a step, over 0.1 at the fifth; back at the eighth."""
    good, bad = {"legal": 0.9}, {"legal": 0.68}
    assert told((15, good), (10, bad)) == [(20, "legal", False)]
    found = told((15, good), (10, bad), (15, good))
    assert found == [(20, "legal", False), (33, "legal", True)]
    assert not told((15, {"legal": 0.2}), (40, {"legal": 0.9})), "it may begin low"


def test_games_that_end_by_illegal_answers() -> None:
    assert told((9, {"forfeits": 1.0})) == [], "before ten steps nothing is known"
    assert told((12, {"forfeits": 0.6})) == [(10, "forfeits", False)]
    # 0.6 − 0.06 n is no longer over 0.3 at n = 5
    assert told((12, {"forfeits": 0.6}), (9, {"forfeits": 0.0}))[1] == (17, "forfeits", True)
    assert not told((40, {"forfeits": 0.5}))


def test_entropy_that_is_gone() -> None:
    assert told((20, {"entropy": 0.5}), (20, {"entropy": 0.0})) == [(30, "entropy", False)]
    assert told((20, {"entropy": 0.004})) == [(10, "entropy", False)], "from the start"
    assert not told((20, {"entropy": 0.5}), (50, {"entropy": 0.03})), "6 % is some"


def test_advantages_that_are_all_zero() -> None:
    some, none = {"advantage_size": 0.5}, {"advantage_size": 0.0}
    assert told((12, some), (12, none)) == [(22, "advantage", False)]
    assert told((12, none)) == [(10, "advantage", False)], "from the start"
    assert not told((12, some), (50, {"advantage_size": 0.006})), "1.2 % is some"
    # on at 22; one game in a step, 0.02 on average over ten, is no recovery; two are 0.04
    assert told((12, some), (12, none), (1, {"advantage_size": 0.2}), (9, none))[1:] == []
    assert told((12, some), (12, none), (2, {"advantage_size": 0.2}))[1] == (26, "advantage", True)


def test_filters_that_leave_nothing() -> None:
    assert told((8, {"kept": 0.0})) == [(5, "kept", False)]
    assert not told((20, {"kept": 0.05}))


def test_engine_and_learner_that_drift_apart() -> None:
    """Three times the first, if it is over 0.01; over 0.1 in any case."""
    assert not told((20, {"mismatch_mean": 1e-7}), (30, {"mismatch_mean": 0.009}))
    assert told((20, {"mismatch_mean": 1e-7}), (30, {"mismatch_mean": 0.03})) == [
        (24, "mismatch", False)  # 0.003 a step; 0.012 at the fourth
    ]
    assert not told((20, {"mismatch_mean": 0.02}), (30, {"mismatch_mean": 0.05}))
    assert told((20, {"mismatch_mean": 0.02}), (30, {"mismatch_mean": 0.08}))[0][1] == "mismatch"
    assert told((20, {"mismatch_mean": 0.2})) == [(10, "mismatch", False)]


def test_one_role_that_wins_everything() -> None:
    even = {"wins/a": 0.5, "wins/b": 0.45}
    all_a = {"wins/a": 0.99, "wins/b": 0.0}
    (one,) = news((20, even), (30, all_a))
    assert one.says == "One role wins everything: a 99%, b 0% of the games."
    assert one.alarm == "one-sided"
    assert not told((50, {"wins/a": 0.97, "wins/b": 0.97})), (
        "against fixed opponents, from any seat"
    )
    assert not told((50, {"wins/a": 0.0, "wins/b": 0.0})), "all drawn"
    assert not told((50, {"wins/a": 1.0})), "the other does not learn"


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_what_is_no_number(x: float) -> None:
    found = news((3, {"loss": 1.0}), (2, {"loss": x, "legal": 1.0}), (2, {"loss": 1.0}))
    assert [(n.step, n.alarm, n.over) for n in found] == [(4, "number", False), (6, "number", True)]
    assert found[0].says == f"No number: loss is {x}."


def test_each_game_has_its_own_and_all_together_none() -> None:
    """One game of three goes wrong: it is named, and not drowned by the others."""
    good = {"legal": 0.9, "legal/A-v0": 0.9, "legal/B-v0(x=1)": 0.9}
    bad = {"legal": 0.6, "legal/A-v0": 0.9, "legal/B-v0(x=1)": 0.3}
    found = told((15, good), (10, bad))
    assert found == [(17, "legal/B-v0(x=1)", False)]
    wins = {"wins/A-v0/first": 1.0, "wins/A-v0/second": 0.0, "wins/C/x/y": 0.4, "wins/C/x/z": 0.4}
    (one,) = news((12, wins))
    assert (one.alarm, one.says[-35:]) == ("one-sided/A-v0", "first 100%, second 0% of the games.")


def test_a_game_that_is_missing_in_some_steps() -> None:
    """The mean is over the steps in which it was played, and it is never taken for all games."""
    both = {"forfeits": 0.5, "forfeits/A": 0.0, "forfeits/B": 1.0}
    only_a = {"forfeits": 1.0}  # only one game in the batch: its name is left out
    assert told((9, both), (30, only_a), (1, both)) == [(40, "forfeits/B", False)]


def test_each_player_has_its_own() -> None:
    found = told((20, {"entropy@one": 0.5, "entropy@two": 0.5}), (20, {"entropy@two": 0.0}))
    assert found == [(30, "entropy@two", False)]


def test_it_speaks_once_until_it_is_over_and_then_again() -> None:
    good, bad = (20, {"legal": 0.9}), (20, {"legal": 0.2})
    found = told(good, bad, good, bad, good)
    assert [over for _, _, over in found] == [False, True, False, True]


def test_what_trackers_get() -> None:
    watch = Watch()
    values = [0.9] * 15 + [0.2] * 10 + [0.9] * 15
    on: list[float | None] = []
    for step, legal in enumerate(values):
        watch.see({"step": float(step), "legal": legal})
        on.append(watch.numbers().get("alarm/legal"))
    assert on[:15] == [None] * 15, "an alarm that never spoke is not there"
    assert on[24] == 1.0
    assert on[-1] == 0.0


def test_a_watch_is_rebuilt_from_the_metrics() -> None:
    """Cut anywhere, the rest brings the same news."""
    lines: list[Metrics] = []
    for step in range(60):
        sick = 20 <= step < 40
        lines.append(
            {
                "step": float(step),
                "legal": 0.3 if sick else 0.95,
                "entropy": 0.0 if step > 30 else 0.7,
                "loss": math.nan if step == 25 else 1.0,
                "wins/a": 1.0 if sick else 0.5,
                "wins/b": 0.0 if sick else 0.5,
            }
        )

    def run(watch: Watch, some: Sequence[Metrics]) -> list[News]:
        return [each for line in some for each in watch.see(line)]

    whole = run(Watch(), lines)
    assert {each.alarm for each in whole} == {"legal", "entropy", "number", "one-sided"}
    for cut in range(60):
        watch = Watch()
        assert run(watch, lines[:cut]) + run(watch, lines[cut:]) == whole


def test_every_alarm_says_what_is_wrong_and_what_to_do() -> None:
    assert len({alarm.name for alarm in ALARMS}) == len(ALARMS)
    for alarm in ALARMS:
        trail = Trail(1)
        trail.add(0.25)
        said = alarm.sentence(trail, "word")
        assert said[0].isupper() or said[0].isdigit()
        assert said.endswith(".")
        assert alarm.do.endswith(".")
        assert not set("{}") & set(said)


def test_names_with_odd_signs_stay_as_they_are() -> None:
    (one,) = news((12, {"wins/{x}/a{0}": 1.0, "wins/{x}/b": 0.0}))
    assert one.alarm == "one-sided/{x}"
    assert "a{0} 100%" in one.says

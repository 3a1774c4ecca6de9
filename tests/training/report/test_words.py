"""Numbers in words."""

import math

import pytest

from sparring.training.report.words import duration, estimated, interval, percent, plain, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1254, "+0.125"), (-0.5, "−0.500"), (0.0, "0.000"), (-0.0001, "0.000"), (math.nan, "–")],
)
def test_signed(value: float, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"),
        (1.0, "100 %"),
        (0.314, "31 %"),
        (0.9931, "99.3 %"),
        (0.99996, "> 99.99 %"),
        (0.9995, "99.95 %"),
        (0.00001, "< 0.01 %"),
        (0.004, "0.4 %"),
        (None, "–"),
        (math.inf, "–"),
    ],
)
def test_percent_never_rounds_to_none_or_all(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_mean_has_its_interval_or_says_why_not() -> None:
    e = {"mean": 0.1, "low": -0.2, "high": 0.4, "clusters": 9}
    assert estimated(e) == "+0.100 [−0.200, +0.400]"
    assert estimated(e | {"low": None}) == "+0.100 (no interval)"
    assert estimated(e | {"low": 0.1, "high": 0.1}) == "+0.100 (no spread)"
    assert estimated(e | {"mean": None}) == "–"
    assert estimated(None) == "–"
    assert interval({}) == "no interval"


def test_durations_and_plain_numbers() -> None:
    assert [duration(s) for s in (0.4, 89, 90, 3600, 7500)] == [
        "0 s",
        "89 s",
        "2 min",
        "60 min",
        "2 h 05 min",
    ]
    assert plain(-1234567.0) == "−1.235e+06"
    assert plain(2.0) == "2"
    assert plain("2") == "–"

"""Odd values of every option of every game: a game that works, or one clear line."""

from contextlib import suppress
from math import inf, nan
from typing import Any

import pytest

from sparring.envs import game, games
from sparring.envs.core import BadInput
from sparring.envs.registry import options_of

ODD: tuple[Any, ...] = (
    *(-1, 0, 1, 2, 3, 0.5, 2.0, nan, inf, None, True, "x", "", "1", b"x"),
    *([], [1], (1, 2), {}, [[1, 2]]),
)


@pytest.mark.parametrize("name", games())
def test_odd_options_are_refused_in_one_line_or_work(name: str) -> None:
    refused: list[str] = []
    for option in options_of(name):
        for value in ODD:
            try:
                rules = game(name, **{option: value})
            except BadInput as fault:
                refused.append(str(fault))
                continue
            assert hash(rules) == hash(game(name, **{option: value}))
            assert all(rules.rules(role) for role in rules.roles)
            assert rules.declares.low <= rules.declares.high
            state = rules.start(0)
            assert all(state.observe(role).messages for role in rules.roles)
    assert refused or not options_of(name)
    assert all(line and "\n" not in line for line in refused)


def test_a_huge_number_is_refused_or_harmless() -> None:
    for name in games():
        for option in options_of(name):
            with suppress(BadInput):
                assert game(name, **{option: 10**9}).declares.max_turns > 0

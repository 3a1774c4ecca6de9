"""Who beats whom, with decay: worked out by hand."""

from collections.abc import Mapping

import pytest

from sparring.envs.core import Episode
from sparring.training.opponents.records import Records, score


def game(payoffs: Mapping[str, float], name: str = "G") -> Episode:
    return Episode(name, 0, (), payoffs, {}, {})


def test_what_is_a_win() -> None:
    assert score(game({"a": 1, "b": -1}), "a") == 1
    assert score(game({"a": 1, "b": -1}), "b") == 0
    assert score(game({"a": 3, "b": 3}), "b") == 0.5
    three = game({"a": 1, "b": 0, "c": 2})  # the others of a have 1 on average, of b 1.5, of c 0.5
    assert [score(three, role) for role in "abc"] == [0.5, 0, 1]


def test_games_of_earlier_updates_count_less() -> None:
    records = Records(decay=0.5)
    assert records.win_rate("me", "you") == 0.5, "nobody has played yet"
    assert records.payoff("me", "you", "G") == 0
    records.add("me", "you", game({"a": 2, "b": -2}), "a")
    records.add("me", "you", game({"a": 1, "b": -1}), "b")
    assert records.win_rate("me", "you", "G") == 0.5
    assert records.payoff("me", "you", "G") == 0.5  # (2 − 1) / 2
    records.updated()
    records.add("me", "you", game({"a": 6, "b": -6}), "a")
    assert records.games("me", "you", "G") == 2  # ½ + ½ + 1
    assert records.win_rate("me", "you", "G") == 0.75  # (½·1 + ½·0 + 1) / 2
    assert records.payoff("me", "you", "G") == 3.25  # (½·2 − ½·1 + 6) / 2
    assert records.win_rate("you", "me", "G") == 0.5, "a record is of one player"


def test_games_are_apart_and_together() -> None:
    records = Records()
    for name, payoff in (("G", 1), ("G", 1), ("H", -1), ("G", 1)):
        records.add("me", "you", game({"a": payoff, "b": -payoff}, name), "a")
    assert records.win_rate("me", "you", "G") == 1
    assert records.win_rate("me", "you", "H") == 0
    assert records.win_rate("me", "you") == 0.75


def test_what_is_long_ago_is_forgotten() -> None:
    records = Records(decay=0.1)
    records.add("me", "you", game({"a": 1, "b": -1}), "a")
    for _ in range(400):  # 0.1^400 is no number any more
        records.updated()
    assert records.win_rate("me", "you") == 0.5
    with pytest.raises(ValueError, match="decay is above 0 and at most 1"):
        Records(decay=0)


def test_records_are_kept_and_dropped() -> None:
    records = Records(decay=0.5)
    for other in ("you", "him"):
        records.add("me", other, game({"a": 1, "b": -1}), "a")
    records.updated()
    again = Records(decay=0.5)
    again.load_state_dict(records.state_dict())
    assert again == records
    again.drop("you")
    assert again.games("me", "you") == 0
    assert again.games("me", "him") == 0.5

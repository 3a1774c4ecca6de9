"""How metrics are called."""

import pytest

from sparring.training.names import Name, finest, games, parse


@pytest.mark.parametrize(
    ("metric", "parts"),
    [
        ("step", Name("step")),
        ("legal/KuhnPoker-v0", Name("legal", "KuhnPoker-v0")),
        ("reward/player_0", Name("reward", "", "player_0")),
        (
            "reward/Nim-v0(piles=(1, 2))/player_0",
            Name("reward", "Nim-v0(piles=(1, 2))", "player_0"),
        ),
        (
            "value/pettingzoo:classic/chess_v6/white",
            Name("value", "pettingzoo:classic/chess_v6", "white"),
        ),
        ("nash_conv/openspiel:kuhn_poker", Name("nash_conv", "openspiel:kuhn_poker")),
        ("entropy@attacker", Name("entropy", "", "", "attacker")),
        ("advantage_size/Debate-v0@judge", Name("advantage_size", "Debate-v0", "", "judge")),
        ("dropped/lost", Name("dropped/lost")),
        ("no_pair/tied@one", Name("no_pair/tied", "", "", "one")),
        ("legal/home@here/my.py:Game", Name("legal", "home@here/my.py:Game")),
    ],
)
def test_the_parts_of_a_name(metric: str, parts: Name) -> None:
    assert parse(metric) == parts


def test_the_place_stands_between_family_and_role() -> None:
    assert parse("reward/A/x").place == "/A"
    assert parse("entropy@one").place == "@one"
    assert parse("advantage_size/A@one").place == "/A@one"
    assert parse("legal").place == ""


def test_games_and_the_finest_names() -> None:
    metrics = ["legal", "legal/A", "legal/B", "entropy", "reward/A/x", "loss@one", "loss/A@one"]
    assert games(metrics) == ["A", "B"]
    assert finest(metrics) == ["legal/A", "legal/B", "entropy", "reward/A/x", "loss/A@one"]

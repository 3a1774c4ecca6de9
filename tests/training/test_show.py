"""What a person sees of a run, with one game and with several."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sparring.training.show import Display, in_a_line, numbers
from sparring.training.tracking.watch import News

RAISED = News(7, "legal/A-v0[x]", "Fewer answers are legal: [50%].", "Look in transcripts/.")

ONE = {"step": 3.0, "nash_conv": 0.25, "legal": 0.5, "reward/player_0": -0.125, "loss": 9.0}
SEVERAL = {
    "step": 3.0,
    "nash_conv/Kuhn": 0.25,
    "legal": 0.5,
    "legal/Kuhn": 0.75,
    "legal/Chess[fast]": 0.25,
    "reward/Kuhn/player_0": 0.125,
    "reward/Kuhn/player_1": -0.125,
    "reward/Chess[fast]/white": 1.0,
    "entropy": 1.5,
}


def text(thing: Any) -> list[list[str]]:
    """What is printed, in words."""
    out = io.StringIO()
    Console(file=out, width=100).print(thing)
    return [line.split() for line in out.getvalue().splitlines()]


def test_one_game_is_a_list() -> None:
    assert text(numbers("runs/[kuhn]", ONE)) == [
        ["runs/[kuhn]"],
        ["NashConv", "0.25"],
        ["legal", "answers", "0.5"],
        ["reward", "of", "player_0", "-0.1250"],
    ]


def test_several_games_are_columns() -> None:
    title, head, nash, legal, entropy, first, second, white = text(numbers("runs/mix", SEVERAL))
    assert title == ["runs/mix"]
    assert head == ["all", "Kuhn", "Chess[fast]"]
    assert nash == ["NashConv", "0.25"]
    assert legal == ["legal", "answers", "0.5", "0.75", "0.25"]
    assert entropy == ["entropy", "(nats)", "1.5"]
    assert first == ["reward", "of", "player_0", "+0.1250"]
    assert second == ["reward", "of", "player_1", "-0.1250"]
    assert white == ["reward", "of", "white", "+1.0000"]


def test_a_number_stands_in_the_column_of_its_game() -> None:
    lines = io.StringIO()
    Console(file=lines, width=100).print(numbers("t", SEVERAL))
    head, white = (lines.getvalue().splitlines()[i] for i in (1, -1))
    assert white.index("+1.0000") == head.index("Chess[fast]")


def test_players_of_their_own_have_rows_of_their_own() -> None:
    rows = text(numbers("t", {"entropy@one": 1.0, "entropy@two": 2.0}))
    assert rows[1:] == [["entropy", "(nats),", "one", "1"], ["entropy", "(nats),", "two", "2"]]


def test_a_line_of_a_log() -> None:
    assert in_a_line(ONE) == ["NashConv 0.25", "legal answers 0.5"]
    assert in_a_line(SEVERAL) == ["NashConv Kuhn 0.25", "legal answers 0.5", "entropy (nats) 1.5"]


def test_a_log_has_a_line_now_and_then_and_one_for_every_alarm(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Display(Path("runs/kuhn"), 20) as display:
        for step in range(21):
            display.step({"step": float(step), "legal": step / 20})
            if step == 7:
                display.alarm(RAISED)
            if step == 12:
                display.alarm(News(12, RAISED.alarm, "", RAISED.do, over=True))
    assert capsys.readouterr().out.splitlines() == [
        "self-play 0/20  legal answers 0",
        "step 7: ALARM legal/A-v0[x]: Fewer answers are legal: [50%]. Look in transcripts/.",
        "self-play 10/20  legal answers 0.5",
        "step 12: over: legal/A-v0[x]",
        "self-play 20/20  legal answers 1",
    ]


def test_on_a_terminal_alarms_stand_above_the_live_table(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    with Display(Path("runs/kuhn"), 2) as display:
        pass
    display.console = Console(file=out, force_terminal=True, width=60, color_system=None)
    with display:
        display.step({"step": 1.0, "legal": 0.5})
        display.alarm(RAISED)
    said = out.getvalue()
    assert "step 7: ALARM legal/A-v0[x]: Fewer answers are legal:" in said
    assert said.rindex("runs/kuhn") > said.rindex("ALARM"), "the table is drawn anew below it"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(Path("runs/kuhn"), 1, quiet=True) as display:
        display.step({"step": 1.0})
        display.alarm(RAISED)
    assert capsys.readouterr().out == ""

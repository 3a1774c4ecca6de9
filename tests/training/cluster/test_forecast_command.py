"""sparring forecast: its tables, and what it takes from a run."""

import json
from pathlib import Path
from typing import Any

import pytest

from sparring.training.cli import main

RAN = {
    "games": 240,
    "ray/workers": 4,
    "ray/play_seconds": 31.0,
    "ray/learn_seconds": 9.0,
    "ray/publish_seconds": 1.0,
    "ray/worker_games_per_second": 2.0,
    "ray/worker_tokens_per_second": 100.0,
    "ray/staleness_mean": 0.0,
    "ray/staleness_max": 0,
    "ray/learner_idle": 0.75,
}


def saved(folder: Path, lines: list[dict[str, Any]]) -> Path:
    numbered = [json.dumps({"step": n, **line}) + "\n" for n, line in enumerate(lines, 1)]
    (folder / "metrics.jsonl").write_text("".join(numbered))
    return folder


def rows(text: str) -> list[list[str]]:
    """The cells of the rows that begin with two numbers."""
    every = [line.split() for line in text.splitlines()]
    return [row for row in every if len(row) > 2 and (row[0] + row[1]).isdigit()]


def test_the_tables(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["forecast", "--workers", "1", "8", "--games", "256", "--steps", "20"]) == 0
    said = capsys.readouterr().out
    # a piece a worker, a + 256 b or a + 32 b; load 2 and a copy of 16.06 GB at 12.5 GB/s
    assert [row[:3] for row in rows(said)] == [
        ["1", "0", f"{257 + 32 + 2 + 1.2848:.4g}"],
        ["8", "0", f"{33 + 32 + 2 + 1.2848:.4g}"],
        ["1", "1", f"{257 + 2 + 1.2848:.4g}"],
        ["8", "1", f"{33 + 2 + 1.2848:.4g}"],
    ]
    assert "Llama-3.1-8B      8.030 B    32.12     16.06   5.14     3.85    0.168" in said
    assert "…" not in said, "80 columns hold it"
    assert max(map(len, said.splitlines())) <= 80


def test_the_inputs_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """240 games at 2 a second: 4 workers take 30 s, the learner 10."""
    odd = {**RAN, "ray/learn_seconds": 500.0, "ray/learner_idle": 0.1}
    folder = saved(tmp_path, [odd, RAN, RAN, RAN])  # the first step does not count
    assert main(["forecast", "--run", str(folder), "--workers", "4", "--steps", "8"]) == 0
    said = capsys.readouterr().out
    assert [row[:5] for row in rows(said)[:2]] == [
        ["4", "0", "40", "300", "75%"],
        ["4", "1", "30", "400", "67%"],
    ]
    assert "4 workers, medians of 3 steps: play 31 s, learner idle 75%, age 0.00 (max 0)" in said
    assert "forecast for the same: play 30 s, learner idle 75%, age 0.00 (max 0)" in said
    saved(tmp_path, [{**RAN, "ray/load_seconds": 4.0}])
    assert main(["forecast", "--run", str(folder), "--workers", "4", "--steps", "8"]) == 0
    assert [row[2] for row in rows(capsys.readouterr().out)[:2]] == ["44", "34"]
    given = [
        "--load-seconds",
        "0",
        "--workers",
        "4",
        "--learn-seconds",
        "39",
        "--staleness",
        "1",
        "--steps",
        "8",
    ]
    assert main(["forecast", "--run", str(folder), *given]) == 0
    assert rows(capsys.readouterr().out)[0][2] == "40", "options go before the run's numbers"


def test_measured_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    points = ["--points", "4", "5", "8", "7"]  # 3 + g / 2
    whole = ["--workers", "1", "--beside", "1", "--staleness", "0", "--games", "20"]
    assert main(["forecast", *points, *whole, "--rollout-pieces", "2"]) == 0
    assert rows(capsys.readouterr().out)[0][2] == f"{2 * (3 + 5) + 32 + 2}"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--workers", "0"], "workers is 0; it takes at least 1"),
        (["--workers"], "at least one number of --workers"),
        (["--gigabits", "0"], "bandwidth is 0.0"),
        (["--rank", "0"], "a rank of 0"),
        (["--nodes", "-1"], "to -1 nodes"),
        (["--steps", "0"], "0 steps"),
        (["--steps", "999999"], "too many to simulate"),
        (["--points", "4", "5"], "at least two different sizes"),
        (["--points", "4", "5", "8", "7", "--game-seconds", "1"], "in place of"),
        (["--run", "nowhere"], "nowhere holds no steps of a run"),
    ],
)
def test_bad_input(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", *args]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ray/learn_seconds": None}, "does not say ray/learn_seconds; was it run with --ray?"),
        ({"ray/learn_seconds": "9"}, "ray/learn_seconds is '9', which is no number"),
        ({"ray/play_seconds": float("nan")}, "ray/play_seconds is nan, which is no number"),
        ({"ray/worker_games_per_second": 0.0}, "nothing was played"),
    ],
)
def test_runs_that_do_not_say_it(
    changed: dict[str, Any], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path, [{**RAN, **changed}])
    assert main(["forecast", "--run", str(folder)]) == 2
    assert says in capsys.readouterr().err


def test_a_line_that_was_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2, "ga')
    assert main(["forecast", "--run", str(tmp_path)]) == 2
    assert "a line that cannot be read" in capsys.readouterr().err

"""`sparring tournament`: many agents, a kill in the middle, Ctrl-C, wrong arguments."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from sparring.training.cli import main
from sparring.training.recipes.kuhn import Config
from sparring.training.run import drive

MEMORY = 3 * 2**29  # bytes: what docs/evaluation.md promises of 20 small models and 10,260 games


def start(args: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sparring.training.cli", "tournament", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job may ignore it
    )


def wait_for(file: Path, lines: int, process: subprocess.Popen[str]) -> None:
    """Until the file has so many lines."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if file.exists() and file.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.02)
    assert process.stdout
    pytest.fail(f"{file} has no {lines} lines: {process.stdout.read()}")


@pytest.mark.slow
def test_twenty_agents_ten_thousand_games_and_a_kill(tmp_path: Path) -> None:
    run, cup = tmp_path / "run", tmp_path / "cup"
    config = Config(steps=19, save_every=1, games=64, imitation_steps=50, imitation_games=128)
    assert drive("kuhn", config, run, quiet=True)
    agents = [f"run:{run}@{step}" for step in range(20)]
    first = start([*agents, "--games", "54", "--out", str(cup)])
    wait_for(cup / "games.jsonl", 3000, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    kept = (cup / "games.jsonl").read_text()
    kept = kept[: kept.rfind("\n") + 1]  # the last line may be cut
    assert not (cup / "results.csv").exists()

    second = start(["--resume", str(cup)])
    assert second.stdout
    said = second.stdout.read()
    _, status, used = os.wait4(second.pid, 0)
    assert status == 0, said
    assert used.ru_maxrss * 1024 <= MEMORY
    whole = (cup / "games.jsonl").read_text()
    assert whole.startswith(kept), "finished games are not played again"
    numbers = [json.loads(line)["index"] for line in whole.splitlines()]
    assert sorted(numbers) == list(range(190 * 54))
    table = pl.read_parquet(cup / "results.parquet")
    assert table["index"].n_unique() == 10_260
    assert (table.group_by("agent").len()["len"] == 19 * 54).all()
    summary = json.loads((cup / "summary.json").read_text())["games"]["KuhnPoker-v0"]
    assert set(summary["ratings"]) == set(agents)
    assert all(e["low"] <= e["mean"] <= e["high"] for e in summary["ratings"].values())
    assert (cup / "report.html").stat().st_size > 10_000


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(tmp_path: Path) -> None:
    cup = tmp_path / "cup"
    process = start(["random", "optimal", "--games", "200000", "--out", str(cup)])
    wait_for(cup / "games.jsonl", 50, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert f"sparring tournament --resume {cup}" in said
    assert "Traceback" not in said
    lines = (cup / "games.jsonl").read_text().count("\n")
    assert pl.read_parquet(cup / "results.parquet")["index"].n_unique() == lines


def test_a_small_tournament(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cup = tmp_path / "cup"
    games = ["--game", "KuhnPoker-v0", "TicTacToe-v0"]
    args = ["tournament", "random", "optimal", "random", *games, "--games", "40"]
    assert main([*args, "--out", str(cup)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "KuhnPoker-v0: 120 games, 20 deals" in said
    assert "all games, each with the same weight" in said
    assert f"{cup}/report.html" in said
    kept = json.loads((cup / "config.json").read_text())
    assert kept["agents"] == ["random", "optimal", "random"]
    summary = json.loads((cup / "summary.json").read_text())
    assert next(iter(summary["ratings"])) == "optimal"
    assert set(summary["ratings"]) == {"random", "random (2)", "optimal"}
    before = (cup / "games.jsonl").read_bytes()
    assert main(["tournament", "--resume", str(cup)]) == 0  # finished: nothing is played
    assert (cup / "games.jsonl").read_bytes() == before
    assert main([*args, "--out", str(cup)]) == 2
    assert f"sparring tournament --resume {cup}" in capsys.readouterr().err


def test_a_judge_in_a_seat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    debate = ["--game", "Debate-v0(rounds=1)", "--games", "10", "--seat", "judge=random"]
    assert main(["evaluate", "random", "random", *debate, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["games"]["Debate-v0(rounds=1)"]
    assert set(found["scores"]) == {"random", "random (2)"}
    assert found["games"] == 10


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["random"], "name at least two agents"),
        (["random", "optimal", "--games", "7"], "even number of at least 2"),
        (["random", "optimal", "--until", "soon"], "half width, as in --until ±0.02"),
        (["random", "optimal", "--until", "-1"], "half width above 0"),
        (["random", "random", "--seat", "judge"], "ROLE=AGENT"),
        (["random", "random", "--seat", "judge=random"], "no game here has a role 'judge'"),
        (["random", "nobody"], "no agent 'nobody'"),
        (["random", "random", "--game", "Go-v0"], "no game 'Go-v0'"),
        (["random", "random", "--game", "KuhnPoker-v0", "KuhnPoker-v0"], "named twice"),
        (["random", "random", "--game", "Avalon-v0", "--at-once", "0"], "at least 1"),
        (["random", "random", "--system", "swiss", "--until", "0.1"], "for a round robin"),
        (["random", "random", "--system", "swiss", "--rounds", "0"], "at least 1 round"),
        (["random", "run:nowhere"], "there is no run nowhere"),
        (["--resume", "nowhere"], "no tournament"),
        (["--resume", "nowhere", "--games", "4"], "cannot be changed on --resume"),
    ],
)
def test_bad_input(
    args: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tournament", *args]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_damaged_config_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("{", "[]", '{"agents": []}', "\x00"):
        (tmp_path / "config.json").write_text(text)
        assert main(["tournament", "--resume", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert "cannot be read" in said
        assert len(said.splitlines()) == 1

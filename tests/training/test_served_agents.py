"""Models on servers in commands: a death in mid-tournament, the counts, and no key anywhere."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sparring.training.cli import main

SECRET = "sk-not-to-be-seen-anywhere-4711"


def everything(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_a_server_that_dies_in_mid_tournament(
    endpoint: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"openai:m(retries=0,prices=(1,10))@{endpoint.url}"
    asked = ["tournament", name, "random", "--game", "KuhnPoker-v0", "--games", "60"]
    asked += ["--at-once", "4"]
    whole, cup = tmp_path / "whole", tmp_path / "cup"
    assert main([*asked, "--out", str(whole)]) == 0
    n = len(endpoint.asked)
    endpoint.asked.clear()
    capsys.readouterr()

    endpoint.dies_at = n // 2
    assert main([*asked, "--out", str(cup)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"sparring: {endpoint.url} ")
    assert said.err.count("\n") == 1
    kept = (cup / "games.jsonl").read_text()
    number = kept.count("\n")
    assert 0 < number < 60
    assert f"Stopped after {number} games; all are kept. Go on with:" in said.out
    assert pl.read_parquet(cup / "results.parquet")["index"].n_unique() == number

    endpoint.stop()
    endpoint.start()
    assert main(["tournament", "--resume", str(cup)]) == 0
    assert (cup / "games.jsonl").read_text().startswith(kept), "and no finished game again"
    one, two = (pl.read_parquet(f / "results.parquet") for f in (whole, cup))
    assert one.equals(two), "as if it had never died"
    lines = [json.loads(line) for line in (cup / "usage.jsonl").read_text().splitlines()]
    assert [line["agent"] for line in lines] == [name, name]
    counted = sum(line["requests"] for line in lines)
    assert n <= counted <= n + 4
    assert sum(line["cost"] for line in lines) == pytest.approx(counted * 200e-6)
    assert f"{name}: {lines[1]['requests']} answers, " in capsys.readouterr().out
    assert SECRET.encode() not in everything(tmp_path)


def test_evaluate_counts(endpoint: Any, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"openai:m@{endpoint.url}"
    asked = ["evaluate", name, "random", "--games", "4", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    n = len(endpoint.asked)
    assert found["usage"][name] == {
        "requests": n,
        "retries": 0,
        "prompt": 100 * n,
        "cached": 60 * n,
        "completion": 10 * n,
        "cost": None,
    }
    assert main(["evaluate", "random", "random", "--games", "4", "--json"]) == 0
    assert "usage" not in json.loads(capsys.readouterr().out)


def test_watching_a_model_play(endpoint: Any, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"openai:m@{endpoint.url}"
    endpoint.message = {"reasoning": "I think so."}
    assert main(["play", "KuhnPoker-v0", "--watch", "--against", name, "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert "I think so." in said
    assert f"{name}: {len(endpoint.asked)} answers, " in said


@pytest.mark.parametrize("fault", [500, b"<html>", 401])
def test_a_game_that_cannot_go_on(
    fault: Any, endpoint: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == 401:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    endpoint.faults.extend([fault] * 9)
    name = f"openai:m(retries=1)@{endpoint.url}"
    assert main(["play", "KuhnPoker-v0", "--watch", "--against", name, "--seed", "1"]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert endpoint.url in said.err
    assert "sk-" not in said.err + said.out
    assert "Play this deal again: sparring play KuhnPoker-v0" in said.out


def test_the_example_in_the_docs(
    endpoint: Any, tokenizer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/servers.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    tokenizer.save_pretrained(tmp_path)
    endpoint.models, endpoint.vocabulary = ("kuhn",), len(tokenizer)
    for theirs, ours in (
        ("http://127.0.0.1:8000/v1", endpoint.url),
        ("runs/kuhn/checkpoints/step-000100/model", str(tmp_path)),
        ("range(1000)", "range(3)"),
    ):
        assert theirs in block
        block = block.replace(theirs, ours)
    exec(compile(block, "docs/servers.md", "exec", dont_inherit=True), {"__name__": "example"})
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(endpoint.asked) + 1
    assert said[-1].startswith(f"Usage(requests={len(endpoint.asked)}, ")


def test_ctrl_c_while_a_server_hangs(endpoint: Any, tmp_path: Path) -> None:
    endpoint.delay = 30
    cup = tmp_path / "cup"
    name = f"openai:m@{endpoint.url}"
    command = [sys.executable, "-m", "sparring.training.cli", "tournament", name, "random"]
    process = subprocess.Popen(
        [*command, "--games", "40", "--out", str(cup)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job may ignore it
    )
    until = time.monotonic() + 60
    while not endpoint.asked and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert f"sparring tournament --resume {cup}" in said
    endpoint.delay = 0
    assert main(["tournament", "--resume", str(cup)]) == 0

"""sparring serve: what it prints, what it refuses, and that Ctrl-C stops it at once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sparring.training.cli import main
from sparring.training.serve.lineup import Lineup
from sparring.training.serve.server import is_loopback, names_of


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "sparring.training.cli", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=-1, stderr=-1
    )
    assert running.stdout
    line = running.stdout.readline()
    assert line.startswith("Open http://127.0.0.1:"), line
    yield running, line.split()[1]
    running.kill()
    running.wait()


def test_ctrl_c_stops_at_once_with_open_streams(
    started: tuple[subprocess.Popen[str], str],
) -> None:
    running, url = started
    assert "torch" not in Path(f"/proc/{running.pid}/maps").read_text()  # it starts quickly
    sent = {"game": "KuhnPoker-v0", "seat": "player_0", "agents": {"player_1": "random"}}
    with httpx.Client(headers={"origin": url}) as client:
        id = client.post(f"{url}/api/games", json=sent).json()["id"]
        with client.stream("GET", f"{url}/api/games/{id}/news") as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("data: ")
            began = time.monotonic()
            running.send_signal(signal.SIGINT)
            assert running.wait(10) == 130
            assert time.monotonic() - began < 2
            list(lines)  # the stream ends as one that is over, not as one that is torn
    assert running.stderr
    assert running.stderr.read().split() == ["stopped"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nowhere"], "there is no run nowhere"),
        (["."], ". has no checkpoint"),
        (["--agent", "nobody"], "no agent 'nobody'"),
        (["--agent", "optimal:9"], "optimal:9 names no equilibrium"),
        (["--agent", "human"], "human sits at the page already"),
        (["--agent", "run:nowhere"], "there is no run nowhere"),
        (["--game", "Kuhn"], "no game 'Kuhn'"),
        (["--game", "nowhere.py:Game"], "no file nowhere.py"),
        (["--port", "70000"], "--port is from 0 to 65535"),
        (["--port", "0", "--host", "192.0.2.1"], "cannot listen on --host 192.0.2.1"),
        (["--port", "0", "--host", "no.such.host.invalid"], "cannot listen on --host"),
    ],
)
def test_bad_input(
    args: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *args]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_busy_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"port {port} is in use; choose another with --port" in said


def test_names() -> None:
    assert set(names_of("127.0.0.1")) == {"127.0.0.1", "localhost", "::1", "[::1]"}
    assert {"0.0.0.0", "127.0.0.1", socket.gethostname()} <= set(names_of("0.0.0.0"))
    assert "*" not in names_of("0.0.0.0")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost")] == [True] * 3
    assert [is_loopback(host) for host in ("0.0.0.0", "10.0.0.1", "a.example")] == [False] * 3


def test_the_agents_of_a_run_newest_first(tmp_path: Path) -> None:
    from sparring.envs.registry import game

    for step in (0, 20, 100):
        (tmp_path / "checkpoints" / f"step-{step:06d}").mkdir(parents=True)
    lineup = Lineup(tmp_path, ("optimal:0.2",))
    lineup.check()
    kuhn = game("KuhnPoker-v0")
    steps = [f"run:{tmp_path}@{step}" for step in (100, 20, 0)]
    assert lineup.agents(kuhn) == ["optimal:0.2", *steps, "optimal", "random"]
    assert lineup.agents(game("PigDice-v0")) == [*steps, "random"]
    assert lineup.agents(game("KuhnPoker-v0(players=3)")) == [*steps, "random"]
    (tmp_path / "config.json").write_text('{"options": {"game": "KuhnPoker-v0(hands=2)"}}')
    assert lineup.games()[0]["spec"] == lineup.first() == "KuhnPoker-v0(hands=2)"
    (tmp_path / "config.json").write_text("torn")
    assert lineup.games()[0]["spec"] == "AdversarialTaboo-v0"

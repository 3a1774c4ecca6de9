"""sparring play, as a person types at it: through a pipe, and stopped by Ctrl-C."""

import io
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sparring.training.cli import main

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def played(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, *args: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    code = main(["play", *args])
    return code, capsys.readouterr().out


Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def test_a_game_with_everything_asked_for(capsys: Capture, monkeypatch: Patch) -> None:
    typed = "/help\n/rules\nwhat?\n/legal\n/hint\n/undo\n/history\nb\n"
    code, said = played(capsys, monkeypatch, typed, "KuhnPoker-v0", "--seed", "4", "--reveal")
    assert code == 0
    for words in (
        "KuhnPoker-v0   deal 4",
        "player_0  you",
        "player_1  random",
        "/hint     what an equilibrium plays",
        "'what?' is not a legal answer. Legal: check, bet.",
        "An equilibrium bets 33 %, checks 67 %.",
        "what is said is said",
        "You say: bet",
        "player_0 had J, player_1 had K. player_1 wins 2.",
        "player_0  you     -2",
        "player_1  random  +2",
        "Your payoff: -2",
        "player_1 alone saw\nYour card: K",
        "Play this deal again: sparring play KuhnPoker-v0 --reveal --seed 4",
    ):
        assert words in said
    assert said.count("Kuhn poker. You are player_0.") == 2, "at the start and on demand"
    assert said.index("Your card: K") > said.index("player_1 wins 2"), "not before the end"
    assert "\x1b" not in said


def test_the_command_at_the_end_plays_the_same_game(capsys: Capture, monkeypatch: Patch) -> None:
    _, first = played(capsys, monkeypatch, "check\nfold\n", "KuhnPoker-v0")
    again = next(line for line in first.splitlines() if line.startswith("Play this deal again: "))
    command = shlex.split(again.partition(": ")[2])
    assert command[:2] == ["sparring", "play"]
    code, second = played(capsys, monkeypatch, "check\nfold\n", *command[2:])
    assert (code, second) == (0, first)


def test_another_seat_and_other_agents(capsys: Capture, monkeypatch: Patch) -> None:
    args = ["KuhnPoker-v0(players=3)", "--role", "player_2", "--seat", "player_1=random"]
    code, said = played(capsys, monkeypatch, "c\nb\nf\n", *args, "--seed", "1")
    assert code == 0
    assert "player_2  you" in said
    assert said.index("player_0: ") < said.index("player_2 (")


def test_several_seats_may_be_given(capsys: Capture, monkeypatch: Patch) -> None:
    args = ["TicTacToe-v0", "--watch", "--seat", "player_0=optimal:lowest"]
    args += ["--seat", "player_1=optimal", "--seed", "3"]
    code, said = played(capsys, monkeypatch, "", *args)
    assert code == 0
    assert "player_0  optimal:lowest" in said
    assert "> player_0: 1   (always plays 1)" in said
    assert "> player_1: 5   (always plays 5)" in said
    assert "The game is a draw." in said
    assert "Your payoff" not in said


def test_typos_never_lose_a_game_of_free_speech(capsys: Capture, monkeypatch: Patch) -> None:
    """The speaker of a reference game may say one word; this one says too many, often."""
    typed = "one two three\n" * 12 + "small\n"
    code, said = played(capsys, monkeypatch, typed, "ReferenceGame-v0", "--seed", "1")
    assert code == 0
    assert said.count("[referee] That has 3 words.") == 12
    assert "forfeit" not in said


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--role", "dealer"], "no role 'dealer'"),
        (["--seat", "player_1"], "--seat is ROLE=AGENT, such as player_1=random"),
        (["--seat", "dealer=random"], "no role 'dealer'"),
        (["--seat", "player_1=nobody"], "no agent 'nobody'"),
        (["--seat", "player_1=random", "--seat", "player_1=optimal"], "given twice"),
        (["--seat", "player_0=random", "--role", "player_0"], "is your seat"),
        (["--seat", "player_0=random", "--seat", "player_1=random"], "or add --watch"),
        (["--watch", "--role", "player_0"], "no seat for you"),
        (["--watch", "--against", "human"], "leave it out to play yourself"),
        (["--delay", "1"], "--delay is for --watch"),
        (["--watch", "--delay", "-1"], "from 0 to 60"),
        (["--against", "run:nowhere"], "no run nowhere"),
    ],
)
def test_bad_input(args: list[str], says: str, capsys: Capture) -> None:
    assert main(["play", "KuhnPoker-v0", *args]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


@pytest.mark.parametrize("leave", ["/quit\n", ""])
def test_leaving_is_polite(leave: str, capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(leave))
    assert main(["play", "KuhnPoker-v0", "--seed", "4"]) == 130
    said = capsys.readouterr()
    assert "You left. Play this deal again: sparring play KuhnPoker-v0 --seed 4" in said.out
    assert said.err.strip() == "stopped"


def test_ctrl_c_at_the_prompt(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sparring.training.cli", "play", "KuhnPoker-v0"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job may ignore it
    ) as running:
        assert running.stdout
        assert running.stderr
        seen = ""
        while "(check, bet)>" not in seen:
            letter = running.stdout.read(1)
            assert letter, running.stderr.read()
            seen += letter
        # One that comes between the prompt and the reading of the answer waits for a line that this
        # test does not type; a person would press it again.
        for _ in range(60):
            running.send_signal(signal.SIGINT)
            try:
                assert running.wait(1) == 130
                break
            except subprocess.TimeoutExpired:
                continue
        assert running.stderr.read().strip() == "stopped"

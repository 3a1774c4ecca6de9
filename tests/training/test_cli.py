"""The command line: what it prints, and one line and exit code 2 for bad input."""

import json
import os
import subprocess
import sys

import pytest

from sparring.envs import game, games
from sparring.training.cli import COMMANDS, main


@pytest.mark.parametrize("command", [[], *([c] for c in COMMANDS), ["train", "kuhn"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main([*command, "--help"])
    except SystemExit as end:  # tyro exits by itself
        code = end.code
    assert code == 0
    assert "sparring" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["dance"], "no command 'dance'"),
        (["train"], "recipes: kuhn"),
        (["train", "go"], "no recipe 'go'"),
        (["evaluate", "random", "nobody"], "no agent 'nobody'"),
        (["evaluate", "random", "run:"], "no agent 'run:'"),
        (["evaluate", "random", "random:7"], "no agent 'random:7'"),
        (["evaluate", "random", "run:nowhere"], "no run nowhere"),
        (["evaluate", "random", "hf:./nowhere"], "no model folder nowhere"),
        (["evaluate", "random", "random", "--games", "3"], "even number"),
        (["evaluate", "random", "random", "--game", "Kuhn"], "no game 'Kuhn'"),
        (["exploitability", "human"], "does not say how likely"),
        (["exploitability", "random", "--game", "TicTacToe-v0"], "too many to solve"),
        (["games", "Chess-v0"], "no game 'Chess-v0'"),
        (["play", "KuhnPoker-v0", "--role", "dealer"], "no role 'dealer'"),
    ],
)
def test_bad_input(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_an_unknown_option_is_shown_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", "kuhn", "--dance", "3"])
    assert end.value.code == 2
    assert "--dance" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "unused"),
    [
        (["--help"], {"torch", "tensorboard", "tyro"}),
        (["train", "kuhn", "--help"], {"tensorboard"}),
    ],
)
def test_help_loads_nothing_that_it_does_not_need(args: list[str], unused: set[str]) -> None:
    code = (
        "import sys\nfrom sparring.training.cli import main\n"
        f"try: main({args})\nexcept SystemExit: pass\n"
        f"print(sorted({unused} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "optimal", "random", "--games", "2000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    kuhn = found["games"]["KuhnPoker-v0"]
    # α = 1/3 gets 1/6 a hand from uniform play in either seat
    payoff = kuhn["cross"]["optimal"]["random"]
    assert payoff["low"] < 1 / 6 < payoff["high"]
    assert payoff["clusters"] == 1000
    assert set(kuhn["records"]["optimal"]) == {"player_0", "player_1"}
    assert main(["evaluate", "optimal", "random", "--games", "2000"]) == 0
    assert "mean payoff, 95 %" in capsys.readouterr().out


def test_exploitability(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exploitability", "random", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["nash_conv"] == pytest.approx(11 / 12)
    assert found["best_responses"]["player_0"] == pytest.approx(1 / 2)
    assert main(["exploitability", "optimal"]) == 0
    said = capsys.readouterr().out
    assert "NashConv 0.0000" in said
    assert "holding Q, after check, bet: calls 67 % (equilibrium: 67 %)" in said
    assert "holding J, after a check: bets 33 % (equilibrium: 33 %)" in said
    assert "α = 0.333" in said
    assert all(len(line) <= 80 for line in said.splitlines())


@pytest.mark.parametrize("args", [["games"], ["games", "--help"], ["evaluate", "--help"]])
def test_a_reader_that_stops_reading_sees_no_traceback(args: list[str]) -> None:
    command = [sys.executable, "-m", "sparring.training.cli", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()  # before the command has begun to write
        assert running.stderr.read() == b""
        assert running.wait(60) == 1


@pytest.mark.parametrize(
    ("suite", "holds"),
    [
        ("openspiel", "openspiel:kuhn_poker"),
        ("textarena:", "textarena:TicTacToe-v0"),
        ("pettingzoo", "pettingzoo:classic/chess_v6"),
    ],
)
def test_games_of_a_suite(suite: str, holds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", suite]) == 0
    listed = capsys.readouterr().out.split()
    assert holds in listed
    assert all(game(name).name for name in listed[::25])


def test_games(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in games())
    assert main(["games", "KuhnPoker-v0(hands=3)"]) == 0
    said = capsys.readouterr().out
    assert "You are player_0" in said
    assert "You are player_1" not in said  # the same words but for the seat: shown once
    assert "zero-sum, from -6 to 6; hidden information" in said
    assert "hands=1  so many hands" in said
    assert main(["games", "KuhnPoker-v0(hand=3)"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_play() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sparring.training.cli", "play", "KuhnPoker-v0", "--seed", "4"],
        input="what?\nbet\n",
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "not a legal answer" in done.stdout
    assert "Your payoff: " in done.stdout


def test_leaving_a_game_is_no_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sparring.training.cli", "play", "KuhnPoker-v0"],
        input="",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "stopped"


def test_evaluate_ranks_several_agents(capsys: pytest.CaptureFixture[str]) -> None:
    agents = ["random", "optimal", "optimal:0"]
    assert main(["evaluate", *agents, "--games", "400", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    scores = found["games"]["KuhnPoker-v0"]["scores"]
    assert set(scores) == set(agents)
    assert list(scores)[-1] == "random", "best first"
    assert main(["evaluate", *agents, "--games", "20"]) == 0
    assert "of the row against the column" in " ".join(capsys.readouterr().out.split())
    assert main(["evaluate", "random"]) == 2
    assert "name at least two agents" in capsys.readouterr().err

"""``sparring new-game`` and ``sparring check``: a game of one's own, installed for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sparring.training.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_skeleton_is_whole_and_keeps_the_contract(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new-game", "RedCard"]) == 0
    assert "sparring check RedCard-v0" in capsys.readouterr().out
    written = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
    assert written == {
        "sparring-red-card/red_card.py",
        "sparring-red-card/pyproject.toml",
        "sparring-red-card/README.md",
        "sparring-red-card/tests/test_red_card.py",
        "sparring-red-card/tests/golden/RedCard-v0.txt",
    }
    assert not [f for f in folder.rglob("*") if f.is_file() and "$" in f.read_text()]
    assert "option `numbers`, default `5`" in (folder / "sparring-red-card/README.md").read_text()
    assert main(["check", "sparring-red-card/red_card.py:RedCard(numbers=3)"]) == 0
    assert "RedCard-v0: keeps the contract" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        (["redCard"], "a game's name looks like MyGame, not 'redCard'"),
        (["KuhnPoker"], "there is already a game KuhnPoker-v0; choose another name"),
        (["RedCard", "--to", "here"], "here exists; give another folder with --to"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], fault: str
) -> None:
    (folder / "here").mkdir()
    assert main(["new-game", *args]) == 2
    assert capsys.readouterr().err == f"sparring: {fault}\n"
    assert [f.name for f in folder.rglob("*")] == ["here"]


def test_what_is_broken_is_said_with_what_replays_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new-game", "RedCard"]) == 0
    file = folder / "sparring-red-card/broken.py"
    text = (folder / "sparring-red-card/red_card.py").read_text()
    file.write_text(text.replace("right[1] - right[0]}", "right[1]}"))
    capsys.readouterr()
    assert main(["check", f"{file}:RedCard"]) == 1
    said = capsys.readouterr().out
    assert "payoffs of a zero-sum game do not add up" in said
    assert "openings()[" in said
    assert "; player_1: '" in said  # the moves
    assert "1 of 14 promises broken" in said
    assert main(["check", "NoGame-v0"]) == 2


def test_a_game_in_a_package_of_its_own_is_found(folder: Path) -> None:
    """Built and installed by pip, beside the other packages; then every command knows it."""
    assert main(["new-game", "RedCard"]) == 0
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "site"]
    subprocess.run([*pip, "./sparring-red-card"], check=True, timeout=300)
    paths = os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}

    def sparring(*args: str) -> str:
        command = [sys.executable, "-m", "sparring.training.cli", *args]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "RedCard-v0" in sparring("games")
    assert "numbers=5" in sparring("games", "RedCard-v0")
    assert "keeps the contract" in sparring("check", "RedCard-v0(numbers=4)")
    tests = [sys.executable, "-m", "pytest", "-q", "sparring-red-card", "-p", "no:cacheprovider"]
    done = subprocess.run(tests, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["True", "Class", "Enum", "Random"])
def test_a_name_that_python_has_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["new-game", name]) == 2
    assert "is a word or a module of Python's" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_file_that_cannot_be_imported_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken_game.py").write_text("class G(:\n")
    assert main(["check", "broken_game.py:G"]) == 2
    assert "broken_game.py cannot be imported: SyntaxError" in capsys.readouterr().err
    (folder / "file.txt").touch()
    assert main(["new-game", "RedCard", "--to", "file.txt/x"]) == 2
    assert "cannot write file.txt/x" in capsys.readouterr().err

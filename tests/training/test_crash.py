"""A run that dies at any moment goes on as if nothing had happened.

The moments are everything that a run writes and all that it shows; the run is tiny.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.training import checkpoint
from sparring.training import run as running
from sparring.training.cli import main
from sparring.training.recipes.kuhn import Config
from sparring.training.run import drive
from sparring.training.show import Display

MOMENTS: tuple[tuple[Any, str], ...] = (
    (Display, "stage_one"),
    (Display, "step"),  # a step is logged, and not saved
    (checkpoint, "save"),
    (torch, "save"),  # the weights are written, the optimiser is not
    (checkpoint, "_flush"),  # all is written, and not yet renamed; or renamed, and not yet on disk
    (running, "write_aside"),
    (running, "keep"),
)


class Died(BaseException):
    """Like a kill: nothing catches it."""


@pytest.fixture(autouse=True)
def small(tiny_model: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe with a tiny model, and without its report, which takes long."""
    monkeypatch.setattr(running, "keep", lambda *run, last: None)


def config(**options: Any) -> Config:
    given = {"steps": 4, "games": 12, "imitation_steps": 2, "imitation_games": 8, "max_tokens": 3}
    return Config(**{**given, "evaluate_every": 2, "save_every": 1, **options})


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def label(owner: Any, name: str) -> str:
    return f"{owner.__name__}.{name}"


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, at: Callable[[int, str], None]) -> Iterator[None]:
    """Calls ``at(number, name)`` before every moment."""
    seen = 0

    def before(name: str, call: Any) -> Any:
        def watching(*args: Any, **named: Any) -> Any:
            nonlocal seen
            at(seen, name)
            seen += 1
            return call(*args, **named)

        return watching

    with monkeypatch.context() as patch:
        for owner, name in MOMENTS:
            patch.setattr(owner, name, before(label(owner, name), getattr(owner, name)))
        yield


def moments(monkeypatch: pytest.MonkeyPatch, options: Config, folder: Path) -> list[str]:
    """An unbroken run; the names of all its moments."""
    names: list[str] = []
    with watched(monkeypatch, lambda number, name: names.append(name)):
        assert drive("kuhn", options, folder, quiet=True)
    return names


def until_it_dies(
    monkeypatch: pytest.MonkeyPatch, options: Config, folder: Path, last: int
) -> None:
    def die(number: int, name: str) -> None:
        if number == last:
            raise Died

    with watched(monkeypatch, die), suppress(Died):
        drive("kuhn", options, folder, quiet=True)


@pytest.mark.parametrize("save_every", [1, 3])
def test_a_run_that_dies_at_any_moment_goes_on_exactly(
    save_every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = config(save_every=save_every)
    names = moments(monkeypatch, options, tmp_path / "whole")
    assert set(names) == {label(owner, name) for owner, name in MOMENTS}
    whole = metrics(tmp_path / "whole")
    assert [line["step"] for line in whole] == [0, 1, 2, 3, 4]
    firsts = [i for i, name in enumerate(names) if name != names[i - 1]]  # _flush runs often
    for last in firsts:
        folder = tmp_path / f"died-{last}"
        until_it_dies(monkeypatch, options, folder, last)
        assert drive("kuhn", options, folder, quiet=True)
        assert metrics(folder) == whole, f"died before {names[last]}, moment {last}"
        steps = sorted(path.name for path in (folder / "checkpoints").iterdir())
        assert [s for s in steps if not s.startswith(".")] == sorted(
            path.name for path in (tmp_path / "whole" / "checkpoints").iterdir()
        )


def test_a_run_that_dies_again_and_again_comes_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = config()
    moments(monkeypatch, options, tmp_path / "whole")
    folder = tmp_path / "run"
    until_it_dies(monkeypatch, options, folder, 9)  # past stage one
    for _ in range(20):
        until_it_dies(monkeypatch, options, folder, 30)
        if len(metrics(folder)) == 5:
            break
    assert drive("kuhn", options, folder, quiet=True), "a finished run is finished"
    assert metrics(folder) == metrics(tmp_path / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_run_that_is_asked_to_stop_leaves_no_trace_of_it(
    number: int, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the step, saves, and says that it is not finished."""
    options = config(save_every=100)
    moments(monkeypatch, options, tmp_path / "whole")
    show = Display.step

    def asks(self: Display, line: dict[str, float]) -> None:
        show(self, line)
        if line["step"] == step:
            os.kill(os.getpid(), number)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Display, "step", asks)
        assert not drive("kuhn", options, folder, quiet=True)
    stopped = metrics(folder)
    done = max(step, 1)  # asked before the first step, it stops after it
    assert [line["step"] for line in stopped] == list(range(done + 1))
    assert (folder / "checkpoints" / f"step-{done:06d}").is_dir()
    assert drive("kuhn", options, folder, quiet=True)
    assert metrics(folder) == metrics(tmp_path / "whole")


def test_a_second_signal_stops_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asks_twice(self: Display, line: dict[str, float]) -> None:
        if line["step"] == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(Display, "step", asks_twice)
        with pytest.raises(KeyboardInterrupt):
            drive("kuhn", config(), tmp_path, quiet=True)
    assert signal.getsignal(signal.SIGINT) is before
    assert drive("kuhn", config(), tmp_path, quiet=True)
    assert [line["step"] for line in metrics(tmp_path)] == [0, 1, 2, 3, 4]


def test_stopping_while_it_learns_the_language_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments(monkeypatch, config(), tmp_path / "whole")
    with monkeypatch.context() as patch:
        ask = lambda *_: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
        patch.setattr(Display, "stage_one", ask)
        assert not drive("kuhn", config(), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert drive("kuhn", config(), tmp_path / "run", quiet=True)
    assert metrics(tmp_path / "run") == metrics(tmp_path / "whole")


def test_more_steps_prolong_a_run_and_fewer_leave_it_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert drive("kuhn", config(steps=2), folder, quiet=True)
    resume = ["train", "kuhn", "--resume", str(folder), "--steps"]
    assert main([*resume, "3"]) == 0
    assert [line["step"] for line in metrics(folder)] == [0, 1, 2, 3]
    weights = folder / "checkpoints/step-000003/model/model.safetensors"
    before = weights.read_bytes()
    assert main([*resume, "1"]) == 0
    assert "Stopped" not in capsys.readouterr().out
    assert [line["step"] for line in metrics(folder)] == [0, 1, 2, 3]
    assert weights.read_bytes() == before


@pytest.mark.parametrize("file", ["trainer.pt", "model/model.safetensors", "model/config.json"])
@pytest.mark.parametrize("damage", ["cut off", "empty", "garbage", "missing"])
def test_a_damaged_checkpoint_is_one_line(
    file: str, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive("kuhn", config(steps=1), tmp_path, quiet=True)
    path = tmp_path / "checkpoints/step-000001" / file
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        broken = {"cut off": whole[: len(whole) // 2], "empty": b"", "garbage": b"\xff\x00" * 99}
        path.write_bytes(broken[damage])
    log = (tmp_path / "metrics.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["train", "kuhn", "--resume", str(tmp_path), "--steps", "2"]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert "step-000001" in said
    assert (tmp_path / "metrics.jsonl").read_bytes() == log, "nothing is lost"


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "\x00", '{"recipe": "kuhn"}'])
def test_a_damaged_config_is_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in (text.encode(), b"\xff" + text.encode()):
        (tmp_path / "config.json").write_bytes(content)
        assert main(["train", "kuhn", "--resume", str(tmp_path)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1

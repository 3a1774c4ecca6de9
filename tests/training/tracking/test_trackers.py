"""Where metrics go: no file that a kill tears, no step twice, one line for what is missing."""

import json
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sparring.envs.core import BadInput
from sparring.training.checkpoint import rewind_metrics
from sparring.training.core import Metrics
from sparring.training.tracking import registry
from sparring.training.tracking.core import Session
from sparring.training.tracking.jsonl import JsonLines, append, records
from sparring.training.tracking.registry import TRACKERS, check, opened
from sparring.training.tracking.tensorboard import TensorBoard
from sparring.training.tracking.trackio import Trackio
from sparring.training.tracking.wandb import WeightsAndBiases


def session(folder: Path, done: int = -1) -> Session:
    return Session(folder, "kuhn", {"seed": 0, "update": {"rate": 0.1}}, done)


def line(step: int, **more: float) -> Metrics:
    return {"step": float(step), "legal": step / 10, "legal/A-v0(x=1)": 0.5, **more}


# -- metrics.jsonl ----------------------------------------------------------------------------


def test_lines_are_whole_and_read_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = JsonLines(path)
    third = {"step": 2.0, "x": 1 / 3, "odd": math.inf}
    for metrics in (line(0), line(1), third):
        lines.log(metrics)
        assert path.read_text().endswith("\n"), "nothing waits in a buffer"
    found = records(path)
    assert [{k: v for k, v in each.items() if k != "seconds"} for each in found][2] == third
    assert list(found[0])[-1] == "seconds"
    assert records(tmp_path / "nothing") == []


def test_a_torn_line_is_dropped_and_the_clock_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for step in range(4):
        append(path, {"step": step, "seconds": 100.0 * step})
    whole = path.read_bytes()
    torn = json.dumps({"step": 4, "seconds": 400.0}) + "\n"
    for cut in range(len(torn)):
        path.write_bytes(whole + torn[:cut].encode())
        rewind_metrics(path, 2)
        assert [each["step"] for each in records(path)] == [0, 1, 2]
    JsonLines(path).log({"step": 3.0})
    assert 200 <= records(path)[-1]["seconds"] < 260


# -- TensorBoard --------------------------------------------------------------------------------


def shown(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a run."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def test_tensorboard_shows_every_step_once(tmp_path: Path) -> None:
    first = TensorBoard(session(tmp_path))
    for step in range(6):
        first.log(line(step, value=1.0))
    # killed here: the checkpoint is of step 3, and 4 and 5 are played again
    second = TensorBoard(session(tmp_path, done=3))
    for step in range(4, 8):
        second.log(line(step, value=2.0))
    second.close()
    found = shown(tmp_path)
    assert set(found) == {"legal", "legal/A-v0(x=1)", "value"}
    assert [step for step, _ in found["legal"]] == list(range(8))
    assert [x for _, x in found["value"]] == [1.0] * 4 + [2.0] * 4
    assert found["legal"][5][1] == pytest.approx(0.5)


def test_tensorboard_has_a_step_on_the_disk_when_log_returns(tmp_path: Path) -> None:
    tracker = TensorBoard(session(tmp_path))
    for step in range(3):
        tracker.log(line(step))
        assert [s for s, _ in shown(tmp_path)["legal"]] == list(range(step + 1))
    tracker.close()


def test_a_new_run_in_a_folder_that_was_killed_early_starts_over(tmp_path: Path) -> None:
    TensorBoard(session(tmp_path)).log(line(0, value=1.0))
    again = TensorBoard(session(tmp_path))
    again.log(line(0, value=2.0))
    again.close()
    assert shown(tmp_path)["value"] == [(0, 2.0)]


# -- what may be missing -----------------------------------------------------------------------


def test_a_tracker_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    for name in ("wandb", "trackio"):
        with pytest.raises(BadInput, match=rf"pip install 'sparring\[{name}\]'"):
            check([name])
    with pytest.raises(
        BadInput, match="no tracker 'mlflow'; there are: tensorboard, wandb, trackio"
    ):
        check(["mlflow"])
    check([])


def test_a_tracker_named_twice() -> None:
    with pytest.raises(BadInput, match="twice"):
        check(["tensorboard", "tensorboard"])


def test_a_tracker_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Mine:
        def __init__(self, session: Session):
            seen.append(session.done)

        def log(self, metrics: Metrics) -> None:
            seen.append(metrics)

        def close(self) -> None:
            seen.append("closed")

    monkeypatch.setitem(TRACKERS, "mine", Mine)
    check(["mine"])

    def killed() -> None:
        with opened(["mine"], session(tmp_path, 4)) as trackers:
            trackers[0].log(line(5))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert seen == [4, line(5), "closed"]


# -- Weights & Biases, trackio: what they are told ----------------------------------------------


class Told:
    """Stands for both packages: remembers what it was told."""

    def __init__(self) -> None:
        self.inits: list[dict[str, Any]] = []
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.finished = 0

    def init(self, **options: Any) -> "Told":
        self.inits.append(options)
        return self

    def log(self, values: dict[str, float], step: int) -> None:
        self.logged.append((step, values))

    def finish(self) -> None:
        self.finished += 1


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    stand_in = Told()
    for name in ("wandb", "trackio"):
        module: Any = ModuleType(name)
        module.init, module.finish = stand_in.init, stand_in.finish
        module.Error = type("Error", (Exception,), {})
        module.Settings = lambda **options: SimpleNamespace(**options)
        monkeypatch.setitem(sys.modules, name, module)
    return stand_in


def test_wandb_goes_on_with_the_run_that_it_knows(tmp_path: Path, told: Told) -> None:
    first = WeightsAndBiases(session(tmp_path))
    first.log(line(0))
    first.close()
    WeightsAndBiases(session(tmp_path, done=0)).log(line(1))
    one, two = told.inits
    assert one["id"] == two["id"]
    assert len(one["id"]) == 8
    assert one["config"] == {"seed": 0, "update": {"rate": 0.1}}
    assert one["dir"] == tmp_path
    assert [step for step, _ in told.logged] == [0, 1]
    assert "step" not in told.logged[0][1]
    assert told.finished == 1
    WeightsAndBiases(session(tmp_path))
    assert told.inits[2]["id"] != one["id"], "a new run is not the one of before"


def test_wandb_that_cannot_be_reached_is_one_line(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: Any) -> None:
        raise sys.modules["wandb"].Error("api_key not configured\n(no-tty)")

    monkeypatch.setattr(sys.modules["wandb"], "init", refuse)
    with pytest.raises(BadInput, match="WANDB_MODE=offline") as fault:
        WeightsAndBiases(session(tmp_path))
    assert "\n" not in str(fault.value)


def test_trackio_is_given_every_step_once(tmp_path: Path, told: Told) -> None:
    first = Trackio(session(tmp_path))
    for step in range(6):
        first.log(line(step))
    second = Trackio(session(tmp_path, done=3))  # after a kill
    for step in range(4, 8):
        second.log(line(step))
    third = Trackio(session(tmp_path, done=3))  # and another one, before a checkpoint
    for step in range(4, 9):
        third.log(line(step))
    third.close()
    assert told.finished == 1
    assert [step for step, _ in told.logged] == list(range(9))
    assert {each["name"] for each in told.inits} == {told.inits[0]["name"]}
    assert [each["resume"] for each in told.inits] == ["never", "allow", "allow"]
    Trackio(session(tmp_path))
    assert told.inits[-1]["resume"] == "never"


# -- the packages themselves, where they are installed ------------------------------------------


def test_wandb_itself_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    for done in (-1, 1):
        tracker = WeightsAndBiases(session(tmp_path, done))
        for step in (done + 1, done + 2):
            tracker.log(line(step, odd=math.nan))
        tracker.close()
    runs = list((tmp_path / "wandb").glob("offline-run-*"))
    assert len({run.name.rpartition("-")[2] for run in runs}) == 1, "the same run, in two stretches"


def test_trackio_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackio")
    from trackio import sqlite_storage

    monkeypatch.setattr(sqlite_storage, "TRACKIO_DIR", tmp_path / "trackio")
    for done in (-1, 2):
        tracker = Trackio(session(tmp_path, done))
        for step in range(done + 1, done + 6):
            tracker.log(line(step))
        tracker.close()
    name = json.loads((tmp_path / "trackio.json").read_text())["run"]
    found = sqlite_storage.SQLiteStorage.get_logs("sparring", name)
    assert [each["step"] for each in found] == list(range(8))

"""Runs: the same seed, the same numbers; a stopped run goes on without a trace."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparring.envs.core import BadInput
from sparring.training import checkpoint
from sparring.training import run as running
from sparring.training.cli import main
from sparring.training.commands.train import run as train
from sparring.training.core import Metrics
from sparring.training.recipes.kuhn import Config
from sparring.training.run import drive, new_run
from sparring.training.tracking.watch import Watch

TINY = Config(
    steps=4,
    games=24,
    imitation_steps=3,
    imitation_games=16,
    evaluate_every=2,
    save_every=1,
    max_tokens=3,
)
FLAGS = [
    *("--steps", "40", "--games", "16", "--imitation-steps", "3", "--imitation-games", "16"),
    *("--save-every", "1", "--evaluate-every", "50", "--max-tokens", "2"),
]


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert drive("kuhn", TINY, new_run("kuhn", folder), quiet=True)
    return folder


def test_a_run_leaves_what_the_docs_say(whole: Path) -> None:
    assert [line["step"] for line in metrics(whole)] == [0, 1, 2, 3, 4]
    assert {"reward/player_0", "legal", "entropy", "nash_conv"} <= metrics(whole)[4].keys()
    assert (whole / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert "player_0 says" in (whole / "transcripts/step-000004.txt").read_text()
    assert (whole / "checkpoints/step-000004/model/model.safetensors").is_file()
    kept = sorted(path.parent.name for path in whole.glob("checkpoints/*/trainer.pt"))
    assert kept == ["step-000003", "step-000004"]
    assert not list(whole.rglob("*.part"))
    assert len(list((whole / "tensorboard").glob("events.*"))) == 1


def test_the_same_seed_gives_the_same_numbers(whole: Path, tmp_path: Path) -> None:
    drive("kuhn", TINY, tmp_path / "again", quiet=True)
    assert metrics(tmp_path / "again") == metrics(whole)
    drive("kuhn", replace(TINY, seed=1), tmp_path / "other", quiet=True)
    assert metrics(tmp_path / "other") != metrics(whole)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_run_that_died_goes_on_exactly(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """It dies after logging a step and before saving it: the step is played again, alike."""
    save = running._save

    def die(experiment: Any, folder: Path) -> None:
        if experiment.loop.step == stop:
            raise KeyboardInterrupt
        save(experiment, folder)

    folder = tmp_path / "run"
    monkeypatch.setattr(running, "_save", die)
    with pytest.raises(KeyboardInterrupt):
        drive("kuhn", TINY, folder, quiet=True)
    monkeypatch.setattr(running, "_save", save)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9')  # what a kill in the middle of a line leaves
    (folder / "checkpoints/.step-000009.part").mkdir()  # and in the middle of a checkpoint
    assert drive("kuhn", TINY, folder, quiet=True)
    assert metrics(folder) == metrics(whole)


def start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sparring.training.cli", "train", "kuhn"]
    flags = ["--resume", str(folder)] if folder.exists() else ["--run-dir", str(folder), *FLAGS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*command, *flags], stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment
    )


def wait_for(folder: Path, steps: int) -> None:
    for _ in range(1200):
        log = folder / "metrics.jsonl"
        if log.exists() and len(log.read_text().splitlines()) > steps:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {steps} steps in a minute")


@pytest.mark.slow
def test_kill_9_and_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(folder)
    wait_for(folder, 3)
    process.kill()
    process.wait()
    done = len(metrics_so_far(folder))
    process = start(folder)
    wait_for(folder, done + 3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert f"--resume {folder}" in said
    newest = sorted((folder / "checkpoints").iterdir())[-1].name
    assert newest == f"step-{metrics(folder)[-1]['step']:06d}"  # the last step is in a checkpoint
    assert [line["step"] for line in metrics(folder)] == list(range(len(metrics(folder))))
    assert main(["exploitability", f"run:{folder}", "--json"]) == 0


def metrics_so_far(folder: Path) -> list[str]:
    return (folder / "metrics.jsonl").read_text().splitlines()


def test_a_used_folder_is_left_alone(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.stat().st_mtime_ns for path in whole.rglob("*"))
    assert main(["train", "kuhn", "--run-dir", str(whole)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert sorted(path.stat().st_mtime_ns for path in whole.rglob("*")) == before


def test_without_a_folder_it_takes_the_first_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/kuhn").mkdir(parents=True)
    assert new_run("kuhn", None) == Path("runs/kuhn-2")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--resume", "nowhere"], "not a run"),
        (["--game", "Chess-v0"], "no game"),
        (["--model", "./nowhere"], "no model folder"),
        (["--resume", "nowhere", "--run-dir", "x"], "--run-dir"),
        (["--run-dir", "/dev/null/x"], "/dev/null/x cannot be written (Not a directory)"),
        (["--run-dir", "/dev/null"], "/dev/null exists"),
        (["--trackers", "mlflow"], "no tracker 'mlflow'"),
        (["--steps", "0"], "steps must be at least 1"),
        (["--update.inner-steps", "0"], "inner-steps"),
        (["--update.step-size.end", "-1"], "step-size must be greater than 0"),
    ],
)
def test_bad_input_is_one_line(
    args: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "kuhn", *args]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "a failed start leaves nothing behind"


@pytest.mark.parametrize("games", ["7", str(Config().games)])  # the default is a change too
def test_options_are_fixed_on_resume(
    whole: Path, games: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "kuhn", "--resume", str(whole), "--games", games]) == 2
    assert "--games cannot be changed" in capsys.readouterr().err


def test_a_damaged_checkpoint_says_what_to_do(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    newest = folder / "checkpoints/step-000004"
    (newest / "trainer.pt").write_bytes(b"torn")
    assert main(["train", "kuhn", "--resume", str(folder)]) == 2
    assert "damaged" in capsys.readouterr().err
    shutil.rmtree(newest)  # what the message says
    assert main(["train", "kuhn", "--resume", str(folder)]) == 0
    assert metrics(folder) == metrics(whole)
    weights = folder / "checkpoints/step-000004/model/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert main(["evaluate", f"run:{folder}", "random", "--games", "2"]) == 2
    assert "cannot load the model" in capsys.readouterr().err


def test_a_recipe_must_be_one_of_ours() -> None:
    with pytest.raises(BadInput, match="no recipe"):
        train(["chess"])


# -- trackers and alarms -----------------------------------------------------------------------


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    """What TensorBoard shows of a metric."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return [(event.step, event.value) for event in found.Scalars(tag)]


def sick(metrics: Metrics) -> Metrics:
    """A run in which legality falls and rises again."""
    step = metrics["step"]
    return {"step": step, "legal": 0.2 if 11 <= step < 14 else 0.9}


def test_a_resumed_run_raises_the_same_alarms_and_doubles_no_step(
    tmp_path: Path, tiny_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies while the alarm is on, at a step that it plays again, and after it is over."""
    config = replace(TINY, steps=26, save_every=4, evaluate_every=50, games=4)
    see, save = Watch.see, running._save
    monkeypatch.setattr(Watch, "see", lambda watch, metrics: see(watch, sick(metrics)))
    monkeypatch.setattr(running, "keep", lambda *run, last: None)
    assert drive("kuhn", config, tmp_path / "whole", quiet=True)
    whole = (tmp_path / "whole" / "alarms.jsonl").read_text()
    # of steps 1 to 10 the mean is 0.9; 0.07 less with every sick step: over 0.1 less at the second
    alarms = [json.loads(line) for line in whole.splitlines()]
    assert [(a["step"], a["alarm"], a.get("over", False)) for a in alarms] == [
        (12, "legal", False),
        (23, "legal", True),
    ]
    assert alarms[0]["says"] == "Fewer answers are legal: 76.0%, 90.0% at the most before."

    folder, deaths = tmp_path / "run", iter((8, 12, 16, 24, 99))
    death = next(deaths)

    def die(experiment: Any, folder: Path) -> None:
        if experiment.loop.step == death:
            raise KeyboardInterrupt
        save(experiment, folder)

    monkeypatch.setattr(running, "_save", die)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            drive("kuhn", config, folder, quiet=True)
        death = next(deaths)
    assert drive("kuhn", config, folder, quiet=True)
    assert metrics(folder) == metrics(tmp_path / "whole")
    assert (folder / "alarms.jsonl").read_text() == whole
    assert [step for step, _ in scalars(folder, "entropy")] == list(range(1, 27))
    assert scalars(folder, "entropy") == scalars(tmp_path / "whole", "entropy")
    on = [(step, float(12 <= step < 23)) for step in range(12, 27)]
    assert scalars(folder, "alarm/legal") == on == scalars(tmp_path / "whole", "alarm/legal")


def test_a_run_without_trackers_and_then_with_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    flags = [*FLAGS[2:], "--save-every", "50", "--steps"]
    assert main(["train", "kuhn", "--run-dir", str(folder), *flags, "1", "--trackers"]) == 0
    assert not (folder / "tensorboard").exists()
    more = ["--steps", "2", "--trackers", "tensorboard"]
    assert main(["train", "kuhn", "--resume", str(folder), *more]) == 0
    assert [step for step, _ in scalars(folder, "legal")] == [2]


def test_a_folder_that_cannot_be_written_is_one_line(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*path: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    monkeypatch.setattr(running, "write_aside", refuse)
    monkeypatch.setattr(checkpoint, "rewind_metrics", refuse)
    for args in (["--resume", str(folder)], ["--run-dir", str(tmp_path / "new")]):
        assert main(["train", "kuhn", *args]) == 2
        said = capsys.readouterr().err
        assert "cannot be written (Permission denied)" in said
        assert len(said.splitlines()) == 1


def test_several_games_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, other = tmp_path / "mix", "TicTacToe-v0(board=False)"
    flags = ["--imitation-steps", "2", "--imitation-games", "8", "--max-tokens", "2"]
    mix = ["--mix", "KuhnPoker-v0", other, "--games", "8", "--steps", "1"]
    assert main(["train", "spiral", "--run-dir", str(folder), *mix, *flags]) == 0
    said = capsys.readouterr().out
    assert "NashConv" in said
    assert " in KuhnPoker-v0, " in said
    tries = said.split("Try\n")[1].splitlines()
    assert [line.strip() for line in tries] == [
        f"sparring exploitability run:{folder} --game KuhnPoker-v0",
        f"sparring evaluate run:{folder} random --game KuhnPoker-v0 '{other}'",
        f"sparring play KuhnPoker-v0 --against run:{folder}",
        f"sparring play '{other}' --against run:{folder}",
    ]
    last = metrics(folder)[-1]
    assert {"nash_conv/KuhnPoker-v0", f"reward/{other}/player_0", f"wins/{other}/player_1"} <= set(
        last
    )
    replayed = [json.loads(line)["game"] for line in (folder / "replays.jsonl").open()]
    assert set(replayed) == {"KuhnPoker-v0", other}, "games of each are kept"
    assert (
        "KuhnPoker-v0 and TicTacToe-v0(board=False) by self-play"
        in (folder / "report.html").read_text()
    )

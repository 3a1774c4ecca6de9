"""kill -9 at random moments, a hundred times: every run resumes and ends as the unbroken one.

``test_crash.py`` stops a run before each of its moments on purpose; here a process is really
killed, wherever it happens to be, and the next one goes on from what lies on the disk.
"""

import json
import multiprocessing
import os
import random
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sparring.agents.runs import checkpoints
from sparring.training.checkpoint import load_state

KILLS = 100
STEPS = 40


def go(folder: Path) -> None:
    """In a process of its own: the recipe with a tiny model, on from where it stands."""
    import torch

    from sparring.agents.embedded import build_model
    from sparring.training import assembly, run
    from sparring.training.recipes.kuhn import Config

    torch.set_num_threads(1)
    assembly.build_model = partial(build_model, width=32, layers=1)
    run.keep = lambda *given, last: None  # type: ignore[assignment]  # the report takes long
    options: dict[str, Any] = {"steps": STEPS, "games": 12, "max_tokens": 3, "trackers": ()}
    small = Config(imitation_steps=2, imitation_games=8, evaluate_every=3, save_every=2, **options)
    assert run.drive("kuhn", small, folder, quiet=True)


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sparring.training.run", "sparring.training.recipes.kuhn"])

    def begin(folder: Path) -> Any:
        process = context.Process(target=go, args=(folder,))
        process.start()
        return process

    began = time.monotonic()
    whole = begin(tmp_path / "whole")
    whole.join()
    # Kills come during about half of a run, however busy the machine is, and in a few minutes.
    longest = min(max((time.monotonic() - began) / 2, 1.5), 3.0)
    assert whole.exitcode == 0
    expected = metrics(tmp_path / "whole")
    assert [line["step"] for line in expected] == list(range(STEPS + 1))

    luck = random.Random(0)
    kills, stopped_at, run = 0, set[int](), 0
    while kills < KILLS:
        run += 1
        folder = tmp_path / f"run-{run}"
        done = False
        while not done:
            process = begin(folder)
            process.join(timeout=luck.uniform(0.0, longest) if kills < KILLS else None)
            done = process.exitcode == 0
            if process.exitcode is None:
                os.kill(process.pid, signal.SIGKILL)
                process.join()
                kills += 1
                stopped_at.add(_resumable(folder))
            else:
                assert done, "it failed by itself"
        assert metrics(folder) == expected
    assert len(stopped_at) > 10, "killed at so few places that it shows little"


def _resumable(folder: Path) -> int:
    """The step to go on from: the newest checkpoint, which is whole (0 before the first)."""
    if not (found := checkpoints(folder)):
        return 0
    step, newest = list(found.items())[-1]
    assert load_state(newest)["step"] == step
    assert (newest / "model" / "model.safetensors").is_file()
    return step

"""Runs on a real Ray, started here: the same run, whatever plays it and whatever dies."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra ray")

STEPS = 20
OPTIONS = (
    *("--steps", str(STEPS), "--games", "48", "--max-tokens", "3"),
    *("--imitation-steps", "20", "--imitation-games", "32", "--update.inner-steps", "2"),
    *("--evaluate-every", "4", "--save-every", "5", "--rollout-pieces", "4", "--threads", "1"),
)
LONGEST = 600  # seconds

Lines = list[dict[str, Any]]


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    """`sparring train kuhn` in a process of its own; the tests' processes have no Ray."""
    main = "import sys; from sparring.training.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", main, "train", "kuhn", *options],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "RAY_DEDUP_LOGS": "0"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def ended(process: "subprocess.Popen[str]") -> str:
    """What it printed, once it has ended well."""
    said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, said
    return said


def lines(run: Path) -> Lines:
    """The metrics of a run, without what depends on the machine."""
    path = run / "metrics.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [{k: v for k, v in x.items() if k != "seconds" and "ray/" not in k} for x in found]


def last(run: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """The run without Ray."""
    folder = tmp_path_factory.mktemp("alone")
    ended(start(folder, *OPTIONS, "--run-dir", "run"))
    found = lines(folder / "run")
    assert [line["step"] for line in found] == list(range(STEPS + 1))
    return found


def descendants(root: int) -> dict[int, str]:
    """The processes that ``root`` has started, and those that these have: number and command."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                names[int(entry.name)] = (
                    (entry / "cmdline").read_bytes().decode().replace("\0", " ")
                )
            except OSError:
                continue  # it has just ended
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])

    @cache
    def below(pid: int) -> bool:
        parent = parents.get(pid)
        return parent is not None and (parent == root or below(parent))

    return {pid: names[pid] for pid in parents if below(pid)}


def killed(run: "subprocess.Popen[str]", what: str, luck: random.Random) -> bool:
    """Kill one of the processes of a kind, if there is one."""
    found = [pid for pid, name in descendants(run.pid).items() if name.startswith(f"ray::{what}")]
    if not found:
        return False
    os.kill(luck.choice(found), signal.SIGKILL)
    return True


def until(true: Callable[[], Any], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + LONGEST
    while not true() and process.poll() is None:
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts runs in ``tmp_path``; whatever a test leaves is killed."""
    runs: list[subprocess.Popen[str]] = []

    def begin(*options: str) -> "subprocess.Popen[str]":
        runs.append(start(tmp_path, *options))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()
        run.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_same_run_by_any_number_of_workers(
    workers: int, alone: Lines, begun: Any, tmp_path: Path
) -> None:
    on_ray = "--ray", "local", "--rollout-workers", str(workers)
    ended(begun(*OPTIONS, "--run-dir", "run", *on_ray))
    assert lines(tmp_path / "run") == alone
    found = last(tmp_path / "run")
    assert found["ray/workers"] == workers
    assert found["ray/staleness_max"] == found["ray/deaths"] == 0


@pytest.mark.slow
def test_workers_and_learner_that_are_killed(alone: Lines, begun: Any, tmp_path: Path) -> None:
    """At random moments, again and again; the run is the one in which nobody died."""
    luck = random.Random(1)
    run = begun(*OPTIONS, "--run-dir", "run", "--ray", "local")
    deaths = {"Replica": 0, "Learner": 0}
    until(lambda: lines(tmp_path / "run"), run)
    while run.poll() is None:
        time.sleep(luck.uniform(0.3, 3.0))
        kind = luck.choice(["Replica", "Replica", "Learner"])
        if deaths[kind] < 3 and killed(run, kind, luck):
            deaths[kind] += 1
            if kind == "Learner":  # it may die as often as it likes, as long as it gets somewhere
                done = len(lines(tmp_path / "run"))
                until(lambda done=done: len(lines(tmp_path / "run")) > done, run)
    said = ended(run)
    assert min(deaths.values()) >= 1, f"too few to show anything: {deaths}"
    assert lines(tmp_path / "run") == alone
    assert "died" in said


@pytest.mark.slow
def test_a_driver_that_is_killed(alone: Lines, begun: Any, tmp_path: Path) -> None:
    luck = random.Random(2)
    for attempt in range(3):
        more = ("--resume", "run") if attempt else (*OPTIONS, "--run-dir", "run", "--ray", "local")
        run = begun(*more)
        before = len(lines(tmp_path / "run"))
        until(lambda before=before: len(lines(tmp_path / "run")) > max(before, 5), run)
        time.sleep(luck.uniform(0.0, 1.0))
        # Ray's own agent, which writes nothing, takes a minute to see that all others are gone
        ours = ("ray::Replica", "ray::Learner", "/raylet", "/gcs_server")
        below = {
            pid: name for pid, name in descendants(run.pid).items() if any(o in name for o in ours)
        }
        assert any("ray::Learner" in name for name in below.values())
        run.kill()
        run.wait()
        end = time.monotonic() + 60
        while left := [pid for pid in below if Path(f"/proc/{pid}").exists() and not _dead(pid)]:
            assert time.monotonic() < end, f"still there: {[below[pid] for pid in left]}"
            time.sleep(0.1)
    ended(begun("--resume", "run"))
    assert lines(tmp_path / "run") == alone


def _dead(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.slow
def test_two_learners_and_the_death_of_one(alone: Lines, begun: Any, tmp_path: Path) -> None:
    """They have half of the weights each, and what they learn is the same but for rounding."""
    run = begun(*OPTIONS, "--run-dir", "run", "--ray", "local", "--learners", "2")
    until(lambda: len(lines(tmp_path / "run")) > 7, run)
    assert killed(run, "Learner", random.Random(0))
    assert "the learner died" in ended(run)
    found = lines(tmp_path / "run")
    assert [line["step"] for line in found] == list(range(STEPS + 1))
    assert all(line["games"] == 48 for line in found[1:])
    for one, both in zip(alone[:4], found, strict=False):  # later, training amplifies last digits
        assert both == pytest.approx(one, abs=1e-4)
    ended(begun("--resume", "run", "--learners", "1", "--ray", "off", "--steps", str(STEPS + 1)))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_saves_and_ends(
    how: signal.Signals, alone: Lines, begun: Any, tmp_path: Path
) -> None:
    run = begun(*OPTIONS, "--run-dir", "run", "--ray", "local")
    until(lambda: len(lines(tmp_path / "run")) > 2, run)
    run.send_signal(how)
    said, _ = run.communicate(timeout=LONGEST)
    assert run.returncode == 130, said
    assert "Go on with" in said
    done = len(lines(tmp_path / "run"))
    assert done < STEPS + 1
    ended(begun("--resume", "run", "--ray", "off"))  # where it ran is no part of what it is
    assert lines(tmp_path / "run") == alone


@pytest.mark.slow
def test_an_asynchronous_run_is_as_stale_as_it_may_be(begun: Any, tmp_path: Path) -> None:
    options = ("--staleness", "2", "--update.importance-cap", "2")
    ended(begun(*OPTIONS, "--run-dir", "run", "--ray", "local", *options, "--steps", "15"))
    resumed = ("--resume", "run", "--ray", "off", "--steps", str(STEPS))
    ended(begun(*resumed))  # where there is nobody who plays ahead
    found = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in found] == list(range(STEPS + 1))
    assert all(line["games"] == 48 for line in found[1:])
    found = found[:16]
    ages = [line["ray/staleness_max"] for line in found[1:]]
    assert max(ages) in (1, 2), "older than 0, and no older than it may be"
    assert ages[0] == 0
    assert all(line["ray/staleness_mean"] <= line["ray/staleness_max"] for line in found[1:])


@pytest.mark.slow
def test_fewer_games_than_workers(begun: Any, tmp_path: Path) -> None:
    few = ("--steps", "2", "--games", "2", "--rollout-pieces", "3", "--rollout-workers", "3")
    ended(begun(*OPTIONS, "--run-dir", "run", "--ray", "local", *few))
    assert [line["games"] for line in lines(tmp_path / "run")[1:]] == [2, 2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--ray", "nowhere:1"), "no Ray at 'nowhere:1'"),
        (("--staleness", "1"), "--staleness and --learners are for runs on Ray"),
        (("--ray", "local", "--resources.worker-gpus", "64"), "the run asks for 128 GPUs"),
        (("--ray", "local", "--rollout-workers", "0"), "rollout-workers must be at least 1"),
        (("--ray", "local", "--rollout-pieces", "0"), "rollout-pieces must be at least 1"),
        (("--ray", "local", "--resources.patience", "0"), "patience must be at least 1"),
        (("--ray", "local", "--model", "no/such-model"), "no/such-model"),
        pytest.param(
            ("--ray", "local", "--engine", "vllm"),
            "vLLM",
            marks=pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is here"),
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    options: tuple[str, ...], says: str, begun: Any, tmp_path: Path
) -> None:
    run = begun("--run-dir", "run", *options)
    said, _ = run.communicate(timeout=LONGEST)
    assert run.returncode == 2, said
    assert says in said
    assert len(said.strip().splitlines()) <= 2, said
    assert not (tmp_path / "run").exists()

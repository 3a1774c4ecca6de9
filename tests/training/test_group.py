"""Two real processes train one model in shards, and get what one process gets."""

import importlib.util
import json
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sparring.agents.runs import find_checkpoint
from sparring.envs.core import BadInput
from sparring.training.batch import collate
from sparring.training.forward import part_logprobs, passes, said, said_logprobs
from sparring.training.group import ALONE, Group, Joined, joined
from sparring.training.learner import Learner
from sparring.training.models.lora import with_adapter
from sparring.training.models.options import LoraOptions
from sparring.training.rows import Row
from sparring.training.sharded import shard
from sparring.training.shards import sharded
from sparring.training.update import UpdateConfig

PROGRAM = Path(__file__).with_name("group_program.py")
RESUMED = ("exact", "lora")
LIMIT = 100.0  # seconds
Found = dict[str, dict[str, Any]]


def load_program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("group_program", PROGRAM)
    assert spec
    assert spec.loader
    sys.modules["group_program"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = load_program()
CASES = tuple(program.cases())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("groups")
    program.write_models(path)
    return path


@pytest.fixture(scope="module")
def alone(folder: Path) -> Found:
    """What one process finds; its checkpoints are in folder/alone."""
    return {
        name: program.run(
            name, folder, ALONE, folder / "alone" / name if name in RESUMED else None, None
        )
        for name in CASES
    }


@pytest.fixture(scope="module")
def group(folder: Path, alone: Found) -> list[Found]:
    """What each of two processes finds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    logs = [(folder / f"rank{rank}.log").open("wb") for rank in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, PROGRAM, str(rank), "2", str(port), folder],
            stdout=logs[rank],
            stderr=subprocess.STDOUT,
        )
        for rank in range(2)
    ]
    end = time.monotonic() + LIMIT
    try:
        while any(p.poll() is None for p in processes) and time.monotonic() < end:
            if any(p.poll() for p in processes):
                break
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    told = "\n".join((folder / f"rank{rank}.log").read_text()[-3000:] for rank in range(2))
    assert [p.returncode for p in processes] == [0, 0], told
    return [torch.load(folder / f"rank{rank}.pt", weights_only=False) for rank in range(2)]


def apart(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> float:
    assert one.keys() == two.keys()
    assert len(one)
    return max(float((one[name] - two[name]).abs().max()) for name in one)


def close(expected: Found, found: Found) -> bool:
    """Whether metrics and weights agree; a gradient's norm to as many digits as the gradient,
    which rounding of the weights changes by the curvature times as much."""
    assert len(expected["metrics"]) == len(found["metrics"])
    for one, two in zip(expected["metrics"], found["metrics"], strict=True):
        for key in one.keys() | two.keys():
            rough = 1e-4 if key == "grad_norm" else 1e-5
            assert two[key] == pytest.approx(one[key], abs=1e-5, rel=rough), key
    return apart(expected["weights"], found["weights"]) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_a_group_learns_what_one_process_learns(
    name: str, alone: Found, group: list[Found]
) -> None:
    expected, first, second = alone[name], group[0][name], group[1][name]
    assert all("loss" in metrics for metrics in expected["metrics"])
    assert expected["metrics"][0]["grad_norm"] > 0.01
    assert close(expected, first)
    assert close(expected, second)
    assert first["metrics"] == second["metrics"]  # what decides is known to all alike


@pytest.mark.parametrize("name", CASES)
def test_the_work_is_divided(name: str, alone: Found, group: list[Found]) -> None:
    """As many passes for both, and together no more tokens than one process reads; a few fewer,
    where lines of other lengths meet."""
    first, second = (group[rank][name]["tokens"] for rank in range(2))
    whole = sum(alone[name]["tokens"])
    assert len(first) == len(second) > 0
    assert 0.8 * whole < sum(first) + sum(second) <= 1.05 * whole
    if name == "one tree":
        assert sorted([sum(first), sum(second)]) == [0, whole]
    else:
        assert 0.4 < sum(first) / (sum(first) + sum(second)) < 0.6


def test_processes_that_differ_do_not_go_on(group: list[Found]) -> None:
    assert all("different batches" in found["apart"]["fault"] for found in group)


@pytest.mark.parametrize("name", RESUMED)
def test_a_group_goes_on_where_one_process_was(name: str, alone: Found, group: list[Found]) -> None:
    last = {**alone[name], "metrics": alone[name]["metrics"][program.BEFORE :]}
    assert close(last, group[0][f"{name}, resumed"])


def _sorted(file: Path) -> dict[str, Any]:
    """What a file says, but for the order of lists: peft keeps sets."""
    told = json.loads(file.read_text())
    return {k: sorted(map(str, v)) if isinstance(v, list) else v for k, v in told.items()}


@pytest.mark.parametrize("name", RESUMED)
def test_one_process_goes_on_where_a_group_was(
    name: str, folder: Path, alone: Found, group: list[Found]
) -> None:
    models = [find_checkpoint(folder / who / name) / "model" for who in ("alone", "group")]
    names = [sorted(file.name for file in model.iterdir()) for model in models]
    assert names[0] == names[1]
    kept = [next(model.glob("*.safetensors")) for model in models]
    assert apart(load_file(kept[0]), load_file(kept[1])) < 1e-5
    told = [{file.name: _sorted(file) for file in model.glob("*.json")} for model in models]
    assert told[0] == told[1]
    resumed = program.run(name, folder, ALONE, None, folder / "group" / name)
    last = {**alone[name], "metrics": alone[name]["metrics"][program.BEFORE :]}
    assert close(last, resumed)
    states = [alone[name]["learner"], group[0][name]["learner"]]
    assert states[0].keys() == states[1].keys()
    for part in ("magnet", "reference"):
        assert apart(states[0][part], states[1][part]) < 1e-5
    moments = [state["optimizer"]["state"] for state in states]
    assert moments[0].keys() == moments[1].keys()
    for number in moments[0]:
        assert apart(moments[0][number], moments[1][number]) < 1e-5
    assert not any(len(w) for w in group[1][name]["learner"]["magnet"].values())  # only rank 0's


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("at_once", [1, 60, 10_000])
def test_passes_are_divided_by_lines(new_model: Any, size: int, at_once: int) -> None:
    """Every trained token is one process's, all make as many passes, none reads too much."""
    model, luck = new_model(), random.Random(0)
    lengths = [luck.randrange(4, 30) for _ in range(23)]
    rows = [
        Row("a", tuple(luck.randrange(50) for _ in range(n)), ((n - 2, n),), (-1.0, -1.0), (1.0,))
        for n in lengths
    ]
    batch = collate(rows, share=False)
    own = [passes(model, batch, at_once, Group(rank, size)) for rank in range(size)]
    assert len({len(parts) for parts in own}) == 1
    tokens = torch.cat([part.tokens for parts in zip(*own, strict=True) for part in parts])
    assert tokens.tolist() == list(range(len(batch.chosen)))
    for part in (part for parts in own for part in parts):
        assert part.lines * part.width <= max(at_once, max(lengths))
    together = torch.zeros(len(batch.chosen))
    with torch.no_grad():
        for part in (part for parts in own for part in parts):
            together[part.tokens] = said(part_logprobs(model, batch, part), batch, part)
        expected = said_logprobs(model, batch, 10_000)
    assert float((together - expected).abs().max()) < 1e-5


def test_what_cannot_be_a_group() -> None:
    assert joined(0, 1, "127.0.0.1", 1) is ALONE
    with pytest.raises(BadInput, match="rank 2 is none of a group of 2: 0 to 1"):
        joined(2, 2, "127.0.0.1", 1)
    with pytest.raises(BadInput, match="cpu, or on cuda where there is one: tpu"):
        joined(0, 2, "127.0.0.1", 1, device="tpu")


def test_what_cannot_be_in_shards(new_model: Any) -> None:
    model = new_model()
    shard(Learner(model, UpdateConfig()), ALONE)  # nothing to do
    assert not sharded(model)
    shared = with_adapter(with_adapter(model, LoraOptions(rank=2), 0), LoraOptions(rank=2), 0, "b")
    with pytest.raises(BadInput, match="one adapter"):
        shard(Learner(shared, UpdateConfig()), Joined(0, 2))
    bare = new_model()
    bare._no_split_modules = None
    with pytest.raises(BadInput, match="names no layers"):
        shard(Learner(bare, UpdateConfig()), Joined(0, 2))

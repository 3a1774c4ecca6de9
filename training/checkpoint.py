"""Checkpoints: everything that shapes learning, written aside and renamed, never torn.

A checkpoint folder holds ``model/`` in transformers' (or peft's) own format (weights,
configuration, tokenizer), one for each player, and ``trainer.pt`` (optimiser, magnet, baselines,
opponents, step). Only the newest two keep their
``trainer.pt``: earlier ones are for playing, not for resuming.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from sparring.agents.files import write_aside
from sparring.agents.runs import checkpoint_folder, checkpoints, model_folder
from sparring.envs.core import BadInput
from sparring.training.selfplay import SelfPlay

TRAINER = "trainer.pt"
RESUMABLE = 2  # the newest, and one before it in case the newest gets damaged


def save(run: Path, loop: SelfPlay) -> Path:
    """Save one checkpoint; returns its folder. A finished one of this step is left as it is. All of
    a learner group must call it, and rank 0 writes."""
    final = checkpoint_folder(run, loop.step)
    group = loop.group
    if group.share(final.exists()):  # others may see other disks
        return final
    aside = final.with_name(f".{final.name}.part")
    if group.rank == 0:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
    for name, player in loop.players.items():
        player.save(aside / model_folder(name))
    state = loop.state_dict()
    if group.rank == 0:
        torch.save(state, aside / TRAINER)
        _finish(aside, final, run)
    return final


def _finish(aside: Path, final: Path, run: Path) -> None:
    """A checkpoint is there, whole, once it has its name."""
    for file in aside.rglob("*"):
        if file.is_file():
            _flush(file)
    aside.rename(final)
    _flush(final.parent)
    for earlier in list(checkpoints(run).values())[:-RESUMABLE]:
        (earlier / TRAINER).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that the rename cannot overtake it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_state(folder: Path) -> dict[str, Any]:
    """The trainer's state from a checkpoint.

    Raises:
        BadInput: it is missing or cannot be read.
    """
    path = folder / TRAINER
    if not path.is_file():
        raise BadInput(f"{folder} cannot be resumed: it has no {TRAINER}; only the newest two do")
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except Exception as fault:  # torch raises many kinds for a damaged file
        raise BadInput(
            f"{path} is damaged ({type(fault).__name__}); "
            f"delete the folder {folder} to go on from the one before"
        ) from fault
    return state


def rewind_metrics(path: Path, step: int) -> None:
    """Drop what was logged after ``step``, so that a resumed run does not log it twice."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text().splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (json.JSONDecodeError, KeyError):
            continue  # a line that a kill cut off
    write_aside(path, "".join(line + "\n" for line in kept))

"""Where a training run keeps its checkpoints, and how to find one.

runs/kuhn/checkpoints/step-000100/model/    a model folder in transformers' own format
"""

import re
from pathlib import Path

from sparring.envs.core import BadInput

CHECKPOINTS = "checkpoints"
MODEL = "model"
ONLY_PLAYER = "learner"


def checkpoint_folder(run: Path, step: int) -> Path:
    return run / CHECKPOINTS / f"step-{step:06d}"


def model_folder(player: str) -> str:
    """The name of the folder of one player's model in a checkpoint; a run mostly has only one."""
    return MODEL if player == ONLY_PLAYER else f"{MODEL}-{player}"


def step_of(folder: Path) -> int:
    """The step of a checkpoint's folder."""
    return int(folder.name.removeprefix("step-"))


def checkpoints(run: Path) -> dict[int, Path]:
    """The finished checkpoints of a run by step, oldest first."""
    found = {}
    for folder in (run / CHECKPOINTS).glob("step-*"):
        if match := re.fullmatch(r"step-(\d+)", folder.name):
            found[int(match[1])] = folder
    return dict(sorted(found.items()))


def find_checkpoint(run: Path, step: int | None = None) -> Path:
    """The folder of one checkpoint, by default the newest.

    Raises:
        BadInput: no such run, no checkpoint in it yet, or not that one.
    """
    if not run.is_dir():
        raise BadInput(
            f"there is no run {run}; train one with: sparring train kuhn --run-dir {run}"
        )
    found = checkpoints(run)
    if not found:
        raise BadInput(f"{run} has no checkpoint; go on with: sparring train kuhn --resume {run}")
    if step is None:
        return list(found.values())[-1]
    if step not in found:
        steps = ", ".join(map(str, found))
        raise BadInput(f"{run} has no checkpoint at step {step}; there are: {steps}")
    return found[step]

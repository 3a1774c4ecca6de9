"""Two checkpoints on tasks of EleutherAI's lm-evaluation-harness (the extra ``lm-eval``)."""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scipy.stats import norm

from sparring.agents.arena.estimates import Estimate, estimate
from sparring.envs.core import BadInput

Metric = tuple[str, str]
"""A task and a metric with its filter, as the harness writes them: ``("arc_easy", "acc,none")``."""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """One metric of one task. The values and standard errors are the harness's own; an error is
    ``None`` where it gives none. ``difference``: after − before; see ``_difference``."""

    task: str
    metric: str
    higher_is_better: bool | None
    before: float
    before_error: float | None
    after: float
    after_error: float | None
    difference: Estimate
    paired: bool


def check_installed() -> None:
    """Raises ``BadInput`` where the extra is missing."""
    if find_spec("lm_eval") is None:
        raise BadInput("--lm-eval needs the extra lm-eval: pip install 'sparring[lm-eval]'")


def compare(
    before: Path,
    after: Path,
    tasks: Sequence[str],
    *,
    folder: Path | None = None,
    limit: int | None = None,
    batch_size: int = 8,
) -> list[TaskChange]:
    """Run ``tasks`` with two model folders.

    ``folder``: task files (YAML) of one's own, beside those that the harness brings. ``limit``:
    only so many documents of each task.

    Raises:
        BadInput: the extra is missing, or a task is unknown or cannot be run.
    """
    check_installed()
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    known = _known(tasks, folder)
    found = [_run(str(model), tasks, known, limit, batch_size) for model in (before, after)]
    changes = []
    for (task, metric), value in _metrics(found[0]).items():
        other = _metrics(found[1])[task, metric]
        errors = [_error(each["results"][task], metric) for each in found]
        samples = [_samples(each, (task, metric)) for each in found]
        difference, paired = _difference((value, other), errors, samples)
        better = found[0]["higher_is_better"].get(task, {}).get(metric.partition(",")[0])
        changes.append(
            TaskChange(task, metric, better, value, errors[0], other, errors[1], difference, paired)
        )
    return changes


def _known(tasks: Sequence[str], folder: Path | None) -> Any:
    """The harness's index of task files; its own, which take a while, only if they are needed.

    Raises:
        BadInput: there is no such folder.
    """
    from lm_eval.tasks import TaskManager

    if folder is None:
        return TaskManager()
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder} of tasks")
    ours = TaskManager(include_path=str(folder), include_defaults=False)
    enough = set(tasks) <= set(ours.all_tasks)
    return ours if enough else TaskManager(include_path=str(folder))


def _run(
    model: str, tasks: Sequence[str], known: Any, limit: int | None, batch_size: int
) -> Mapping[str, Any]:
    """What the harness finds for one model."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    from sparring.agents.pretrained import load_model  # torch takes time

    network, tokenizer = load_model(model)  # ours: it knows adapters, and says plainly what fails
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found: Mapping[str, Any] = simple_evaluate(
                model=HFLM(pretrained=network, tokenizer=tokenizer, batch_size=batch_size),
                tasks=list(tasks),
                task_manager=known,
                limit=limit,
            )
        except Exception as fault:  # task files, data sets and the hub raise many kinds
            said = str(fault.args[0] if fault.args else "").strip()  # str(KeyError) has quotes
            reason = said.splitlines()[0] if said else repr(fault)
            raise BadInput(f"lm-eval cannot run {', '.join(tasks)}: {reason}") from fault
    return found


def _metrics(found: Mapping[str, Any]) -> dict[Metric, float]:
    """Every number that is a metric: its key is ``NAME,FILTER``."""
    return {
        (task, key): float(value)
        for task, values in found["results"].items()
        for key, value in values.items()
        if "," in key and "_stderr," not in key and isinstance(value, int | float)
    }


def _error(values: Mapping[str, Any], metric: str) -> float | None:
    """The harness's standard error; it writes "N/A" where it has none."""
    name, _, how = metric.partition(",")
    error = values.get(f"{name}_stderr,{how}")
    return float(error) if isinstance(error, int | float) and math.isfinite(error) else None


def _samples(found: Mapping[str, Any], of: Metric) -> dict[int, float] | None:
    """The metric of each document by its number, if it is a number and their mean is the whole."""
    task, (name, _, how) = of[0], of[1].partition(",")
    lines = [s for s in found.get("samples", {}).get(task, ()) if s.get("filter") == how]
    values = {s["doc_id"]: s.get(name) for s in lines}
    if not values or not all(isinstance(v, int | float) for v in values.values()):
        return None
    numbers = {doc: float(v) for doc, v in values.items()}
    whole = _metrics(found)[of]
    mean = math.fsum(numbers.values()) / len(numbers)
    return numbers if math.isclose(mean, whole, abs_tol=1e-9) else None


def _difference(
    values: tuple[float, float],
    errors: Sequence[float | None],
    samples: Sequence[dict[int, float] | None],
) -> tuple[Estimate, bool]:
    """After − before, with a 95 % interval, and whether it is paired.

    Where a metric is a mean over documents, the documents' differences are averaged (paired, both
    having the same documents). Else d ± z·√(e₁² + e₂²) from the harness's errors e, too wide where
    the same documents help both. Without errors the interval is infinite: nothing is known.
    """
    one, two = samples
    if one and two and one.keys() == two.keys():
        return estimate([two[doc] - one[doc] for doc in one]), True
    change = values[1] - values[0]
    if errors[0] is None or errors[1] is None:
        return Estimate(change, -math.inf, math.inf, 0), False
    half = float(norm.ppf(0.975)) * math.hypot(errors[0], errors[1])
    return Estimate(change, change - half, change + half, 0), False

"""Driving a recipe: the folder of a run, what is logged, saved and drawn, stopping and resuming.

runs/kuhn/config.json       the recipe and all its options
runs/kuhn/metrics.jsonl     one line a step; only "seconds" depends on the machine
runs/kuhn/alarms.jsonl      what went wrong, if anything did
runs/kuhn/tensorboard/      the metrics for TensorBoard; other trackers keep theirs elsewhere
runs/kuhn/report.html       to look at: curves, what it plays, games; with pictures in figures/
runs/kuhn/curves.png        the curves alone
runs/kuhn/transcripts/      a few games in words
runs/kuhn/replays.jsonl     the same to step through
runs/kuhn/policy.json       how likely it gives each answer, where the game is small
runs/kuhn/checkpoints/      step-000000/ and on
"""

import importlib
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from sparring.agents.files import in_use, write_aside
from sparring.agents.runs import checkpoints, find_checkpoint
from sparring.agents.transcript import transcript
from sparring.envs.core import BadInput
from sparring.training import checkpoint
from sparring.training.config import CONFIG, EMBEDDED, RunConfig, to_json
from sparring.training.execution import Execution, InOrder, Local, known
from sparring.training.experiment import Experiment
from sparring.training.measure import solvable
from sparring.training.models.expected import memory
from sparring.training.recipes import RECIPES
from sparring.training.report.keep import keep
from sparring.training.show import Display, Shows
from sparring.training.tracking import registry
from sparring.training.tracking.core import Session
from sparring.training.tracking.jsonl import METRICS
from sparring.training.tracking.log import Log
from sparring.training.tracking.watch import FILE as ALARMS


def new_run(recipe: str, folder: Path | None) -> Path:
    """The folder for a new run; ``drive`` makes it once everything in it could be built.

    Without ``folder`` it is the first free one of runs/kuhn, runs/kuhn-2, ...

    Raises:
        BadInput: the folder is in use.
    """
    if folder is None:
        names = (Path("runs") / (recipe if n == 1 else f"{recipe}-{n}") for n in range(1, 1 << 20))
        folder = next(name for name in names if not name.exists())
    with writing(folder):
        if in_use(folder):
            raise BadInput(
                f"{folder} exists; go on with it: sparring train {recipe} --resume {folder}, "
                "or choose another --run-dir"
            )
    return folder


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Inside, what the system does not allow in ``folder`` is ``BadInput``."""
    try:
        yield
    except OSError as fault:
        why = fault.strerror or fault
        raise BadInput(
            f"{folder} cannot be written ({why}); make it writable, or choose another --run-dir"
        ) from fault


@contextmanager
def stop_gently() -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C (or SIGTERM) only asks to stop; a second one stops at once.

    Yields a function that says whether to stop.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    main = threading.current_thread() is threading.main_thread()  # only it may set handlers
    wanted = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = {number: signal.signal(number, ask) for number in wanted}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def drive(recipe: str, config: RunConfig, folder: Path, *, quiet: bool = False) -> bool:
    """Run a recipe in its folder from where it stands to its end; returns False if it was stopped.

    A folder with checkpoints goes on from the newest, exactly as if it had never stopped.

    Raises:
        BadInput: something that it needs is not there, or its folder cannot be written.
    """
    registry.check(config.trackers)
    show = partial(Display, quiet=quiet)
    # settled when a run begins, so that it stays the same whatever it goes on with
    config = replace(config, rollout_pieces=config.pieces)
    with stop_gently() as stopping:
        if config.ray == "off":
            return follow(recipe, config, folder, Local(config.pieces), show, stopping)
        from sparring.training.cluster.driver import on_ray

        return on_ray(recipe, config, folder, show, stopping)


def follow(
    recipe: str,
    config: RunConfig,
    folder: Path,
    execution: Execution,
    show: Callable[[Path, int], Shows],
    stopping: Callable[[], bool],
) -> bool:
    """``drive`` with everything that it takes: what the run runs on, who looks, when to stop."""
    module = importlib.import_module(RECIPES[recipe])
    newest = find_checkpoint(folder) if checkpoints(folder) else None
    experiment: Experiment = module.build(execution.options(config), newest)
    loop = experiment.loop
    loop.rollouts = execution
    if newest:
        loop.load_state_dict(checkpoint.load_state(newest))
    about = to_json(recipe, config)
    session = Session(folder, recipe, about["options"], loop.step if newest else -1)
    with writing(folder):
        _prepare(session, about)
    display = show(folder, loop.steps)
    if getattr(config, "model", EMBEDDED) != EMBEDDED:  # that one is small
        for estimate in memory(loop):
            display.memory(estimate)
    with registry.opened(config.trackers, session) as trackers, display:
        if session.new:
            for metrics in experiment.stage_one():
                display.stage_one(metrics, experiment.stage_one_steps)
                if stopping():
                    return False
        execution.begin(loop)
        log = Log.of(session, trackers, display)
        _log_and_save(experiment, config, execution, log, stopping)
    return loop.step >= loop.steps


def _prepare(session: Session, about: dict[str, Any]) -> None:
    """Make the folder of a new run; drop from that of an old one what is to be played again."""
    folder = session.folder
    if not (folder / CONFIG).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_aside(folder / CONFIG, json.dumps(about, indent=2) + "\n")
    for name in (METRICS, ALARMS):
        if session.new:
            (folder / name).unlink(missing_ok=True)
        else:
            checkpoint.rewind_metrics(folder / name, session.done)


def _log_and_save(
    experiment: Experiment,
    config: RunConfig,
    execution: Execution,
    log: Log,
    stopping: Callable[[], bool],
) -> None:
    loop, folder = experiment.loop, log.session.folder
    trees = solvable(loop)
    lines = InOrder(log, log.lines.seconds)
    if log.session.new:
        lines.add({"step": 0}, execution.evaluate(loop, trees))
        lines.wait()
        _save(experiment, folder)
        keep(loop, folder, trees, execution.look, last=False)
    for metrics in loop.run():
        finished = loop.step == loop.steps
        due = finished or loop.step % config.evaluate_every == 0
        lines.add(metrics, execution.evaluate(loop, trees) if due else known({}))
        last = execution.agreed(finished or stopping())
        if last or loop.step % config.save_every == 0:
            lines.wait()
            _save(experiment, folder)
            keep(loop, folder, trees, execution.look, last=last)
        if last:
            break


def _save(experiment: Experiment, folder: Path) -> None:
    loop = experiment.loop
    checkpoint.save(folder, loop)
    if loop.shown:
        text = "\n".join(transcript(episode) for episode in loop.shown)
        (folder / "transcripts").mkdir(exist_ok=True)
        write_aside(folder / "transcripts" / f"step-{loop.step:06d}.txt", text)

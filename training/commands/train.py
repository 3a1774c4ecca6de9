"""sparring train RECIPE: learn by self-play."""

import importlib
import shlex
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from sparring.envs.core import BadInput, Game
from sparring.envs.registry import game
from sparring.envs.specs import describe
from sparring.training import names
from sparring.training.commands.common import out, parse
from sparring.training.config import CONFIG, RunConfig, games_of, read_config
from sparring.training.core import Metrics
from sparring.training.recipes import RECIPES
from sparring.training.run import drive, new_run
from sparring.training.tracking.jsonl import METRICS, records

RUN_DIR = "Folder of the new run; by default the first free one of runs/NAME, runs/NAME-2, ..."
MAY_CHANGE = {
    "--steps": "steps",
    "--trackers": "trackers",
    "--ray": "ray",
    "--rollout-workers": "rollout_workers",
    "--learners": "learners",
    "--staleness": "staleness",
}
RESOURCES = "--resources."
RESUME = "Go on with the run in this folder, with its own options; --steps may prolong it."


def run(args: Sequence[str]) -> int:
    """Parse, run, and say where to look."""
    listed = ", ".join(RECIPES)
    if args and args[0] in ("-h", "--help"):
        out.print(f"usage: sparring train RECIPE [--help | options]; recipes: {listed}")
        return 0
    if not args or args[0] not in RECIPES:
        raise BadInput(f"{f'no recipe {args[0]!r}' if args else 'train what?'}; recipes: {listed}")
    recipe, rest = args[0], args[1:]
    module = importlib.import_module(RECIPES[recipe])
    fields = [
        ("run_dir", Annotated[Path | None, tyro.conf.arg(help=RUN_DIR)], None),
        ("resume", Annotated[Path | None, tyro.conf.arg(help=RESUME)], None),
    ]
    kind = make_dataclass("Train", fields, bases=(module.Config,), frozen=True, kw_only=True)
    kind.__doc__ = module.__doc__
    options: Any = parse(kind, f"train {recipe}", rest)
    config = module.Config(**{f: getattr(options, f) for f in module.Config.__dataclass_fields__})
    if options.resume is None:
        folder = new_run(recipe, options.run_dir)
    else:
        if options.run_dir is not None:
            raise BadInput("--run-dir is for a new run; --resume already names the folder")
        folder, config = options.resume, _resumed(recipe, config, options.resume, rest)
    finished = drive(recipe, config, folder)
    return _farewell(recipe, folder, config, finished)


def _resumed(recipe: str, given: RunConfig, folder: Path, args: Sequence[str]) -> RunConfig:
    """The options that a run was started with; of those given now only ``MAY_CHANGE`` count.

    Raises:
        BadInput: no such run, one of another recipe, or other options were given.
    """
    saved: RunConfig = read_config(recipe, folder, type(given))
    named = [arg.partition("=")[0].replace("_", "-") for arg in args if arg.startswith("--")]
    for option in named:
        if option not in ("--resume", *MAY_CHANGE) and not option.startswith(RESOURCES):
            raise BadInput(f"{option} cannot be changed on --resume; start a new run for it")
    changed = {field: getattr(given, field) for o, field in MAY_CHANGE.items() if o in named}
    own = [o.removeprefix(RESOURCES).replace("-", "_") for o in named if o.startswith(RESOURCES)]
    resources = replace(saved.resources, **{one: getattr(given.resources, one) for one in own})
    if changed.get("ray") == "off":  # what there is on Ray alone
        changed = {"staleness": 0, "learners": 1, **changed}
    return replace(saved, resources=resources, **changed)


def _farewell(recipe: str, folder: Path, config: Any, finished: bool) -> int:
    if not finished:
        out.print(f"Stopped. Go on with: sparring train {recipe} --resume {folder}")
        return 130
    last = records(folder / METRICS)[-1]
    played = {spec: game(spec) for spec in games_of(asdict(config))}
    out.print(_result(last), markup=False)
    tries = "\n  ".join(_tries(folder, played, last))
    out.print(
        f"""
Look at
  {folder}/report.html       how it learned, what it plays, games to step through
  {folder}/transcripts/      games it played
  {folder}/{METRICS}     every number; the options are in {CONFIG}
Try
  {tries}""",
        markup=False,
    )
    return 0


def _result(last: Metrics) -> str:
    """How a run ended, in a line."""
    exact = [(names.parse(m).game, x) for m, x in last.items() if m.startswith("nash_conv")]
    found = [f"NashConv {x:.3f}{of and f' in {of}'}" for of, x in exact]
    if "legal" in last:
        found.append(f"{last['legal']:.1%} legal answers")
    return f"Done in {last['seconds']:.0f} s of self-play: {', '.join(found)}."


def _tries(folder: Path, played: Mapping[str, Game], last: Container[str]) -> list[str]:
    """The commands to go on with: measure the games that can be, rate the two-player ones, play."""
    run = f"run:{shlex.quote(str(folder))}"
    named = {spec: shlex.quote(spec) for spec in played}
    two = [named[spec] for spec, rules in played.items() if len(rules.roles) == 2]
    exact = [
        spec
        for spec, rules in played.items()
        if f"nash_conv/{describe(rules)}" in last or "nash_conv" in last
    ]
    return [
        *(f"sparring exploitability {run} --game {named[spec]}" for spec in exact),
        *([f"sparring evaluate {run} random --game {' '.join(two)}"] if two else []),
        *(f"sparring play {named[spec]} --against {run}" for spec in played),
    ]

"""sparring train RECIPE: learn by self-play."""

import importlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from sparring.envs.core import BadInput
from sparring.envs.registry import game
from sparring.training.commands.common import out, parse
from sparring.training.config import CONFIG, RunConfig, read_config
from sparring.training.recipes import RECIPES
from sparring.training.run import METRICS, drive, new_run

RUN_DIR = "Folder of the new run; by default the first free one of runs/NAME, runs/NAME-2, ..."
MAY_CHANGE = ("--resume", "--steps")
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
    """The options that a run was started with; of the options given now, only steps count.

    Raises:
        BadInput: no such run, one of another recipe, or other options were given.
    """
    saved: RunConfig = read_config(recipe, folder, type(given))
    named = [arg.partition("=")[0].replace("_", "-") for arg in args if arg.startswith("--")]
    for option in named:
        if option not in MAY_CHANGE:
            raise BadInput(f"{option} cannot be changed on --resume; start a new run for it")
    return replace(saved, steps=given.steps) if "--steps" in named else saved


def _farewell(recipe: str, folder: Path, config: Any, finished: bool) -> int:
    if not finished:
        out.print(f"Stopped. Go on with: sparring train {recipe} --resume {folder}")
        return 130
    last = json.loads((folder / METRICS).read_text().splitlines()[-1])
    solved, named = "", shlex.quote(config.game)
    two = len(game(config.game).roles) == 2
    rated = f"\n  sparring evaluate run:{folder} random --game {named}" if two else ""
    if "nash_conv" in last:
        solved = f"\n  sparring exploitability run:{folder} --game {named}"
        out.print(
            f"Done in {last['seconds']:.0f} s of self-play: NashConv {last['nash_conv']:.3f}, "
            f"{last['legal']:.1%} legal answers."
        )
    out.print(f"""
Look at
  {folder}/report.html       how it learned, what it plays, games to step through
  {folder}/transcripts/      games it played
  {folder}/{METRICS}     every number; the options are in {CONFIG}
Try{solved}{rated}
  sparring play {named} --against run:{folder}""")
    return 0

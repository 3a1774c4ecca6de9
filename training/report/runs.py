"""The sections about training runs: one run with all it has, or several compared."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from sparring.training.curves import PANELS, Panel, Points, curves
from sparring.training.report import charts
from sparring.training.report.blocks import (
    Figure,
    Json,
    Section,
    Table,
    Tiles,
)
from sparring.training.report.folders import Run
from sparring.training.report.policies import policy
from sparring.training.report.replays import replays
from sparring.training.report.thin import MOST, smoothing
from sparring.training.report.words import duration, known, percent, plain


def sections(runs: Sequence[Run]) -> list[Section]:
    """All about these runs."""
    if not runs:
        return []
    if len(runs) > 1:
        found = [_table(runs), *_compared(runs)]
    else:
        found = [Section("", [Tiles(_tiles(runs[0]))]), *_curves(runs[0])]
    for run in runs:
        found += policy(run, run.name if len(runs) > 1 else "it")
    games = [_titled(game, run, len(runs) > 1) for run in runs for game in run.replays]
    if games:
        found.append(replays(sorted(games, key=lambda g: -(g.get("step") or 0)), AFTER))
    if len(runs) == 1:
        found.append(_options(runs[0]))
    return found


def kind(run: Run) -> str:
    """What a run is, in a few words."""
    played = run.options.get("game")
    recipe = f" by the recipe {run.recipe}" if run.recipe else ""
    return f"training run: {played or 'a game'} by self-play{recipe}"


def _latest(run: Run, name: str) -> Any:
    """The newest value of a metric that has one."""
    return next((x for line in run.metrics[::-1] if (x := line.get(name)) is not None), None)


def _tiles(run: Run) -> list[tuple[str, str]]:
    """The numbers that one looks for first; what a run does not have is left out."""
    games = sum(line.get("games") or 0 for line in run.metrics)
    steps, seconds = _latest(run, "step"), _latest(run, "seconds")
    found = [
        ("NashConv, exact (0 is an equilibrium)", plain(_latest(run, "nash_conv"))),
        ("of the last step's answers were legal", percent(_latest(run, "legal"))),
        ("tokens an answer, mean of the last step", plain(_latest(run, "answer_tokens"))),
        ("steps", f"{steps:,}" if known(steps) else "–"),
        ("games of self-play", f"{games:,.0f}" if games else "–"),
        ("of self-play", duration(seconds) if known(seconds) else "–"),
    ]
    return [(what, number) for what, number in found if number != "–"]


def _curves(run: Run) -> list[Section]:
    figures = [f for panel in PANELS if (f := figure(run, panel)) is not None]
    if not figures:
        return []
    note = ""
    if len(run.metrics) > MOST:
        note = (
            f"A curve of more than {MOST} points is thinned: of each stretch of steps the lowest "
            "and the highest value are drawn."
        )
    return [Section("How it learned", figures, note, "Curves")]


def figure(run: Run, panel: Panel) -> Figure | None:
    """One panel of one run; ``None`` where it has nothing to show."""
    shown = curves(run.metrics, panel)
    if not shown:
        return None
    spec = charts.curves(
        shown,
        unit=panel.unit,
        logarithmic=panel.logarithmic,
        line=panel.level,
        smooth=panel.smooth,
    )
    return Figure(panel.name, panel.title, spec, panel.note + _calm(shown, panel))


def _calm(shown: Mapping[str, Points], panel: Panel) -> str:
    """What the bold curves are, if there are some."""
    window = smoothing(shown) if panel.smooth else 0
    return f" Bold: running mean over {window} steps." if window else ""


def _compared(runs: Sequence[Run]) -> list[Section]:
    """One chart for each metric, one colour for each run."""
    names = [run.name for run in runs]
    figures = []
    for panel in PANELS:
        by_run = {run.name: curves(run.metrics, panel) for run in runs}
        labels = list(dict.fromkeys(label for shown in by_run.values() for label in shown))
        for label in labels:
            shown = {name: found[label] for name, found in by_run.items() if label in found}
            spec = charts.curves(
                shown,
                unit=panel.unit,
                logarithmic=panel.logarithmic,
                line=panel.level,
                scale=names,
                smooth=panel.smooth,
            )
            one = len(labels) == 1
            title = panel.title if one else f"{panel.title}: {label}"
            slug = panel.name if one else f"{panel.name}-{labels.index(label) + 1}"
            figures.append(Figure(slug, title, spec, panel.note + _calm(shown, panel)))
    note = f"A curve of more than {MOST} points is thinned: the lowest and highest values stay."
    return [Section("How they learned", figures, note, "Curves")] if figures else []


def _table(runs: Sequence[Run]) -> Section:
    """The runs side by side, with the options in which they differ."""
    names = list(dict.fromkeys(name for run in runs for name in _flat(run.options)))
    options = [_flat(run.options) for run in runs]
    differ = [n for n in names if len({str(o.get(n)) for o in options}) > 1]
    rows = []
    for run, given in zip(runs, options, strict=True):
        tiles = dict(_tiles(run))
        numbers = [tiles.get(what, "–") for what in _COLUMNS]
        rows.append([run.name, *numbers, *(str(given.get(name, "–")) for name in differ)])
    columns = ["run", *_COLUMNS.values(), *differ]
    return Section("The runs", [Table("Side by side", columns, rows, open=True)], short="Runs")


_COLUMNS = {
    "NashConv, exact (0 is an equilibrium)": "NashConv (exact)",
    "of the last step's answers were legal": "legal (last step)",
    "steps": "steps",
    "games of self-play": "games",
    "of self-play": "time",
}
"""Of the tiles those that stand in the table, and the headings there."""


AFTER = "The newest come first; their probabilities are those after the update of their step."


def _titled(game: Json, run: Run, several: bool) -> Json:
    """A game with what the list calls it."""
    step = f"step {game['step']}" if "step" in game else ""
    return {**game, "title": ", ".join(filter(None, (run.name if several else "", step)))}


def _options(run: Run) -> Section:
    rows = [[name, str(value)] for name, value in _flat(run.options).items()]
    table = Table(f"{len(rows)} options", ("option", "value"), rows, numbers=2)
    again = f"sparring report {shlex.quote(str(run.folder))}"
    return Section("Options", [table], f"This page is made anew by: {again}", "Options")


def _flat(options: Any, before: str = "") -> dict[str, Any]:
    """Options of options as ``update.rate``."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found

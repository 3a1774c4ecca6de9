"""The sections about training runs: one run with all it has, or several compared."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from sparring.training import names
from sparring.training.config import games_of
from sparring.training.curves import PANELS, Panel, Points, charted, curves, drawn
from sparring.training.report import charts
from sparring.training.report.alarms import alarms
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
    found = alarms(runs)
    if len(runs) > 1:
        found += [_table(runs), *_compared(runs)]
    else:
        tiles = [(what, number) for what, _, number in _numbers(runs[0])]
        found += [Section("", [Tiles(tiles)]), *_curves(runs[0])]
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
    *most, last = games_of(run.options) or ("a game",)
    played = f"{', '.join(most)} and {last}" if most else last
    recipe = f" by the recipe {run.recipe}" if run.recipe else ""
    return f"training run: {played} by self-play{recipe}"


def _latest(run: Run, name: str) -> Any:
    """The newest value of a metric that has one."""
    return next((x for line in run.metrics[::-1] if (x := line.get(name)) is not None), None)


def _numbers(run: Run) -> list[tuple[str, str, str]]:
    """The numbers that one looks for first: what each is, what a table calls it, and the number;
    what a run does not have is left out."""
    games = sum(line.get("games") or 0 for line in run.metrics)
    steps, seconds = _latest(run, "step"), _latest(run, "seconds")
    exact = dict.fromkeys(m for line in run.metrics for m in line if m.startswith("nash_conv"))
    found = []
    for metric in exact:
        of = names.parse(metric).game
        what = f"NashConv of {of}" if of else "NashConv"
        heading = f"NashConv (exact), {of}" if of else "NashConv (exact)"
        number = plain(_latest(run, metric))
        found.append((f"{what}, exact (0 is an equilibrium)", heading, number))
    found += [
        ("of the last step's answers were legal", LEGAL, percent(_latest(run, "legal"))),
        ("tokens an answer, mean of the last step", TOKENS, plain(_latest(run, "answer_tokens"))),
        ("steps", "steps", f"{steps:,}" if known(steps) else "–"),
        ("games of self-play", "games", f"{games:,.0f}" if games else "–"),
        ("of self-play", "time", duration(seconds) if known(seconds) else "–"),
    ]
    return [each for each in found if each[-1] != "–"]


LEGAL, TOKENS = "legal (last step)", "tokens an answer"


def _curves(run: Run) -> list[Section]:
    figures = [
        found
        for panel in PANELS
        for i, game in enumerate(charted(run.metrics, panel))
        if (found := figure(run, panel, game, f"-{i + 1}" if game else "")) is not None
    ]
    if not figures:
        return []
    note = ""
    if len(run.metrics) > MOST:
        note = (
            f"A curve of more than {MOST} points is thinned: of each stretch of steps the lowest "
            "and the highest value are drawn."
        )
    return [Section("How it learned", figures, note, "Curves")]


def figure(run: Run, panel: Panel, game: str = "", mark: str = "") -> Figure | None:
    """One panel of one run, of one ``game`` where each has its own; ``None`` where it has nothing
    to show. ``mark``: what its picture's name ends with."""
    shown = curves(run.metrics, panel, game)
    played = sorted(names.games(drawn(run.metrics)))  # a game has one colour everywhere
    scale = played if set(shown) <= set(played) else ()
    return _figure(panel, shown, game, mark, scale) if shown else None


def _figure(
    panel: Panel, shown: Mapping[str, Points], of: str, mark: str, scale: Sequence[str] = ()
) -> Figure:
    spec = charts.curves(
        shown,
        unit=panel.unit,
        logarithmic=panel.logarithmic,
        line=panel.level,
        scale=scale or None,
        smooth=panel.smooth,
    )
    title = f"{panel.title}: {of}" if of else panel.title
    return Figure(panel.name + mark, title, spec, panel.note + _calm(shown, panel))


def _calm(shown: Mapping[str, Points], panel: Panel) -> str:
    """What the bold curves are, if there are some."""
    window = smoothing(shown) if panel.smooth else 0
    return f" Bold: running mean over {window} steps." if window else ""


def _compared(runs: Sequence[Run]) -> list[Section]:
    """One chart for each metric, one colour for each run."""
    scale = [run.name for run in runs]
    figures: list[Figure] = []
    for panel in PANELS:
        found: dict[tuple[str, str], dict[str, Points]] = {}  # by game and label, by run
        for run in runs:
            for game in charted(run.metrics, panel):
                for label, points in curves(run.metrics, panel, game).items():
                    found.setdefault((game, label), {})[run.name] = points
        for i, ((game, label), shown) in enumerate(found.items()):
            one = len(found) == 1
            of = ", ".join(filter(None, (game, "" if one or label == panel.title else label)))
            figures.append(_figure(panel, shown, of, "" if one else f"-{i + 1}", scale))
    note = f"A curve of more than {MOST} points is thinned: the lowest and highest values stay."
    return [Section("How they learned", figures, note, "Curves")] if figures else []


def _table(runs: Sequence[Run]) -> Section:
    """The runs side by side, with the options in which they differ."""
    numbers = [{heading: number for _, heading, number in _numbers(run)} for run in runs]
    headings = list(dict.fromkeys(each for own in numbers for each in own if each != TOKENS))
    headings.sort(key=lambda heading: not heading.startswith("NashConv"))
    options = [_flat(run.options) for run in runs]
    named = list(dict.fromkeys(name for given in options for name in given))
    differ = [n for n in named if len({str(o.get(n)) for o in options}) > 1]
    rows = [
        [
            run.name,
            *(own.get(heading, "–") for heading in headings),
            *(str(given.get(name, "–")) for name in differ),
        ]
        for run, own, given in zip(runs, numbers, options, strict=True)
    ]
    columns = ["run", *headings, *differ]
    return Section("The runs", [Table("Side by side", columns, rows, open=True)], short="Runs")


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

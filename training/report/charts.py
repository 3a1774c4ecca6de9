"""The kinds of charts, as Vega-Lite specifications made with Altair.

Names of agents, roles and metrics stand in the data only, never in an expression, and colours are
names that the page fills in (``theme.py``).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sparring.training.report.blocks import Json
from sparring.training.report.theme import SERIES
from sparring.training.report.thin import Point, running_mean, smoothing, thin

HEIGHT = 220
FINGER = 130  # square pixels around a point that show its numbers


def curves(
    series: Mapping[str, Sequence[Point]],
    *,
    unit: str,
    logarithmic: bool = False,
    line: tuple[float, str] | None = None,
    scale: Sequence[str] | None = None,
    smooth: bool = False,
) -> Json:
    """One curve for each of ``series``, over steps; on a logarithmic axis all are positive.

    ``line``: a level to compare with, and its name. ``scale``: all names that have a colour, so
    that the same one has the same colour in several charts; by default those of ``series``.
    ``smooth``: long curves become faint, with their running mean (``smoothing``) in bold.
    """
    rows = _rows(series)
    names = list(scale or series)
    flat = len({y for points in series.values() for _, y in points}) == 1  # has no scale of its own
    y = alt.Y(
        "value:Q",
        title=unit,
        scale=alt.Scale(type="log") if logarithmic else alt.Scale(zero=flat or line is not None),
        axis=alt.Axis(tickCount=5, **_decades(series, logarithmic)),
    )
    near = alt.selection_point(on="pointerover", clear="pointerout", empty=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1, format="d", grid=False)),
        y=y,
        color=alt.Color(
            "curve:N",
            title=None,
            scale=series_scale(names),
            legend=legend(list(series)) if len(names) > 1 else None,
        ),
    )
    single = max(map(len, series.values()), default=0) <= 1
    dots = base.mark_point(filled=True, size=FINGER).encode(
        opacity=alt.value(1) if single else alt.condition(near, alt.value(1), alt.value(0)),
        tooltip=[
            alt.Tooltip("curve:N", title="of"),
            alt.Tooltip("step:Q", title="step"),
            alt.Tooltip("value:Q", title=unit, format=".4~g"),
        ],
    )
    layers = [base.mark_line(strokeWidth=1.8), dots.add_params(near)]
    if window := smoothing(series) if smooth else 0:
        calm = {name: running_mean(points, window) for name, points in series.items()}
        bold = base.mark_line(strokeWidth=2.6).properties(data=alt.Data(values=_rows(calm)))
        layers = [base.mark_line(strokeWidth=1, opacity=0.4), bold, *layers[1:]]
    if line is not None:
        layers = [*_level(*line), *layers]
    return done(alt.layer(*layers), height=HEIGHT)


def _rows(series: Mapping[str, Sequence[Point]]) -> list[Json]:
    return [
        {"step": x, "value": _short(y), "curve": name}
        for name, points in series.items()
        for x, y in thin(points)
    ]


def _decades(series: Mapping[str, Sequence[Point]], logarithmic: bool) -> Json:
    """Ticks and labels of a logarithmic axis: powers of ten, where there are several."""
    values = [y for points in series.values() for _, y in points]
    if not (logarithmic and values):
        return {}
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = {"values": [10.0**k for k in range(low, high + 1)]} if high - low > 1 else {}
    return {"format": "~g", **ticks}


def _level(at: float, name: str) -> list[Any]:
    """A dashed line across the chart with its name on it."""
    level = alt.Chart(alt.Data(values=[{"at": at, "name": name}]))
    across = level.mark_rule(strokeDash=[5, 4], color="var:faint").encode(y="at:Q")
    words = level.mark_text(
        align="left", baseline="bottom", dx=4, dy=-3, color="var:faint", fontSize=11
    ).encode(y="at:Q", x=alt.value(0), text="name:N")
    return [across, words]


def series_scale(names: Sequence[str]) -> Any:
    colours = [SERIES[i % len(SERIES)] for i in range(len(names))]
    return alt.Scale(domain=list(names), range=colours)


def legend(names: Sequence[str]) -> Any:
    """Beside each other where a phone has room for it, else below each other."""
    longest, many = max(map(len, names), default=0), len(names)
    return alt.Legend(
        values=list(names), columns=many if longest * many <= 28 else 1, symbolOpacity=1
    )


def _short(y: float) -> float:
    return float(f"{y:.6g}")


def done(chart: Any, *, height: Any) -> Json:
    """The specification, as wide as its place; without Altair's own theme and version."""
    chart = chart.properties(
        width="container",
        height=height,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    spec: Json = chart.to_dict(context={"pre_transform": False})
    for own in ("config", "$schema"):
        spec.pop(own, None)
    return spec

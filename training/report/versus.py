"""The charts of a tournament: intervals, the cross-play heat map, records. See charts.py."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sparring.training.report.blocks import Json
from sparring.training.report.charts import done, legend, series_scale
from sparring.training.report.words import Estimated, interval, known, percent, signed

ROW = 26  # pixels for each agent
CELLS = 7  # up to so many agents the numbers stand in the cells of a heat map
NAMES: Json = {
    "labelExpr": "length(datum.label) > 22 ? "
    "slice(datum.label, 0, 7) + '…' + slice(datum.label, -14) : datum.label",
    "labelOverlap": False,
}
"""Long names lose their middle: checkpoints of one run differ at their end."""
KINDS = {"win": "var:series-1", "draw": "var:series-7", "loss": "var:series-2"}


def intervals(
    found: Mapping[str, Mapping[str, Estimated]],
    *,
    unit: str,
    show: Any = signed,
    line: float | None = 0.0,
    share: bool = False,
) -> Json:
    """Points with their 95 % intervals, a row for each name of each group of ``found``.

    ``found``: by group (one colour each), then by name. ``line``: a level to compare with.
    ``share``: the numbers lie in [0, 1], and so does the axis.
    """
    groups = list(found)
    rows = _interval_rows(found, show)
    names = list(dict.fromkeys(row["name"] for row in rows))
    several = len(groups) > 1
    tips = {"name": "who", "shown": unit, "interval": "95 % interval", "n": "deals"}
    tips |= {"group": "in"} if several else {}
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=_names()),
        color=alt.Color(
            "group:N",
            title=None,
            scale=series_scale(groups),
            legend=legend(groups) if several else None,
        ),
        tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in tips.items()],
        **({"yOffset": alt.YOffset("group:N", sort=groups)} if several else {}),
    )
    scale = alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=False, padding=12)
    axis = alt.Axis(tickCount=5, **({"format": ".0%"} if share else {}))
    bars = base.transform_filter("isValid(datum.low) && isValid(datum.high)").mark_rule(
        strokeWidth=3, opacity=0.55, strokeCap="round"
    )
    dots = base.mark_point(filled=True, size=75, opacity=1)
    layers = [
        bars.encode(x=alt.X("low:Q", title=unit, scale=scale, axis=axis), x2="high:Q"),
        dots.encode(x=alt.X("mean:Q", title=unit, scale=scale)),
    ]
    if line is not None:
        level = alt.Chart(alt.Data(values=[{"at": line}]))
        layers.insert(0, level.mark_rule(strokeDash=[5, 4], color="var:faint").encode(x="at:Q"))
    height = len(names) * max(ROW, 16 * len(groups) if several else 0)
    return done(alt.layer(*layers), height=height)


def _interval_rows(found: Mapping[str, Mapping[str, Estimated]], show: Any) -> list[Json]:
    return [
        {
            "name": name,
            "group": group,
            "mean": e["mean"],
            "low": e.get("low"),
            "high": e.get("high"),
            "shown": show(e["mean"]),
            "interval": interval(e, show),
            "n": e.get("clusters"),
        }
        for group, by_name in found.items()
        for name, e in by_name.items()
        if known(e.get("mean"))
    ]


def _names(**more: Any) -> Any:
    """The axis that the names of agents stand at."""
    return alt.Axis(grid=False, labelPadding=8, **{**NAMES, **more})


def heat(cross: Mapping[str, Mapping[str, Estimated]], order: Sequence[str], *, unit: str) -> Json:
    """Payoff of the row's agent against the column's, the agents in this order.

    Payoffs of both signs go from one colour to another with nothing at 0, others from weak to
    strong.
    """
    cells = _cells(cross)
    means = [cell["mean"] for cell in cells] or [0.0]
    both = min(means) < 0 < max(means)
    most = max(abs(m) for m in means) or 1.0
    low, high = (-most, most) if both else (min(means), max(means))
    for cell in cells:  # white words where the ground is strong
        part = abs(cell["mean"]) / most if both else (cell["mean"] - low) / ((high - low) or 1)
        cell["strong"] = part > 0.55
    tips = {"row": "who", "column": "against", "interval": unit, "n": "deals"}
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X(
            "column:N", sort=list(order), title="against", axis=alt.Axis(orient="top", **NAMES)
        ),
        y=alt.Y("row:N", sort=list(order), title=None, axis=alt.Axis(**NAMES)),
        tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in tips.items()],
    )
    ground = alt.Scale(
        domain=[low, 0, high] if both else [low, high],
        range=["var:low", "var:middle", "var:high"] if both else ["var:middle", "var:high"],
        interpolate="rgb",
    )
    bar = alt.Legend(gradientLength=160, gradientThickness=10, tickCount=3)
    tiles = base.mark_rect(stroke="var:surface", strokeWidth=2)
    layers = [tiles.encode(color=alt.Color("mean:Q", title=unit, scale=ground, legend=bar))]
    few = len(order) <= CELLS
    if few:
        ink = alt.Scale(domain=[True, False], range=["var:on-strong", "var:ink"])
        color = alt.Color("strong:N", scale=ink, legend=None)
        layers.append(base.mark_text(fontSize=12).encode(text="shown:N", color=color))
    chart = alt.layer(*layers).resolve_scale(color="independent")
    return done(chart, height=len(order) * (40 if few else 24))


def _cells(cross: Mapping[str, Mapping[str, Estimated]]) -> list[Json]:
    return [
        {
            "row": row,
            "column": column,
            "mean": e["mean"],
            "shown": signed(e["mean"], 2),
            "interval": f"{signed(e['mean'])} {interval(e)}",
            "n": e.get("clusters"),
        }
        for row, others in cross.items()
        for column, e in others.items()
        if known(e.get("mean"))
    ]


def shares(records: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Json:
    """Won, drawn and lost of every agent on every side, as one bar each."""
    rows = _record_rows(records)
    names = list(dict.fromkeys(row["who"] for row in rows))
    tips = {"agent": "who", "side": "as", "kind": "result", "shown": "share"}
    tips |= {"interval": "95 % interval", "games": "games"}
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(height={"band": 0.7})
        .encode(
            y=alt.Y(
                "who:N",
                sort=names,
                title=None,
                axis=_names(labelExpr="split(datum.label, '\\n')", labelOffset=-6),
            ),
            x=alt.X(
                "share:Q",
                stack="zero",
                title="share of games",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
                legend=alt.Legend(symbolType="square"),
            ),
            order="order:Q",
            tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in tips.items()],
        )
    )
    return done(chart, height=len(names) * 38)


def _record_rows(records: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Json]:
    return [
        {
            "who": f"{agent}\n{side}",  # two lines at the axis
            "agent": agent,
            "side": side,
            "kind": kind,
            "order": order,
            "share": record[kind]["mean"],
            "shown": percent(record[kind]["mean"]),
            "interval": interval(record[kind], percent),
            "games": record.get("games"),
        }
        for agent, sides in records.items()
        for side, record in sides.items()
        for order, kind in enumerate(KINDS)
        if record.get(kind) and known(record[kind].get("mean"))
    ]

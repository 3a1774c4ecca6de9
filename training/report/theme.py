"""How charts look. Their colours are names, ``var:NAME``, of the colours in style.css: the page
puts in those of the theme that is on, the pictures those of the light one."""

import re
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SERIES = tuple(f"var:series-{i}" for i in range(1, 8))
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, DejaVu Sans, sans-serif"

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var:faint",
        "titleColor": "var:faint",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": "var:line",
        "gridOpacity": 0.6,
        "domainColor": "var:line",
        "tickColor": "var:line",
        "labelOverlap": True,
        "labelSeparation": 6,
    },
    "axisTop": {"labelAngle": -40},
    "legend": {
        "labelColor": "var:ink",
        "titleColor": "var:faint",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "labelLimit": 260,
        "orient": "top",
        "symbolStrokeWidth": 3,
    },
    "title": {"color": "var:ink"},
    "text": {"color": "var:ink"},
}


@cache
def colours(theme: str = "light") -> dict[str, str]:
    """The colours of a theme ("light" or "dark") by name."""
    pairs = re.findall(
        r"--([\w-]+): light-dark\((#\w+), (#\w+)\);", (HERE / "style.css").read_text()
    )
    return {name: light if theme == "light" else dark for name, light, dark in pairs}


def painted(spec: Any, palette: dict[str, str]) -> Any:
    """``spec`` with every ``var:NAME`` outside its data replaced by a colour."""
    if isinstance(spec, dict):
        return {k: v if k == "values" else painted(v, palette) for k, v in spec.items()}
    if isinstance(spec, list):
        return [painted(each, palette) for each in spec]
    if isinstance(spec, str) and spec.startswith("var:"):
        return palette[spec.removeprefix("var:")]
    return spec

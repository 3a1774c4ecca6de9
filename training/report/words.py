"""Numbers in words, always the same way."""

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

Estimated = Mapping[str, Any]
"""An ``Estimate`` as JSON: mean, low, high, clusters; a bound without a number is unknown."""


def known(value: Any) -> TypeGuard[float]:
    """Whether this is a number that can be shown."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def signed(value: Any, digits: int = 3) -> str:
    """+0.125, −0.5, 0; a dash where there is no number."""
    if not known(value):
        return "–"
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return ("−" if value < 0 else "+") + text


def percent(value: Any) -> str:
    """31 %, 99.8 %: with a decimal only near the ends, and never rounded to none or all."""
    if not known(value):
        return "–"
    if value in (0, 1):
        return f"{value:.0%}".replace("%", " %")
    edge = min(value, 1 - value)
    text = f"{100 * value:.{0 if edge >= 0.02 else 1 if edge >= 0.001 else 2}f}"
    if edge < 0.0001:
        return "< 0.01 %" if value < 0.5 else "> 99.99 %"
    return f"{text} %"


def plain(value: Any) -> str:
    """At most four digits that count."""
    return f"{value:.4g}".replace("-", "−") if known(value) else "–"


def points(value: Any) -> str:
    """Elo points, whole."""
    return signed(value, 0)


def interval(e: Estimated, show: Any = signed) -> str:
    """[low, high], or what is missing."""
    if not (known(e.get("low")) and known(e.get("high"))):
        return "no interval"
    if e["low"] == e["high"]:
        return "no spread"
    return f"[{show(e['low'])}, {show(e['high'])}]"


def estimated(e: Estimated | None, show: Any = signed) -> str:
    """Mean and interval, or why there is none."""
    if e is None or not known(e.get("mean")):
        return "–"
    beside = interval(e, show)
    return f"{show(e['mean'])} {beside if beside.startswith('[') else f'({beside})'}"


def duration(seconds: float) -> str:
    """4 s, 3 min, 2 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"

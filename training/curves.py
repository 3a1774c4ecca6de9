"""Which curves of a run are drawn, and the numbers that they are drawn from."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: ``metrics`` by name ("reward/*" for all of a family), with their unit.

    ``level``: a value to compare with, and its name. ``smooth``: the values scatter from batch to
    batch, so a running mean is drawn too.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    unit: str
    note: str
    logarithmic: bool = False
    level: tuple[float, str] | None = None
    smooth: bool = False


PANELS: tuple[Panel, ...] = (
    Panel(
        "nashconv",
        "NashConv",
        ("nash_conv",),
        "payoff",
        "What all roles together would gain by best responses. Exact, from the probabilities that "
        "the model gives to legal answers.",
        level=(0.0, "equilibrium"),
    ),
    Panel(
        "value",
        "Value against itself, by role",
        ("value/*",),
        "payoff",
        "Expected payoff when the policy plays itself. Exact.",
    ),
    Panel(
        "reward",
        "Reward by role",
        ("reward/*",),
        "payoff",
        "Mean of the games of each step; what is learned from.",
        smooth=True,
    ),
    Panel(
        "legality",
        "Share of legal answers",
        ("legal", "legal_mass_min"),
        "share",
        "Of the answers given in each step; and the least probability that the policy leaves to "
        "legal answers at any situation (exact).",
    ),
    Panel(
        "entropy",
        "Entropy of the policy",
        ("entropy",),
        "nats a token",
        "Mean over the sampled tokens of each step; 0 is a policy that never varies.",
        smooth=True,
    ),
    Panel(
        "kl",
        "KL of the update, and to the magnet",
        ("kl_step", "kl_magnet"),
        "nats a token",
        "How far each step moved the policy, and how far it is from its slow copy.",
        logarithmic=True,
    ),
    Panel(
        "length",
        "Length of an answer",
        ("answer_tokens",),
        "tokens",
        "Mean of the answers of each step, thoughts included.",
        smooth=True,
    ),
)

LABELS = {
    "nash_conv": "NashConv",
    "legal": "legal answers",
    "legal_mass_min": "least legal probability",
    "entropy": "entropy",
    "kl_step": "of the update",
    "kl_magnet": "to the magnet",
    "answer_tokens": "tokens",
}
"""What a metric is called in a legend; one of a family by what stands after its slash."""

Points = list[tuple[float, float]]


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def curves(lines: Sequence[Mapping[str, Any]], panel: Panel) -> dict[str, Points]:
    """The curves of a panel by their labels. Left out is what is no number, or cannot be drawn on a
    logarithmic axis, and a curve without a point."""
    families = tuple(m[:-1] for m in panel.metrics if m.endswith("*"))
    names = dict.fromkeys(name for line in lines for name in line)
    wanted = [n for n in names if n in panel.metrics or (families and n.startswith(families))]
    found = {
        LABELS.get(name, name.rpartition("/")[2]): [
            (line["step"], line[name]) for line in lines if _drawable(line.get(name), panel)
        ]
        for name in sorted(wanted, key=lambda n: _place(n, panel))
    }
    return {label: points for label, points in found.items() if points}


def _drawable(value: Any, panel: Panel) -> bool:
    number = isinstance(value, int | float) and math.isfinite(value)
    return number and (value > 0 or not panel.logarithmic)


def _place(name: str, panel: Panel) -> tuple[int, str]:
    """Metrics in the panel's order, those of a family by name."""
    fits = [i for i, m in enumerate(panel.metrics) if name == m or name.startswith(m.rstrip("*"))]
    return fits[0], name

"""Which curves of a run are drawn, and the numbers that they are drawn from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.training import names
from sparring.training.names import Name
from sparring.training.tracking.jsonl import records


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: the families of its ``metrics`` (see names.py), with their unit.

    ``level``: a value to compare with, and its name. ``smooth``: the values scatter from batch to
    batch, so a running mean is drawn too. ``apart``: where a run has several games, each has a
    chart of its own, because it has several curves there. ``moving``: no chart where no curve ever
    moves.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    unit: str
    note: str
    logarithmic: bool = False
    level: tuple[float, str] | None = None
    smooth: bool = False
    apart: bool = False
    moving: bool = False


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
        ("value",),
        "payoff",
        "Expected payoff when the policy plays itself. Exact.",
        apart=True,
    ),
    Panel(
        "reward",
        "Reward by role",
        ("reward",),
        "payoff",
        "Mean of the games of each step; what is learned from.",
        smooth=True,
        apart=True,
    ),
    Panel(
        "legality",
        "Share of legal answers",
        ("legal", "legal_mass_min"),
        "share",
        "Of the answers given in each step; and the least probability that the policy leaves to "
        "legal answers at any situation (exact).",
        apart=True,
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
    Panel(
        "advantage",
        "Size of the advantages",
        ("advantage_size",),
        "payoff",
        "Mean of |advantage| over the answers of each step: how much there is to learn from; 0 is "
        "nothing.",
        smooth=True,
    ),
    Panel(
        "share",
        "Share of each game",
        ("share",),
        "share",
        "How much of the next step's games each game is.",
        moving=True,
    ),
    Panel(
        "kept",
        "Kept by the filters",
        ("kept",),
        "share",
        "Of what was played in each step: what is learned from.",
        moving=True,
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
    "advantage_size": "advantage",
    "share": "share",
    "kept": "kept",
}
"""What a metric is called in a legend, if not by its role."""

Points = list[tuple[float, float]]


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file."""
    return records(path)


def charted(lines: Iterable[Mapping[str, Any]], panel: Panel) -> list[str]:
    """The games that have a chart of this panel each; "" is that of all together."""
    if not panel.apart:
        return [""]
    shown = names.finest(_shown(lines, panel))
    return list(dict.fromkeys(names.parse(metric).game for metric in shown))


def curves(lines: Sequence[Mapping[str, Any]], panel: Panel, game: str = "") -> dict[str, Points]:
    """The curves of a panel by their labels; where it is ``apart``, those of ``game``.

    Left out is what is no number, or cannot be drawn on a logarithmic axis, a curve without a
    point, and all games together where each has its own curve.
    """
    wanted = [(names.parse(metric), metric) for metric in names.finest(_shown(lines, panel))]
    if panel.apart:
        wanted = [(name, metric) for name, metric in wanted if name.game == game]
    wanted.sort(key=lambda pair: (panel.metrics.index(pair[0].family), pair[1]))
    found = {
        _label(name, panel): [
            (line["step"], line[metric]) for line in lines if _drawable(line.get(metric), panel)
        ]
        for name, metric in wanted
    }
    found = {label: points for label, points in found.items() if points}
    still = all(y == points[0][1] for points in found.values() for _, y in points)
    return {} if panel.moving and still else found


def drawn(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all metrics that are in some panel."""
    return list(dict.fromkeys(metric for panel in PANELS for metric in _shown(lines, panel)))


def _shown(lines: Iterable[Mapping[str, Any]], panel: Panel) -> list[str]:
    """The names of a panel's metrics."""
    every = dict.fromkeys(metric for line in lines for metric in line)
    return [metric for metric in every if names.parse(metric).family in panel.metrics]


def _label(name: Name, panel: Panel) -> str:
    game = "" if panel.apart else name.game
    own = name.role or LABELS.get(name.family, name.family)
    if game and len(panel.metrics) == 1:
        own = ""  # the title says what it is
    return ", ".join(filter(None, (own, game, name.player)))


def _drawable(value: Any, panel: Panel) -> bool:
    number = isinstance(value, int | float) and math.isfinite(value)
    return number and (value > 0 or not panel.logarithmic)

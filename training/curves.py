"""The curves of a run as one picture."""

import json
from pathlib import Path
from typing import Any

PANELS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("NashConv (0 is an equilibrium)", ("nash_conv",), True),
    ("reward by role", ("reward/*",), False),
    ("share of legal answers", ("legal", "legal_mass_min"), False),
    ("entropy of the policy (nats a token)", ("entropy",), False),
    ("KL of the update, and to the magnet", ("kl_step", "kl_magnet"), True),
    ("tokens an answer", ("answer_tokens",), False),
)
"""Title, metrics ("reward/*" for all of a family), logarithmic."""


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def _named(wanted: tuple[str, ...], names: list[str]) -> list[str]:
    """Those of ``names`` that a panel wants."""
    families = tuple(w[:-1] for w in wanted if w.endswith("*"))
    return [n for n in names if n in wanted or (families and n.startswith(families))]


def draw(metrics: Path, picture: Path) -> None:
    """Draw what a metrics file holds; a panel without data is left out, and so is a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    lines = read_metrics(metrics)
    names = list(dict.fromkeys(name for line in lines for name in line))
    panels = [(title, _named(wanted, names), log) for title, wanted, log in PANELS]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        return
    columns = (len(panels) + 1) // 2
    figure, grid = plt.subplots(2, columns, figsize=(4.2 * columns, 6), squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (title, shown, logarithmic) in zip(grid.flat, panels, strict=False):
        for name in shown:
            points = [(line["step"], line[name]) for line in lines if name in line]
            marker = "o" if len(points) == 1 else None
            steps, values = zip(*points, strict=True)
            axes.plot(steps, values, label=name.split("/")[-1], linewidth=1.2, marker=marker)
        if logarithmic and any(line.get(name, 0) > 0 for line in lines for name in shown):
            axes.set_yscale("log")
        if len(shown) > 1:
            axes.legend(frameon=False, fontsize=8)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step", fontsize=9)
        axes.grid(alpha=0.25)
    figure.tight_layout()
    aside = picture.with_name(f".{picture.name}.part")
    figure.savefig(aside, format="png", dpi=110)
    plt.close(figure)
    aside.replace(picture)

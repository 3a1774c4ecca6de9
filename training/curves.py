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


def draw(metrics: Path, picture: Path) -> None:
    """Draw what a metrics file holds; panels without data are left out."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    lines = read_metrics(metrics)
    names = list(dict.fromkeys(name for line in lines for name in line))
    panels = []
    for title, wanted, logarithmic in PANELS:
        found = [
            n for w in wanted for n in names if n == w or (w.endswith("*") and n.startswith(w[:-1]))
        ]
        if found:
            panels.append((title, found, logarithmic))
    figure, grid = plt.subplots(
        2, (len(panels) + 1) // 2, figsize=(4.2 * ((len(panels) + 1) // 2), 6), squeeze=False
    )
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (title, found, logarithmic) in zip(grid.flat, panels, strict=False):
        for name in found:
            points = [(line["step"], line[name]) for line in lines if name in line]
            axes.plot(*zip(*points, strict=True), label=name.split("/")[-1], linewidth=1.2)
        if logarithmic:
            axes.set_yscale("log")
        if len(found) > 1:
            axes.legend(frameon=False, fontsize=8)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step", fontsize=9)
        axes.grid(alpha=0.25)
    figure.tight_layout()
    aside = picture.with_name(f".{picture.name}.part")
    figure.savefig(aside, format="png", dpi=110)
    plt.close(figure)
    aside.replace(picture)

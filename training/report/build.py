"""Reading folders, building the page, writing it and its pictures."""

from collections.abc import Sequence
from pathlib import Path

from sparring.agents.files import write_aside
from sparring.envs.core import BadInput
from sparring.training.report import runs, tournaments
from sparring.training.report.blocks import Figure, Page
from sparring.training.report.figures import draw, overview
from sparring.training.report.folders import Found, Run, Tournament, read_all
from sparring.training.report.page import html

FIGURES, CURVES = "figures", "curves.png"


def build(folders: Sequence[Path], out: Path, *, pictures: bool = True) -> Path:
    """Write the page ``out`` about ``folders`` and, beside it, the pictures.

    Raises:
        BadInput: see ``folders.read_all``, or ``out`` cannot be written.
    """
    found = read_all(folders)
    page = page_of(found)
    shown = [block for section in page.sections for block in section.blocks]
    figures = [block for block in shown if isinstance(block, Figure)]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_aside(out, html(page))
        if pictures:
            draw(figures, out.parent / FIGURES)
            if len(found) == 1 and isinstance(found[0], Run) and figures:
                overview(figures, found[0].folder / CURVES)
    except OSError as fault:
        raise BadInput(f"{out} cannot be written ({fault.strerror}); name another --out") from fault
    return out


def page_of(found: Sequence[Found]) -> Page:
    """The page about these runs and tournaments."""
    trained = [each for each in found if isinstance(each, Run)]
    played = [each for each in found if isinstance(each, Tournament)]
    sections = [*runs.sections(trained), *tournaments.sections(played)]
    if len(found) == 1:
        title = found[0].name
        kind = runs.kind(trained[0]) if trained else tournaments.kind(played[0])
    else:
        title = ", ".join(each.name for each in found)
        kind = "compared: " + " and ".join(
            f"{len(each)} {name}{'s' if len(each) > 1 else ''}"
            for each, name in ((trained, "training run"), (played, "tournament"))
            if each
        )
    footer = "Made by Sparring; charts by Vega-Lite. This page needs no network."
    return Page(title, kind, sections, footer)

"""Reports: a run or a tournament as one page that opens from disk, and its figures as pictures.

folders.py        what a folder holds, any part of which may be missing
runs.py           sections of training runs, one or several compared; policies.py: what they play;
                  alarms.py: what went wrong
tournaments.py    sections of tournaments; games.py: one game of one
charts.py         Vega-Lite charts, by Altair; versus.py: those of tournaments; thin.py: keeps
                  curves small
blocks.py         what a page is made of, as values
page.py           these values as HTML; theme.py and style.css are how it looks
figures.py        the charts as PNG and SVG
keep.py           what a run keeps for its report at every save
replay.js         the replay viewer, which the web page of ``sparring serve`` uses too
"""

from collections.abc import Sequence
from pathlib import Path

REPORT = "report.html"


def report(folder: Path) -> Path:
    """Write ``report.html`` and ``figures/`` into a run's or a tournament's folder.

    Returns the page's path.

    Raises:
        BadInput: the folder holds neither, or one of its files cannot be read.
    """
    return compare([folder], folder / REPORT)


def compare(folders: Sequence[Path], out: Path) -> Path:
    """Write one page about several runs and tournaments, and its ``figures/`` beside it.

    Raises:
        BadInput: a folder holds neither, is named twice, or has a file that cannot be read.
    """
    from sparring.training.report.build import build  # loads the charts' libraries, which take time

    return build(folders, out)

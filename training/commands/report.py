"""sparring report DIR...: a run or a tournament as one page that opens from disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from sparring.envs.core import BadInput
from sparring.training.commands.common import out, parse
from sparring.training.report import REPORT, compare


@dataclass(frozen=True)
class Report:
    """Write a page to look at: of one run or tournament into its own folder, of several compared.

    The page is one file that needs no network; its charts are in figures/ too, as PNG and SVG.
    """

    folders: Positional[tuple[Path, ...]] = ()
    """Folders of runs or tournaments: runs/kuhn tournaments/1."""
    out: Path | None = None
    """The page's file; by default report.html in the folder, or here where several are compared."""


def run(args: Sequence[str]) -> int:
    """Parse, read, write, say where to look."""
    options = parse(Report, "report", args)
    if not options.folders:
        raise BadInput("name the folder of a run or a tournament: sparring report runs/kuhn")
    home = options.folders[0] if len(options.folders) == 1 else Path()
    page = compare(options.folders, options.out or home / REPORT)
    out.print(f"{page} and its pictures in {page.parent / 'figures'}/")
    return 0

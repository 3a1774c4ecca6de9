"""From nothing to a trained and rated player: docs/new-game.md, followed to the letter.

    python benchmarks/new_game.py             runs the page's commands, prints what each one took
    python benchmarks/new_game.py --check     exits 1 if all together take five minutes or more

The commands run in an empty folder, in a virtual environment of their own that sees the packages of
this one, so that the game's package is installed for real and leaves nothing behind.
"""

import os
import re
import site
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

PAGE = Path(__file__).parents[1] / "docs" / "new-game.md"
LIMIT = 300.0
"""Seconds that the whole way may take."""


@dataclass(frozen=True)
class Options:
    """Follow docs/new-game.md and time it."""

    check: bool = False
    """Exit with 1 if it takes five minutes or more."""


def commands(page: Path) -> list[str]:
    """The lines of its ``sh`` blocks, in order."""
    found = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in found for line in block.splitlines()]


def environment(folder: Path) -> dict[str, str]:
    """The variables of a new virtual environment in ``folder`` that sees our packages too."""
    venv.create(folder, with_pip=True)
    (own,) = folder.glob("lib/python*/site-packages")
    outer = [*site.getsitepackages(), site.getusersitepackages()]
    lines = [f"import site; site.addsitedir({path!r})" for path in outer]
    (own / "outer.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    script = folder / "bin" / "sparring"
    script.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m sparring.training.cli "$@"\n')
    script.chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(folder)}


def follow(lines: list[str], console: Console) -> list[tuple[str, float]] | None:
    """Run the commands, one after the other: each with its seconds; ``None`` if one fails."""
    took: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(Path(folder) / "venv")
        here = Path(folder) / "here"
        here.mkdir()
        for line in lines:
            console.print(f"$ {line}", markup=False)
            start = time.perf_counter()
            done = subprocess.run(["/bin/sh", "-c", line], cwd=here, env=variables, check=False)
            if done.returncode:
                console.print(f"failed with exit code {done.returncode}")
                return None
            took.append((line, time.perf_counter() - start))
    return took


def main() -> int:
    options = tyro.cli(Options, description=Options.__doc__)
    console = Console(soft_wrap=True, highlight=False)
    took = follow(commands(PAGE), console)
    if took is None:
        return 1
    whole = sum(seconds for _, seconds in took)
    table = Table("command", "seconds", "of five minutes")
    for line, seconds in [*took, ("all", whole)]:
        table.add_row(line.partition(" --")[0], f"{seconds:.1f}", f"{seconds / LIMIT:.3f}")
    console.print(table)
    console.print(f"{whole:.0f} s, goal {LIMIT:.0f}: {'met' if whole < LIMIT else 'MISSED'}")
    return int(options.check and whole >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())

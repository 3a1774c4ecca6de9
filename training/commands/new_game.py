"""sparring new-game NAME: a small game that works, to be replaced piece by piece by yours."""

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from keyword import iskeyword
from pathlib import Path
from string import Template

from tyro.conf import Positional

from sparring.envs.core import BadInput
from sparring.envs.golden import replay
from sparring.envs.pages import filled
from sparring.envs.registry import games
from sparring.envs.specs import elsewhere
from sparring.training.commands.common import out, parse

SKELETON = {
    "game.py.txt": "$module.py",
    "test.py.txt": "tests/test_$module.py",
    "golden.txt": "tests/golden/$id.txt",
    "page.md.txt": "README.md",
    "pyproject.toml.txt": "pyproject.toml",
}
"""Template to the file that it becomes."""


@dataclass(frozen=True)
class NewGame:
    """Write a new game: a folder with a working game, its test, its page, its golden transcript."""

    name: Positional[str]
    """Its name, such as MyGame; a version is added."""
    to: Path | None = None
    """The folder to write; by default sparring-NAME, here."""


def run(args: Sequence[str]) -> int:
    """Parse, write aside, put in place, say what follows."""
    options = parse(NewGame, "new-game", args)
    words = names(options.name)
    folder = options.to or Path(words["project"])
    if folder.exists():
        raise BadInput(f"{folder} exists; give another folder with --to")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as fault:
        raise BadInput(f"cannot write {folder}: {fault.strerror}") from fault
    try:
        write(aside, words)
        aside.chmod(0o755)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    following = {
        f"pip install -e {folder}": "every sparring command then knows it",
        f"sparring check {words['id']}": "does it keep the contract?",
        f"python -m pytest {folder}": "its own tests",
        f"sparring train kuhn --game {words['id']} --steps 20": "a few steps of self-play",
    }
    width = max(map(len, following))
    out.print(f"{folder}: {words['id']}, a game that works. Make it yours:\n")
    for command, why in following.items():
        out.print(f"  {command:{width}}  {why}")
    out.print(f"\nNot installed, it is {folder / words['module']}.py:{words['name']}")
    return 0


def names(given: str) -> dict[str, str]:
    """All the forms of a game's name that its files need.

    Raises:
        BadInput: it is no name, or taken.
    """
    name = re.sub(r"-v0$", "", given)
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise BadInput(f"a game's name looks like MyGame, not {given!r}")
    if f"{name}-v0" in games():
        raise BadInput(f"there is already a game {name}-v0; choose another name")
    title = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    module = title.lower().replace(" ", "_")
    if iskeyword(name) or iskeyword(module) or module in sys.stdlib_module_names:
        raise BadInput(f"{module} is a word or a module of Python's; choose another name")
    return {
        "name": name,
        "id": f"{name}-v0",
        "title": title,
        "module": module,
        # with a hyphen: a folder that could be imported would hide the module from `python -m`
        "project": f"sparring-{module.replace('_', '-')}",
    }


def write(folder: Path, words: dict[str, str]) -> None:
    """All files of the skeleton, the generated ones made by the game itself."""
    source = files("sparring.training.skeleton")
    for template, target in SKELETON.items():
        file = folder / Template(target).substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = Template((source / template).read_text(encoding="utf-8")).substitute(words)
        file.write_text(text, encoding="utf-8")
    spec = f"{folder / words['module']}.py:{words['name']}"
    make = elsewhere(spec)
    if make is None:
        raise ValueError(f"{spec} is not a game of a file")
    golden = folder / "tests" / "golden" / f"{words['id']}.txt"
    lines = replay(make, golden.read_text(encoding="utf-8"))
    golden.write_text("\n".join(lines) + "\n", encoding="utf-8")
    page = folder / "README.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), spec), encoding="utf-8")
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)  # the game has just been imported

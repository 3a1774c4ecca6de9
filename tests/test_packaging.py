"""The lists in pyproject.toml that nothing else would notice to be incomplete."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("envs", "agents", "training")


def test_every_subpackage_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = {".".join(("sparring", *path.parent.relative_to(ROOT).parts)) for path in modules}
    assert found == set(listed), "an unlisted package is missing from the wheel without a word"


def test_the_constraints_meet_the_ranges() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *extras["test"], *extras["dev"]]:
        wanted = Requirement(text)
        if wanted.name != "sparring":
            assert wanted.specifier.contains(pins[wanted.name]), (
                f"{text} is pinned outside its range"
            )

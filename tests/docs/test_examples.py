"""The Python blocks of the docs run, in order, as a reader would run them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparring.envs.pages import write
from sparring.envs.registry import games, unregister

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "new-game",
            "training",
            "tracking",
            "estimators",
            "losses",
            "opponents",
            "evaluation",
            "judges",
            "views",
            "transfer",
            "exploitability",
            "report",
            "scaling",
        )
    ),
)


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = games()
    names: dict[str, object] = {"__name__": "example"}
    try:
        found = blocks(page)
        assert found, f"{page} has no Python block"
        for block in found:
            exec(compile(block, page, "exec", dont_inherit=True), names)
    finally:
        for name in set(games()) - set(before):
            unregister(name)


@pytest.mark.slow
def test_the_way_to_a_new_game(tmp_path: Path) -> None:
    """The commands of docs/new-game.md, to the letter, installation included."""
    script = [sys.executable, str(ROOT / "benchmarks/new_game.py")]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)}
    done = subprocess.run(script, env=variables, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HigherNumber-v0: keeps the contract" in done.stdout
    assert "HigherNumber-v0: 3000 games, 500 deals" in done.stdout
    assert "NashConv" in done.stdout


def test_generated_parts_are_up_to_date(tmp_path: Path) -> None:
    """If not: python -m sparring.envs.pages docs/games."""
    copy = tmp_path / "games"
    shutil.copytree(ROOT / "docs/games", copy)
    assert [file.name for file in write(copy)] == []


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_every_game_and_recipe_has_a_page() -> None:
    from sparring.training.recipes import RECIPES

    titles = {page.read_text().splitlines()[0] for page in (ROOT / "docs/games").glob("*.md")}
    assert {f"# {name}" for name in games()} <= titles
    assert all((ROOT / f"docs/recipes/{name}.md").exists() for name in RECIPES)

"""What a page shows of tournaments."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sparring.training.report.blocks import Block, Figure, Page, Replays, Table
from sparring.training.report.build import page_of
from sparring.training.report.folders import read, read_all
from sparring.training.report.page import html

NewFolder = Callable[..., Path]
Summarised = Callable[..., Any]

NULLS = ("ratings", "sides", "nash", "alpha_rank")
PARTS = ("scores", "cross", "records", "habits", "measures", "paired", *NULLS)


def blocks(page: Page) -> list[Block]:
    return [block for section in page.sections for block in section.blocks]


def names(found: Sequence[Block]) -> list[str]:
    return [block.name for block in found if isinstance(block, Figure)]


def table(page: Page, title: str) -> Table:
    return next(b for b in blocks(page) if isinstance(b, Table) and b.title == title)


def test_one_game_with_all_its_parts(tmp_path: Path, new_tournament: NewFolder) -> None:
    page = page_of([read(new_tournament(tmp_path / "cup"))])
    parts = ("scores", "ratings", "sides", "cross-play", "records", "nash", "alpha-rank")
    assert names(blocks(page)) == [f"kuhnpoker-v0-{p}" for p in (*parts, "measure-1")]
    assert isinstance(blocks(page)[-1], Replays)
    cross = table(page, "cross-play as a table")
    assert len(cross.rows) == 12
    assert list(cross.rows[0]) == [
        "optimal",
        "run:runs/kuhn@200",
        "+0.100",
        "[+0.050, +0.150]",
        "100",
    ]
    paired = table(page, "Paired comparisons")
    assert [list(row) for row in paired.rows] == [
        ["optimal − random", "optimal is better", "+0.400", "[+0.350, +0.450]", "< 0.001"],
        ["optimal − run:runs/kuhn@200", "not told apart", "+0.010", "[−0.040, +0.060]", "0.700"],
    ]
    habits = table(page, "Legality, forfeits and length")
    assert list(habits.rows[0])[1:] == [
        "99.0 % [98 %, 100 %]",
        "0 % (no spread)",
        "2 [1.95, 2.05]",
        "7.5 [7.45, 7.55]",
    ]
    assert "2 void games" in page.sections[1].note


def test_several_games_overall_ratings_first(
    tmp_path: Path, new_tournament: NewFolder, summary_of: Summarised
) -> None:
    agents = ("optimal", "random")
    games = [summary_of(name, agents) for name in ("KuhnPoker-v0", "Nim-v0(misere=True)")]
    page = page_of([read(new_tournament(tmp_path / "cup", *games, agents=agents))])
    shown = [section.short for section in page.sections if section.short]
    assert shown == ["All", "KuhnPoker-v0", "Nim-v0(misere=True)", "Games"]
    assert len(set(names(blocks(page)))) == len(names(blocks(page)))


@pytest.mark.parametrize("how", ["null", "missing", "empty"])
@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_be_missing(
    tmp_path: Path, new_tournament: NewFolder, part: str, how: str
) -> None:
    cup = new_tournament(tmp_path / "cup", whole=False)
    summary = json.loads((cup / "summary.json").read_text())
    one = summary["games"]["KuhnPoker-v0"]
    if how == "missing":
        del one[part]
    else:
        one[part] = None if how == "null" else type(one[part])()
    (cup / "summary.json").write_text(json.dumps(summary))
    page = page_of([read(cup)])
    assert html(page)
    shown = " ".join(names(blocks(page)))
    figure = {"cross": "cross-play", "alpha_rank": "alpha-rank"}.get(part, part)
    if part not in ("habits", "measures", "paired"):
        assert figure not in shown
    assert shown.count("kuhnpoker") in (7, 8)


def test_numbers_that_are_null(tmp_path: Path, new_tournament: NewFolder) -> None:
    """Infinite intervals and unknown means are null in a summary."""
    cup = new_tournament(tmp_path / "cup", whole=False)
    text = (cup / "summary.json").read_text()
    empty = {"mean": None, "low": None, "high": None, "clusters": 0}
    summary = json.loads(text, object_hook=lambda d: empty if "clusters" in d else d)
    (cup / "summary.json").write_text(json.dumps(summary))
    assert html(page_of([read(cup)]))
    wide = json.loads(text, object_hook=lambda d: {**d, "low": None} if "clusters" in d else d)
    (cup / "summary.json").write_text(json.dumps(wide))
    assert "+0.100" in html(page_of([read(cup)]))
    assert "no interval" in html(page_of([read(cup)]))
    (cup / "summary.json").write_text('{"games": null, "ratings": null}')
    assert "none yet" in html(page_of([read(cup)]))


def test_several_tournaments_of_one_game(
    tmp_path: Path, new_tournament: NewFolder, summary_of: Summarised
) -> None:
    one = new_tournament(tmp_path / "one")
    two = new_tournament(
        tmp_path / "two",
        summary_of("KuhnPoker-v0", ("optimal", "random")),
        summary_of("Nim-v0", ("optimal", "random")),
        agents=("optimal", "random"),
    )
    page = page_of(read_all([one, two]))
    figures = {b.name: b for b in blocks(page) if isinstance(b, Figure)}
    scores = json.dumps(figures["kuhnpoker-v0-scores"].spec)
    assert '"domain": ["one", "two"]' in scores
    assert {"kuhnpoker-v0-1-cross-play", "kuhnpoker-v0-2-cross-play"} <= figures.keys()
    assert "nim-v0-scores" in figures
    assert len(figures) == len(names(blocks(page)))


def test_games_whose_names_look_alike_have_figures_of_their_own(
    tmp_path: Path, new_tournament: NewFolder, summary_of: Summarised
) -> None:
    agents = ("optimal", "random")
    games = [summary_of(name, agents) for name in ("a(b=1)", "a-b-1", "–", "+")]
    page = page_of([read(new_tournament(tmp_path / "cup", *games, agents=agents))])
    assert len(set(names(blocks(page)))) == len(names(blocks(page))) == 4 * 8 + 1

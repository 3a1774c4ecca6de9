"""What a page shows of runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparring.training.curves import PANELS, curves
from sparring.training.report.blocks import Choice, Figure, Page, Policy, Replays, Table, Tiles
from sparring.training.report.build import page_of
from sparring.training.report.folders import read, read_all

NewFolder = Callable[..., Path]


def blocks(page: Page, kind: type[Any]) -> list[Any]:
    return [block for section in page.sections for block in section.blocks if type(block) is kind]


def values(spec: Any) -> list[dict[str, Any]]:
    """All data of a chart."""
    if isinstance(spec, list):
        return [row for each in spec for row in values(each)]
    if not isinstance(spec, dict):
        return []
    data = spec.get("data", {}).get("values", [])
    return data + [row for key, each in spec.items() if key != "data" for row in values(each)]


def test_a_run_with_all_it_has(tmp_path: Path, new_run: NewFolder) -> None:
    page = page_of([read(new_run(tmp_path / "kuhn", steps=100))])
    assert [f.name for f in blocks(page, Figure)] == [panel.name for panel in PANELS]
    nash, value, reward = blocks(page, Figure)[:3]
    assert {"at": 0.0, "name": "equilibrium"} in values(nash.spec)
    assert max(row["value"] for row in values(nash.spec) if "value" in row) == 0.91
    assert "Exact" in nash.note
    assert "Exact" in value.note
    assert {row["curve"] for row in values(reward.spec)} == {"player_0", "player_1"}
    assert "running mean over 11 steps" in reward.note
    tiles = dict(blocks(page, Tiles)[0].tiles)
    assert tiles["steps"] == "100"
    assert tiles["games of self-play"] == "25,600"
    assert tiles["of self-play"] == "70 s"
    assert tiles["NashConv, exact (0 is an equilibrium)"] == "0.1218"
    assert len(blocks(page, Replays)[0].games) == 6


def test_the_policy_in_words(tmp_path: Path, new_run: NewFolder) -> None:
    """Uniform play of Kuhn poker beside the equilibrium, jack before queen before king."""
    page = page_of([read(new_run(tmp_path / "kuhn"))])
    first, second = blocks(page, Policy)
    assert (first.title, second.title) == ("player_0", "player_1")
    said = [choice.situation for choice in second.choices]
    assert said[:3] == [f"holding {card}, after a check" for card in "JQK"]
    bluff = second.choices[0]
    assert bluff.chances == {"check": 0.5, "bet": 0.5}
    assert bluff.equilibrium is not None
    assert bluff.equilibrium["bet"] == pytest.approx(1 / 3)
    assert isinstance(bluff, Choice)


def test_several_runs_share_charts_and_colours(tmp_path: Path, new_run: NewFolder) -> None:
    folders = [
        new_run(tmp_path / "a", steps=20, rate=0.1),
        new_run(tmp_path / "b", steps=40, rate=0.2, seed=1),
    ]
    page = page_of(read_all(folders))
    figures = blocks(page, Figure)
    assert len({f.name for f in figures}) == len(figures)
    rewards = [f for f in figures if f.name.startswith("reward")]
    assert [f.title for f in rewards] == ["Reward by role: player_0", "Reward by role: player_1"]
    for figure in figures:
        assert {row["curve"] for row in values(figure.spec) if "curve" in row} == {"a", "b"}
        scales = json.dumps(figure.spec)
        assert '"domain": ["a", "b"], "range": ["var:series-1", "var:series-2"]' in scales
    table = blocks(page, Table)[0]
    assert list(table.columns)[-3:] == ["steps", "seed", "update.rate"]
    assert [row[-1] for row in table.rows] == ["0.1", "0.2"]
    assert page.title == "a, b"


def test_parts_that_are_missing_null_or_not_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    lines = [
        {"step": 0},
        {"step": 1, "nash_conv": None, "legal": float("nan"), "reward/x": 1.0, "kl_step": 0.0},
        {"step": 2, "kl_step": -1.0, "reward/x": float("inf"), "other": "words"},
        {"no": "step"},
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    page = page_of([read(folder)])
    shown = {f.name: values(f.spec) for f in blocks(page, Figure)}
    assert [row["value"] for row in shown["reward"]] == [1.0]
    assert "nashconv" not in shown
    (folder / "metrics.jsonl").write_text("")
    assert page_of([read(folder)]).title == "odd"


def test_curves_of_a_panel_in_its_order() -> None:
    kl = next(panel for panel in PANELS if panel.name == "kl")
    lines = [{"step": 1, "kl_magnet": 2.0}, {"step": 2, "kl_step": 3.0, "kl_magnet": 4.0}]
    assert curves(lines, kl) == {"of the update": [(2, 3.0)], "to the magnet": [(1, 2.0), (2, 4.0)]}

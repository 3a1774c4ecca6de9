"""What a page shows of runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparring.training.curves import PANELS, curves
from sparring.training.report.blocks import (
    Choice,
    Figure,
    Notes,
    Page,
    Policy,
    Replays,
    Table,
    Tiles,
)
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
    assert [f.name for f in blocks(page, Figure)] == [p.name for p in PANELS if p.name != "share"]
    assert not blocks(page, Notes), "no alarm was raised"
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


# -- several games in one run --------------------------------------------------------------------

KUHN, TTT, CHESS = "KuhnPoker-v0", "TicTacToe-v0(board=False)", "pettingzoo:classic/chess_v6"


def labels(figure: Figure) -> set[str]:
    return {row["curve"] for row in values(figure.spec) if "curve" in row}


def test_a_run_of_several_games(tmp_path: Path, new_mix: NewFolder) -> None:
    page = page_of([read(new_mix(tmp_path / "mix"))])
    assert page.kind == f"training run: {KUHN}, {TTT} and {CHESS} by self-play by the recipe spiral"
    figures = {figure.title: figure for figure in blocks(page, Figure)}
    assert len({figure.name for figure in figures.values()}) == len(figures)
    assert labels(figures["NashConv"]) == {KUHN, TTT}
    assert f"Value against itself, by role: {KUHN}" in figures
    assert f"Value against itself, by role: {CHESS}" not in figures
    assert labels(figures[f"Reward by role: {CHESS}"]) == {"white", "black"}
    assert labels(figures[f"Reward by role: {TTT}"]) == {"player_0", "player_1"}
    assert {row["value"] for row in values(figures[f"Share of legal answers: {TTT}"].spec)} == {0.9}
    for title in ("Length of an answer", "Size of the advantages", "Share of each game"):
        assert labels(figures[title]) == {KUHN, TTT, CHESS}, title
    colours = '"domain": ["KuhnPoker-v0", "TicTacToe-v0(board=False)", "pettingzoo:'
    for title in ("NashConv", "Length of an answer"):
        assert colours in json.dumps(figures[title].spec), "a game has one colour everywhere"
    assert labels(figures["Entropy of the policy"]) == {"entropy"}
    assert "Kept by the filters" not in figures, "everything was kept, all the time"
    tiles = dict(blocks(page, Tiles)[0].tiles)
    assert tiles[f"NashConv of {KUHN}, exact (0 is an equilibrium)"] == "0.025"
    assert tiles[f"NashConv of {TTT}, exact (0 is an equilibrium)"] == "0.05"
    assert tiles["of the last step's answers were legal"] == "90 %"
    assert tiles["games of self-play"] == "3,840"


def test_runs_of_one_game_and_of_several_side_by_side(
    tmp_path: Path, new_run: NewFolder, new_mix: NewFolder
) -> None:
    page = page_of(read_all([new_run(tmp_path / "one"), new_mix(tmp_path / "mix")]))
    figures = {figure.title: figure for figure in blocks(page, Figure)}
    assert len({figure.name for figure in figures.values()}) == len(figures)
    assert labels(figures["NashConv"]) == {"one"}
    assert labels(figures[f"NashConv: {KUHN}"]) == {"mix"}
    assert labels(figures["Reward by role: player_0"]) == {"one"}
    assert labels(figures[f"Reward by role: {TTT}, player_0"]) == {"mix"}
    assert labels(figures["Entropy of the policy"]) == {"one", "mix"}
    table = blocks(page, Table)[0]
    exact = [f"NashConv (exact){of}" for of in ("", f", {KUHN}", f", {TTT}")]
    assert list(table.columns)[:4] == ["run", *exact]
    by_run = {row[0]: row[1:4] for row in table.rows}
    assert by_run["mix"] == ["–", "0.025", "0.05"]
    assert by_run["one"][1:] == ["–", "–"]


def test_what_the_alarms_said_comes_first(tmp_path: Path, new_mix: NewFolder) -> None:
    page = page_of([read(new_mix(tmp_path / "mix"))])
    assert page.sections[0].title == "Alarms"
    assert page.sections[0].note == "1 on at the end, 1 over."
    on, over = blocks(page, Notes)[0].notes
    assert (on.about, on.when, on.says, on.more, on.bad) == (
        "entropy",
        "since step 15",
        "The policy hardly varies.",
        "Less.",
        True,
    )
    assert (over.about, over.when, over.bad) == (f"legal/{CHESS}", "steps 12 to 20", False)


def test_alarms_of_several_runs_say_whose_they_are(
    tmp_path: Path, new_run: NewFolder, new_mix: NewFolder
) -> None:
    page = page_of(read_all([new_run(tmp_path / "one"), new_mix(tmp_path / "mix")]))
    assert [note.about for note in blocks(page, Notes)[0].notes] == [
        "mix: entropy",
        f"mix: legal/{CHESS}",
    ]


def test_only_the_latest_alarms_are_on_the_page(tmp_path: Path, new_run: NewFolder) -> None:
    folder = new_run(tmp_path / "kuhn")
    news: list[dict[str, Any]] = [{"step": 1, "alarm": "length", "says": "Short.", "do": "Look."}]
    for step in range(2, 40, 2):
        news.append({"step": step, "alarm": "legal", "says": "Few.", "do": "Look."})
        news.append({"step": step + 1, "alarm": "legal", "over": True})
    (folder / "alarms.jsonl").write_text("".join(json.dumps(line) + "\n" for line in news))
    page = page_of([read(folder)])
    notes = blocks(page, Notes)[0].notes
    assert len(notes) == 12
    assert [note.when for note in notes[:3]] == ["since step 1", "steps 38 to 39", "steps 36 to 37"]
    assert page.sections[0].note == "1 on at the end, 19 over. The other 8 are in alarms.jsonl."


def test_players_of_their_own_have_curves_of_their_own() -> None:
    kl = next(panel for panel in PANELS if panel.name == "kl")
    lines = [{"step": 1, "kl_step@one": 2.0, "kl_step@two": 3.0, "kl_magnet@one": 1.0}]
    assert curves(lines, kl) == {
        "of the update, one": [(1, 2.0)],
        "of the update, two": [(1, 3.0)],
        "to the magnet, one": [(1, 1.0)],
    }


def test_a_curve_that_never_moves_has_an_axis(tmp_path: Path) -> None:
    """Vega has no scale for a single value: the axis begins at 0."""
    (tmp_path / "metrics.jsonl").write_text(
        "".join(json.dumps({"step": i, "answer_tokens": 3.0}) + "\n" for i in (1, 2))
    )
    (figure,) = blocks(page_of([read(tmp_path)]), Figure)
    assert '"zero": true' in json.dumps(figure.spec)

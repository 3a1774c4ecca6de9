"""The page: nothing from outside, nothing that an agent said runs or breaks out."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sparring.training.report.blocks import Choice, Page, Policy, Section, Table, Tiles
from sparring.training.report.build import build
from sparring.training.report.page import bundle, html

NewFolder = Callable[..., Path]


class Reader(HTMLParser):
    """The elements of a page, the text of its scripts, and everything that it refers to."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and self.cdata_elem == "script":
            attributes, so_far = self.scripts[-1]
            self.scripts[-1] = attributes, so_far + data
        else:
            self.words += data


def page_about(*folders: Path) -> str:
    out = folders[0].parent / "page.html"
    return build(folders, out, pictures=False).read_text()


def run_page(tmp_path: Path, new_run: NewFolder) -> str:
    return page_about(new_run(tmp_path / "kuhn"))


def test_nothing_comes_from_outside(tmp_path: Path, new_run: NewFolder) -> None:
    page = Reader(run_page(tmp_path, new_run))
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert not [tag for tag, _ in page.tags if tag in ("link", "img", "iframe", "object", "embed")]


def test_only_our_own_scripts_may_run(tmp_path: Path, new_run: NewFolder) -> None:
    page = Reader(run_page(tmp_path, new_run))
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    allowed = set(re.findall(r"'(sha256-[^']+)'", policy))
    assert "unsafe" not in policy.split("style-src")[0]
    run = [text for attributes, text in page.scripts if "type" not in attributes]
    hashes = {base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in run}
    assert {f"sha256-{each}" for each in hashes} == allowed
    assert len(run) == 3  # Vega, the replays, the page


def test_what_agents_are_called_and_say_stays_text(
    tmp_path: Path, new_run: NewFolder, new_tournament: NewFolder, evil: str
) -> None:
    agents = (f"a{evil}", f"b{evil}", "random")
    cup = new_tournament(tmp_path / "cup", agents=agents)
    text = page_about(new_run(tmp_path / "kuhn"), cup)
    page = Reader(text)
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert evil not in text
    assert f"a{evil}" in page.words  # in a table, shown as it is
    assert not [t for a, t in page.scripts if "type" in a and set("<>&") & set(t)]
    blocks = [(a["id"], json.loads(t)) for a, t in page.scripts if "type" in a]
    games = next(value for name, value in blocks if name == "replays-0")
    said = [a["text"] for step in games[0]["steps"] for a in step["answers"]]
    assert f"no {evil}" in said
    assert any(evil in json.dumps(v, ensure_ascii=False).replace('\\"', '"') for _, v in blocks)


@pytest.mark.parametrize("name", ["</title><script>alert(1)</script>", "a & b", "ü—𝄞\u2028"])
def test_titles_tables_tiles_and_policies_are_escaped(name: str) -> None:
    choice = Choice(name, {name: 0.25}, {name: 0.5}, name)
    table = Table(name, (name, name), [(name, name)], name, open=True)
    blocks = [Tiles([(name, name)]), table, Policy(name, [choice], name)]
    sections = [Section(name, blocks, name, name), Section("", (), "", name)]
    page = Reader(html(Page(name, name, sections, name)))
    assert [a.get("type") for tag, a in page.tags if tag == "script"] == [None]
    assert page.words.count(name) >= 14


def test_what_alarms_say_is_escaped(tmp_path: Path, new_mix: NewFolder, evil: str) -> None:
    text = page_about(new_mix(tmp_path / "mix"))
    assert evil not in text
    assert f"Fewer answers are legal. {evil}" in Reader(text).words


def test_pages_stay_small(tmp_path: Path, new_run: NewFolder, new_tournament: NewFolder) -> None:
    """1.5 MB and the data; a run of 50,000 steps weighs hardly more than a short one."""
    short = len(page_about(new_run(tmp_path / "short")))
    assert short < 1_200_000
    long = new_run(tmp_path / "long", steps=5)
    lines = [json.loads(line) for line in (long / "metrics.jsonl").read_text().splitlines()]
    many = "".join(
        json.dumps({**lines[3], "step": i, "kl_step": 1 / (i + 1)}) + "\n" for i in range(50_000)
    )
    (long / "metrics.jsonl").write_text(many)
    assert len(page_about(long)) < short + 100_000
    assert len(page_about(new_tournament(tmp_path / "cup"))) < 1_200_000


def test_a_page_without_charts_has_no_vega(tmp_path: Path) -> None:
    (tmp_path / "cup").mkdir()
    (tmp_path / "cup" / "games.jsonl").write_text("")
    text = page_about(tmp_path / "cup")
    assert bundle()[:1000] not in text
    assert len(text) < 60_000
    assert "written when the tournament ends" in text


def test_only_so_many_games_are_in_a_page(tmp_path: Path, new_tournament: NewFolder) -> None:
    cup = new_tournament(tmp_path / "cup")
    line = (cup / "replays.jsonl").read_text().splitlines()[0]
    (cup / "replays.jsonl").write_text((line + "\n") * 500)
    text = page_about(cup)
    assert "The first 120 of 500 games" in text
    game: dict[str, Any] = json.loads(line)
    game["steps"][0]["answers"][0]["private"] = "x" * 1_000_000
    (cup / "replays.jsonl").write_text((json.dumps(game) + "\n") * 9)
    assert "The first 2 of 9 games" in page_about(cup)

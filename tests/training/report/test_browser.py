"""The report in a real browser: charts in both themes, the replay viewer, a phone.

With SPARRING_PICTURES=docs/pictures the last test writes the pictures of docs/report.md.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import DRAWN, PHONE, apart

from sparring.training.cli import main
from sparring.training.report.build import build
from sparring.training.report.theme import colours

pytestmark = pytest.mark.browser

NewFolder = Callable[..., Path]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory,
    new_run: NewFolder,
    new_mix: NewFolder,
    new_tournament: NewFolder,
    evil: str,
) -> dict[str, str]:
    """The addresses of a run, one of several games, a tournament of agents with odd names, and of
    two runs and the tournament compared."""
    home = tmp_path_factory.mktemp("pages")

    def write() -> dict[str, str]:
        agents = ("optimal", f"a{evil}", "run:runs/a-long-name-of-a-run/kuhn@200", "random")
        run, cup = new_run(home / "kuhn", steps=100), new_tournament(home / "cup", agents=agents)
        other = new_run(home / "other", steps=80, seed=1)
        mix = new_mix(home / "mix")
        made = {"run": (run,), "mix": (mix,), "cup": (cup,), "all": (run, other, cup)}
        return {
            name: build(folders, home / f"{name}.html", pictures=False).as_uri()
            for name, folders in made.items()
        }

    return apart(write)


def drawn(page: Any) -> Any:
    page.wait_for_function(DRAWN)
    return page


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def inks(page: Any) -> set[str]:
    """The colours of all marks."""
    found: list[str] = page.eval_on_selector_all(
        ".chart svg :is(path, line)",
        "all => all.flatMap(e => [getComputedStyle(e).stroke, getComputedStyle(e).fill])",
    )
    return set(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["run", "mix", "cup", "all"])
def test_every_chart_is_drawn_in_the_theme(
    pages: dict[str, str], open_page: Open, name: str, theme: str
) -> None:
    asked: list[str] = []
    page = open_page("about:blank", color_scheme=theme)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name])
    drawn(page)
    charts = page.locator(".chart")
    assert charts.count() >= 7
    for i in range(charts.count()):
        box = charts.nth(i).locator("svg").first.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 50
        assert charts.nth(i).locator("svg .role-mark path, svg .role-mark line").count() > 0
    palette = colours(theme)
    assert rgb(palette["series-1"]) in inks(page)
    other = colours("dark" if theme == "light" else "light")
    assert rgb(other["series-1"]) not in inks(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == rgb(palette["ground"])
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [pages[name]]


def test_the_switch_changes_the_theme_and_is_remembered(
    pages: dict[str, str], open_page: Open
) -> None:
    page = drawn(open_page(pages["run"], color_scheme="dark"))
    switch = page.locator("#theme")
    assert "system" in switch.inner_text()
    switch.click()
    assert "light" in switch.inner_text()
    drawn(page)
    assert rgb(colours("light")["series-1"]) in inks(page)
    page.reload()
    assert "light" in page.locator("#theme").inner_text()
    assert rgb(colours("light")["series-1"]) in inks(drawn(page))
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert "system" in page.locator("#theme").inner_text()
    drawn(page)
    page.emulate_media(color_scheme="light")
    page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(
        colours("light")["ground"]
    )


@pytest.mark.parametrize("name", ["run", "mix", "cup", "all"])
def test_a_phone_needs_no_scrolling_sideways(
    pages: dict[str, str], open_page: Open, name: str
) -> None:
    page = drawn(open_page(pages[name], viewport=PHONE))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for tag in ("section", ".card", ".chart svg", ".thread"):
        for box in page.locator(tag).all():
            place = box.bounding_box()
            assert place is None or (place["x"] >= 0 and place["x"] + place["width"] <= 390), tag
    sizes = page.eval_on_selector_all(
        ".replay-bar .steps button", "all => all.map(b => b.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44  # a finger


def test_names_stay_text_in_charts_and_tooltips(
    pages: dict[str, str], watch: Any, evil: str
) -> None:
    page = watch.page("about:blank")
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.goto(pages["cup"])
    drawn(page)
    assert page.locator("main img").count() == 0
    page.locator('[data-figure="kuhnpoker-v0-scores"] svg .role-mark path').nth(1).hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    tip.wait_for(state="visible")
    assert f"a{evil}" in tip.inner_text().replace("\n", "")
    assert "95 % interval" in tip.inner_text()
    assert tip.locator("img, script, b").count() == 0
    # what got into the page all the same would not run
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<i onclick=\"window.hit=1\">x</i>')"
    )
    page.evaluate("document.body.lastElementChild.click()")
    assert page.evaluate("window.hit") is None
    assert ["Content Security Policy" in fault for fault in watch.faults] == [True]
    watch.faults.clear()


def test_a_tooltip_says_which_point(pages: dict[str, str], open_page: Open) -> None:
    page = drawn(open_page(pages["run"]))
    page.locator('[data-figure="nashconv"] svg .mark-symbol path').nth(10).hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    tip.wait_for(state="visible")
    said = tip.inner_text().split()
    assert said == ["of", "NashConv", "step", "50", "payoff", "0.3311"]


class Viewer:
    """The replay viewer of a page."""

    def __init__(self, page: Any):
        self.page = drawn(page)
        self.root = page.locator("[data-replays]")
        self.thread = self.root.locator(".thread")

    def choose(self, number: int) -> None:
        self.root.locator(".replay-list button").nth(number).click()

    def press(self, label: str) -> None:
        self.root.get_by_role("button", name=label).click()

    def see_as(self, who: str) -> None:
        self.root.locator("select").select_option(who)

    @property
    def where(self) -> str:
        return str(self.root.locator("[role=status]").inner_text())

    @property
    def text(self) -> str:
        return str(self.thread.inner_text())


def test_stepping_with_buttons_and_arrow_keys(pages: dict[str, str], open_page: Open) -> None:
    viewer = Viewer(open_page(pages["cup"]))
    viewer.choose(2)  # TicTacToe
    assert viewer.where.startswith("step 1 of ")
    last = int(viewer.where.split(" of ")[1].split(" ")[0])
    viewer.press("one step on")
    assert viewer.where.startswith("step 2 of ")
    assert viewer.thread.locator("article.said").count() == 2
    for key, step in (("ArrowRight", 3), ("ArrowLeft", 2), ("End", last), ("ArrowRight", last)):
        viewer.page.keyboard.press(key)
        assert viewer.where.startswith(f"step {step} of ")
    assert "The end: played to its end." in viewer.text
    assert viewer.thread.locator("article.said").count() == last
    viewer.page.keyboard.press("Home")
    assert viewer.where.startswith("step 0 of ")
    assert "next: player_0" in viewer.where
    assert viewer.thread.locator("article.said").count() == 0
    viewer.press("to the end")
    viewer.thread.focus()
    viewer.page.keyboard.press("ArrowLeft")
    assert viewer.where.startswith(f"step {last - 1} of ")
    assert viewer.page.evaluate("document.activeElement.className") == "thread"


def test_each_role_sees_its_own_cards_only(pages: dict[str, str], open_page: Open) -> None:
    viewer = Viewer(open_page(pages["cup"]))
    viewer.choose(1)
    viewer.press("to the start")
    assert viewer.text.count("Your card: ") == 2
    assert viewer.text.count("saw this") == 2
    assert "Ante 1" not in viewer.text
    viewer.thread.get_by_text("the rules, as player_1 reads them").click()
    assert "You are player_1. Cards J < Q < K" in viewer.text
    cards = {}
    for role in ("player_0", "player_1"):
        viewer.see_as(role)
        assert viewer.text.count("Your card: ") == 1
        assert f"You are {role}" in viewer.text
        cards[role] = viewer.text.split("Your card: ")[1][0]
    assert cards["player_0"] != cards["player_1"]
    viewer.see_as("player_1")
    viewer.press("one step on")  # what player_0 did is told, how likely it was is not
    assert viewer.thread.locator("article.said").count() == 1
    assert viewer.thread.locator(".chances").count() == 0
    viewer.press("to the end")
    assert viewer.thread.locator(".chances").count() == 1


def test_probabilities_of_the_alternatives(pages: dict[str, str], open_page: Open) -> None:
    viewer = Viewer(open_page(pages["cup"]))
    viewer.choose(1)
    viewer.press("to the end")
    bars = viewer.thread.locator(".chances")
    said = viewer.thread.locator("article.said")
    assert bars.count() == said.count()
    assert "50 %" in bars.nth(1).inner_text()  # random
    assert "(chosen)" in bars.nth(1).locator(".chosen").inner_text()
    widths = bars.nth(1).locator(".bar > i").evaluate_all("all => all.map(i => i.style.width)")
    assert widths == ["50%", "50%"]
    assert "checks" not in viewer.text
    assert "payoff" in viewer.text


def test_refused_answers_private_thoughts_and_a_forfeit(
    pages: dict[str, str], open_page: Open, evil: str
) -> None:
    viewer = Viewer(open_page(pages["cup"]))
    viewer.choose(0)
    viewer.press("to the end")
    assert viewer.thread.locator(".said.refused").count() == 3
    assert viewer.text.count("refused: not allowed") == 3
    assert "player_0 forfeited" in viewer.text
    assert f"no {evil}" in viewer.text
    assert viewer.thread.locator("img").count() == 0
    assert "secret thought" not in viewer.page.locator("main").inner_text()
    viewer.root.get_by_label("show private thoughts").check()
    assert viewer.text.count("private thought: nobody else saw it") == 5
    assert f"secret thought 0 {evil}" in viewer.text
    viewer.see_as("player_1")  # one's own thoughts only
    assert viewer.text.count("secret thought") == 1
    assert "bluff" not in viewer.text
    viewer.choose(2)  # a game without thoughts has no such box
    assert not viewer.root.get_by_label("show private thoughts").is_visible()


def test_free_talk_is_told_once(pages: dict[str, str], open_page: Open) -> None:
    """The game repeats what is said; the viewer shows it as one bubble, for everyone and a role."""
    viewer = Viewer(open_page(pages["cup"]))
    viewer.choose(5)  # five players, all clues in the open
    viewer.press("to the end")
    said = viewer.thread.locator("article.said").count()
    steps = viewer.page.evaluate(
        "JSON.parse(document.getElementById('replays-0').textContent)[5].steps"
    )
    assert said == sum(len(step["answers"]) for step in steps)
    clues = sum(len(step["answers"]) == 1 for step in steps)
    viewer.see_as("player_2")
    assert viewer.thread.locator("article.said").count() == clues + 1  # and its own vote
    assert viewer.thread.locator("article.said.mine").count() == 3


def test_it_can_be_used_without_seeing_it(pages: dict[str, str], open_page: Open) -> None:
    page = drawn(open_page(pages["cup"]))
    assert page.get_by_role("navigation", name="contents").locator("a").count() >= 2
    assert page.get_by_role("list", name="games").get_by_role("button").count() == 6
    assert page.get_by_role("button", name="change between the themes").count() == 1
    nameless = page.eval_on_selector_all(
        "button, select, input",
        "all => all.filter(e => !(e.ariaLabel || e.labels?.length || e.textContent.trim())).length",
    )
    assert nameless == 0
    page.get_by_role("button", name="one step on").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("status").inner_text().startswith("step 2 of ")
    assert page.get_by_role("table").first.get_by_role("columnheader").count() >= 4


def test_the_pictures_of_the_docs(
    tmp_path: Path, pages: dict[str, str], open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page as a picture; of real games where the pictures are kept."""
    kept = os.environ.get("SPARRING_PICTURES")
    folder = Path(kept).resolve() if kept else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shown = apart(_real) if kept else pages
    for name, theme, phone in (
        ("run", "light", False),
        ("run", "dark", True),
        ("cup", "dark", False),
        ("cup", "light", True),
    ):
        viewport = PHONE if phone else {"width": 1100, "height": 1250}
        page = drawn(open_page(shown[name], color_scheme=theme, viewport=viewport))
        told = {"run": "run", "cup": "tournament"}[name]
        path = folder / f"report-{told}-{theme}{'-phone' if phone else ''}.png"
        page.screenshot(path=path)
        assert path.stat().st_size > 10_000
    viewer = Viewer(open_page(shown["cup"], viewport={"width": 1100, "height": 800}))
    viewer.press("to the end")
    viewer.root.screenshot(path=folder / "report-replay.png")


def _real() -> dict[str, str]:
    """A short run and a tournament of what came of it."""
    flags = ["--steps", "60", "--games", "1024", "--save-every", "20"]
    assert main(["train", "kuhn", *flags]) == 0
    agents = ["optimal", "random", "run:runs/kuhn", "run:runs/kuhn@20"]
    assert main(["tournament", *agents, "--games", "1000", "--out", "tournaments/kuhn"]) == 0
    run, cup = Path("runs/kuhn/report.html"), Path("tournaments/kuhn/report.html")
    return {"run": run.resolve().as_uri(), "cup": cup.resolve().as_uri()}

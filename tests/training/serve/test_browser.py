"""The page in a real browser: a whole game of each kind, reloads, watching, replays, and what a
curious person finds there. With SPARRING_PICTURES=docs/pictures it makes the pictures of the docs.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparring.agents import registry
from sparring.envs.core import Action, Observation
from sparring.envs.games.kuhn import KuhnPoker

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
NOW = """[
    document.querySelector(".end") !== null,
    document.querySelector("form[data-turn]")?.dataset.turn ?? null,
]"""


def start(page: Any, live: Any, game: str, seat: str, against: str, *draws: int) -> str:
    """Choose all that on the first page and press the button; gives the game's id."""
    name, _, options = game.partition("(")
    page.goto(f"{live.url}/?game={name}")
    page.locator("html[data-ready=yes]").wait_for()
    if options:
        page.get_by_text("Options", exact=True).click()
        page.get_by_label("Game with options").fill(game)
        page.get_by_label("Game with options").press("Tab")
    page.get_by_label("Your seat").select_option(seat)
    page.locator(".agents select").first.select_option(against)
    live.draws[:] = draws
    page.locator(".setup button[type=submit]").click()
    page.wait_for_url("**/game/*")
    page.locator("html[data-ready=yes]").wait_for()
    return str(page.url.rpartition("/")[2])


def asked(page: Any, last: int = -1) -> int | None:
    """The number of the person's next turn after ``last``, or ``None`` at the end."""
    while True:
        page.locator(f".end, form[data-turn]:not([data-turn='{last}'])").first.wait_for()
        over, turn = page.evaluate(NOW)  # at one moment: the form goes when others are to answer
        if over:
            return None
        if turn is not None and int(turn) != last:
            return int(turn)


def play_on(page: Any, answer: Callable[[Any], None]) -> None:
    """Answer whenever it is the person's turn, to the end."""
    turn = asked(page)
    while turn is not None:
        answer(page)
        turn = asked(page, turn)
    page.locator(".end a:has-text('See everything')").wait_for()


def press_first(page: Any) -> None:
    page.locator(".answer").first.click()


def say(text: str) -> Callable[[Any], None]:
    def answer(page: Any) -> None:
        page.locator("form textarea, form input").fill(text)
        page.keyboard.press("Enter")

    return answer


def test_a_board(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    id = start(page, live, "TicTacToe-v0", "player_0", "optimal")
    assert "Three in a row wins" in page.locator(".the-rules").inner_text()
    press_first(page)
    asked(page, 0)
    board = page.locator(".note .board").first
    assert board.inner_text().splitlines() == ["X . .", ". . .", ". . ."]
    assert "mono" in board.evaluate("element => getComputedStyle(element).fontFamily")
    assert page.locator(".said.mine .words").first.inner_text() == "1"
    play_on(page, press_first)
    assert page.locator(".headline").inner_text() in ("A draw 0", "You lost −1")
    page.get_by_role("button", name="Play again").click()
    page.wait_for_url(lambda url: id not in url)
    assert asked(page) == 0  # the same seats, a new game
    assert page.locator(".seats .me b").inner_text() == "player_0"


def test_cards_with_the_keyboard_only(live: Any, open_page: Any, seed_of: Any) -> None:
    deal = seed_of(KuhnPoker(), lambda state: state.deals[0] == "KQ")
    page = open_page(live.url)
    start(page, live, "KuhnPoker-v0", "player_0", "optimal", deal, 2)
    assert page.locator(".note", has_text="Your card: K").count() == 1
    asked(page)
    page.keyboard.type("bet")  # the box has the focus
    page.keyboard.press("Enter")
    page.locator(".end a:has-text('See everything')").wait_for()
    assert "You won +" in page.locator(".headline").inner_text()
    assert "player_0: bet" not in page.locator(".thread").inner_text()  # it is a bubble
    assert "you: bet" in page.locator("#said").inner_text().replace("player_0", "you")
    page.get_by_text("See everything").click()
    page.get_by_label("to the end").click()
    assert "Your card: Q" in page.locator(".thread").inner_text()  # all may be seen now
    page.goto(live.url)
    row = page.locator(".rows a").first
    assert "KuhnPoker" in row.inner_text()
    row.click()
    page.wait_for_url("**/replay/*")


def test_free_talk_is_text_and_nothing_else(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "AdversarialTaboo-v0(turns=3)", "defender", "random")
    assert asked(page) == 0
    box = page.locator("form textarea")
    assert "such as: " in box.get_attribute("placeholder")
    page.locator(".chip").first.click()
    assert box.input_value() == page.locator(".chip").first.inner_text()
    box.fill("<img src=x onerror=\"document.title='bent'\"><b>bold</b>")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("& two lines")
    page.keyboard.press("Enter")
    asked(page, 0)
    assert page.locator(".said.mine .words").first.inner_text().splitlines() == [
        "<img src=x onerror=\"document.title='bent'\"><b>bold</b>",
        "& two lines",
    ]
    assert page.locator("main img, .thread .words b").count() == 0
    assert "bent" not in page.title()
    play_on(page, say("I know the word! It is quite another one."))
    assert "You lost −1" in page.locator(".headline").inner_text()


def test_a_debate_with_an_agent_as_judge(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "Debate-v0(rounds=1)", "debater_0", "random")
    play_on(page, say("My side is right."))
    assert page.locator(".payoffs div").count() == 3


def test_a_negotiation(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "SimpleNegotiation-v0(turns=4)", "player_1", "random")
    play_on(page, say("[Deny]"))
    assert page.locator(".headline .paid").count() == 1


def test_both_at_once(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "RockPaperScissors-v0(rounds=3)", "player_1", "random")
    play_on(page, lambda page: page.get_by_role("button", name="paper").click())
    assert page.locator(".note", has_text="player_1: paper").count() == 3


@pytest.mark.parametrize(
    ("game", "seat", "others"),
    [("KuhnPoker-v0(players=3)", "player_2", 2), ("Avalon-v0", "player_1", 4)],
)
def test_many_players(live: Any, open_page: Any, game: str, seat: str, others: int) -> None:
    page = open_page(live.url)
    start(page, live, game, seat, "random")
    assert page.locator(".seats li").count() == others + 1
    play_on(page, press_first)
    assert page.locator(".payoffs div").count() == others + 1


def test_different_agents_in_different_seats(serve: Any, open_page: Any) -> None:
    live = serve(named=("optimal:lowest",))
    page = open_page(f"{live.url}/?game=TicTacToe-v0")
    page.get_by_label("Your seat").select_option(label="none: watch agents play")
    assert page.get_by_role("button", name="Watch").count() == 1
    page.get_by_text("Seat by seat").click()
    page.get_by_label("player_1", exact=True).select_option("random")
    assert page.get_by_label("all seats").input_value() == ""
    page.get_by_role("button", name="Watch").click()
    page.wait_for_url("**/game/*")
    page.locator(".seats li").first.wait_for()
    assert [li.inner_text().split() for li in page.locator(".seats li").all()] == [
        ["player_0", "optimal:lowest"],
        ["player_1", "random"],
    ]


def test_a_reload_a_second_tab_and_a_slip_lose_nothing(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "KuhnPoker-v0(hands=3)", "player_0", "random", 5, 6)
    asked(page)
    say("bett")(page)
    asked(page, 0)
    assert page.locator(".said.refused .words").inner_text() == "bett"
    assert "Try again." in page.locator(".note").last.inner_text()
    before = page.locator(".thread").inner_text()
    page.reload()
    asked(page)
    assert page.locator(".thread").inner_text() == before
    other = page.context.new_page()
    other.goto(page.url)
    asked(other)
    assert other.locator(".thread").inner_text() == before
    press_first(other)
    asked(other, 1)
    asked(page, 1)
    assert page.locator(".thread").inner_text() == other.locator(".thread").inner_text()
    page.close()
    play_on(other, press_first)
    assert other.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [
        0,
        0,
        "",
    ]


def test_many_answers_are_searched(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "GoofSpiel-v0(cards=30)", "player_0", "random")
    asked(page)
    page.keyboard.type("29")
    assert [b.inner_text() for b in page.locator(".answer:visible").all()] == ["29"]
    page.keyboard.type("x")
    assert page.get_by_text("None of the listed answers").is_visible()
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    asked(page, 0)
    assert page.locator(".note", has_text="player_0 29").count() == 1


def test_watching(live: Any, open_page: Any) -> None:
    page = open_page(live.url)
    start(page, live, "KuhnPoker-v0(hands=2)", "", "random", 7, 8)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused before").wait_for()
    time.sleep(0.3)  # an answer that was under way still comes
    count = page.locator(".said").count()
    page.get_by_role("button", name="Step").click()
    page.locator(f".said >> nth={count}").wait_for()
    time.sleep(1.2)
    assert page.locator(".said").count() == count + 1
    assert page.locator(".thread .chances").count() == count + 1  # how likely each answer was
    page.reload()
    page.get_by_text("Paused before").wait_for()
    assert page.locator(".said").count() == count + 1
    view = page.get_by_label("whose view")
    both = page.locator(".thread").inner_text()
    assert both.count("Your card: ") >= 2
    view.select_option("player_1")
    assert (
        page.locator(".thread").inner_text().count("Your card: ") == both.count("Your card: ") / 2
    )
    page.get_by_label("speed").select_option("at once")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("one step back").wait_for()  # the viewer of replays has taken its place
    assert "The end" in page.locator(".thread").inner_text()
    page.get_by_label("one step back").click()
    assert page.get_by_role("button", name="Watch another").is_visible()


class Slow:
    """An agent that thinks for a second, and whose thought is secret."""

    name = "slow"

    async def act(self, seen: Observation) -> Action:
        time.sleep(1)
        return Action((seen.legal or ("",))[0], private="my card is worth a bluff")


def test_nothing_hidden_is_in_the_page_the_traffic_or_storage(
    serve: Any, watch: Any, seed_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes on the wire are compared in test_secrets.py; here is what the browser holds."""
    monkeypatch.setitem(registry.AGENTS, "slow", lambda *_: Slow())
    live = serve(named=("slow",))
    deal = seed_of(KuhnPoker(), lambda state: state.deals[0] == "JK")
    context = watch.context()
    bodies: list[str] = []

    page = context.new_page()
    start(page, live, "KuhnPoker-v0", "player_0", "slow", deal, 2)
    asked(page)

    def keep(request: Any) -> None:
        if "/news" not in request.url:  # a stream has no end; the server keeps its bytes
            bodies.append(request.response().text())

    page.on("requestfinished", keep)
    page.reload()
    asked(page)
    page.locator(".answer", has_text="check").click()
    page.get_by_text("slow is thinking").wait_for()
    page.remove_listener("requestfinished", keep)
    assert len(bodies) > 8
    held = page.content() + str(
        page.evaluate("[{...localStorage}, {...sessionStorage}, document.cookie, history.state]")
    )
    held += "".join(bodies) + live.everything()
    assert "Your card: J" in held
    for secret in ("Your card: K", "a bluff", '"seed":', '"chances":'):
        assert secret not in held
    page.locator(".end a:has-text('See everything')").click()
    page.get_by_label("to the end").click()
    page.get_by_label("show private thoughts").check()
    assert "a bluff" in page.locator(".thread").inner_text()  # it was there to be leaked
    assert "Your card: K" in live.everything()


def test_a_server_that_comes_back(serve: Any, watch: Any, open_page: Any) -> None:
    first = serve()
    page = open_page(first.url)
    id = start(page, first, "KuhnPoker-v0(hands=3)", "player_0", "random", 5, 6)
    asked(page)
    first.stop()
    page.get_by_text("The connection is lost").wait_for()
    serve(port=int(first.url.rpartition(":")[2]))
    page.get_by_text("The connection is lost").wait_for(state="hidden")
    press_first(page)
    play_on(page, press_first)
    assert id in page.url
    watch.faults = [fault for fault in watch.faults if "ERR_" not in fault]


def test_what_is_not_there(live: Any, watch: Any, open_page: Any) -> None:
    for path in ("game/nothing", "replay/nothing"):
        page = open_page(f"{live.url}/{path}")
        page.get_by_text("This page cannot be shown").wait_for()
        page.get_by_text("To the games").click()
        page.get_by_text("Choose a game").wait_for()
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Game with options").fill("KuhnPoker-v0(hands=0)")
    page.get_by_label("Game with options").press("Enter")
    page.get_by_text("hands must be a whole number from 1").wait_for()
    watch.faults = [fault for fault in watch.faults if "status of 40" not in fault]


GAMES: dict[str, tuple[str, str, str, int, str]] = {
    "board": ("TicTacToe-v0", "player_0", "optimal", 3, "5"),
    "cards": ("KuhnPoker-v0(hands=3)", "player_0", "optimal", 1, "bet"),
    "talk": ("SimpleNegotiation-v0", "player_0", "random", 2, "[Offer: 2 Wheat -> 1 Ore]"),
}
IN_THE_DOCS = (
    *("home-light", "home-phone", "board-dark", "cards-phone", "talk-light", "talk-phone"),
    *("end-light", "watch-dark", "replay-light"),
)


@pytest.mark.parametrize(
    ("look", "options"),
    [
        ("light", {}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": PHONE, "has_touch": True, "is_mobile": True}),
    ],
)
def test_it_looks_good(
    serve: Any,
    open_page: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    look: str,
    options: dict[str, Any],
) -> None:
    """Nothing is wider than the page; the pictures are for people to look at."""
    docs = os.environ.get("SPARRING_PICTURES")
    folder = Path(docs or tmp_path).absolute()
    monkeypatch.chdir(tmp_path)
    for step in (0, 50, 100):
        Path(f"runs/kuhn/checkpoints/step-{step:06d}").mkdir(parents=True)
    Path("runs/kuhn/config.json").write_text('{"options": {"game": "KuhnPoker-v0"}}')
    live = serve(run=Path("runs/kuhn"))
    page = open_page(live.url, **options)

    def picture(name: str) -> None:
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} pixels too wide"
        if not docs or f"{name}-{look}" in IN_THE_DOCS:
            page.screenshot(path=folder / f"serve-{name}-{look}.png")

    page.locator("html[data-ready=yes]").wait_for()
    picture("home")
    for name, (game, seat, against, seed, answer) in GAMES.items():
        start(page, live, game, seat, against, seed, 1)
        asked(page)
        say(answer)(page)
        asked(page, 0)
        page.evaluate("scrollTo(0, 0)")
        picture(name)
    start(page, live, "TicTacToe-v0", "player_1", "optimal", 1, 1)
    play_on(page, press_first)
    picture("end")
    page.get_by_text("See everything").click()
    for _ in range(3):
        page.get_by_label("one step on").click()
    picture("replay")
    start(page, live, "KuhnPoker-v0(hands=3)", "", "optimal", 5, 6)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused before").wait_for()
    count = page.locator(".said").count()
    for more in range(3):
        page.get_by_role("button", name="Step").click()
        page.locator(f".said >> nth={count + more}").wait_for()
    picture("watch")

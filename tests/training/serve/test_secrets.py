"""While a person plays, nothing that their seat may not know leaves the server: not in any header
or body of any response. Every leak that is planted here is found, so the check can fail."""

import re
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from sparring.agents import registry
from sparring.envs.core import Action, Observation
from sparring.envs.games.adversarial_taboo import AdversarialTaboo
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training.serve import app, shown
from sparring.training.serve.shown import Feed
from sparring.training.serve.table import Table

KUHN = "KuhnPoker-v0(hands=2)"


def looks_at_everything(live: Any, id: str) -> None:
    """Asks for all that a curious person in the seat could ask for."""
    for path in ("", "/news?role=player_1", "/answer", "/pace", "/replay"):
        if path.startswith("/news"):
            live.news(id, lambda news: True)
        else:
            live.client.get(f"/api/games/{id}{path}")
    for path in ("/", f"/game/{id}", f"/replay/{id}", "/api/lobby", "/api/replays"):
        live.client.get(path)
    live.client.get(f"/api/replays/{id}")
    live.client.get(f"/api/replays/unfinished/{id}")
    live.post(f"/api/games/{id}/pace", step=True)
    live.post(f"/api/games/{id}/answer", turn=7, text="bet")


def masked(live: Any, *ids: str) -> str:
    """All that was sent, without what differs between any two servers."""
    text = live.everything()
    for id in ids:
        text = text.replace(id, "ID")
    text = text.replace(live.url, "URL")
    return re.sub(r"date: .*", "", text)


def kuhn(live: Any, seed_of: Any, deals: tuple[str, str]) -> str:
    """All that is sent up to a person's second decision of a match with these deals.

    The person has the first card of both hands; player_1 folds its J or Q to the bet of the first,
    so its card is not shown. It acts first in the second.
    """
    wanted = seed_of(KuhnPoker(hands=2), lambda state: state.deals == deals)
    id = live.open(KUHN, "player_0", wanted, 5, player_1="plug")
    waits(live, id, 0)
    looks_at_everything(live, id)
    live.post(f"/api/games/{id}/answer", turn=0, text="bet")
    waits(live, id, 1)
    looks_at_everything(live, id)
    return masked(live, id)


def waits(live: Any, id: str, turn: int) -> None:
    """Until the game waits for the person's answer; streams come in parts that depend on time."""
    table = live.hall.tables[id]
    live.until(lambda: table.asked is not None and len(table.asked.turns) == turn)


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent "plug" that folds, else checks, and thinks of its card."""

    class Plug:
        name = "plug"

        async def act(self, seen: Observation) -> Action:
            legal = seen.legal or ("",)
            return Action("fold" if "fold" in legal else "check", private=seen.messages[-1].text)

        async def policy(self, seen: Observation) -> dict[str, float]:
            bold = 0.123 if "Your card: J" in str(seen.messages) else 0.456
            return dict(zip(seen.legal or (), (bold, 1 - bold), strict=True))

    monkeypatch.setitem(registry.AGENTS, "plug", lambda *_: Plug())


def test_two_deals_that_look_alike_send_the_same_bytes(
    serve: Any, seed_of: Any, tmp_path: Any, folds: None
) -> None:
    """Noninterference: what differs only in the other's cards does not differ in a single byte."""
    one = serve(tmp_path / "one", named=("plug",))
    other = serve(tmp_path / "other", named=("plug",))
    jack = kuhn(one, seed_of, ("KJ", "QJ"))
    queen = kuhn(other, seed_of, ("KQ", "QK"))
    assert jack == queen
    assert "Your card: K" in jack
    assert not {"Your card: J", "0.123", "0.456", '"seed"', '"luck"'} & set(
        re.split(r"\\n|\n", jack)
    )
    for secret in ("Your card: J", "0.123", "0.456", '"seed":', '"private":', '"chances":'):
        assert secret not in jack


def taboo(live: Any, seed_of: Any) -> None:
    """A person is asked who does not know the word; the random attacker does."""
    seed = seed_of(AdversarialTaboo(), lambda state: len(state.target) > 6)
    target = AdversarialTaboo().start(seed).target
    id = live.open("AdversarialTaboo-v0", "defender", seed, 1, attacker="random")
    for turn in range(3):
        live.news(id, lambda news, turn=turn: news["ask"] and news["ask"]["turn"] == turn)
        looks_at_everything(live, id)
        assert target not in live.everything(), "the word is out"
        assert '"seed"' not in live.everything()
        live.say(id, "I see.")
    live.news(id, lambda news: news["ask"] and news["ask"]["turn"] == 3)
    assert target not in live.everything()
    live.say(id, f"I know the word! It is {target}.")
    live.end(id)
    assert target in live.everything()  # when it is over all may be known


def test_the_word_is_kept(live: Any, seed_of: Any) -> None:
    taboo(live, seed_of)


def _other_view(bent: Callable[[Table], Any]) -> Callable[..., Any]:
    whole = shown._played

    def leaking(table: Table) -> dict[str, Any]:
        return {**whole(table), "leak": bent(table)}

    return leaking


LEAKS: dict[str, Callable[[Table], Any]] = {
    "the other's view": lambda table: [
        m.text for role in table.game.roles for m in table.state.observe(role).messages
    ],
    "the state": lambda table: repr(table.state.inner),
    "the other's thoughts": lambda table: [
        heard.action.private for moment in table.moments for heard in moment.answers
    ],
    "the other's chances": lambda table: [
        heard.chances for moment in table.moments for heard in moment.answers
    ],
    "the seed": lambda table: table.setup.seed,
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_bent_server_is_noticed_with_cards(
    serve: Any,
    seed_of: Any,
    tmp_path: Any,
    folds: None,
    leak: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown, "_played", _other_view(LEAKS[leak]))
    with pytest.raises(AssertionError):
        test_two_deals_that_look_alike_send_the_same_bytes(serve, seed_of, tmp_path, folds)


def test_a_bent_server_is_noticed_with_words(
    live: Any, seed_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "_played", _other_view(LEAKS["the other's view"]))
    with pytest.raises(AssertionError, match="the word is out"):
        taboo(live, seed_of)


def test_a_listing_that_tells_is_noticed(
    live: Any, seed_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = app.about
    monkeypatch.setattr(app, "about", lambda table: {**told(table), "x": repr(table.state.inner)})
    with pytest.raises(AssertionError, match="the word is out"):
        taboo(live, seed_of)


def test_an_answer_at_the_same_time_is_not_even_hinted_at(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other throws before the person has; its throw is not sent, and neither is that it did."""
    late = Event()

    class Throws:
        name = "throws"

        async def act(self, seen: Observation) -> Action:
            late.wait(10)
            return Action("paper")

    monkeypatch.setitem(registry.AGENTS, "throws", lambda *_: Throws())
    live = serve(named=("throws",))
    id = live.open("RockPaperScissors-v0(rounds=2)", "player_0", player_1="throws")
    news = live.ask(id)
    assert set(news) == {"ask", "said", "refused", "end", "views", "steps"}
    (table,) = live.hall.tables.values()
    feed = Feed(table)
    assert feed.news()
    assert not table._pending
    late.set()
    live.until(lambda: "player_1" in table._pending)
    assert feed.news() is None
    assert live.ask(id) == news
    live.say(id, "rock")
    second = live.news(id, lambda news: news["ask"] and news["ask"]["turn"] == 1)
    assert "player_1: paper" in second["views"]["player_0"][-1]["text"]

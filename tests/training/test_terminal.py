"""What is shown of a game in a terminal: nothing twice, nothing hidden, every speaker named."""

import asyncio
import io
import random
from typing import Any

import pytest
from rich.console import Console

from sparring.agents.optimal import optimal
from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.envs import game
from sparring.envs.core import Action, Episode, Message, Observation
from sparring.envs.referee import Refereed
from sparring.training.terminal.ending import ending, reveal
from sparring.training.terminal.live import Live
from sparring.training.terminal.screen import Feed, Screen
from sparring.training.terminal.watch import Audience, Watched

SPECS = [
    "KuhnPoker-v0",
    "KuhnPoker-v0(players=3,hands=2)",
    "TicTacToe-v0",
    "RockPaperScissors-v0(rounds=3)",
    "WhoIsTheSpy-v0",
    "SimpleNegotiation-v0",
    "Avalon-v0",
]


class Fumbling:
    """Random, but one answer in three is nonsense."""

    name = "fumbling"

    async def act(self, observation: Observation) -> Action:
        if random.Random(observation.seed + 1).random() < 1 / 3:
            return Action("/// no such answer [")
        return await RandomAgent().act(observation)


def screen_of(spec: str, own: str | None = None, width: int = 100) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    rules = game(spec)
    return Screen(Console(file=out, width=width, highlight=False), rules.roles, own), out


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("seed", range(3))
def test_a_feed_shows_a_view_once_and_whole(spec: str, seed: int) -> None:
    rules = game(spec)
    shown: list[Message] = []

    class Kept(Screen):
        def show(self, message: Message) -> None:
            shown.append(message)

    own = rules.roles[-1]
    feed = Feed(Kept(Console(file=io.StringIO()), rules.roles, own), own)

    class Person(Fumbling):
        async def act(self, observation: Observation) -> Action:
            for message in feed.news(observation.messages):
                shown.append(message)
            return await super().act(observation)

    seats: dict[str, Any] = dict.fromkeys(rules.roles, Fumbling()) | {own: Person()}
    match = Match(Live(rules, feed.tell), seats, seed, seed)
    episode = asyncio.run(play(match, retries=8))
    feed.tell_view(own, episode.views[own])
    game_s = [m for m in shown if m.sender != "referee"]
    referee_s = [m for m in shown if m.sender == "referee"]
    view = episode.views[own]
    assert game_s == [m for m in view if m.sender != "referee"]
    assert referee_s == [m for m in view if m.sender == "referee"]


def test_a_feed_does_not_show_what_others_see() -> None:
    screen, out = screen_of("KuhnPoker-v0", "player_0")
    kuhn = game("KuhnPoker-v0")
    feed = Feed(screen, "player_0")
    state = Refereed(kuhn).start(4)
    feed.tell_view("player_1", state.observe("player_1").messages)
    assert out.getvalue() == ""
    feed.tell(state)
    assert out.getvalue().count("Your card") == 1


@pytest.mark.parametrize("spec", SPECS)
def test_a_live_game_is_the_game(spec: str) -> None:
    rules = game(spec)
    seats = dict.fromkeys(rules.roles, RandomAgent())
    told: list[Any] = []
    plain = asyncio.run(play(Match(rules, seats, 5, 5)))
    live = asyncio.run(play(Match(Live(rules, told.append), seats, 5, 5)))
    assert (live.views, live.payoffs, live.parts, live.outcome) == (
        plain.views,
        plain.payoffs,
        plain.parts,
        plain.outcome,
    )
    assert len({turn.observation.turns for turn in live.turns}) > 0
    assert told[0].to_act
    assert not told[-1].to_act


def watched(spec: str, agents: dict[str, Any], seed: int) -> tuple[str, Episode]:
    rules = game(spec)
    screen, out = screen_of(spec)
    audience = Audience(screen, rules)
    audience.open()
    seats = {role: Watched(one, audience, 0.0) for role, one in agents.items()}
    episode = asyncio.run(play(Match(Live(rules, audience.tell), seats, seed, seed)))
    for role, view in episode.views.items():
        audience.tell_view(role, view)
    return out.getvalue(), episode


def test_watching_shows_cards_answers_and_their_probabilities() -> None:
    optimal_ = optimal("KuhnPoker-v0", "1/5")
    said, _ = watched("KuhnPoker-v0", {"player_0": optimal_, "player_1": RandomAgent()}, 3)
    lines = said.splitlines()
    assert lines[1:] == [
        "(player_0 only) Your card: J",
        "(player_1 only) Your card: K",
        "> player_0: check   (bets 20 %, checks 80 %)",
        *lines[4:],
    ]
    assert lines[4].startswith("> player_1: ")
    assert lines[4].endswith("(checks 50 %, bets 50 %)")
    assert said.count("You are") == 1, "the rules are the same but for the seat"


@pytest.mark.parametrize("spec", SPECS)
def test_watching_shows_every_message_once(spec: str) -> None:
    said, episode = watched(spec, dict.fromkeys(game(spec).roles, Fumbling()), 1)
    plain = " ".join(said.split())
    for view in episode.views.values():
        for message in view[1:]:
            *_, last = message.text.splitlines() or [""]
            assert " ".join(last.split()) in plain


def test_what_is_said_again_is_shown_again() -> None:
    class Rock:
        name = "rock"

        async def act(self, observation: Observation) -> Action:
            return Action("rock")

    said, _ = watched(
        "RockPaperScissors-v0(rounds=3)", dict.fromkeys(("player_0", "player_1"), Rock()), 0
    )
    assert said.count("Nobody wins.") == 3
    assert said.count("> player_0: rock") == 3


def test_private_thoughts_are_shown_to_those_who_watch() -> None:
    class Thinker:
        name = "thinker"

        async def act(self, observation: Observation) -> Action:
            return Action((observation.legal or ("",))[0], private="I have nothing.")

    said, _ = watched("KuhnPoker-v0", dict.fromkeys(("player_0", "player_1"), Thinker()), 0)
    assert "player_0 thinks: I have nothing." in said


def test_the_end_says_who_won_and_what_was_hidden() -> None:
    spy = game("WhoIsTheSpy-v0")
    seats = dict.fromkeys(spy.roles, RandomAgent())
    episode = asyncio.run(play(Match(spy, seats, 0, 0)))
    screen, out = screen_of("WhoIsTheSpy-v0", "player_0")
    screen.own_rules = spy.rules("player_0")
    ending(screen, spy, episode, dict.fromkeys(spy.roles[1:], "random"))
    said = out.getvalue()
    for role in spy.roles:
        (line,) = (line for line in said.splitlines() if line.strip().startswith(role))
        assert ("you" in line) == (role == "player_0")
        assert f"{episode.payoffs[role]:+g}" in line
        assert f"was {episode.parts[role]}" in line
    out.truncate(0)
    reveal(screen, spy, episode)
    told = out.getvalue()
    assert told.count("alone saw") + told.count("saw no more") == len(spy.roles) - 1
    assert "Who is the spy? You are" not in told, "the rules are known"
    assert "Your word" in told
    assert "Clues, round 1." not in told, "all saw that"


def test_text_of_players_is_never_markup() -> None:
    screen, out = screen_of("KuhnPoker-v0")
    screen.show(Message("player_1", "[red]not red[/red] [/]"))
    screen.show(Message("game", "player_1: [bold]"))
    assert "[red]not red[/red] [/]" in out.getvalue()
    assert "player_1: [bold]" in out.getvalue()


def test_a_pipe_gets_whole_lines() -> None:
    screen, out = screen_of("KuhnPoker-v0", width=20)
    screen.show(Message("game", "a word " * 20))
    assert len(out.getvalue().splitlines()) == 1

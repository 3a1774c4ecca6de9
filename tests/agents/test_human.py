"""A person in a seat, by script."""

import asyncio
from collections.abc import Iterable

import pytest

from sparring.agents.human import HELP, HumanAgent
from sparring.agents.play import Match, play
from sparring.envs.core import Message, Observation
from sparring.envs.games.kuhn import KuhnPoker

KUHN = KuhnPoker()


class Terminal:
    """Types ``answers`` and keeps what was shown and asked."""

    def __init__(self, answers: Iterable[str]):
        self.answers = iter(answers)
        self.shown: list[str] = []
        self.asked: list[str] = []

    def ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        return next(self.answers)

    @property
    def agent(self) -> HumanAgent:
        return HumanAgent(ask=self.ask, show=self.shown.append)


def test_a_person_sees_the_game_once_and_answers_by_typing() -> None:
    first, second = Terminal(["check", " call \n"]), Terminal(["bet"])
    seats = {"player_0": first.agent, "player_1": second.agent}
    episode = asyncio.run(play(Match(KUHN, seats, 0, 0)))
    assert [turn.action.text for turn in episode.turns] == ["check", "bet", "call"]
    seen = [message.text for message in episode.views["player_0"]]
    assert first.shown == [HELP, *seen[:4]], "what came after the last answer is not shown here"
    assert seen[2:4] == ["player_0: check", "player_1: bet"]
    assert first.asked == ["player_0 (check, bet)> ", "player_0 (call, fold)> "]
    assert not any("Your card" in text and text in first.shown[3:] for text in second.shown)


def test_an_empty_line_asks_again() -> None:
    terminal = Terminal(["", "   ", "\t", "bet"])
    action = asyncio.run(terminal.agent.act(KUHN.start(0).observe("player_0")))
    assert action.text == "bet"
    assert terminal.asked == ["player_0 (check, bet)> "] * 4


def test_an_illegal_answer_is_told_to_the_person_who_tries_again() -> None:
    first, second = Terminal(["raise", "bet"]), Terminal(["fold"])
    seats = {"player_0": first.agent, "player_1": second.agent}
    episode = asyncio.run(play(Match(KUHN, seats, 0, 0)))
    assert [t.accepted for t in episode.turns_of("player_0")] == [False, True]
    assert first.shown.count(HELP) == 1
    assert first.shown[-1].startswith("[referee] That reply is not a legal answer.")
    assert not any("referee" in text for text in second.shown)


def test_other_speakers_are_named_and_free_speech_lists_nothing() -> None:
    terminal = Terminal(["hello"])
    told = (Message("game", "Rules."), Message("player_1", "Hi!"))
    asyncio.run(terminal.agent.act(Observation("player_0", told, None)))
    assert terminal.shown == [HELP, "Rules.", "[player_1] Hi!"]
    assert terminal.asked == ["player_0> "]


@pytest.mark.parametrize("leave", [EOFError, KeyboardInterrupt])
def test_leaving_ends_the_game(leave: type[BaseException]) -> None:
    def gone(prompt: str) -> str:
        raise leave

    agent = HumanAgent(ask=gone, show=lambda text: None)
    with pytest.raises(leave):
        asyncio.run(play(Match(KUHN, dict.fromkeys(KUHN.roles, agent), 0, 0)))


@pytest.mark.parametrize(
    ("legal", "examples", "prompt"),
    [
        (None, (), "player_0> "),
        (None, ("[Accept]", "No."), "player_0 (such as: [Accept])> "),
        (tuple("abcdefghijklmnopqrst"), (), f"player_0 ({', '.join('abcdefghijklmnopqrst')})> "),
        (
            tuple("abcdefghijklmnopqrstu"),
            (),
            f"player_0 ({', '.join('abcdefghijklmnopqrst')}, ... 21 in all)> ",
        ),
    ],
)
def test_what_may_be_answered_fits_a_prompt(
    legal: tuple[str, ...] | None, examples: tuple[str, ...], prompt: str
) -> None:
    terminal = Terminal(["x"])
    seen = Observation("player_0", (Message("game", "Hello."),), legal, examples)
    asyncio.run(terminal.agent.act(seen))
    assert terminal.asked == [prompt]

"""A person in a seat, by script."""

import asyncio
from collections.abc import Iterable

import pytest

from sparring.agents.human import (
    COMMANDS,
    HELP,
    HELP_FREE,
    HumanAgent,
    Unclear,
    command,
    listed,
    numbered,
    print_message,
    read,
)
from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.envs import game
from sparring.envs.core import Action, Message, Observation, Turn
from sparring.envs.games.kuhn import KuhnPoker

KUHN = KuhnPoker()
NIM = tuple(f"take {n} from {pile}" for pile in "ABC" for n in range(1, 9))


class Terminal:
    """Types ``answers`` and keeps what was shown and asked."""

    def __init__(self, answers: Iterable[str]):
        self.answers = iter(answers)
        self.messages: list[Message] = []
        self.asked: list[str] = []

    def ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        return next(self.answers)

    @property
    def shown(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def agent(self) -> HumanAgent:
        return HumanAgent(ask=self.ask, show=self.messages.append)


def answered(typed: Iterable[str], seen: Observation) -> tuple[Terminal, Action]:
    terminal = Terminal(typed)
    return terminal, asyncio.run(terminal.agent.act(seen))


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
    terminal, action = answered(["", "   ", "\t", "bet"], KUHN.start(0).observe("player_0"))
    assert action.text == "bet"
    assert terminal.asked == ["player_0 (check, bet)> "] * 4


def test_a_typo_is_never_sent() -> None:
    first, second = Terminal(["raise", "bte", "bet", "call"]), Terminal(["fold"])
    seats = {"player_0": first.agent, "player_1": second.agent}
    episode = asyncio.run(play(Match(KUHN, seats, 0, 0), retries=0))
    assert [turn.action.text for turn in episode.turns_of("player_0")] == ["bet"]
    assert all(turn.accepted for turn in episode.turns)
    assert first.shown[3:] == [
        "'raise' is not a legal answer. Legal: check, bet.",
        "'bte' is not a legal answer. Legal: check, bet.",
    ]


def test_what_the_referee_refuses_in_free_speech_is_told_and_tried_again() -> None:
    rules, first = game("ReferenceGame-v0"), Terminal(["the small one", "small"])
    seats = dict(zip(rules.roles, (first.agent, RandomAgent()), strict=True))
    episode = asyncio.run(play(Match(rules, seats, 0, 0)))
    assert [turn.accepted for turn in episode.turns_of("speaker")] == [False, True]
    told = [message for message in first.messages if message.sender == "referee"]
    assert [message.text for message in told] == [
        "That has 3 words. Reply with one word. Try again."
    ]


def test_other_speakers_are_named_and_free_speech_lists_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = (Message("game", "Rules."), Message("player_1", "Hi!"))
    terminal, _ = answered(["hello"], Observation("player_0", told, None))
    assert terminal.shown == [HELP_FREE, "Rules.", "Hi!"]
    assert terminal.asked == ["player_0> "]
    for message in terminal.messages:
        print_message(message)
    assert capsys.readouterr().out.splitlines() == [HELP_FREE, "Rules.", "[player_1] Hi!"]


@pytest.mark.parametrize("leave", [EOFError, KeyboardInterrupt])
def test_leaving_ends_the_game(leave: type[BaseException]) -> None:
    def gone(prompt: str) -> str:
        raise leave

    agent = HumanAgent(ask=gone, show=lambda message: None)
    with pytest.raises(leave):
        asyncio.run(play(Match(KUHN, dict.fromkeys(KUHN.roles, agent), 0, 0)))


@pytest.mark.parametrize(
    ("legal", "examples", "prompt"),
    [
        (None, (), "player_0> "),
        (None, ("[Accept]", "No."), "player_0 (such as: [Accept])> "),
        (tuple("abcdefghijklmnopqrst"), (), f"player_0 ({', '.join('abcdefghijklmnopqrst')})> "),
        (tuple("abcdefghijklmnopqrstu"), (), "player_0> "),
    ],
)
def test_what_may_be_answered_fits_a_prompt(
    legal: tuple[str, ...] | None, examples: tuple[str, ...], prompt: str
) -> None:
    seen = Observation("player_0", (Message("game", "Hello."),), legal, examples)
    terminal, _ = answered(["a"], seen)
    assert terminal.asked == [prompt]
    assert ("/legal shows all 21" in terminal.shown[-1]) == (len(legal or ()) == 21)


@pytest.mark.parametrize(
    ("typed", "legal", "means"),
    [
        ("bet", ("check", "bet"), "bet"),
        ("BET", ("check", "bet"), "bet"),
        ("b", ("check", "bet"), "bet"),
        ("C", ("check", "bet"), "check"),
        ("I will not bluff: [check]", ("check", "bet"), "check"),
        ("ca", ("call", "check", "fold"), "call"),
        ("call", ("call", "call all"), "call"),  # an answer in full is never a beginning
        ("1", ("1", "10", "11"), "1"),
        ("10", ("1", "10", "11"), "10"),
        ("5", NIM, "take 5 from A"),
        ("24", NIM, "take 8 from C"),
        ("take 3 from b", NIM, "take 3 from B"),
        ("hello", None, "hello"),
        ("//shrug", None, "/shrug"),
        ("::", None, ":"),
    ],
)
def test_reading(typed: str, legal: tuple[str, ...] | None, means: str) -> None:
    assert read(typed, legal) == means


@pytest.mark.parametrize(
    ("typed", "legal", "says"),
    [
        ("what?", ("check", "bet"), "not a legal answer. Legal: check, bet."),
        ("c", ("call", "check", "fold"), "may be call, check. Type more"),
        ("[check] [bet]", ("check", "bet"), "not a legal answer"),
        ("1", ("check", "bet"), "not a legal answer"),  # the list is short and has no numbers
        ("0", NIM, "not a legal answer"),
        ("25", NIM, "not a legal answer"),
        ("take 1", NIM, "take 1 from A, take 1 from B, take 1 from C"),
        ("2", tuple(f"{n}x{face}" for n in (2, 3) for face in range(1, 16)), "may be 2x1"),
        ("²", NIM, "not a legal answer"),
    ],
)
def test_what_is_unclear_is_refused(typed: str, legal: tuple[str, ...], says: str) -> None:
    with pytest.raises(Unclear) as fault:
        read(typed, legal)
    assert says in str(fault.value)


def test_numbers_are_there_only_where_no_answer_begins_like_one() -> None:
    assert numbered(NIM)
    assert listed(NIM).splitlines()[1].startswith("   1  take 1 from A   ")
    dice = tuple(f"{n}x{face}" for n in range(1, 6) for face in range(1, 7))
    for legal in (dice, ("-1", *NIM), ("[2]", *NIM), ("check", "bet")):
        assert not numbered(legal)
        assert set(legal) <= {
            word.strip() for word in listed(legal).replace("   ", "\n").split("\n")
        }


@pytest.mark.parametrize("width", [1, 5, 20, 90])
@pytest.mark.parametrize("number", [1, 2, 7, 100])
def test_a_list_of_answers_holds_them_all_in_its_width(width: int, number: int) -> None:
    legal = tuple(f"{'w' * width}{i}" for i in range(number))
    shown = listed(legal)
    assert all(shown.count(answer) for answer in legal)
    assert all(len(line) <= max(80, width + 12) for line in shown.splitlines())


def test_what_was_sent_is_shown_where_it_was_not_typed() -> None:
    seen = KUHN.start(0).observe("player_0")
    terminal, action = answered(["be"], seen)
    assert (action.text, terminal.shown[-1]) == ("bet", "You say: bet")
    terminal, action = answered(["bet"], seen)
    assert terminal.shown[-1] == seen.messages[-1].text


def test_commands_are_never_answers() -> None:
    seen = KUHN.start(0).observe("player_0")
    typed = ["/help", "/rules", ":legal", "/history", "/hint", "/undo", "/u", "/dance", "check"]
    terminal, action = answered(typed, seen)
    assert action.text == "check"
    help_, rules, legal, history, hint, undo, u, dance = terminal.shown[3:]
    assert all(name in help_ for name in COMMANDS)
    assert rules == KUHN.rules("player_0")
    assert legal == "Legal answers:\n  check   bet"
    assert history == "Your card: Q"
    assert hint == "There are no hints here."
    assert undo == u
    assert "what is said is said" in undo
    assert "no command /dance" in dance


def test_quitting_is_leaving() -> None:
    with pytest.raises(EOFError):
        answered(["/quit"], KUHN.start(0).observe("player_0"))


@pytest.mark.parametrize(
    ("typed", "legal", "found"),
    [
        ("/hint", ("bet",), "hint"),
        (":Hint", ("bet",), "hint"),
        ("/hint please", ("bet",), "hint"),
        ("/bet", ("/bet", "/fold"), None),
        ("/BET", ("/bet", "/fold"), None),
        ("/fold", None, "fold"),
        ("/me waves", None, None),
        (":)", None, None),
        ("//hint", None, None),
        ("hint", None, None),
    ],
)
def test_what_is_a_command(typed: str, legal: tuple[str, ...] | None, found: str | None) -> None:
    assert command(typed, legal) == found


def test_history_shows_all_turns_again() -> None:
    state = KUHN.start(0)
    first = state.observe("player_0")
    later = state.step({"player_0": "check"}).step({"player_1": "bet"}).observe("player_0")
    seen = later._replace(turns=(Turn(first, Action("check")),))
    terminal, _ = answered(["/history", "fold"], seen)
    assert terminal.shown[:2] == ["player_0: check", "player_1: bet"]
    assert terminal.shown[2:] == ["Your card: Q", "player_0: check", "player_1: bet"]

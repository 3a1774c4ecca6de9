"""A person in a seat: what is new is shown, an answer asked for, commands carried out.

What a person types is an answer, or a command that begins with a slash or a colon. An answer that
is listed may be shortened to its beginning, as long as that fits one answer only; which one was
sent is shown. The rules themselves never guess: they get the answer in full. Where answers are
listed, a line that is none of them is never sent, so a typo costs nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sparring.envs.answers import choose
from sparring.envs.core import Action, IllegalAction, Message, Observation, Role, View

NOTE = ""
"""The sender of what the terminal itself says."""

HELP = "Type your answer, or its beginning. /help shows more, Ctrl-D leaves the game."
HELP_FREE = "Say what you like. /help shows more, Ctrl-D leaves the game."

COMMANDS = {
    "help": "these commands",
    "rules": "the rules again",
    "legal": "all legal answers",
    "history": "all that you have seen",
    "hint": "what an equilibrium plays here, where it is known",
    "undo": "no: what is said is said",
    "quit": "leave the game, like Ctrl-D",
}
SHOWN = 20
"""At most so many legal answers are offered at each turn; /legal lists all."""
INLINE = 60
"""Legal answers of so many characters in all fit into the prompt; more are listed above it."""
WIDTH = 78
"""Of lists of answers, in characters."""

_COMMAND = re.compile(r"[/:]([A-Za-z]+|\?)\s*")


class Unclear(ValueError):
    """What was typed is not one legal answer; the text says so to the person."""


def print_message(message: Message) -> None:
    """The game's words bare, a speaker's with its name."""
    bare = message.sender in (NOTE, "game")
    print(message.text if bare else f"[{message.sender}] {message.text}")


def since_last_turn(observation: Observation) -> View:
    """The messages that came since this role was last asked."""
    known = len(observation.turns[-1].observation.messages) if observation.turns else 0
    return observation.messages[known:]


def first_message(observation: Observation) -> str:
    """The rules, with which every game begins."""
    return observation.messages[0].text if observation.messages else ""


def no_hint(observation: Observation) -> str:
    return "There are no hints here."


@dataclass(frozen=True, slots=True)
class HumanAgent:
    """Asks a person until the answer is clear.

    ``ask`` reads a line after a prompt, ``show`` shows a message (the terminal's own words come
    from ``NOTE``), ``news`` says which messages of a view the person has not seen yet, ``rules``
    and ``hint`` what those commands show.
    """

    name: str = "human"
    ask: Callable[[str], str] = input
    show: Callable[[Message], None] = print_message
    news: Callable[[Observation], View] = since_last_turn
    rules: Callable[[Observation], str] = first_message
    hint: Callable[[Observation], str] = no_hint

    async def act(self, observation: Observation) -> Action:
        """The person's answer.

        Raises:
            EOFError: the person leaves the game.
        """
        if not observation.turns:
            self._note(HELP_FREE if observation.legal is None else HELP)
        for message in self.news(observation):
            self.show(message)
        prompt = self._offer(observation)
        while True:  # one person, one game: blocking is fine
            typed = self.ask(prompt).strip()
            if not typed:
                prompt = self._offer(observation)
            elif (word := command(typed, observation.legal)) is not None:
                self._carry_out(word, observation)
            else:
                try:
                    text = read(typed, observation.legal)
                except Unclear as fault:
                    self._note(str(fault))
                    continue
                if text != typed:
                    self._note(f"You say: {text}")
                return Action(text)

    def _note(self, text: str) -> None:
        self.show(Message(NOTE, text))

    def _offer(self, seen: Observation) -> str:
        """Show the legal answers (some of many) if they are too long for the prompt; the prompt."""
        if seen.legal is None:
            return _prompt(seen.role, f"such as: {seen.examples[0]}" if seen.examples else "")
        if _short(seen.legal):
            return _prompt(seen.role, ", ".join(seen.legal))
        self._note(listed(seen.legal, SHOWN))
        return _prompt(seen.role, "")

    def _carry_out(self, word: str, seen: Observation) -> None:
        found = [name for name in COMMANDS if name.startswith(word)]
        match word if word in COMMANDS else found[0] if len(found) == 1 else word:
            case "help" | "h" | "?":
                self._note(_help(seen))
            case "rules":
                self._note(self.rules(seen))
            case "legal":
                self._note(_all_answers(seen))
            case "history":
                for message in seen.messages[1:] or seen.messages:  # the rules come first
                    self.show(message)
            case "hint":
                self._note(self.hint(seen))
            case "undo":
                self._note("Sorry: what is said is said. The others have heard it.")
            case "quit":
                raise EOFError
            case _:
                free = "" if seen.legal is not None else f" To say it: //{word}"
                self._note(f"There is no command /{word}; /help lists them.{free}")


def command(typed: str, legal: Sequence[str] | None) -> str | None:
    """The name of the command that was typed, ``None`` where it is an answer.

    A line that is a legal answer is never a command. In free speech ``//`` or ``::`` begins an
    answer with one of them, and a command stands alone: "/me waves" is speech.
    """
    if legal is not None and typed.casefold() in map(str.casefold, legal):
        return None
    match = _COMMAND.fullmatch(typed) if legal is None else _COMMAND.match(typed)
    return match[1].lower() if match else None


def read(typed: str, legal: Sequence[str] | None) -> str:
    """The answer that ``typed`` means: in full, by its beginning, or by its number in the list.

    Numbers count only where the list is shown with numbers, and there none can be an answer.

    Raises:
        Unclear: it means none of the legal answers, or several.
    """
    if legal is None:
        return typed[1:] if typed[:2] in ("//", "::") else typed
    try:
        return choose({"": typed}, "", legal)
    except IllegalAction:
        pass
    if numbered(legal) and typed.isdecimal() and 0 < int(typed) <= len(legal):
        return legal[int(typed) - 1]
    begun = [answer for answer in legal if answer.casefold().startswith(typed.casefold())]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise Unclear(f"{typed!r} may be {_some(begun)}. Type more of it.")
    raise Unclear(f"{typed!r} is not a legal answer. Legal: {_some(legal)}.")


def numbered(legal: Sequence[str]) -> bool:
    """Whether the list of ``legal`` has numbers: it is long, and no answer begins like one."""
    return not _short(legal) and not any(re.match(r"\W*\d", answer) for answer in legal)


def listed(legal: Sequence[str], most: int | None = None) -> str:
    """The legal answers in columns, numbered where numbers are understood; at most ``most``."""
    shown = legal[:most]
    labels = [f"{i:{len(str(len(shown)))}}  {a}" for i, a in enumerate(shown, start=1)]
    cells = labels if numbered(legal) else list(shown)
    wide = max(map(len, cells), default=0) + 3
    a_line = max(1, (WIDTH + 3) // wide)
    down = -(-len(cells) // a_line)  # columns are read from the top down
    rows = ["".join(f"{cell:{wide}}" for cell in cells[i::down]).rstrip() for i in range(down)]
    more = [f"... /legal shows all {len(legal)}"] if len(shown) < len(legal) else []
    return "\n".join(["Legal answers:", *(f"  {row}" for row in rows), *more])


def _short(legal: Sequence[str]) -> bool:
    return len(legal) <= SHOWN and len(", ".join(legal)) <= INLINE


def _some(answers: Sequence[str], most: int = 8) -> str:
    more = f", ... ({len(answers)} in all)" if len(answers) > most else ""
    return ", ".join(answers[:most]) + more


def _prompt(role: Role, choices: str) -> str:
    return f"{role} ({choices})> " if choices else f"{role}> "


def _help(seen: Observation) -> str:
    lines = [f"  /{name:8} {what}" for name, what in COMMANDS.items()]
    if seen.legal is None:
        how = "Say what you like, as the rules have it. //word says /word."
    elif numbered(seen.legal):
        how = "An answer may be given by its number in the list or by its beginning."
    else:
        how = "An answer may be given by its beginning, where that fits one answer only."
    return "\n".join(["Commands, by their beginning too (a colon does as well):", *lines, how])


def _all_answers(seen: Observation) -> str:
    if seen.legal is not None:
        return listed(seen.legal)
    such = "".join(f"\n  {example}" for example in seen.examples)
    return f"Answers are not listed here{', such as:' if such else '.'}{such}"

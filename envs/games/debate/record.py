"""What a judge knows of a debate, for judges that are not language models."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sparring.envs.core import Message, Observation, Role
from sparring.envs.games.debate.words import AT_ONCE
from sparring.envs.judges import Judge, Verdict
from sparring.envs.quotes import UNVERIFIED, VERIFIED

DEBATERS = ("debater_0", "debater_1")
CONSULTANT, OTHER = "consultant", "other"

_NAME = re.compile(r"\bdebater_([01])\b")


@dataclass(frozen=True, slots=True)
class Record:
    """A debate as its judge reads it: no passage, and not which answer is correct.

    ``answers``: what each label stands for; a verdict is the probability that the first is the
    correct one. ``speeches``: who said what, in the order in which they were shown.
    """

    question: str
    answers: Mapping[str, str]
    speeches: tuple[tuple[Role, str], ...]


def question_line(question: str) -> str:
    return f"Question: {question}"


def answer_line(label: str, answer: str) -> str:
    return f"{label} {'answer' if label == OTHER else 'defends'}: {answer}"


def record(messages: Iterable[Message]) -> Record:
    """The record of a debate, from the messages that its judge sees."""
    seen = tuple(messages)
    game = [message.text for message in seen if message.sender == "game"]
    answers = dict[str, str]()
    for label in (*DEBATERS, CONSULTANT, OTHER):
        start = answer_line(label, "")
        found = next((text for text in game if text.startswith(start)), None)
        if found is not None:
            answers[label] = found.removeprefix(start)
    question = next(text for text in game if text.startswith(question_line("")))
    speakers = (*DEBATERS, CONSULTANT)
    speeches = tuple((m.sender, m.text) for m in seen if m.sender in speakers)
    return Record(question.removeprefix(question_line("")), answers, speeches)


def quotes(debate: Record) -> Verdict:
    """Who quotes honestly: (1 + s0 − s1) / 2, where s is the share of a debater's quotes that are
    verified, 0 if it quotes nothing. Of a consultant, s alone."""
    shares = [_share(debate, label) for label in debate.answers if label != OTHER]
    value = shares[0] if len(shares) == 1 else (1 + shares[0] - shares[1]) / 2
    return Verdict(value, ", ".join(f"{share:.0%}" for share in shares) + " of quotes verified")


def _share(debate: Record, role: Role) -> float:
    good, bad = quotes_in(text for speaker, text in debate.speeches if speaker == role)
    return good / (good + bad) if good else 0.0


def quotes_in(speeches: Iterable[str]) -> tuple[int, int]:
    """How many quotes stand in these speeches, verified and not."""
    text = "\n".join(speeches)
    return text.count(f"<{VERIFIED}>"), text.count(f"<{UNVERIFIED}>")


JUDGES: dict[str, Judge[Record]] = {"quotes": quotes}
"""The judges that need no model, by name."""


def mirrored(seen: Observation) -> Observation:
    """What the judge would see had the debaters the other's name and place.

    The names are exchanged wherever they stand but in the rules, and so is the order of what is
    shown side by side: the answers, and the speeches of a round in which both speak at once.
    """
    rules, *rest = seen.messages
    messages = [_renamed(message) for message in rest]
    side_by_side, at = True, 0
    while at < len(messages):
        if _opens_round(messages[at]):
            side_by_side = messages[at].text.endswith(f"{AT_ONCE}.")
        abouts = tuple(map(_about, messages[at : at + 2]))
        if side_by_side and abouts == DEBATERS[::-1]:
            messages[at : at + 2] = messages[at + 1], messages[at]
            at += 1
        at += 1
    return seen._replace(messages=(rules, *messages))


def _renamed(message: Message) -> Message:
    def other(name: re.Match[str]) -> str:
        return DEBATERS[1 - int(name[1])]

    text, sender = (_NAME.sub(other, part) for part in (message.text, message.sender))
    return replace(message, text=text, sender=sender)


def _about(message: Message) -> Role | None:
    """Whose speech or answer this is."""
    if message.sender != "game":
        return message.sender
    return next((r for r in DEBATERS if message.text.startswith(answer_line(r, ""))), None)


def _opens_round(message: Message) -> bool:
    return message.sender == "game" and message.text.startswith("Round ")

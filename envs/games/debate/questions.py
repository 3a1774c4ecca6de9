"""The questions of ``Debate``: a passage, a question about it, a correct and a wrong answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sparring.envs.core import BadInput
from sparring.envs.judges import plain
from sparring.envs.quotes import unmarked

TEXTS = ("passage", "question", "correct", "wrong")
QUOTES = ("correct_quotes", "wrong_quotes")
SHAPE = f"a question is an object with the texts {', '.join(TEXTS)}"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to debate. The quotes are places of the passage that speak for either answer."""

    passage: str
    question: str
    correct: str
    wrong: str
    correct_quotes: tuple[str, ...] = ()
    wrong_quotes: tuple[str, ...] = ()
    title: str = ""


Questions = Sequence[Question | Mapping[str, Any]] | str | Path


@cache
def our_questions() -> tuple[Question, ...]:
    """Our own: short invented stories, in which something speaks for either answer."""
    text = (files("sparring.envs") / "data" / "debate_questions.json").read_text(encoding="utf-8")
    return tuple(map(read, json.loads(text)))


def load(questions: Questions | None) -> tuple[Question, ...]:
    """``questions`` themselves, those of a JSON file (a list of objects), or ours for ``None``.

    Raises:
        BadInput: no such file, no questions, or one that cannot be debated.
    """
    if questions is None:
        return our_questions()
    items: Any = _parsed(Path(questions)) if isinstance(questions, str | Path) else questions
    if not isinstance(items, Sequence) or not items:
        raise BadInput(f"questions must be a list of at least one; {SHAPE}")
    return tuple(map(read, items))


def _parsed(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise BadInput(f"cannot read the questions in {file}: {fault.strerror}") from None
    except ValueError:
        raise BadInput(f"{file} is not JSON; it must be a list, in which {SHAPE}") from None


def read(item: Any) -> Question:
    """One question from an object of a JSON file. Raises ``BadInput`` if it cannot be debated."""
    question = item if isinstance(item, Question) else _from_mapping(item)
    for name in TEXTS:
        text = getattr(question, name)
        if not isinstance(text, str) or not text.strip():
            raise BadInput(f"a question has no {name}; {SHAPE}")
        if unmarked(text) != text:
            raise BadInput(f"the {name} of a question holds a mark of quotes, such as <quote>")
    if plain(question.correct) == plain(question.wrong):
        raise BadInput(f"the two answers of a question are the same: {question.correct!r}")
    return question


def _from_mapping(item: Any) -> Question:
    if not isinstance(item, Mapping) or not all(name in item for name in TEXTS):
        raise BadInput(f"{SHAPE}, not {str(item)[:60]!r}")
    unknown = set(item) - {*TEXTS, *QUOTES, "title"}
    if unknown:
        raise BadInput(f"a question has no {sorted(map(str, unknown))[0]!r}; {SHAPE}")
    for name in QUOTES:
        given = item.get(name, ())
        if isinstance(given, str) or not all(isinstance(quote, str) for quote in given):
            raise BadInput(f"the {name} of a question must be a list of texts, not {given!r}")
    quotes = {name: tuple(item.get(name, ())) for name in QUOTES}
    return Question(**{**item, **quotes})

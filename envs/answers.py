"""Reading an answer: exactly one legal answer, or no reading at all."""

import re
from collections.abc import Mapping, Sequence

from sparring.envs.core import IllegalAction, Role

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def choose(answers: Mapping[Role, str], role: Role, legal: Sequence[str]) -> str:
    """The one of ``legal`` that ``role`` answered.

    An answer is read in one of two ways, ignoring case and white space at its ends: the whole
    reply is a legal answer, or the reply marks legal answers in [brackets] and they are all the
    same one. ``"I will not [bet]. I [check]"`` is ambiguous, hence illegal.

    Raises:
        IllegalAction: no reading, or more than one.
    """
    by_key = {answer.casefold(): answer for answer in legal}
    text = answers[role]
    whole = by_key.get(text.strip().casefold())
    if whole is not None:
        return whole
    marked = {by_key.get(group.strip().casefold()) for group in _BRACKETS.findall(text)} - {None}
    if len(marked) == 1:
        return next(answer for answer in marked if answer is not None)
    fault = "names several legal answers" if marked else "is not a legal answer"
    raise IllegalAction(role, f"That reply {fault}. Reply with one of: {', '.join(legal)}.")

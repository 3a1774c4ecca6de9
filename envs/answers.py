"""Reading an answer: exactly one legal answer, or no reading at all."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from sparring.envs.core import IllegalAction, Role

T = TypeVar("T")

NAMED = 40
"""At most so many legal answers are named to a player whose reply is not one of them."""

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def choose(answers: Mapping[Role, str], role: Role, legal: Sequence[str]) -> str:
    """The one of ``legal`` that ``role`` answered.

    An answer is read in one of two ways, ignoring case and white space at its ends: the whole
    reply is a legal answer, or the reply marks legal answers in [brackets] and they are all the
    same one. ``"I will not [bet]. I [check]"`` is ambiguous, hence illegal.

    Raises:
        IllegalAction: no reading, or more than one.
    """
    text = answers[role]
    if text in legal:  # what agents mostly say; the rest only costs time
        return text
    by_key = {answer.casefold(): answer for answer in legal}
    whole = by_key.get(text.strip().casefold())
    if whole is not None:
        return whole
    marked = {by_key.get(group.strip().casefold()) for group in _BRACKETS.findall(text)} - {None}
    if len(marked) == 1:
        return next(answer for answer in marked if answer is not None)
    fault = "names several legal answers" if marked else "is not a legal answer"
    some = legal if len(legal) <= NAMED else (*legal[:NAMED], f"... ({len(legal)} in all)")
    raise IllegalAction(role, f"That reply {fault}. Reply with one of: {', '.join(some)}.")


def each(roles: Iterable[Role], read: Callable[[Role], T]) -> dict[Role, T]:
    """What every role of a simultaneous move answered: ``read(role)`` for each.

    No seat is read before another: all whose answer is illegal are refused at once.

    Raises:
        IllegalAction: of the first role at fault, with the faults of the others in ``also``.
    """
    read_so_far: dict[Role, T] = {}
    faults: list[IllegalAction] = []
    for role in roles:
        try:
            read_so_far[role] = read(role)
        except IllegalAction as fault:
            faults.append(fault)
    if faults:
        raise IllegalAction(faults[0].role, str(faults[0]), also=faults[1:])
    return read_so_far

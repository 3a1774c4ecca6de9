"""The answers in flight: who waits, who shares a row, and how a row grows, parts and ends."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from sparring.agents.engines.core import Completion, Request, Tokens
from sparring.agents.engines.local.kept import Key
from sparring.agents.engines.local.prefill import Prefill
from sparring.agents.engines.local.sampling import Draw, Drawn, draw
from sparring.agents.engines.local.slots import Slots

GATHER = 4
"""A prompt may wait so many steps for others: reading ten prompts costs little more than one."""


@dataclass(slots=True, eq=False)
class Asked:
    """A request on its way: who waits for it, its luck, and what has been sampled."""

    request: Request
    future: "asyncio.Future[Any]"
    luck: random.Random
    tokens: Tokens = ()
    logprobs: tuple[float, ...] = ()
    plain: tuple[float, ...] = ()
    _next: float | None = None

    @property
    def key(self) -> Key:
        """What has been said so far."""
        return self.request.adapter or "", self.request.prompt + self.tokens

    @property
    def u(self) -> float:
        """The luck of the next token: the same until it is said, whatever fails in between."""
        if self._next is None:
            self._next = self.luck.random()
        return self._next

    @property
    def allowed(self) -> Tokens:
        """The next tokens with which it can become one of its choices."""
        n = len(self.tokens)
        on = (c[n] for c in self.request.choices if len(c) > n and c[:n] == self.tokens)
        return tuple(dict.fromkeys(on))

    def say(self, drawn: Drawn) -> None:
        self.tokens = (*self.tokens, drawn.token)
        self.logprobs = (*self.logprobs, drawn.logprob)
        self.plain = (*self.plain, drawn.plain)
        self._next = None

    def answer(self) -> None:
        """Give who waits what was sampled."""
        if not self.future.done():
            self.future.set_result(Completion(self.tokens, self.logprobs, self.plain))


Row = list[Asked]
"""All who have said exactly what stands in one row of the row memory."""


class Flight:
    """Requests that are not answered yet. Those of ``rows`` have a row of the row memory each
    (several, if they have said the same), and the others wait.

    Args:
        over: whether an answer has ended.
    """

    def __init__(self, prefill: Prefill, over: Callable[[Asked], bool]):
        self.prefill = prefill
        self.over = over
        self.open: dict[Asked, None] = {}  # all of them, in the order in which they came
        self.waiting: list[Asked] = []
        self.rows: list[Row] = []
        self._waited = 0

    @property
    def most(self) -> int:
        """How many rows there may be."""
        return self._slots.most

    @most.setter
    def most(self, rows: int) -> None:
        self._slots.most = rows

    @property
    def _slots(self) -> Slots:
        return self.prefill.slots

    def add(self, asked: Asked) -> None:
        self.open[asked] = None
        self.waiting.append(asked)

    def restart(self) -> None:
        """All rows are lost: whoever is not answered waits again, with what was said."""
        answer_those(self.open, self.over)
        self.waiting, self.rows = list(self.open), []

    def drop(self) -> None:
        """Forget everything."""
        self.open.clear()
        self.restart()

    def step(self, *, admit: bool) -> None:
        """One more token for every row, after reading what waits, if that is due and allowed."""
        self._leave()
        if admit and self.waiting and self._worth_reading():
            self._admit()
        if self.rows:
            self._make_room()
            adapters = [row[0].request.adapter for row in self.rows]
            last = [row[0].tokens[-1:] for row in self.rows]
            self._sample(0, self.prefill.reading.read(0, last, adapters)[:, 0])

    def _leave(self) -> None:
        """Forget requests that nobody waits for any more."""
        for one in [one for one in self.open if one.future.done()]:
            del self.open[one]
        self.waiting = [one for one in self.waiting if one in self.open]
        for at in reversed(range(len(self.rows))):
            self.rows[at] = [one for one in self.rows[at] if one in self.open]
            if not self.rows[at]:
                self._free(at)

    def _free(self, at: int) -> None:
        self._slots.remove(at)
        self.rows[at] = self.rows[-1]
        self.rows.pop()

    def _make_room(self) -> None:
        """Put the newest rows back into the queue until one more token of all others fits."""
        while not self._slots.fits(len(self.rows)):
            self.waiting = self.rows[-1] + self.waiting
            self._free(len(self.rows) - 1)

    def _worth_reading(self) -> bool:
        few = 4 * len(self.waiting) < len(self.rows)
        self._waited = self._waited + 1 if few else 0
        return not few or self._waited >= GATHER

    def _admit(self) -> None:
        """Read what waits, as far as there is room: the first come first, equal ones together."""
        self._waited = 0
        asked: dict[Key, Row] = {}
        for one in self.waiting:
            asked.setdefault(one.key, []).append(one)
        self.waiting = []
        longest = 0
        taken: list[Key] = []
        for key in asked:
            with_it = max(longest, len(key[1]))
            if not self.prefill.have_room(len(taken) + 1, with_it):
                break
            longest = with_it
            taken.append(key)
        self.prefill.read_shared(taken)
        for chunk in self.prefill.chunks(taken):
            if self.prefill.have_room(len(chunk), longest):  # rows may have parted meanwhile
                first = len(self.rows)
                self.rows += [asked.pop(key) for key in chunk]
                self._sample(first, self.prefill.read(chunk)[:, 0])
        self.waiting = [one for row in asked.values() for one in row] + self.waiting

    def _sample(self, first: int, logits: torch.Tensor) -> None:
        """One token for everyone in rows [first, first + n), from the logits [n, V]."""
        rows = self.rows[first : first + len(logits)]
        members = [(at, one) for at, row in enumerate(rows) for one in row]
        draws = [Draw(at, one.request.sampling, one.u, one.allowed) for at, one in members]
        for (_, one), drawn in zip(members, draw(logits, draws), strict=True):
            one.say(drawn)
        for at in reversed(range(first, first + len(logits))):
            self._split(at)

    def _split(self, at: int) -> None:
        """Who said different things in a row parts; who is done leaves with the answer."""
        going: dict[int, Row] = {}
        ended: Asked | None = None
        for one in self.rows[at]:
            if self.over(one):
                ended = one
                del self.open[one]
                one.answer()
            else:
                going.setdefault(one.tokens[-1], []).append(one)
        if ended is not None:
            self.prefill.keep(ended.key, at)
        groups = list(going.values())
        if len(groups) > 1 and self._slots.fits(len(self.rows) + len(groups) - 1):
            self._slots.reserve(len(self.rows) + len(groups) - 1, 0)
        for group in groups[1:]:
            if self._slots.fits(len(self.rows) + 1):
                self._slots.reserve(len(self.rows) + 1, 0)
                self._slots.fork(at)
                self.rows.append(group)
            else:
                self.waiting += group
        if groups:
            self.rows[at] = groups[0]
        else:
            self._free(at)


def over(one: Asked, end: int, decode: Callable[[Tokens], str] | None) -> bool:
    """Whether an answer has ended; ``end`` and ``decode`` as in ``LocalEngine``."""
    sampling = one.request.sampling
    said = one.tokens[-1]
    if said == end or said in sampling.stop_tokens or len(one.tokens) >= sampling.max_tokens:
        return True
    if one.request.choices and not one.allowed:
        return True
    if sampling.stop and decode is not None:
        text = decode(one.tokens)
        return any(stop in text for stop in sampling.stop)
    return False


def answer_those(open: dict[Asked, None], over: Callable[[Asked], bool]) -> None:
    """Answer those that have ended: a fault may come between the last token and the answer."""
    for one in [one for one in open if one.tokens and over(one)]:
        del open[one]
        one.answer()

"""log P(continuation | prompt), many at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.agents.engines.core import Tokens
from sparring.agents.engines.local.kept import Key
from sparring.agents.engines.local.prefill import Prefill


@dataclass(slots=True, eq=False)
class Scored:
    """A continuation whose probability is asked for."""

    prompt: Tokens
    more: Tokens
    future: "asyncio.Future[Any]"
    adapter: str | None = None

    @property
    def key(self) -> Key:
        """What has to be read: the last token's successor is not asked for."""
        return self.adapter or "", self.prompt + self.more[:-1]


def score(prefill: Prefill, scores: Sequence[Scored]) -> None:
    """Answer those for which there is room beside the rows in use; equal ones are read once."""
    read: dict[Key, list[Scored]] = {}
    for one in scores:
        read.setdefault(one.key, []).append(one)
    prefill.read_shared(list(read))
    for chunk in prefill.chunks(list(read), max(len(one.more) for one in scores)):
        if prefill.have_room(len(chunk), max(len(tokens) for _, tokens in chunk)):
            _answer(prefill, {key: read[key] for key in chunk})


def _answer(prefill: Prefill, read: dict[Key, list[Scored]]) -> None:
    last = [max(len(one.more) for one in some) for some in read.values()]
    table = prefill.read(list(read), last).float().log_softmax(-1)
    prefill.put_away(list(read))
    for logprobs, some in zip(table, read.values(), strict=True):
        for one in some:
            own = logprobs[len(logprobs) - len(one.more) :]
            said = own.new_tensor(one.more, dtype=int)[:, None]
            if not one.future.done():
                one.future.set_result(float(own.gather(1, said).sum()))

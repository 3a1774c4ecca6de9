"""Answers of models that keep no keys and values of every token: Mamba, linear attention, hybrids.

What such a layer keeps is a state, which cannot be cut back to a beginning or laid out in rows of
their own lengths. So prompts of one length are read together, from their start, and go on with the
model's own cache until all of them are answered; then come others. There is no fill that a state
could swallow, and results are those of each prompt alone. It is slower, and ``LocalEngine.memory``
bounds nothing here: ``max_rows`` does.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from sparring.agents.engines.core import Tokens
from sparring.agents.engines.local.flight import Asked, answer_those
from sparring.agents.engines.local.reading import differs
from sparring.agents.engines.local.sampling import Draw, draw
from sparring.agents.engines.local.scoring import Scored
from sparring.envs.core import BadInput

CACHES = ("past_key_values", "cache_params", "state")
"""What the models of transformers call what they keep, in and out."""


class Grouped:
    """Stands in for ``Flight``: the same requests, one group of equally long prompts at a time.

    Args:
        over: whether an answer has ended.
    """

    def __init__(self, model: Any, pad: int, over: Callable[[Asked], bool]):
        self.model = model
        self.pad = pad
        self.over = over
        self.open: dict[Asked, None] = {}
        self.rows: list[Asked] = []
        self.most = 1
        self._cache: dict[str, Any] = {}

    def add(self, asked: Asked) -> None:
        self.open[asked] = None

    def restart(self) -> None:
        answer_those(self.open, self.over)
        self.rows, self._cache = [], {}

    def drop(self) -> None:
        self.open.clear()
        self.restart()

    def step(self, *, admit: bool) -> None:
        """One more token for the group; a new group, if there is none and it is allowed."""
        for one in [one for one in self.open if one.future.done()]:
            del self.open[one]
        if not any(one in self.open for one in self.rows):
            self.restart()
        if self.rows:
            ids = [[*one.tokens[-1:]] if one in self.open else [self.pad] for one in self.rows]
        elif admit and self.open:
            self.rows = self._next()
            ids = [list(one.key[1]) for one in self.rows]
        else:
            return
        self._say(self._read(ids))

    def check(self) -> None:
        """See that the model says the same with its cache as without.

        Raises:
            BadInput: it does not, and cannot be played here.
        """
        rows = (1, 2, 3, 4, 5), (5, 1, 4, 2, 3)
        self._read([row[:3] for row in rows])
        for at in (3, 4):
            found = self._read([row[at : at + 1] for row in rows]).float().log_softmax(-1)
        self.restart()
        for own, row in zip(found, rows, strict=True):
            if apart := differs(self.model, own, row):
                kind = self.model.config.model_type
                raise BadInput(
                    f"a model of the kind {kind} says something else when it goes on from its own "
                    f"cache, by {apart}; serve it, and name the server"
                )

    def _next(self) -> list[Asked]:
        """Whoever came first, and all whose prompts are as long and go to the same adapter."""
        first = next(iter(self.open))
        alike = len(first.key[1]), first.request.adapter
        found = [one for one in self.open if (len(one.key[1]), one.request.adapter) == alike]
        return found[: self.most]

    def _read(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        given = dict(self._cache)
        if self.rows and self.rows[0].request.adapter:
            given["adapter_names"] = [self.rows[0].request.adapter] * len(ids)
        out = self.model(
            input_ids=torch.tensor(ids, device=self.model.device), use_cache=True, **given
        )
        self._cache = {name: kept for name in CACHES if (kept := out.get(name)) is not None}
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    def _say(self, logits: torch.Tensor) -> None:
        members = [(at, one) for at, one in enumerate(self.rows) if one in self.open]
        draws = [Draw(at, one.request.sampling, one.u, one.allowed) for at, one in members]
        for (_, one), drawn in zip(members, draw(logits, draws), strict=True):
            one.say(drawn)
            if self.over(one):
                del self.open[one]
                one.answer()


def score(model: Any, scores: Sequence[Scored], most: int) -> None:
    """log P of the continuations: sequences of one length are read together, from their start."""
    groups: dict[tuple[int, str | None], dict[Tokens, list[Scored]]] = {}
    for one in scores:
        whole = one.prompt + one.more
        group = groups.setdefault((len(whole), one.adapter), {})
        group.setdefault(whole, []).append(one)
    for (_, adapter), alike in groups.items():
        wholes = list(alike)
        for at in range(0, len(wholes), most):
            ids = torch.tensor(wholes[at : at + most], device=model.device)
            given = {"adapter_names": [adapter] * len(ids)} if adapter else {}
            table = model(input_ids=ids, **given).logits[:, :-1].float().log_softmax(-1)
            said = table.gather(2, ids[:, 1:, None])[:, :, 0]
            for own, whole in zip(said, wholes[at : at + most], strict=True):
                for one in alike[whole]:
                    if not one.future.done():
                        one.future.set_result(float(own[len(own) - len(one.more) :].sum()))

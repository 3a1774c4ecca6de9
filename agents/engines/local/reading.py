"""How a model reads new tokens of some rows: its inputs, its masks, its logits."""

from collections.abc import Sequence
from functools import cached_property
from math import inf
from typing import Any

import torch

from sparring.agents.engines.core import Tokens
from sparring.agents.engines.local.attention import applies, attending, kept_in
from sparring.agents.engines.local.places import Span
from sparring.agents.engines.local.slots import Slots
from sparring.envs.core import BadInput

IN_LINE = 16  # new tokens a row from which attention row by row costs less than fill
KINDS = {"full_attention", "sliding_attention"}
APART = {True: 1e-3, False: 0.5}
"""Log-probabilities of one token may be so far apart in nats, in float32 (True) and in bfloat16."""


class Reading:
    """A model over its row memory.

    Args:
        model: a causal language model of ``transformers`` whose layers keep keys and values.
        pad: the id to fill short lines with; no other token sees it.

    ``line_from``: rows of so many new tokens on average are read in one line, without fill.
    """

    def __init__(self, model: Any, pad: int):
        self.model = model
        self.pad = pad
        self.slots = Slots()
        self.line_from: float = inf
        self._why: str | None = None

    @cached_property
    def vocabulary(self) -> int:
        return int(self.model.config.get_text_config().vocab_size)

    def read(
        self, first: int, new: Sequence[Tokens], adapters: Sequence[str | None], keep: int = 1
    ) -> torch.Tensor:
        """Rows [first, first + n) read ``new`` tokens each. Returns the logits after the last
        ``keep`` tokens of each, [n, keep, V]; those of fewer tokens have fill on the left."""
        model, device = self.model, self.model.device
        lengths = [len(tokens) for tokens in new]
        line = sum(lengths) >= self.line_from * len(new) and len(set(adapters)) == 1
        places = self.slots.open(first, lengths, device, line)
        wide = places.positions.shape[1]
        given: dict[str, Any] = {}
        if line:
            ids = [[token for tokens in new for token in tokens]]
            wanted = _last(places.spans, keep).to(device)
            if len(wanted) < wide:
                given["logits_to_keep"] = wanted
        else:
            ids = [[self.pad] * (wide - len(tokens)) + list(tokens) for tokens in new]
            if keep < wide:
                given["logits_to_keep"] = keep
        if any(adapters):
            given["adapter_names"] = [name or self._own() for name in adapters[: len(ids)]]
        with attending(model, places.spans):
            logits: torch.Tensor = model(
                input_ids=torch.tensor(ids, device=device),
                attention_mask=self._masks(places.positions, places.sees),
                position_ids=places.positions,
                past_key_values=self.slots,
                use_cache=True,
                **given,
            ).logits
        if not line:
            return logits[:, -keep:]
        if logits.shape[1] == wide:  # all of them, which some models give whatever is asked
            logits = logits[:, wanted]
        return logits.reshape(len(new), keep, -1)

    def _own(self) -> str:
        """What a model with adapters answers with when no adapter is named."""
        active = self.model.active_adapters
        if len(active) > 1:
            raise BadInput("name an adapter in every request: several are active together")
        return str(active[0]) if active else "__base__"

    def _masks(self, positions: torch.Tensor, sees: torch.Tensor) -> Any:
        """What layers add to their scores [n, 1, W, columns], by kind of layer if they differ."""
        config = self.model.config.get_text_config()
        window = getattr(config, "sliding_window", None)
        kinds = set(getattr(config, "layer_types", None) or ())
        full = self._added(sees)
        if window is None or (kinds and kinds == {"full_attention"}):
            return full
        columns = torch.arange(sees.shape[2], device=sees.device)
        near = self._added(sees & (columns > positions[:, :, None] - window))
        if len(kinds) < 2:
            return near
        return {"full_attention": full, "sliding_attention": near}

    def _added(self, sees: torch.Tensor) -> torch.Tensor:
        dtype = self.model.dtype
        mask = torch.zeros(sees.shape, dtype=dtype, device=sees.device)
        return mask.masked_fill_(~sees, torch.finfo(dtype).min)[:, None]

    def prepare(self) -> str:
        """Find out how the model keeps what it has read; if not as keys and values of every token,
        why this cannot work it, else ""."""
        if self._why is None:
            self._why = self._find_out()
        return self._why

    def _find_out(self) -> str:
        kinds = set(getattr(self.model.config.get_text_config(), "layer_types", None) or ())
        if not kinds <= KINDS:
            return f"it has layers of the kind {', '.join(sorted(kinds - KINDS))}"
        try:
            self.slots.shape(self.model, kept_in(self.model))
        except (AssertionError, AttributeError, IndexError, TypeError, ValueError) as fault:
            return f"its layers are of another kind ({type(fault).__name__}: {fault})"
        if not self.slots.parts:
            return "its layers keep nothing"
        why = self._tried()
        if not why and applies(self.model):
            self.line_from = 0
            self.line_from = inf if self._tried() else IN_LINE
        return why

    def _tried(self) -> str:
        """Whether it reads two short sequences here as it does each alone; if not, how that went.

        Some models take no mask of ours, or find places by themselves.
        """
        rows: list[Tokens] = [(1, 2, 3), (3,)]
        try:
            self.slots.reserve(len(rows), 8)
            for _ in rows:
                self.slots.add(None, 0)
            self.read(0, [row[:-1] or row for row in rows], [None] * 2)
            again = [row[-1:] for row in rows]
            found = self.read(0, again, [None] * 2)[:, -1].float().log_softmax(-1)
        except torch.OutOfMemoryError:
            raise  # a kind of RuntimeError, and no fault of the model
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as fault:
            return f"it cannot read rows of their own lengths ({type(fault).__name__}: {fault})"
        finally:
            self.slots.release()
        for own, row in zip(found, [rows[0], rows[1] * 2], strict=True):
            if apart := differs(self.model, own, row):
                return f"rows of their own lengths change its answers, by {apart}"
        return ""


def _last(spans: Sequence[Span], keep: int) -> torch.Tensor:
    """The places of the last ``keep`` tokens of each row of a line [n · keep]; rows of fewer begin
    with their first token again."""
    ends = torch.tensor([end for _, end, _ in spans])[:, None]
    begins = torch.tensor([begin for begin, _, _ in spans])[:, None]
    return (ends + torch.arange(-keep, 0)).maximum(begins).flatten()


def differs(model: Any, found: torch.Tensor, tokens: Tokens) -> str:
    """By how much log P(next token) after ``tokens``, [V], is not what the model says when it reads
    them at once; "" if it is."""
    ids = torch.tensor([tokens], device=model.device)
    alone = model(input_ids=ids).logits[0, -1].float().log_softmax(-1)
    if alone.isnan().any():
        return ""  # whatever is asked says so
    likely = alone > -10  # nats: small numbers differ more, and do not matter
    apart = float((found - alone)[likely].abs().max())
    return "" if apart < APART[model.dtype == torch.float32] else f"{apart:.2g} nats"

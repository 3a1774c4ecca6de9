"""What one request asks of vLLM's sampler beyond its settings: choices, and plain probabilities.

vLLM tells a request's log-probabilities under what it sampled from only. Where that is not the
model itself, the model's own are noted here before temperature, top-k and top-p.
"""

from weakref import WeakValueDictionary

import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from sparring.agents.engines.core import Request, Tokens

KEY = "sparring_watch"
_WATCHES: "WeakValueDictionary[str, Watch]" = WeakValueDictionary()


class Watch:
    """Called with the tokens said so far and the next token's logits [V]; returns those to sample
    from. ``plain`` is complete after ``end``."""

    def __init__(self, name: str, request: Request):
        self.name = name
        self.request = request
        self.plain: list[float] = []
        self._held: torch.Tensor | None = None
        _WATCHES[name] = self

    def __call__(self, said: list[int], logits: torch.Tensor) -> torch.Tensor:
        self._note(said)
        self._held = logits.float().log_softmax(-1)
        if not self.request.choices:
            return logits
        only = list(allowed(self.request.choices, tuple(said))) or [0]  # cut off afterwards
        return torch.full_like(logits, -torch.inf).index_copy_(
            0, torch.tensor(only, device=logits.device), logits[only]
        )

    def _note(self, said: list[int]) -> None:
        if self._held is not None and len(said) == len(self.plain) + 1:
            self.plain.append(float(self._held[said[-1]]))

    def end(self, said: Tokens) -> tuple[float, ...]:
        """The model's own log-probability of each token of the answer."""
        self._note(list(said))
        return tuple(self.plain)


class Watches(AdapterLogitsProcessor):  # type: ignore[misc]
    """Gives every request that names a ``Watch`` its own."""

    def is_argmax_invariant(self) -> bool:
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> Watch | None:
        name = (params.extra_args or {}).get(KEY)
        return None if name is None else _WATCHES[name]


def allowed(choices: tuple[Tokens, ...], said: Tokens) -> Tokens:
    """The next tokens with which what was said can become one of the choices."""
    n = len(said)
    return tuple(dict.fromkeys(c[n] for c in choices if len(c) > n and c[:n] == said))

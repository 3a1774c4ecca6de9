"""From logits to tokens: temperature, top-k, top-p, choices, and luck that is a request's own.

A token is drawn by inverting the distribution function: with u uniform in [0, 1), token t where
F(t − 1) <= u·F(V) < F(t), F the summed probabilities. So one number a token is all the luck that
an answer needs, and it does not matter who else is in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from sparring.agents.engines.core import Sampling, Tokens
from sparring.envs.core import BadInput

EXACT = 1 << 13
"""Up to so many tokens in the vocabulary are summed in float64; in larger ones float32 is three
times as fast, and a token's probability is still good to 1e-6."""

NUMBERS_AT_ONCE = 1 << 24


@dataclass(frozen=True, slots=True)
class Draw:
    """One token to draw: from which row of the logits, how, and with which number in [0, 1).

    ``allowed``: the only tokens that there are, if any.
    """

    row: int
    sampling: Sampling
    u: float
    allowed: Tokens = ()

    @property
    def shape(self) -> tuple[int, float, int, float, Tokens]:
        """Draws of one shape come from one distribution."""
        s = self.sampling
        return self.row, s.temperature, s.top_k, s.top_p, self.allowed


@dataclass(frozen=True, slots=True)
class Drawn:
    """A token, and its log-probability as it was sampled and under the model itself."""

    token: int
    logprob: float
    plain: float


def draw(logits: torch.Tensor, draws: Sequence[Draw]) -> list[Drawn]:
    """Sample one token for each of ``draws`` from the logits [B, V]; so many rows at a time that
    the copies which that takes stay small."""
    size = max(NUMBERS_AT_ONCE // logits.shape[1], 1)
    if len(logits) <= size:
        return _draw(logits, draws)
    found: dict[int, Drawn] = {}
    for first in range(0, len(logits), size):
        own = [n for n, d in enumerate(draws) if first <= d.row < first + size]
        some = [replace(draws[n], row=draws[n].row - first) for n in own]
        if some:
            found |= zip(own, _draw(logits[first : first + size], some), strict=True)
    return [found[n] for n in range(len(draws))]


def _draw(logits: torch.Tensor, draws: Sequence[Draw]) -> list[Drawn]:
    plain = (logits.double() if logits.shape[1] <= EXACT else logits.float()).log_softmax(-1)
    shapes = {shape: i for i, shape in enumerate(dict.fromkeys(d.shape for d in draws))}
    members: list[list[int]] = [[] for _ in shapes]
    for n, one in enumerate(draws):
        members[shapes[one.shape]].append(n)
    rows = torch.tensor([shape[0] for shape in shapes], device=plain.device)
    whole = len(shapes) == len(plain) and rows.tolist() == list(range(len(plain)))
    own = plain if whole else plain[rows]
    sampled = _distribution(own, [draws[some[0]] for some in members])
    points = torch.zeros((len(members), max(map(len, members))), dtype=sampled.dtype)
    for i, some in enumerate(members):
        points[i, : len(some)] = torch.tensor([draws[n].u for n in some])
    tokens = _inverted(sampled, points.to(sampled.device))
    greedy = torch.tensor([draws[some[0]].sampling.temperature == 0 for some in members])
    if greedy.any():
        best = sampled.argmax(-1, keepdim=True).expand_as(tokens)
        tokens = torch.where(greedy.to(best.device)[:, None], best, tokens)
    said, plainly = sampled.gather(1, tokens).tolist(), own.gather(1, tokens).tolist()
    found: list[Drawn | None] = [None] * len(draws)
    chosen = tokens.tolist()
    for i, some in enumerate(members):
        for m, n in enumerate(some):
            logprob = plainly[i][m] if greedy[i] else said[i][m]
            found[n] = Drawn(chosen[i][m], logprob, plainly[i][m])
    return [one for one in found if one is not None]


def _inverted(logprobs: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """The token [B, n] of each of n numbers in [0, 1) for each distribution [B, V]."""
    curve = logprobs.exp().cumsum(-1)
    if not curve[:, -1].isfinite().all():
        raise BadInput(
            "the model's probability of a token is not a number: its weights are broken; "
            "go back to an earlier checkpoint, with a lower learning rate"
        )
    last = (logprobs > -torch.inf).to(torch.int8).flip(-1).argmax(-1, keepdim=True)
    last = logprobs.shape[1] - 1 - last  # rounding may push a point past the last possible token
    at = torch.searchsorted(curve, points * curve[:, -1:], right=True)
    return torch.minimum(at, last)


def _distribution(plain: torch.Tensor, likes: Sequence[Draw]) -> torch.Tensor:
    """log P of what is sampled from, a row for each of ``likes``; ``plain`` where nothing is
    asked for, and at temperature 0."""
    heats = [like.sampling.temperature or 1.0 for like in likes]
    changed = plain
    if any(heat != 1 for heat in heats):
        changed = changed / torch.tensor(heats, dtype=plain.dtype, device=plain.device)[:, None]
        changed = changed.log_softmax(-1)
    cut = [i for i, d in enumerate(likes) if d.allowed or _cuts(d.sampling)]
    if cut:
        changed = changed.clone()
        for i in cut:
            changed[i] = _cut(changed[i], likes[i])
    return changed


def _cuts(sampling: Sampling) -> bool:
    return sampling.temperature > 0 and (sampling.top_k > 0 or sampling.top_p < 1)


def _cut(logprobs: torch.Tensor, like: Draw) -> torch.Tensor:
    """What is left of one distribution [V] by choices, then top-k, then top-p; renormalised."""
    left = logprobs
    if like.allowed:
        only = torch.tensor(like.allowed, device=left.device)
        left = torch.full_like(left, -torch.inf).index_copy(0, only, left[only]).log_softmax(-1)
    if not _cuts(like.sampling):
        return left
    ranked, order = left.sort(descending=True, stable=True)
    ranked[like.sampling.top_k or len(left) :] = -torch.inf
    chances = ranked.softmax(-1)  # of what top-k leaves, as in transformers and vLLM
    before = chances.cumsum(-1) - chances
    stays = (ranked > -torch.inf) & (before < like.sampling.top_p)
    return left.index_fill(0, order[~stays], -torch.inf).log_softmax(-1)

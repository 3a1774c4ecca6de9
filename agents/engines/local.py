"""The in-process engine on ``transformers``: batched over all waiting requests, cache kept.

Two things make self-play fast here. Requests with the same tokens so far share one row of the
batch, whether they come from one game or a thousand, and part only where their samples differ.
And the key-value cache of a conversation is kept from turn to turn, so a turn reads only what is
new. Neither changes what is sampled, beyond the last digits of floating point.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from sparring.agents.engines.batching import Batcher
from sparring.agents.engines.cache import ConversationCache, as_batch
from sparring.agents.engines.core import Completion, Request, Tokens
from sparring.envs.core import BadInput


@dataclass(slots=True)
class _Row:
    """One sequence being extended, for all the requests that have sampled exactly it."""

    prompt: Tokens
    members: list[int]
    tokens: Tokens = ()
    logprobs: tuple[float, ...] = ()


class LocalEngine:
    """Sampling from a ``transformers`` causal language model in this process.

    Args:
        model: the model; it may be one that is being trained (call ``forget`` after each change).
        end: the id of the token that ends an answer.
        pad: the id to fill short rows with; never seen by the model's attention.
        max_rows: how many requests are worked on together.
        cache_tokens: how many tokens of key-value cache to keep; the least recently used go first.
        using: entered around all work of the model. It can lend the model other weights, so that
            several engines on one model are several players; their caches are their own.
    """

    def __init__(
        self,
        model: Any,
        *,
        end: int,
        pad: int = 0,
        max_rows: int = 1024,
        cache_tokens: int = 1 << 18,
        using: Callable[[], AbstractContextManager[None]] = nullcontext,
    ):
        self.model = model
        self.end = end
        self.pad = pad
        self.max_rows = max_rows
        self.using = using
        self.cache = ConversationCache(cache_tokens)
        self._generate = Batcher(self.complete)
        self._score = Batcher(self.score_all)

    def forget(self) -> None:
        """Drop the cache: the weights have changed."""
        self.cache.clear()

    async def generate(self, request: Request) -> Completion:
        return await self._generate.ask(request)

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        return list(await asyncio.gather(*(self._score.ask((prompt, c)) for c in continuations)))

    def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Sample an answer to every request; results in their order."""
        with self._working():
            return self._complete(requests)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Weights are exchanged outside inference mode: a tensor made inside cannot be trained."""
        with self.using(), torch.inference_mode():
            self.model.eval()
            yield

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        for request in requests:
            self._check_length(len(request.prompt) + request.sampling.max_tokens)
        results: dict[int, Completion] = {}
        # Equal prompts come together, so that a chunk holds as few different rows as can be.
        order = sorted(range(len(requests)), key=lambda i: requests[i].prompt)
        for start in range(0, len(order), self.max_rows):
            chunk = order[start : start + self.max_rows]
            results.update(self._complete_chunk({i: requests[i] for i in chunk}))
        return [results[i] for i in range(len(requests))]

    def _check_length(self, tokens: int) -> None:
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if limit is not None and tokens > limit:
            raise BadInput(
                f"a prompt and its answer take up to {tokens} tokens, but the model reads at most "
                f"{limit}; play a shorter game, or allow shorter answers"
            )

    def _complete_chunk(self, requests: dict[int, Request]) -> dict[int, Completion]:
        by_prompt: dict[Tokens, list[int]] = {}
        for i, request in requests.items():
            by_prompt.setdefault(request.prompt, []).append(i)
        rows = [_Row(prompt, members) for prompt, members in by_prompt.items()]
        luck = {i: random.Random(request.seed) for i, request in requests.items()}
        held = [max(requests[row.members[0]].held - 1, 0) for row in rows]
        logits, cache, mask = self._read(rows, held)
        results: dict[int, Completion] = {}
        while True:
            children: list[_Row] = []
            parents: list[int] = []
            for at, (row, scores) in enumerate(zip(rows, logits, strict=True)):
                grown, ended = self._sample(row, scores, requests, luck)
                for child in ended:
                    results.update(
                        dict.fromkeys(child.members, Completion(child.tokens, child.logprobs))
                    )
                if ended:
                    self.cache.keep((*row.prompt, *row.tokens), cache, at, mask[at])
                children += grown
                parents += [at] * len(grown)
            if not children:
                return results
            rows = children
            logits, mask = self._extend(rows, parents, cache, mask)

    def _sample(
        self,
        row: _Row,
        logits: np.ndarray,
        requests: dict[int, Request],
        luck: dict[int, random.Random],
    ) -> tuple[list[_Row], list[_Row]]:
        """Split a row by the next token of each member: (those that go on, those that ended)."""
        plain = _log_softmax(logits)
        members: dict[tuple[int, float], list[int]] = {}
        curves: dict[float, tuple[np.ndarray, np.ndarray]] = {}
        for i in row.members:
            heat = requests[i].sampling.temperature
            if heat == 0:
                token = int(plain.argmax())
                logprob = float(plain[token])
            else:
                if heat not in curves:
                    tempered = plain if heat == 1 else _log_softmax(logits / heat)
                    curves[heat] = tempered, np.cumsum(np.exp(tempered))
                tempered, curve = curves[heat]
                point = luck[i].random() * curve[-1]
                token = min(int(np.searchsorted(curve, point, side="right")), len(curve) - 1)
                logprob = float(tempered[token])
            members.setdefault((token, logprob), []).append(i)
        grown, ended = [], []
        for (token, logprob), group in members.items():
            tokens, logprobs = (*row.tokens, token), (*row.logprobs, logprob)
            stopped: list[int] = []
            going: list[int] = []
            for i in group:
                over = token == self.end or len(tokens) == requests[i].sampling.max_tokens
                (stopped if over else going).append(i)
            if stopped:
                ended.append(_Row(row.prompt, stopped, tokens, logprobs))
            if going:
                grown.append(_Row(row.prompt, going, tokens, logprobs))
        return grown, ended

    def _read(
        self, rows: list[_Row], held: list[int]
    ) -> tuple[np.ndarray, DynamicCache, torch.Tensor]:
        """Read all prompts, going on from the cache where it holds their start.

        Layout of a row: [fill, cached tokens, fill, new tokens]; the mask hides the fill and
        positions are counted without it. Returns the logits after each prompt [B, V], the cache,
        and the mask [B, columns].
        """
        kept = [self.cache.recall(row.prompt[:n]) for row, n in zip(rows, held, strict=True)]
        old = [k[0][0].shape[1] if k else 0 for k in kept]
        new = [len(row.prompt) - n for row, n in zip(rows, old, strict=True)]
        device = self.model.device
        width_old, width_new = max(old), max(new)
        ids = torch.full((len(rows), width_new), self.pad, dtype=torch.long)
        mask = torch.zeros((len(rows), width_old + width_new), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, width_new - new[i] :] = torch.tensor(row.prompt[old[i] :])
            mask[i, width_old - old[i] : width_old] = 1
            mask[i, width_old + width_new - new[i] :] = 1
        mask = mask.to(device)
        cache = as_batch(kept, width_old)
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, width_old:]
        out = self.model(
            input_ids=ids.to(device),
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1].float().cpu().numpy(), cache, mask

    def _extend(
        self, rows: list[_Row], parents: list[int], cache: DynamicCache, mask: torch.Tensor
    ) -> tuple[np.ndarray, torch.Tensor]:
        """Read the last sampled token of every row, each of which grew out of ``parents``."""
        chosen = torch.tensor(parents, device=mask.device)
        if parents != list(range(mask.shape[0])):
            cache.reorder_cache(chosen)
        mask = torch.cat([mask[chosen], mask.new_ones((len(rows), 1))], dim=1)
        ids = torch.tensor([[row.tokens[-1]] for row in rows], device=mask.device)
        out = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=mask.sum(1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1].float().cpu().numpy(), mask

    def score_all(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        """log P(continuation | prompt) of every (prompt, continuation); equal ones once."""
        different = list(dict.fromkeys(pairs))
        scores: dict[tuple[Tokens, Tokens], float] = {}
        with self._working():
            for start in range(0, len(different), self.max_rows):
                scores.update(self._score_chunk(different[start : start + self.max_rows]))
        return [scores[pair] for pair in pairs]

    def _score_chunk(
        self, pairs: list[tuple[Tokens, Tokens]]
    ) -> dict[tuple[Tokens, Tokens], float]:
        self._check_length(max(len(prompt) + len(more) for prompt, more in pairs))
        rows = [torch.tensor((*prompt, *more)) for prompt, more in pairs]
        # Fill stands on the right, where a causal model's earlier tokens cannot see it.
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.pad)
        spans = [range(len(prompt) - 1, len(prompt) + len(more) - 1) for prompt, more in pairs]
        columns = sorted({at for span in spans for at in span})  # whose logits are needed at all
        place = {at: i for i, at in enumerate(columns)}
        device = self.model.device
        logits = self.model(
            input_ids=ids.to(device),
            use_cache=False,
            logits_to_keep=torch.tensor(columns, device=device),
        ).logits
        scores = {}
        for pair, span, row in zip(pairs, spans, logits, strict=True):
            steps = row[[place[at] for at in span]].float().log_softmax(-1)
            said = torch.tensor(pair[1], device=device)[:, None]
            scores[pair] = float(steps.gather(1, said).sum())
        return scores


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))

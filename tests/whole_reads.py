"""What the tests of engines measure by: the model itself, which reads everything at once."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import torch

from sparring.agents.engines.core import Completion, Engine, Request, Sampling, Tokens

GREEDY = Sampling(temperature=0, max_tokens=10)


def prompts(number: int, longest: int, seed: int = 0) -> list[Tokens]:
    """Ragged prompts of any ids, the fill id among them."""
    luck = random.Random(seed)
    return [tuple(luck.choices(range(300), k=luck.randint(1, longest))) for _ in range(number)]


def by_generate(model: Any, prompt: Tokens, end: int | None) -> Tokens:
    """What ``generate`` of transformers says, greedily."""
    ids = torch.tensor([prompt])
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=GREEDY.max_tokens,
        eos_token_id=end,
        pad_token_id=0,
    )
    return tuple(out[0, len(prompt) :].tolist())


def spoken_end(model: Any) -> int:
    """An end token that this model does say: what it says most often, left alone."""
    said = [t for p in prompts(60, 30, seed=5) for t in set(by_generate(model, p, None)[1:])]
    return max(sorted(set(said)), key=said.count)


def after(model: Any, tokens: Tokens) -> torch.Tensor:
    """log P(next token) after each token of one sequence, read at once without fill: [T, V]."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([tokens])).logits[0]
    return logits.double().log_softmax(-1)


def ask(engine: Engine, requests: Sequence[Request]) -> list[Completion]:
    """The answers to requests that wait at the same time."""

    async def all_at_once() -> list[Completion]:
        return list(await asyncio.gather(*(engine.generate(r) for r in requests)))

    return asyncio.run(asyncio.wait_for(all_at_once(), timeout=120))

"""Conversations to measure generation with: models of random weights, and who says how much.

All conversations begin with the same rules; in each turn one gets some tokens to read and says so
many, drawn once for all that are measured.
"""

import asyncio
import random
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

from sparring.agents.engines.core import Engine, Request, Sampling, Tokens

TURNS, RULES = 10, 96
READ = (24, 72)  # tokens to read in a turn
SAID = (8, 56)

Plan = list[list[tuple[Tokens, int]]]
"""For each conversation and turn what is read, and how many tokens are said."""


def qwen(width: int, layers: int, vocabulary: int) -> Callable[[], Any]:
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=width // 32,
        head_dim=32,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
    )
    return lambda: Qwen3ForCausalLM(config)


def smollm2() -> Any:
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)


MODELS: dict[str, Callable[[], Any]] = {
    "1M": qwen(128, 4, 1024),
    "5M": qwen(256, 6, 2048),
    "20M": qwen(384, 8, 16384),
    "135M": smollm2,
}


def matrix_rate(dtype: torch.dtype, size: int = 2048) -> float:
    """Floating-point operations a second in the product of two large matrices."""
    a = torch.randn(size, size).to(dtype)
    return 2 * size**3 / least(lambda: a @ a)


def least(work: Callable[[], Any]) -> float:
    """Seconds, of the fastest of five."""
    work()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@cache
def short() -> torch.dtype:
    """bfloat16 where this machine computes faster in it than in float32, else float32."""
    faster = matrix_rate(torch.bfloat16, 512) > matrix_rate(torch.float32, 512)
    return torch.bfloat16 if faster else torch.float32


def planned(conversations: int, turns: int, vocabulary: int) -> Plan:
    luck = random.Random(0)

    def some(number: int) -> Tokens:
        return tuple(luck.choices(range(10, vocabulary), k=number))

    rules = some(RULES)
    plan: Plan = []
    for _ in range(conversations):
        own = [(some(luck.randint(*READ)), luck.randint(*SAID)) for _ in range(turns)]
        plan.append([(rules + own[0][0], own[0][1]), *own[1:]])
    return plan


def talk(engine: Engine, plan: Plan) -> list[float]:
    """Seconds until all was answered; a conversation goes on when its last turn is answered."""

    async def conversation(c: int) -> None:
        held: Tokens = ()
        for turn in range(len(plan[c])):
            held = await said(engine, plan, held, c, turn)

    async def all_of_them() -> None:
        await asyncio.gather(*(conversation(c) for c in range(len(plan))))

    start = time.perf_counter()
    asyncio.run(all_of_them())
    return [time.perf_counter() - start]


async def said(engine: Engine, plan: Plan, held: Tokens, c: int, turn: int) -> Tokens:
    """A conversation after one more turn."""
    read, most = plan[c][turn]
    request = Request(held + read, Sampling(max_tokens=most), seed=100 * c + turn)
    return request.prompt + (await engine.generate(request)).tokens

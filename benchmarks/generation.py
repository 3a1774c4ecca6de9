"""Answers of many games in flight: our engine against generate, transformers' batching, and vLLM.

    python benchmarks/generation.py             prints the table
    python benchmarks/generation.py --check     exits 1 if a goal is missed

Sixty-four conversations of ten turns with models of random weights. All begin with the same rules;
in each turn a conversation gets some tokens to read and says 8 to 56 tokens, 32 on average, drawn
once for all ways. Nobody may end earlier, so all do the same work:

ours           a conversation asks for its next turn when its last is answered
in step        the same engine, but each turn begins when all have answered
generate       ``model.generate`` on all conversations, each turn's prompts read again from their
               start; a batch ends when its longest answer does
continuous     transformers' own continuous batching: requests join and leave as with ours
vllm           our vLLM engine on the CPU, prefix caching on, the turns of "ours" (where vLLM is
               installed: docs/vllm.md; its start does not count)

"roof" is the least time that these tokens could take if each was read once, and the rules once for
all: matrix products at the rate that large ones reach here (the output layer for said tokens only),
or for said tokens, where that is more, fetching all weights at every step and the keys and values
of the past for every token.
1M and 5M are in float32, the others in bfloat16 where products of matrices are faster in that here.
Ratios are of total time to that of "ours". Goals: generate at least 3.5
times ours with 1M and 5M parameters, 2.5 times with 20M and 135M; vLLM at least 1.2 times ours with
1M, and ours at most 1.25 times vLLM with 135M. "growth" is the time for a said token in the last
three turns to that in the second to fourth, of ways that go turn by turn; goal for ours: at most
1.5, since attention to a longer past is all that may grow.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

import torch
import tyro
from conversations import (
    MODELS,
    RULES,
    SAID,
    TURNS,
    Plan,
    least,
    matrix_rate,
    planned,
    said,
    short,
    talk,
)
from rich.console import Console
from rich.table import Table

from sparring.agents.engines.core import Tokens
from sparring.agents.engines.local.engine import LocalEngine

EXACT = ("1M", "5M")
"""These are in float32; larger ones in bfloat16 where this machine is faster in that."""
FLAT = 1.5
GOALS = {"1M": 3.5, "5M": 3.5, "20M": 2.5, "135M": 2.5}
"""The time of generate against ours, at least."""
VLLM_GOALS = {"1M": 1.2, "135M": 1 / 1.25}
"""The time of vLLM against ours, at least."""


@dataclass(frozen=True)
class Options:
    """Measure the time of generation."""

    models: tuple[str, ...] = ("1M", "5M", "20M", "135M")
    """Which of 1M, 5M, 20M and 135M."""
    ways: tuple[str, ...] = ("ours", "in step", "generate", "continuous", "vllm")
    """Which of the ways above; "ours" is always there."""
    conversations: int = 64
    turns: int = TURNS
    rounds: int = 3
    """Rounds; the median counts. With 135M parameters there is one."""
    threads: int = 2
    """Threads of torch."""
    check: bool = False
    """Exit with 1 if a goal is missed."""


def ours(model: Any, plan: Plan) -> list[float]:
    """Seconds until all was answered."""
    return talk(LocalEngine(model, end=-1, memory=4 << 30), plan)


def vllm(model: Any, plan: Plan) -> list[float]:
    """The same; loading the weights does not count, nor does a first answer of every length."""
    from sparring.agents.engines.vllm.engine import VLLMEngine

    engine = VLLMEngine(
        model, end=-1, dtype=model.dtype, memory=4 << 30, max_rows=max(len(plan), 8)
    )
    try:
        talk(engine, [turns[:1] for turns in plan[:8]])
        engine.forget()
        return talk(engine, plan)
    finally:
        engine.close()


def in_step(model: Any, plan: Plan) -> list[float]:
    """Seconds until each turn was answered in all conversations."""
    engine = LocalEngine(model, end=-1, memory=4 << 30)
    done = []

    async def all_of_them() -> None:
        held: list[Tokens] = [()] * len(plan)
        for turn in range(len(plan[0])):
            asked = (said(engine, plan, held[c], c, turn) for c in range(len(plan)))
            held = list(await asyncio.gather(*asked))
            done.append(time.perf_counter() - start)

    start = time.perf_counter()
    asyncio.run(all_of_them())
    return done


def generate(model: Any, plan: Plan) -> list[float]:
    held: list[Tokens] = [()] * len(plan)
    done = []
    start = time.perf_counter()
    for turn in range(len(plan[0])):
        prompts = [h + conversation[turn][0] for h, conversation in zip(held, plan, strict=True)]
        wide = max(map(len, prompts))
        ids = torch.tensor([[0] * (wide - len(p)) + list(p) for p in prompts])
        mask = torch.tensor([[0] * (wide - len(p)) + [1] * len(p) for p in prompts])
        most = [conversation[turn][1] for conversation in plan]
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=True,
                top_k=0,
                max_new_tokens=max(most),
                min_new_tokens=max(most),
                pad_token_id=0,
            )
        said = out[:, wide:].tolist()
        held = [p + tuple(s[:n]) for p, s, n in zip(prompts, said, most, strict=True)]
        done.append(time.perf_counter() - start)
    return done


def continuous(model: Any, plan: Plan) -> list[float]:
    """transformers' own: a conversation's next turn goes in when its last is answered."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    tokens = sum(len(read) + most for turns in plan for read, most in turns)
    manager = model.init_continuous_batching(
        generation_config=GenerationConfig(
            max_new_tokens=SAID[1], do_sample=True, top_k=0, eos_token_id=-1, pad_token_id=0
        ),
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=32, num_blocks=tokens // 32 + 2 * len(plan)
        ),
    )
    held: list[Tokens] = [()] * len(plan)

    def ask(c: int, turn: int) -> None:
        read, most = plan[c][turn]
        held[c] += read
        manager.add_request(list(held[c]), request_id=f"{c}/{turn}", max_new_tokens=most)

    start = time.perf_counter()
    manager.start()
    for c in range(len(plan)):
        ask(c, 0)
    left = sum(map(len, plan))
    while left:
        found = manager.get_result(timeout=600)
        left -= 1
        c, turn = map(int, found.request_id.split("/"))
        held[c] += tuple(found.generated_tokens)
        if turn + 1 < len(plan[c]):
            ask(c, turn + 1)
    done = [time.perf_counter() - start]
    manager.stop(block=True)
    return done


WAYS: dict[str, Callable[[Any, Plan], list[float]]] = {
    "ours": ours,
    "in step": in_step,
    "generate": generate,
    "continuous": continuous,
    "vllm": vllm,
}


def roof(model: Any, plan: Plan) -> float:
    """The least seconds for these tokens (see above)."""
    config = model.config
    head = model.get_output_embeddings().weight
    body = sum(p.numel() for p in model.parameters() if p.dim() == 2) - head.numel()
    rate, bandwidth = matrix_rate(model.dtype), _bandwidth()
    each = 2 * config.num_key_value_heads * config.head_dim * config.num_hidden_layers
    read, said, past = RULES, 0, 0  # the rules are the same for all
    for turns in plan:
        held = 0
        for more, most in turns:
            held += len(more)
            past += held * most + most * most // 2
            held += most
            said += most
        read += held - sum(most for _, most in turns) - RULES
    size = head.element_size()
    steps = max(sum(most for _, most in turns) for turns in plan)
    fetched = steps * (body + head.numel()) * size + past * each * size
    return 2 * body * read / rate + max(
        2 * (body + head.numel()) * said / rate, fetched / bandwidth
    )


def _bandwidth() -> float:
    """Bytes a second, read and written."""
    a, b = torch.empty(1 << 26), torch.zeros(1 << 26)
    return 2 * a.numel() * 4 / least(lambda: a.copy_(b))


def growth(done: list[float], plan: Plan) -> float:
    """How much dearer a said token is in the last three turns than in the second to fourth."""
    seconds = [b - a for a, b in zip([0.0, *done], done, strict=False)]
    tokens = [sum(turns[n][1] for turns in plan) for n in range(len(done))]

    def cost(turns: slice) -> float:
        return sum(seconds[turns]) / sum(tokens[turns])

    return cost(slice(-3, None)) / cost(slice(1, 4))


def main() -> int:
    options = tyro.cli(Options)
    torch.set_num_threads(options.threads)
    console = Console(width=120)
    table = Table(title=f"{options.conversations} conversations of {options.turns} turns")
    for column in (
        "model",
        "way",
        "seconds",
        "ratio to ours",
        "tokens a second",
        "growth",
    ):
        table.add_column(column)
    missed = False
    ways = options.ways
    if "vllm" in ways and find_spec("vllm") is None:
        console.print("vllm is left out: it is not installed here (docs/vllm.md)")
        ways = tuple(way for way in ways if way != "vllm")
    for name in options.models:
        torch.manual_seed(0)
        model = MODELS[name]().to(torch.float32 if name in EXACT else short()).eval()
        plan = planned(options.conversations, options.turns, model.config.vocab_size)
        tokens = sum(most for turns in plan for _, most in turns)
        kind = f"{name}, {str(model.dtype).removeprefix('torch.')}"
        WAYS["ours"](model, [turns[:1] for turns in plan])  # warm: kernels are loaded
        found: dict[str, list[list[float]]] = {}
        for _ in range(1 if name == "135M" else options.rounds):
            for way in dict.fromkeys(("ours", *ways)):
                if way in WAYS:
                    found.setdefault(way, []).append(WAYS[way](model, plan))
        total = {way: median(run[-1] for run in runs) for way, runs in found.items()}
        turned = {way: runs for way, runs in found.items() if len(runs[0]) > 7}
        grown = {way: median(growth(run, plan) for run in runs) for way, runs in turned.items()}
        for way in found:
            table.add_row(
                kind,
                way,
                f"{total[way]:.2f}",
                f"{total[way] / total['ours']:.2f}",
                f"{tokens / total[way]:,.0f}",
                f"{grown[way]:.2f}" if way in grown else "",
            )
        least = roof(model, plan)
        table.add_row(kind, "roof", f"{least:.2f}", f"{least / total['ours']:.2f}", "", "")
        missed |= "generate" in total and total["generate"] < GOALS[name] * total["ours"]
        missed |= grown.get("in step", 0.0) > FLAT
        missed |= "vllm" in total and total["vllm"] < VLLM_GOALS.get(name, 0) * total["ours"]
    console.print(table)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Models of other kinds than those whose layers keep keys and values: played all the same."""

import asyncio
import random
from typing import Any

import pytest
import torch
import transformers

from sparring.agents.engines.core import Completion, Request, Sampling, Tokens
from sparring.agents.engines.local import attention, reading
from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.engines.local.flight import Flight
from sparring.agents.engines.local.grouped import Grouped
from sparring.envs.core import BadInput

WORDS = 200
HEADS = {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2}
LAYERS = {"num_hidden_layers": 2, "intermediate_size": 64}
MODELS: dict[str, dict[str, Any]] = {
    "Mamba": {"hidden_size": 32, "num_hidden_layers": 2},
    "Lfm2": {**HEADS, **LAYERS, "layer_types": ["conv", "full_attention"]},
    "Bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
    "FalconH1": {
        **HEADS,
        **LAYERS,
        "mamba_d_ssm": 32,
        "mamba_n_heads": 4,
        "mamba_d_head": 8,
        "mamba_d_state": 8,
    },
}
"""A state for each sequence; short convolutions; distances in place of positions; both in one."""


def model_of(kind: str) -> Any:
    name = {"Gemma3": "Gemma3Text"}.get(kind, kind)
    config = getattr(transformers, f"{name}Config")(vocab_size=WORDS, **(MODELS | WINDOWS)[kind])
    torch.manual_seed(0)
    model = getattr(transformers, f"{kind}ForCausalLM")(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4)  # small weights predict the same whatever they read
    return model


def prompts() -> list[Tokens]:
    luck = random.Random(0)
    lengths = [5, 9, 5, 12, 9, 5, 7]
    return [tuple(luck.choices(range(1, WORDS), k=length)) for length in lengths]


def ask(engine: LocalEngine, sampling: Sampling) -> list[Completion]:
    async def all_at_once() -> list[Completion]:
        asked = (engine.generate(Request(p, sampling, n)) for n, p in enumerate(prompts()))
        return list(await asyncio.wait_for(asyncio.gather(*asked), timeout=120))

    return asyncio.run(all_at_once())


@pytest.mark.parametrize("max_rows", [1024, 2])
@pytest.mark.parametrize("kind", MODELS)
def test_answers_are_those_of_whole_reads(
    kind: str, max_rows: int, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(kind)
    engine = LocalEngine(model, end=-1, max_rows=max_rows)
    greedy = ask(engine, Sampling(temperature=0, max_tokens=6))
    assert isinstance(engine._flight, Grouped)
    assert "reads every turn from its start" in caplog.text
    heat = 0.7
    sampled = ask(engine, Sampling(temperature=heat, max_tokens=6))
    scores = [asyncio.run(engine.score(p, [d.tokens, (1, 2)])) for p, d in said(sampled)]
    for done, scaled in ((greedy, 1.0), (sampled, heat)):
        for prompt, answer in said(done):
            ids = torch.tensor([prompt + answer.tokens])
            with torch.no_grad():
                table = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].double()
            own = torch.tensor(answer.tokens)[:, None]
            logprobs = (table / scaled).log_softmax(-1).gather(1, own)[:, 0]
            assert answer.logprobs == pytest.approx(logprobs.tolist(), abs=1e-4)
            plain = table.log_softmax(-1).gather(1, own)[:, 0]
            assert answer.plain == pytest.approx(plain.tolist(), abs=1e-4)
            if done is greedy:
                assert answer.tokens == tuple(table.argmax(-1).tolist())
    for (_, answer), (score, _) in zip(said(sampled), scores, strict=True):
        assert score == pytest.approx(sum(answer.plain), abs=1e-3)


def said(done: list[Completion]) -> list[tuple[Tokens, Completion]]:
    return list(zip(prompts(), done, strict=True))


WINDOWS: dict[str, dict[str, Any]] = {
    "Mistral": {**HEADS, **LAYERS, "sliding_window": 4},
    "Gemma3": {**HEADS, **LAYERS, "head_dim": 12, "sliding_window": 4, "sliding_window_pattern": 2},
    "Mixtral": {**HEADS, **LAYERS, "num_local_experts": 4, "sliding_window": None},
    "DeepseekV3": {
        **HEADS,
        **LAYERS,
        "num_key_value_heads": 4,
        "q_lora_rank": 16,
        "kv_lora_rank": 16,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 12,
        "first_k_dense_replace": 2,
    },
}
"""In all layers; in every other; none, but experts; keys of another size than values."""


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("kind", WINDOWS)
def test_rows_of_their_own_lengths_see_what_the_model_would(
    kind: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "SMALL", 0 if large else 1 << 40)
    monkeypatch.setattr(reading, "IN_LINE", 0 if large else 1 << 40)
    model = model_of(kind)
    engine = LocalEngine(model, end=-1)
    for prompt, answer in said(ask(engine, Sampling(temperature=0, max_tokens=6))):
        with torch.no_grad():
            table = model(input_ids=torch.tensor([prompt + answer.tokens])).logits[0]
        assert answer.tokens == tuple(table[len(prompt) - 1 : -1].argmax(-1).tolist())
    assert isinstance(engine._flight, Flight)


def test_who_leaves_does_not_hold_up_the_others() -> None:
    engine = LocalEngine(model_of("Lfm2"), end=-1)
    sampling = Sampling(temperature=0, max_tokens=6)

    async def some_leave() -> list[Any]:
        requests = [Request(p, sampling, 0) for p in prompts()]
        tasks = [asyncio.ensure_future(engine.generate(r)) for r in requests]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        everyone = asyncio.gather(*tasks, return_exceptions=True)
        return await asyncio.wait_for(everyone, timeout=60)

    stayed = asyncio.run(some_leave())[1::2]
    whole = ask(LocalEngine(model_of("Lfm2"), end=-1), sampling)[1::2]
    assert [done.tokens for done in stayed] == [done.tokens for done in whole]


def test_a_model_whose_own_cache_is_wrong_is_refused() -> None:
    config = transformers.RwkvConfig(
        vocab_size=WORDS, hidden_size=32, num_hidden_layers=2, context_length=64
    )
    torch.manual_seed(0)
    model = transformers.RwkvForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6)
    engine = LocalEngine(model, end=-1)
    for _ in range(2):  # asked again it is no better
        with pytest.raises(BadInput, match=r"kind rwkv says something else.*serve it"):
            ask(engine, Sampling(max_tokens=3))

"""Lines without fill, and the output layer where it is needed, change nothing but the cost."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from sparring.envs.core import BadInput
from sparring.training import forward
from sparring.training.batch import Batch, collate
from sparring.training.forward import Part, cut, logprobs, parts, said_logprobs
from sparring.training.rows import Row

VOCABULARY = 97
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
}
GPT2 = {
    "vocab_size": VOCABULARY,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 512,
    "eos_token_id": 1,
    "bos_token_id": 2,
}
MODELS: dict[str, dict[str, Any]] = {
    "llama": SMALL,
    "qwen3": SMALL | {"head_dim": 16},
    "gemma2": SMALL | {"head_dim": 16, "final_logit_softcapping": 2.0},  # with a sliding window
    "gemma3_text": SMALL | {"head_dim": 16},
    "cohere": SMALL | {"logit_scale": 0.25},
    "granite": SMALL | {"logits_scaling": 3.0},
    "mistral": SMALL | {"sliding_window": None},
    "olmo2": SMALL,
    "phi3": SMALL,
    "gpt_neox": {key: value for key, value in SMALL.items() if key != "num_key_value_heads"},
    "gpt2": GPT2,
}


def new(kind: str, attention: str = "sdpa", **options: Any) -> Any:
    """A tiny model of this architecture with loud random weights: a wrong mask shows."""
    config = CONFIG_MAPPING[kind](**(MODELS.get(kind, SMALL) | options))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(5.0)
    return model


def rows(lengths: list[int], seed: int = 0, *, alike: bool = True) -> list[Row]:
    """Rows of these lengths; ``alike``: with few beginnings, so that they make trees."""
    luck = random.Random(seed)
    found = []
    for length in lengths:
        start = [5, 6, 7 + luck.randrange(2)] if alike else [luck.randrange(3, VOCABULARY)]
        tokens = start + [luck.randrange(3, VOCABULARY) for _ in range(length - len(start))]
        begin = luck.randrange(len(start), length - 1)
        end = luck.randrange(begin + 1, length) + 1
        behaviour = tuple(-luck.random() for _ in range(begin, end))
        found.append(Row("a", tuple(tokens), ((begin, end),), behaviour, (luck.uniform(-1, 1),)))
    return found


def alone(model: Any, batch: Batch) -> torch.Tensor:
    """log π(· | before) at every trained token, each from a pass of its own over its ancestors."""
    found = []
    for (tree, place), before in zip(batch.where.tolist(), batch.before.tolist(), strict=True):
        seen = torch.nonzero(batch.sees[tree, place])[:, 0]
        ids = batch.ids[tree, seen[seen <= before]]
        with torch.no_grad():
            found.append(model(ids[None], use_cache=False).logits[0, -1].float().log_softmax(-1))
    return torch.stack(found)


# -- which trees share a line -------------------------------------------------------------------


def shape(part: Part) -> tuple[list[int], list[int], int]:
    return part.line.tolist(), part.offset.tolist(), part.width


def test_lines_by_hand() -> None:
    batch = collate(rows([4, 5, 6, 7, 20], alike=False), share=False)
    assert [shape(p) for p in parts(batch, 1000, 12)] == [
        ([0, 0, 1, 2], [0, 4, 0, 0], 9),  # 4 + 5 + 6 > 12, 6 + 7 > 12; 5 of fill, 15 in the lines
        ([0], [0], 20),
    ]
    assert [shape(p) for p in parts(batch, 10_000, 22)] == [([0, 0, 0, 0, 1], [0, 4, 9, 15, 0], 22)]
    assert [shape(p) for p in parts(batch, 12, 1000)][:2] == [([0, 0], [0, 4], 9), ([0], [0], 6)]
    plain = parts(batch, 1000)
    assert [p.line.tolist() for p in plain] == [[0, 1, 2], [0], [0]]  # 6 of fill, 15 in them
    assert all(p.offset.sum() == 0 for p in plain)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [True, False])
def test_hardly_any_token_is_fill(seed: int, share: bool) -> None:
    luck = random.Random(seed)
    data = rows([luck.randrange(5, 400) for _ in range(60)], seed, alike=share)
    batch = collate(data, share=share)
    model = new("llama", hidden_size=256)
    for at_once in (1024, 4096):
        found = cut(model, batch, at_once)
        read = sum((int(p.line[-1]) + 1) * p.width for p in found)
        assert int(batch.sizes.sum()) <= read <= 1.1 * int(batch.sizes.sum())
        assert all((int(p.line[-1]) + 1) * p.width <= at_once for p in found)


# -- the same numbers ---------------------------------------------------------------------------


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees share lines wherever they fit, however small the fill would be otherwise."""
    monkeypatch.setattr(
        forward, "cut", lambda model, batch, at_once: parts(batch, at_once, 4 * at_once)
    )


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize(
    ("kind", "attention"),
    [(k, a) for k in MODELS for a in ("sdpa", "eager") if (k, a) != ("gemma2", "sdpa")],
)
def test_every_architecture_gives_what_rows_alone_give(kind: str, attention: str) -> None:
    model = new(kind, attention)
    for share in (True, False):
        batch = collate(rows([5, 6, 8, 9, 12, 13, 13, 30]), share=share)
        expected = alone(model, batch)
        found = logprobs(model, batch, 48)
        assert max(len(p.line) for p in forward.cut(model, batch, 48)) > 1
        assert torch.allclose(found, expected, atol=2e-4), (found - expected).abs().max()
        said = expected.gather(1, batch.chosen[:, None])[:, 0]
        assert torch.allclose(said_logprobs(model, batch, 48), said, atol=2e-4)


def gradient(model: Any, batch: Batch, at_once: int) -> torch.Tensor:
    model.zero_grad(set_to_none=True)
    found = logprobs(model, batch, at_once)
    (found.gather(1, batch.chosen[:, None])[:, 0] * (batch.gain - batch.cost)).sum().backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("share", [True, False])
def test_the_gradient_does_not_depend_on_lines(
    share: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = new("gemma2", "eager")
    batch = collate(rows([5, 6, 8, 9, 12, 13, 13, 30, 31, 64]), share=share)
    expected = gradient(model, batch, 1)  # every tree a pass of its own
    monkeypatch.setattr(forward, "cut", lambda model, batch, at_once: parts(batch, at_once, 90))
    found = gradient(model, batch, 200)
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


def test_the_output_layer_reads_what_it_must_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "IDLE", 0)
    model = new("llama")
    batch = collate(rows([5, 6, 8, 9, 12, 13, 13, 30]))
    trees = batch.where[:, 0].tolist()
    needed = len(set(zip(trees, batch.before.tolist(), strict=True)))
    read: list[int] = []
    model.lm_head.register_forward_hook(lambda _, given, out: read.append(out.shape[:-1].numel()))
    cut(model, batch, 1000)  # asks what masks the model takes
    read.clear()
    logprobs(model, batch, 1000)
    assert sum(read) == needed < batch.ids.numel()
    read.clear()
    with torch.no_grad():
        assert model(batch.ids).logits.shape[:2] == batch.ids.shape  # as ever, afterwards


def test_a_model_without_an_output_layer_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    model = new("llama")
    batch = collate(rows([5, 6, 8, 9, 12]))
    expected = logprobs(model, batch, 1000)
    monkeypatch.setattr(model, "get_output_embeddings", lambda: None)
    assert torch.allclose(logprobs(model, batch, 1000), expected, atol=1e-5)


# -- models that take no mask of ours -----------------------------------------------------------

BLOOM = {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 2}
MAMBA = {"vocab_size": VOCABULARY, "hidden_size": 32, "state_size": 4, "num_hidden_layers": 2}


@pytest.mark.parametrize(("kind", "options"), [("bloom", BLOOM), ("mamba", MAMBA)])
def test_models_that_take_no_mask_have_a_row_a_line(kind: str, options: dict[str, Any]) -> None:
    config = CONFIG_MAPPING[kind](**options)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config).eval()
    data = rows([5, 6, 8, 9, 12, 13, 30])
    with pytest.raises(BadInput, match=r"no-share-prefixes") as fault:
        logprobs(model, collate(data), 1000)
    assert kind in str(fault.value)
    assert "\n" not in str(fault.value)
    batch = collate(data, share=False)
    assert torch.allclose(logprobs(model, batch, 1000), alone(model, batch), atol=2e-4)


def test_rows_longer_than_a_sliding_window_are_not_shared() -> None:
    model = new("mistral", sliding_window=16)
    short = collate(rows([5, 6, 8, 9, 12, 13]))
    assert torch.allclose(logprobs(model, short, 1000), alone(model, short), atol=2e-4)
    (one,) = rows([40])
    other = replace(one, tokens=(*one.tokens[:-1], 3))
    long = [one, other]
    with pytest.raises(BadInput, match="16 tokens back"):
        logprobs(model, collate(long), 1000)
    batch = collate(long, share=False)
    assert torch.allclose(logprobs(model, batch, 1000), alone(model, batch), atol=2e-4)


def test_the_embedded_model_in_half_the_bits(new_model: Callable[..., Any]) -> None:
    model = new_model(seed=1, loud=3.0).to(torch.bfloat16)
    batch = collate(rows([5, 6, 8, 9, 12, 13]))
    found = logprobs(model, batch, 1000).detach()
    assert found.dtype == torch.float32
    assert float((found - alone(model, batch)).abs().mean()) < 0.1

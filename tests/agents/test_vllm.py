"""vLLM as an engine, for real: on a CPU, in float32, against the model that it serves.

Without vLLM these are skipped; with SPARRING_VLLM=PATH they run in that python. docs/vllm.md says
how to install it.
"""

import asyncio
import importlib
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from scipy.stats import chisquare
from transformers import LlamaConfig, LlamaForCausalLM
from whole_reads import GREEDY, after, ask, by_generate, prompts, spoken_end

from sparring.agents.engines.core import Completion, Request, Sampling, Tokens
from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.engines.vllm import weights as served_weights
from sparring.agents.engines.vllm.engine import VLLMEngine
from sparring.envs.core import BadInput

ROOT = Path(__file__).parents[2]
HERE = find_spec("vllm") is not None
OTHER = os.environ.get("SPARRING_VLLM")

pytestmark = pytest.mark.vllm
needed = pytest.mark.skipif(not HERE, reason="needs vLLM: make test-vllm, or see docs/vllm.md")

NewModel = Callable[..., Any]
SMALL = 1 << 26  # bytes of keys and values
CLOSE = 1e-4  # nats


@pytest.mark.skipif(HERE or not OTHER, reason="SPARRING_VLLM names a python that has vLLM")
def test_all_of_these_in_another_python() -> None:
    assert OTHER
    given = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "SPARRING_"))}
    given["PYTHONPATH"] = str(ROOT / ".static")
    files = ["tests/agents/test_vllm.py", "tests/training/test_served.py"]
    command = [OTHER, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "vllm", *files]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def model(new_model: NewModel) -> Any:
    """A Qwen3 whose output layer is its embedding."""
    return new_model()


@pytest.fixture(scope="module")
def end(model: Any) -> int:
    """A token that this model does say."""
    return spoken_end(model)


@pytest.fixture(scope="module")
def shared() -> Iterator[list[VLLMEngine]]:
    """The engine of ``model``, while there is one: a process has one vLLM at a time.

    It starts although our own engine's kernel, and so numba, was there before.
    """
    importlib.import_module("sparring.agents.engines.local.compiled")
    made: list[VLLMEngine] = []
    yield made
    for one in made:
        one.close()


@pytest.fixture
def engine(shared: list[VLLMEngine], model: Any, end: int) -> VLLMEngine:
    def spelled(tokens: Tokens) -> str:
        return "".join(f"<{t}>" for t in tokens)

    if not shared:
        shared.append(VLLMEngine(model, end=end, memory=SMALL, decode=spelled))
    return shared[0]


@pytest.fixture
def alone(shared: list[VLLMEngine]) -> None:
    """For tests that make an engine of their own."""
    while shared:
        shared.pop().close()


def untied() -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        initializer_range=0.2,
    )
    return LlamaForCausalLM(config).eval()


def summed(model: Any, prompt: Tokens, more: Tokens) -> float:
    """log P(more | prompt) of the model."""
    table = after(model, prompt + more)[len(prompt) - 1 : -1]
    return float(table.gather(1, torch.tensor(more)[:, None]).sum())


def told(model: Any, request: Request, done: Completion) -> torch.Tensor:
    """log P(next token) of the model at each token of an answer: [T, V]."""
    return after(model, request.prompt + done.tokens)[len(request.prompt) - 1 : -1]


def far(model: Any, requests: Sequence[Request], done: Sequence[Completion]) -> float:
    """The largest distance of a log-probability from the model's, which is what was sampled."""
    return max(
        abs(float(row[token]) - logprob)
        for request, one in zip(requests, done, strict=True)
        for row, token, logprob in zip(
            told(model, request, one), one.tokens, one.logprobs, strict=True
        )
    )


# -- what is said -----------------------------------------------------------------------------


@needed
def test_greedy_is_generate_token_for_token(model: Any, end: int, engine: VLLMEngine) -> None:
    asked = [*prompts(16, 40), *prompts(3, 3, seed=1)]
    done = ask(engine, [Request(p, GREEDY, 0) for p in asked])
    assert [d.tokens for d in done] == [by_generate(model, p, end) for p in asked]
    lengths = [len(d.tokens) for d in done]
    assert min(lengths) < GREEDY.max_tokens, "no answer ended by itself: the test shows too little"
    assert max(lengths) == GREEDY.max_tokens
    local = ask(LocalEngine(model, end=end), [Request(p, GREEDY, 0) for p in asked])
    for ours, theirs in zip(local, done, strict=True):
        assert theirs.tokens == ours.tokens
        assert theirs.logprobs == pytest.approx(ours.logprobs, abs=CLOSE)
        assert theirs.plain == pytest.approx(ours.plain, abs=CLOSE)


@needed
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0.7),
        Sampling(temperature=1.5, top_k=5),
        Sampling(temperature=1.2, top_p=0.6),
        Sampling(top_k=7, top_p=0.8),
    ],
)
def test_logprobs_are_of_what_was_sampled_from_and_plain(
    model: Any, engine: VLLMEngine, sampling: Sampling
) -> None:
    asked = [Request(p, sampling, s) for s, p in enumerate(prompts(12, 40, seed=2))]
    kept = []
    for request, done in zip(asked, ask(engine, asked), strict=True):
        for i, row in enumerate(told(model, request, done)):
            token = done.tokens[i]
            assert done.plain[i] == pytest.approx(float(row[token]), abs=CLOSE)
            hot = (row / sampling.temperature).log_softmax(-1)
            left = cut(hot, sampling)
            assert left[token], "it cannot be sampled"
            expected = float(hot[token] - hot[left].logsumexp(0))
            assert done.logprobs[i] == pytest.approx(expected, abs=CLOSE)
            kept.append(int(left.sum()))
    assert len(set(kept)) > 1 or sampling.top_p == 1
    assert (min(kept) < 300) == (sampling.top_k > 0 or sampling.top_p < 1)


def cut(logprobs: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Which tokens are left: top-k, then of what is left renormalised top-p, as vLLM has it."""
    best = logprobs.topk(sampling.top_k or len(logprobs))
    p = best.values.softmax(-1)
    stays = best.indices[(p.cumsum(-1) - p) < sampling.top_p]
    return torch.zeros_like(logprobs, dtype=torch.bool).index_fill(0, stays, True)


@needed
def test_tokens_come_as_often_as_softmax_says(model: Any, engine: VLLMEngine) -> None:
    (prompt,) = prompts(1, 12, seed=7)
    sampling = Sampling(temperature=2.0, max_tokens=1)
    done = ask(engine, [Request(prompt, sampling, s) for s in range(3000)])
    tokens = [d.tokens[0] for d in done]
    p = (after(model, prompt)[-1] / 2).softmax(-1).numpy()
    assert fits(p, tokens)
    colder = (after(model, prompt)[-1] / 1.4).softmax(-1).numpy()
    assert not fits(colder, tokens), "the test would not see a difference"


def fits(p: np.ndarray, tokens: Sequence[int]) -> bool:
    expected = p * len(tokens)
    seen = np.bincount(tokens, minlength=len(p))
    order = np.argsort(-expected)
    large = int((expected >= 10).sum())
    assert large >= 4, "the test needs some likely tokens"
    groups = [*([i] for i in order[:large]), order[large:]]
    totals = [expected[g].sum() for g in groups]
    return bool(chisquare([seen[g].sum() for g in groups], totals).pvalue > 1e-3)


@needed
def test_seeds_fix_the_answer(engine: VLLMEngine) -> None:
    (prompt,) = prompts(1, 12)
    hot = Sampling(temperature=2.0, max_tokens=10)
    seeds = [*range(20), 2**63 - 1]
    first = ask(engine, [Request(prompt, hot, s) for s in seeds])
    again = ask(engine, [Request(prompt, hot, s) for s in reversed(seeds)])
    assert [d.tokens for d in reversed(again)] == [d.tokens for d in first]
    (alone,) = ask(engine, [Request(prompt, hot, 5)])
    assert alone.tokens == first[5].tokens, "whoever else is in the batch"
    assert len({d.tokens for d in first}) > 10


@needed
@pytest.mark.parametrize("heat", [0.0, 1.0])
def test_choices(model: Any, end: int, engine: VLLMEngine, heat: float) -> None:
    four, nine = next((a, b) for a in range(4, 60) for b in range(60, 99) if end not in (a, b))
    choices = ((four, 5, end), (nine, end), (four, 6, end))
    asked = [Request((8, 9), Sampling(temperature=heat), s, choices) for s in range(300)]
    done = ask(engine, asked)
    table = after(model, (8, 9))[-1]
    share = sum(d.tokens[0] == four for d in done) / len(done)
    expected = math.exp(table[four] - table[[four, nine]].logsumexp(0))
    if heat:
        assert {d.tokens for d in done} == set(choices)
        assert share == pytest.approx(expected, abs=0.1)
    else:
        assert share == (expected > 0.5)
    for request, one in zip(asked, done, strict=True):
        row = told(model, request, one)[0]
        own = float(row[one.tokens[0]])
        assert one.plain[0] == pytest.approx(own, abs=CLOSE)
        among = own - float(row[[four, nine]].logsumexp(0))
        assert one.logprobs[0] == pytest.approx(among if heat else own, abs=CLOSE)
        if heat:
            assert one.logprobs[-1] == pytest.approx(0, abs=1e-6), "nothing else can follow"


@needed
def test_a_choice_without_an_end_is_not_gone_on_from(
    model: Any, end: int, engine: VLLMEngine
) -> None:
    choices = ((4, 5), (7,), (4, 5, 6, end), (4, 5, end))
    asked = [Request((8, 9), Sampling(temperature=2.0), s, choices) for s in range(60)]
    local = ask(LocalEngine(model, end=end), asked)
    done = ask(engine, asked)
    assert {d.tokens for d in done} == {d.tokens for d in local} == set(choices[1:])
    assert all(len(d.tokens) == len(d.logprobs) == len(d.plain) for d in done)


@needed
def test_stop_tokens_and_texts(model: Any, engine: VLLMEngine) -> None:
    end, engine.end = engine.end, -1
    try:
        for prompt in prompts(3, 30, seed=5):
            whole = by_generate(model, prompt, None)
            third = whole[2]
            upto = whole.index(third) + 1
            by_token = Sampling(temperature=0, max_tokens=10, stop_tokens=(third,))
            by_text = Sampling(temperature=0, max_tokens=10, stop=("never", f"{third}>"))
            asked = [Request(prompt, s, 0) for s in (by_token, by_text, GREEDY)]
            stopped, ended, free = ask(engine, asked)
            assert stopped.tokens == ended.tokens == whole[:upto]
            assert len(stopped.logprobs) == len(ended.logprobs) == upto
            assert free.tokens == whole
    finally:
        engine.end = end
    assert unfinished(engine) == 0


@needed
def test_what_cannot_be_asked_is_said_in_a_line(model: Any, engine: VLLMEngine) -> None:
    limit = model.config.max_position_embeddings
    for request, words in (
        (Request((5,) * limit, Sampling(max_tokens=1), 0), str(limit)),
        (Request((), GREEDY, 0), "at least one token"),
        (Request((5,), GREEDY, 0, adapter="nobody"), "no adapter 'nobody'"),
        (Request((5,), Sampling(temperature=2.5), 0), "0.01 to 2"),
        (Request((5,), Sampling(temperature=0.001), 0), "0.01 to 2"),
    ):
        with pytest.raises(BadInput, match=words):
            ask(engine, [request])
    decode, engine.decode = engine.decode, None
    with pytest.raises(BadInput, match="decode"):
        ask(engine, [Request((5,), Sampling(stop=("a",)), 0)])
    engine.decode = decode
    with pytest.raises(BadInput, match=str(limit)):
        asyncio.run(engine.score((5,) * limit, [(6,)]))
    assert ask(engine, [Request((5,), GREEDY, 0)])[0].tokens, "and it goes on working"


@needed
def test_scores_are_the_sums_of_a_full_read(model: Any, end: int, engine: VLLMEngine) -> None:
    endings = [*prompts(4, 6, seed=3), (5, end, 6), (7,), (8,), (7,)]
    for prompt in prompts(4, 60, seed=1):
        found = asyncio.run(engine.score(prompt, endings))
        for score, more in zip(found, endings, strict=True):
            assert score == pytest.approx(summed(model, prompt, more), abs=CLOSE * len(more))
        assert found[-1] == found[-3]


# -- how it works -----------------------------------------------------------------------------


def unfinished(engine: VLLMEngine) -> int:
    return int(engine._steps.do(lambda core: core.get_num_unfinished_requests()))


def read_before(engine: VLLMEngine, prompt: Tokens) -> int:
    """How many tokens of a prompt vLLM need not read again."""
    (output,) = engine._steps.now([engine._asked(Request(prompt, Sampling(max_tokens=1), 0))])
    return int(output.num_cached_tokens)


@needed
def test_what_was_read_is_not_read_again_until_it_is_forgotten(engine: VLLMEngine) -> None:
    prompt = tuple(random.Random(1).choices(range(300), k=100))
    assert read_before(engine, prompt) == 0
    assert read_before(engine, prompt) == 96, "three blocks of 32"
    assert read_before(engine, (*prompt[:70], 1, 2, 3)) == 64
    engine.forget()
    assert read_before(engine, prompt) == 0


@needed
def test_every_event_loop_is_served(model: Any, end: int, engine: VLLMEngine) -> None:
    """Also after one that ended while requests were in flight."""
    asked = [Request(p, GREEDY, 0) for p in prompts(6, 9)]
    expected = [by_generate(model, r.prompt, end) for r in asked]

    async def leave_some_unanswered() -> None:
        tasks = [asyncio.ensure_future(engine.generate(request)) for request in asked]
        await asyncio.sleep(0.01)
        assert not all(task.done() for task in tasks)

    for _ in range(3):
        asyncio.run(leave_some_unanswered())
        assert [d.tokens for d in ask(engine, asked)] == expected
    assert unfinished(engine) == 0


@needed
def test_cancelled_requests_leave_the_others_their_answers(
    model: Any, end: int, engine: VLLMEngine
) -> None:
    asked = [Request(p, GREEDY, 0) for p in prompts(6, 9)]
    long = Sampling(max_tokens=500)

    async def some_leave() -> list[Any]:
        end, engine.end = engine.end, -1
        endless = [asyncio.ensure_future(engine.generate(Request((5,), long, n))) for n in range(3)]
        await asyncio.sleep(0.1)  # they are in vLLM by now
        engine.end = end
        tasks = [asyncio.ensure_future(engine.generate(r)) for r in asked]
        await asyncio.sleep(0)  # all have asked
        for task in (*endless, *tasks[::2]):
            task.cancel()
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=60)

    answers = asyncio.run(some_leave())
    assert all(isinstance(a, asyncio.CancelledError) for a in answers[::2])
    stayed = [a.tokens for a in answers[1::2]]
    assert stayed == [by_generate(model, r.prompt, end) for r in asked[1::2]]
    assert unfinished(engine) == 0


@needed
def test_the_event_loop_goes_on_while_vllm_computes(engine: VLLMEngine) -> None:
    async def counted() -> int:
        turns = 0
        asked = (Request((5, n), Sampling(max_tokens=30, temperature=2.0), n) for n in range(64))
        waiting = asyncio.gather(*(engine.generate(r) for r in asked))
        while not waiting.done():
            await asyncio.sleep(0.001)
            turns += 1
        return turns

    assert asyncio.run(counted()) > 40, "more turns of the loop than steps of the model"


@needed
def test_a_failure_reaches_everyone_who_waits_and_then_it_works_again(
    model: Any, end: int, engine: VLLMEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def waiting() -> list[Any]:
        asked = [engine.generate(Request(p, GREEDY, 0)) for p in prompts(5, 9)]
        return await asyncio.gather(*asked, return_exceptions=True)

    def broken() -> Any:
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(engine._steps.core, "step", broken)
        faults = asyncio.run(asyncio.wait_for(waiting(), timeout=60))
    assert [str(f) for f in faults] == ["no room"] * 5
    found = asyncio.run(waiting())
    assert [d.tokens for d in found] == [by_generate(model, p, end) for p in prompts(5, 9)]


@needed
def test_chance_and_threads_of_the_process_are_left_alone(alone: None) -> None:
    model = untied()
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    made = VLLMEngine(model, end=1, memory=SMALL)
    ask(made, [Request((5,), Sampling(), s) for s in range(5)])
    made.close()
    assert states == (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
    )
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)


@needed
def test_a_process_has_one_vllm_at_a_time(model: Any, engine: VLLMEngine) -> None:
    with pytest.raises(BadInput, match="close it first"):
        VLLMEngine(model, end=1, memory=SMALL)
    assert ask(engine, [Request((5,), GREEDY, 0)])[0].tokens


@needed
def test_nothing_is_left_after_closing() -> None:
    script = """
import threading
import psutil
from transformers import LlamaConfig, LlamaForCausalLM
from sparring.agents.engines.vllm.engine import VLLMEngine

if __name__ == "__main__":
    sizes = {"vocab_size": 99, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
    model = LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=2)).eval()
    engine = VLLMEngine(model, end=1, memory=1 << 26)
    engine.close()
    VLLMEngine(model, end=1, memory=1 << 26).close()
    engine.close()
    assert not psutil.Process().children(recursive=True)
    assert not [t for t in threading.enumerate() if t.name.startswith("vllm")]
    print("nothing is left")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "nothing is left" in done.stdout


# -- weights ----------------------------------------------------------------------------------


def change(model: Any, seed: int) -> None:
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.3 * weight.std().nan_to_num(1.0))


@needed
@pytest.mark.parametrize("tied", [True, False])
def test_all_weights_are_followed(alone: None, new_model: NewModel, tied: bool) -> None:
    """A new version each time, whatever was read before; and none without being told."""
    model = new_model() if tied else untied()
    assert model.config.tie_word_embeddings == tied
    asked = [Request(p, Sampling(max_tokens=12), s) for s, p in enumerate(prompts(8, 60))]
    made = VLLMEngine(model, end=-1, memory=SMALL)
    try:
        for seed in range(3):
            done = ask(made, asked)
            assert far(model, asked, done) < CLOSE
            change(model, seed)
            still = ask(made, asked)
            assert [d.tokens for d in still] == [d.tokens for d in done], "it has its own copy"
            assert far(model, asked, still) > 0.1, "the test would not see a difference"
            made.publish(model)
        assert far(model, asked, ask(made, asked)) < CLOSE
    finally:
        made.close()


@needed
def test_weights_that_did_not_arrive_are_noticed(
    alone: None, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU vLLM's own reload leaves a tied output layer as it was."""
    monkeypatch.setattr(served_weights, "_prepare_outputs", lambda served: None)
    with pytest.raises(BadInput, match=r"nats a token .* leave --engine vllm out"):
        VLLMEngine(model, end=-1, memory=SMALL)


@needed
def test_bfloat16_is_near(alone: None, new_model: NewModel) -> None:
    model = new_model(loud=3.0).to(torch.bfloat16)
    made = VLLMEngine(model, end=-1, dtype=torch.bfloat16, memory=SMALL)
    asked = [Request(p, Sampling(max_tokens=12), s) for s, p in enumerate(prompts(8, 60))]
    done = ask(made, asked)
    made.close()
    assert 1e-6 < far(model.float(), asked, done) < 0.1


@needed
def test_weights_are_not_exchanged_under_a_request(engine: VLLMEngine, model: Any) -> None:
    async def while_waiting() -> None:
        waiting = asyncio.ensure_future(engine.generate(Request((5,), GREEDY, 0)))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="in flight"):
            engine.publish(model)
        await waiting

    asyncio.run(while_waiting())
    engine.publish(model)


@needed
def test_sleep_changes_nothing_that_is_said(engine: VLLMEngine) -> None:
    asked = [Request(p, GREEDY, 0) for p in prompts(4, 9)]
    before = ask(engine, asked)
    engine.sleep()
    assert ask(engine, asked) == before
    engine.sleep()
    engine.wake()
    assert ask(engine, asked) == before


# -- adapters ---------------------------------------------------------------------------------


@needed
@pytest.mark.parametrize("name", ["default", "attacker"])
def test_an_adapter_is_followed_from_version_to_version(
    alone: None, new_model: NewModel, name: str
) -> None:
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(new_model(), config, adapter_name=name).eval()
    model.add_adapter("other", config)
    change_adapters(model, 9)
    model.set_adapter(name)
    asked = [Request(p, Sampling(max_tokens=12), s) for s, p in enumerate(prompts(6, 60))]
    made = VLLMEngine(model, end=-1, rank=4, adapters=2, memory=SMALL)
    try:
        for seed in range(3):
            done = ask(made, asked)
            assert far(model, asked, done) < CLOSE
            change_adapters(model, seed)
            assert far(model, asked, ask(made, asked)) > 0.1, "it has its own copy"
            made.publish(model)
        loaded = made._steps.do(lambda core: core.list_loras())
        assert len(loaded) == 1, "earlier versions are gone"
        pairs = [(r.prompt, more) for r in asked for more in prompts(3, 4, seed=8)]

        async def scores() -> list[list[float]]:
            return list(await asyncio.gather(*(made.score(p, [more]) for p, more in pairs)))

        for (prompt, more), (score,) in zip(pairs, asyncio.run(scores()), strict=True):
            assert score == pytest.approx(summed(model, prompt, more), abs=CLOSE * len(more))
        made.publish_adapter(model, "other")
        others = [Request(r.prompt, r.sampling, r.seed, adapter="other") for r in asked]
        done = ask(made, [*asked, *others])  # in one batch
        assert far(model, asked, done[: len(asked)]) < CLOSE
        model.set_adapter("other")
        assert far(model, others, done[len(asked) :]) < CLOSE
        assert far(model, asked, done[: len(asked)]) > 0.1
    finally:
        made.close()


def change_adapters(model: Any, seed: int) -> None:
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5)


# -- where it is not --------------------------------------------------------------------------


def test_without_vllm_a_line_says_what_to_do(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"pip install 'sparring\[vllm\]'.*docs/vllm.md"):
        VLLMEngine(model, end=1)

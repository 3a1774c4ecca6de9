"""The in-process engine: its cache, its shared rows and its batches change nothing of what is said.

The reference is the model itself: ``generate`` of transformers, or one whole sequence read at once.
"""

import asyncio
import copy
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from scipy.stats import chisquare
from whole_reads import GREEDY, after, ask, by_generate, prompts, spoken_end

from sparring.agents.engines.core import Request, Sampling, Tokens
from sparring.agents.engines.local import attention, reading
from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.engines.local.kept import Columns, Kept
from sparring.agents.engines.local.slots import Slots
from sparring.envs.core import BadInput

NewModel = Callable[..., Any]
PLAIN = Sampling(max_tokens=10)
BARE = "__base__"  # without any adapter
TOKEN = 512  # bytes of the keys and values of one token of the tests' model


class Reader:
    """A model that counts the token places that it is given to read."""

    def __init__(self, model: Any):
        self.model = model
        self.read = 0
        self.calls: list[tuple[int, int]] = []

    def __call__(self, **given: Any) -> Any:
        self.calls.append(tuple(given["input_ids"].shape))
        self.read += given["input_ids"].numel()
        return self.model(**given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def ready(reader: Reader, end: int) -> LocalEngine:
    """An engine that has found out what kind of model it has; counting begins now."""
    engine = LocalEngine(reader, end=end)
    ask(engine, [Request((1,), GREEDY, 0)])
    engine.forget()
    reader.calls.clear()
    reader.read = 0
    return engine


@pytest.fixture(params=["small", "large"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As small batches are read, and as large ones: by our kernel, and with prompts in one line."""
    large = request.param == "large"
    monkeypatch.setattr(attention, "SMALL", 0 if large else math.inf)
    monkeypatch.setattr(reading, "IN_LINE", 0 if large else math.inf)


@pytest.fixture(scope="module")
def model(new_model: NewModel) -> Any:
    return new_model()


@pytest.fixture(scope="module")
def end(model: Any) -> int:
    """An end token that this model does say: what it says most often, left alone."""
    return spoken_end(model)


def in_full(model: Any, prompt: Tokens, tokens: Tokens, heat: float = 1.0) -> list[float]:
    """log P of each of ``tokens`` after ``prompt``, by one read of the whole."""
    table = (after(model, prompt + tokens) / heat).log_softmax(-1)
    return [float(table[len(prompt) + i - 1, t]) for i, t in enumerate(tokens)]


def talk(
    engine: LocalEngine, turns: int, sampling: Sampling, number: int = 7
) -> list[list[tuple[Tokens, Tokens, tuple[float, ...]]]]:
    """Conversations of several turns, ragged: (prompt, tokens, logprobs) of each turn of each."""
    luck = random.Random(3)
    held: list[Tokens] = [()] * number
    found: list[list[tuple[Tokens, Tokens, tuple[float, ...]]]] = [[] for _ in range(number)]
    for turn in range(turns):
        more = prompts(number, 15, seed=10 + turn)
        asking = [c for c in range(number) if turn == 0 or luck.random() < 0.8]
        requests = [Request(held[c] + more[c], sampling, 100 * turn + c) for c in asking]
        for c, request, done in zip(asking, requests, ask(engine, requests), strict=True):
            held[c] = request.prompt + done.tokens
            found[c].append((request.prompt, done.tokens, done.logprobs))
    return found


# -- greedy: the words of transformers' own loop ----------------------------------------------


@pytest.mark.usefixtures("either_way")
def test_greedy_is_generate_token_for_token(model: Any, end: int) -> None:
    asked = [*prompts(16, 40), *prompts(3, 3, seed=1)]
    done = ask(LocalEngine(model, end=end), [Request(p, GREEDY, 0) for p in asked])
    assert [d.tokens for d in done] == [by_generate(model, p, end) for p in asked]
    lengths = [len(d.tokens) for d in done]
    assert min(lengths) < GREEDY.max_tokens, "no answer ended by itself: the test shows too little"
    assert max(lengths) == GREEDY.max_tokens
    for d in done:
        assert end not in d.tokens[:-1]
        assert d.tokens[-1] == end or len(d.tokens) == GREEDY.max_tokens


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("memory", [1 << 30, 300 << 10, 130 << 10], ids=["all", "some", "little"])
def test_greedy_over_turns_is_generate(model: Any, end: int, memory: int) -> None:
    """With all that was read before kept, with some of it dropped, and hardly room to work."""
    engine = LocalEngine(model, end=end, memory=memory)
    turns = [t for c in talk(engine, 4, GREEDY) for t in c]
    assert len(turns) > 20
    for prompt, tokens, _ in turns:
        assert tokens == by_generate(model, prompt, end)


def test_forgetting_between_turns_changes_nothing(model: Any, end: int) -> None:
    class Forgetful(LocalEngine):
        def _step(self) -> None:
            self.forget()
            super()._step()

    kept = talk(LocalEngine(model, end=end), 3, GREEDY)
    lost = talk(Forgetful(model, end=end), 3, GREEDY)
    assert [[t[1] for t in c] for c in kept] == [[t[1] for t in c] for c in lost]


def test_forget_brings_the_answers_of_new_weights(new_model: NewModel, end: int) -> None:
    model = new_model(seed=1)
    engine = LocalEngine(model, end=end)
    (prompt,) = prompts(1, 15, seed=2)
    (first,) = ask(engine, [Request(prompt, GREEDY, 0)])
    held = prompt + first.tokens
    with torch.no_grad():
        model.load_state_dict(new_model(seed=2).state_dict())
    engine.forget()
    (done,) = ask(engine, [Request((*held, 7, 8), GREEDY, 0)])
    assert done.tokens == by_generate(model, (*held, 7, 8), end)


# -- what is read ------------------------------------------------------------------------------


def test_a_turn_reads_only_what_is_new(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = ready(reader, end)
    prompt = prompts(1, 60, seed=4)[0] * 3
    (first,) = ask(engine, [Request(prompt, GREEDY, 0)])
    held = prompt + first.tokens
    reader.calls.clear()
    ask(engine, [Request((*held, 7, 8), GREEDY, 0)])
    assert reader.calls[0] == (1, 3), "the last token said and the two new ones"


def test_the_beginning_of_new_prompts_is_read_once(model: Any, end: int) -> None:
    """By prompts that come together, and by one that comes later."""
    reader = Reader(model)
    engine = ready(reader, end)
    rules = prompts(1, 90, seed=21)[0] * 5
    one = Sampling(temperature=0, max_tokens=1)
    asked = [Request((*rules, i, 5), one, 0) for i in range(8)]
    done = ask(engine, asked)
    assert reader.calls == [(1, len(rules)), (8, 2)]
    assert [d.tokens for d in done] == [by_generate(model, r.prompt, end)[:1] for r in asked]
    ask(engine, [Request((*rules, 99, 98, 97), one, 0)])
    assert reader.calls[-1] == (1, 3)


def test_equal_prompts_are_read_once(model: Any, end: int) -> None:
    reader = Reader(model)
    (prompt,) = prompts(1, 20)
    ask(ready(reader, end), [Request(prompt, Sampling(), s) for s in range(30)])
    assert reader.calls[0] == (1, len(prompt))


def test_requests_join_and_leave_between_tokens(model: Any, end: int) -> None:
    """A short answer is there before a long one is done, and who comes in the middle is served."""
    engine = LocalEngine(model, end=-1)
    order: list[str] = []
    a, b, c = (p * 2 for p in prompts(3, 9, seed=30))

    async def said(name: str, prompt: Tokens, most: int) -> Tokens:
        done = await engine.generate(Request(prompt, Sampling(temperature=0, max_tokens=most), 0))
        order.append(name)
        return done.tokens

    async def games() -> list[Tokens]:
        async def first_short() -> list[Tokens]:
            return [await said("short", b, 2), await said("next", c, 3)]

        long, both = await asyncio.gather(said("long", a, 10), first_short())
        return [long, *both]

    tokens = asyncio.run(games())
    assert order == ["short", "next", "long"]
    whole = [by_generate(model, p, None) for p in (a, b, c)]
    assert tokens == [whole[0], whole[1][:2], whole[2][:3]]


def test_what_was_used_longest_ago_goes_first(model: Any, end: int) -> None:
    each = 20 * TOKEN
    kept = Kept(2 * each)
    a, b, c = (("", tuple(range(i, i + 20))) for i in (20, 120, 220))
    for key in (a, b):
        kept.keep(key, Columns((), each))
    assert kept.longest(("", (*a[1][:7], 0)))[0] == 7  # used just now, so b goes
    kept.keep(c, Columns((), each))
    assert a in kept
    assert c in kept
    assert b not in kept
    assert kept.bytes == 2 * each
    assert not kept.wants(("", tuple(range(60))), 3 * each), "larger than the whole budget"


def test_a_longer_sequence_takes_the_place_of_its_beginnings() -> None:
    kept = Kept(1 << 20)
    for length in (3, 5, 8):
        kept.keep(("", tuple(range(length))), Columns((), 10))
    kept.keep(("other", (0, 1)), Columns((), 10))
    assert len(kept) == 2
    assert not kept.wants(("", (0, 1, 2)), 10)
    assert kept.wants(("other", (0, 1, 2)), 10)
    assert kept.longest(("", (0, 1, 9)))[0] == 2
    assert kept.longest(("no one", (0, 1, 9))) == (0, None)


def test_memory_stays_within_its_budget(model: Any, end: int) -> None:
    """Of what is kept and what is worked on together, at every moment; and all get their answers,
    also when a crowd comes and what was kept has to go."""
    memory = 400 << 10
    engine = LocalEngine(model, end=end, memory=memory)
    roomy = LocalEngine(model, end=end)
    for number, length, seed in ((20, 20, 1), (60, 40, 9), (100, 30, 2)):
        said = enumerate(prompts(number, length, seed=seed))
        asked = [Request(p, Sampling(max_tokens=30), s) for s, p in said]
        assert [d.tokens for d in ask(engine, asked)] == [d.tokens for d in ask(roomy, asked)]
        assert memory / 2 < engine.peak_memory <= memory


def test_an_engine_that_forgot_is_as_a_new_one(model: Any, end: int) -> None:
    """To the last digit, and in what it reads, whatever it was asked before."""
    new, old = (LocalEngine(model, end=end, memory=4 << 20) for _ in range(2))
    for engine in (new, old):
        engine._prefill.read_at_once = 500  # several passes in a step
    ask(old, [Request(p, PLAIN, 0) for p in prompts(60, 50, seed=1)])
    old.forget()
    before = old.read_tokens

    async def scores(engine: LocalEngine, more: Tokens) -> list[Any]:
        begun = prompts(100, 90, seed=5)
        return await asyncio.gather(*(engine.score(p, [more, more[:1]]) for p in begun))

    for more in ((3, 4), (3, 4, 5, 6)):
        assert asyncio.run(scores(old, more)) == asyncio.run(scores(new, more))
    assert old.read_tokens - before == new.read_tokens


def test_a_conversation_that_cannot_fit_is_refused(model: Any, end: int) -> None:
    engine = LocalEngine(model, end=end, memory=TOKEN * 70)
    with pytest.raises(BadInput, match="allow it more, or play a shorter game"):
        ask(engine, [Request(tuple(range(150)), GREEDY, 0)])
    (done,) = ask(engine, [Request((5, 6), GREEDY, 0)])
    assert done.tokens == by_generate(model, (5, 6), end)


def test_out_of_memory_lowers_the_batch_and_says_so(
    model: Any, end: int, caplog: pytest.LogCaptureFixture
) -> None:
    class Small(Reader):
        def __call__(self, **given: Any) -> Any:
            if len(given["input_ids"]) > 5:
                raise torch.OutOfMemoryError("too much")
            return super().__call__(**given)

    asked = [Request(p, Sampling(max_tokens=8), s) for s, p in enumerate(prompts(30, 40, seed=9))]
    done = ask(engine := LocalEngine(Small(model), end=end), asked)
    assert [d.tokens for d in done] == [d.tokens for d in ask(LocalEngine(model, end=end), asked)]
    assert engine.max_rows <= 5
    assert "out of memory: working on at most" in caplog.text


@pytest.mark.parametrize("rows", [4, 8, 16])
def test_a_long_prompt_waits_and_stops_nobody(model: Any, end: int, rows: int) -> None:
    """All fit one after another, but not the long one beside the others."""
    engine = LocalEngine(model, end=end, memory=rows * 64 * TOKEN)
    asked = [Request(p, GREEDY, 0) for p in prompts(2 * rows, 9, seed=9)]
    asked.insert(rows // 2, Request(tuple(range(1, 180)), GREEDY, 0))
    done = ask(engine, asked)
    assert [d.tokens for d in done] == [by_generate(model, r.prompt, end) for r in asked]


def test_a_request_that_cannot_fit_fails_alone(model: Any, end: int) -> None:
    engine = LocalEngine(model, end=end, memory=TOKEN * 70)

    async def together() -> list[Any]:
        short, long = Request((5, 6), GREEDY, 0), Request(tuple(range(150)), GREEDY, 0)
        asked = [engine.generate(short), engine.generate(long), engine.score(long.prompt, [(1,)])]
        waiting = asyncio.gather(*asked, engine.score((5,), [(6,)]), return_exceptions=True)
        return await asyncio.wait_for(waiting, timeout=60)

    for _ in range(2):  # before and after it is known how large a token is
        answer, *faults, score = asyncio.run(together())
        assert answer.tokens == by_generate(model, (5, 6), end)
        assert all(isinstance(fault, BadInput) for fault in faults)
        assert score == [pytest.approx(float(after(model, (5,))[0, 6]), abs=1e-4)]


def test_after_a_crowd_conversations_are_kept_again(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = LocalEngine(reader, end=-1, memory=6 * 64 * TOKEN)
    ask(engine, [Request(p, GREEDY, 0) for p in prompts(30, 9, seed=9)])
    (first,) = ask(engine, [Request((1, 2, 3), GREEDY, 0)])
    reader.read = 0
    one = Sampling(temperature=0, max_tokens=1)
    ask(engine, [Request((1, 2, 3, *first.tokens, 7), one, 0)])
    assert reader.read == 2, "the last token said and the new one"


def test_answers_that_were_over_when_memory_ran_out_are_over(
    model: Any, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are read again then; an answer with its last token must not go on."""
    copy, calls = Slots.copy, count(1)

    def sometimes(slots: Slots, row: int, tokens: int) -> Columns:
        if next(calls) == 2:
            raise torch.OutOfMemoryError("too much")
        return copy(slots, row, tokens)

    asked = [Request(p, Sampling(max_tokens=5), s) for s, p in enumerate(prompts(4, 9))]
    calm = ask(LocalEngine(model, end=-1), asked)
    monkeypatch.setattr(Slots, "copy", sometimes)
    assert [d.tokens for d in ask(LocalEngine(model, end=-1), asked)] == [d.tokens for d in calm]


# -- log-probabilities ------------------------------------------------------------------------


@pytest.mark.usefixtures("either_way")
def test_a_bfloat16_model_attends_in_float32_on_a_cpu(new_model: NewModel, end: int) -> None:
    """That is no further from the truth than the model's own attention in bfloat16."""
    exact = new_model(loud=3.0).to(torch.bfloat16).float()
    model = copy.deepcopy(exact).to(torch.bfloat16)
    engine = LocalEngine(model, end=-1)
    apart, own = 0.0, 0.0
    for prompt, tokens, logprobs in (turn for turns in talk(engine, 3, PLAIN) for turn in turns):
        true = np.array(in_full(exact, prompt, tokens))
        apart += float(np.abs(np.array(logprobs) - true).sum())
        own += float(np.abs(np.array(in_full(model, prompt, tokens)) - true).sum())
    assert {part.dtype for part in engine._reading.slots.parts} == {torch.bfloat16}
    assert model.config._attn_implementation == "sdpa", "the learner's attention is its own again"
    assert 0 < apart < 1.2 * own


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("heat", [0.0, 1.0, 0.6])
def test_logprobs_over_turns_are_those_of_a_full_read(model: Any, end: int, heat: float) -> None:
    engine = LocalEngine(model, end=end, memory=400 << 10)
    sampling = Sampling(temperature=heat, max_tokens=8)
    conversations = talk(engine, 4, sampling)
    for prompt, tokens, logprobs in (t for c in conversations for t in c):
        expected = in_full(model, prompt, tokens, heat or 1.0)
        assert logprobs == pytest.approx(expected, abs=1e-4)


@pytest.mark.usefixtures("either_way")
def test_the_whole_conversation_read_once_agrees(model: Any, end: int) -> None:
    """What the learner does: every answer of a game from one pass over its last turn."""
    for turns in talk(LocalEngine(model, end=end), 4, Sampling(max_tokens=6)):
        last_prompt, last_tokens, _ = turns[-1]
        table = after(model, last_prompt + last_tokens)
        for prompt, tokens, logprobs in turns:
            at = len(prompt) - 1
            found = [float(table[at + i, t]) for i, t in enumerate(tokens)]
            assert logprobs == pytest.approx(found, abs=1e-4)


# -- company ----------------------------------------------------------------------------------


def company(prompt: Tokens) -> dict[str, list[Request]]:
    sampling = Sampling(max_tokens=12)
    heats = (0.0, 0.5, 1.0, 1.7)
    return {
        "same prompt": [Request(prompt, sampling, s) for s in range(50)],
        "other prompts": [Request(p, sampling, 99) for p in prompts(50, 50, seed=8)],
        "longer by a little": [Request((*prompt, i), sampling, 99) for i in range(50)],
        "other temperatures and lengths": [
            Request(prompt, Sampling(temperature=heats[s % 4], max_tokens=1 + s % 12), s)
            for s in range(50)
        ],
    }


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("who", company(()))
@pytest.mark.parametrize("max_rows", [1024, 7])
def test_an_answer_does_not_depend_on_who_shares_its_batch(
    model: Any, end: int, who: str, max_rows: int
) -> None:
    for prompt in prompts(3, 25, seed=6):
        request = Request(prompt, Sampling(max_tokens=12), 99)
        (alone,) = ask(LocalEngine(model, end=end), [request])
        others = company(prompt)[who]
        crowd = [*others[:20], request, *others[20:]]
        engine = LocalEngine(model, end=end, max_rows=max_rows)
        answers = ask(engine, crowd)
        assert answers[20].tokens == alone.tokens
        assert answers[20].logprobs == pytest.approx(alone.logprobs, abs=1e-4)
        for other, answer in list(zip(crowd, answers, strict=True))[::4]:
            assert ask(LocalEngine(model, end=end), [other])[0].tokens == answer.tokens


def test_one_engine_serves_one_event_loop_after_another(model: Any, end: int) -> None:
    engine = LocalEngine(model, end=end)
    request = Request(prompts(1, 9)[0], GREEDY, 0)

    async def leaves_early() -> None:
        waiting = asyncio.ensure_future(engine.generate(request))
        await asyncio.sleep(0)
        assert not waiting.done()

    asyncio.run(leaves_early())
    (done,) = ask(engine, [request])
    assert done.tokens == by_generate(model, request.prompt, end)


# -- what may be said --------------------------------------------------------------------------


def test_an_answer_is_one_of_its_choices(model: Any, end: int) -> None:
    """By the probabilities of the tokens that are left at each place; as sampled and plainly."""
    (prompt,) = prompts(1, 12, seed=7)
    choices = ((4, 5, end), (4, 6, end), (9, end))
    asked = [Request(prompt, Sampling(), s, choices) for s in range(400)]
    done = ask(LocalEngine(model, end=end), asked)
    assert {d.tokens for d in done} == set(choices)
    for d in done:
        assert d.plain == pytest.approx(in_full(model, prompt, d.tokens), abs=1e-4)
    table = after(model, prompt)[-1]
    four, nine = float(table[4]), float(table[9])
    of_four = four - math.log(math.exp(four) + math.exp(nine))
    one = next(d for d in done if d.tokens == choices[0])
    assert one.logprobs[0] == pytest.approx(of_four, abs=1e-4)
    assert one.logprobs[2] == 0, "nothing else can follow"
    share = sum(d.tokens[0] == 4 for d in done) / len(done)
    assert share == pytest.approx(math.exp(of_four), abs=0.1)


def test_a_choice_that_another_goes_on_from(model: Any, end: int) -> None:
    """It ends where nothing can follow, and by the end token where something can."""
    choices = ((4, 5), (4, 5, 6, end), (4, 5, end))
    asked = [Request((8, 9), Sampling(), s, choices) for s in range(60)]
    assert {d.tokens for d in ask(LocalEngine(model, end=end), asked)} == set(choices[1:])


def test_stop_tokens_and_texts(model: Any, end: int) -> None:
    prompt = prompts(1, 30, seed=5)[0]
    whole = by_generate(model, prompt, None)
    third = whole[2]
    upto = whole.index(third) + 1
    engine = LocalEngine(model, end=-1, decode=lambda tokens: "".join(f"<{t}>" for t in tokens))
    by_token = Sampling(temperature=0, max_tokens=10, stop_tokens=(third,))
    by_text = Sampling(temperature=0, max_tokens=10, stop=("never", f"{third}>"))
    for sampling in (by_token, by_text):
        (done,) = ask(engine, [Request(prompt, sampling, 0)])
        assert done.tokens == whole[:upto]
    with pytest.raises(BadInput, match="decode"):
        ask(LocalEngine(model, end=end), [Request(prompt, by_text, 0)])


def test_logprobs_are_of_what_was_sampled_from_and_plain(model: Any, end: int) -> None:
    asked = [
        Request(p, Sampling(temperature=0.7, top_k=3), s) for s, p in enumerate(prompts(9, 20))
    ]
    for request, done in zip(asked, ask(LocalEngine(model, end=end), asked), strict=True):
        table = after(model, request.prompt + done.tokens)
        for i, token in enumerate(done.tokens):
            row = table[len(request.prompt) + i - 1]
            assert done.plain[i] == pytest.approx(float(row[token]), abs=1e-4)
            best = (row / 0.7).topk(3)
            assert token in best.indices
            expected = float(row[token] / 0.7 - best.values.logsumexp(0))
            assert done.logprobs[i] == pytest.approx(expected, abs=1e-4)


# -- adapters ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adapted(new_model: NewModel) -> Any:
    """A model with two adapters that do not leave it as it is."""
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"])
    model = get_peft_model(new_model(), config, adapter_name="one")
    model.add_adapter("two", config)
    torch.manual_seed(3)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5)
    return model.eval()


@pytest.mark.usefixtures("either_way")
def test_adapters_answer_in_one_batch_as_each_alone(adapted: Any, end: int) -> None:
    names = (BARE, "one", "two")
    turns: dict[str | None, list[Tokens]] = {}
    some = prompts(4, 20, seed=12)
    engine = LocalEngine(adapted, end=end)
    held = [(name, p) for name in names for p in some]
    for _ in range(3):
        asked = [Request(p, GREEDY, 0, adapter=name) for name, p in held]
        done = ask(engine, asked)
        for request, answer in zip(asked, done, strict=True):
            turns.setdefault(request.adapter, []).append(answer.tokens)
            with as_adapter(adapted, request.adapter):
                assert answer.tokens == by_generate(adapted, request.prompt, end)
        held = [(r.adapter, (*r.prompt, *d.tokens, 7, 8)) for r, d in zip(asked, done, strict=True)]
    assert turns[BARE] != turns["one"] != turns["two"]


def test_who_names_no_adapter_is_answered_by_the_active_one(adapted: Any, end: int) -> None:
    """Alone, and beside somebody who names one."""
    adapted.set_adapter("one")
    (prompt,) = prompts(1, 20, seed=12)
    wanted = by_generate(adapted, prompt, end)
    plain, named = Request(prompt, GREEDY, 0), Request(prompt, GREEDY, 0, adapter="two")
    for asked in ([plain], [plain, named]):
        done = ask(LocalEngine(adapted, end=end), asked)
        assert done[0].tokens == wanted
        assert done[0].logprobs == pytest.approx(in_full(adapted, prompt, wanted), abs=1e-4)


@contextmanager
def as_adapter(model: Any, name: str | None) -> Iterator[None]:
    if name == BARE:
        with model.disable_adapter():
            yield
        return
    model.set_adapter(name)
    yield


# -- chance -----------------------------------------------------------------------------------


def too_far_from(p: np.ndarray, tokens: Sequence[int]) -> bool:
    """Whether the numbers of ``tokens`` fit the probabilities ``p`` badly (chi-square)."""
    expected = p * len(tokens)
    seen = np.bincount(tokens, minlength=len(p))
    order = np.argsort(-expected)
    large = int((expected >= 10).sum())
    assert large >= 4, "the test needs some likely tokens"
    groups = [*([i] for i in order[:large]), order[large:]]
    totals = [expected[g].sum() for g in groups]
    assert totals[-1] > 5, "the test needs some unlikely tokens"
    return bool(chisquare([seen[g].sum() for g in groups], totals).pvalue < 1e-3)


@pytest.mark.parametrize("heat", [1.0, 0.5])
def test_tokens_come_as_often_as_softmax_says(new_model: NewModel, end: int, heat: float) -> None:
    model = new_model(loud=20.0 * heat)
    (prompt,) = prompts(1, 12, seed=7)
    sampling = Sampling(temperature=heat, max_tokens=2)
    done = ask(LocalEngine(model, end=end), [Request(prompt, sampling, s) for s in range(4000)])
    p = (after(model, prompt)[-1] / heat).softmax(-1).numpy()
    assert not too_far_from(p, [d.tokens[0] for d in done])
    cold = (after(model, prompt)[-1] / (heat * 0.8)).softmax(-1).numpy()
    assert too_far_from(cold, [d.tokens[0] for d in done]), "the test would not see a difference"
    first = int(p.argmax())
    second = [d.tokens[1] for d in done if d.tokens[0] == first]  # with luck of its own
    p = (after(model, (*prompt, first))[-1] / heat).softmax(-1).numpy()
    assert not too_far_from(p, second)


def test_seeds_fix_the_answer(model: Any, end: int) -> None:
    (prompt,) = prompts(1, 12)
    engine = LocalEngine(model, end=end)
    hot = Sampling(temperature=3.0)
    first = ask(engine, [Request(prompt, hot, s) for s in range(20)])
    again = ask(engine, [Request(prompt, hot, s) for s in range(20)])
    assert [d.tokens for d in again] == [d.tokens for d in first]
    for one, other in zip(first, again, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert len({d.tokens for d in first}) > 10


@pytest.mark.parametrize("most", [1, 2, 5])
def test_an_answer_has_at_most_max_tokens(model: Any, end: int, most: int) -> None:
    sampling = Sampling(temperature=2.0, max_tokens=most)
    asked = [Request(p, sampling, s) for s, p in enumerate(prompts(20, 9))]
    done = ask(LocalEngine(model, end=end), asked)
    assert max(len(d.tokens) for d in done) == most
    assert all(len(d.tokens) == most or d.tokens[-1] == end for d in done)
    assert all(len(d.tokens) == len(d.logprobs) for d in done)


def test_bad_sampling_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        Sampling(temperature=-0.1)
    with pytest.raises(ValueError, match="max_tokens"):
        Sampling(max_tokens=0)


def test_a_prompt_that_does_not_fit_is_refused_in_words(model: Any, end: int) -> None:
    limit = model.config.max_position_embeddings
    engine = LocalEngine(model, end=end)
    with pytest.raises(BadInput, match=str(limit)):
        ask(engine, [Request((5,) * limit, Sampling(max_tokens=1), 0)])
    with pytest.raises(BadInput, match=str(limit)):
        asyncio.run(engine.score((5,) * limit, [(6,)]))
    assert ask(engine, [Request((5,), GREEDY, 0)])[0].tokens, "and it goes on working"


# -- scores -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("max_rows", [1024, 2])
def test_scores_are_the_sums_of_a_full_read(model: Any, end: int, max_rows: int) -> None:
    engine = LocalEngine(model, end=end, max_rows=max_rows)
    starts = prompts(5, 30, seed=1)
    endings = [prompts(4, 6, seed=i) for i in range(5)]

    async def all_at_once() -> list[list[float]]:
        pairs = zip(starts, endings, strict=True)
        return list(await asyncio.gather(*(engine.score(p, e) for p, e in pairs)))

    found = asyncio.run(all_at_once())
    for prompt, continuations, scores in zip(starts, endings, found, strict=True):
        expected = [sum(in_full(model, prompt, c)) for c in continuations]
        assert scores == pytest.approx(expected, abs=1e-3, rel=1e-5)


def test_scores_of_nothing(model: Any, end: int) -> None:
    engine = LocalEngine(model, end=end)
    scores = asyncio.run(engine.score((1, 2), [(), (3,), ()]))
    assert scores == [0.0, pytest.approx(float(after(model, (1, 2))[-1, 3]), abs=1e-4), 0.0]
    with pytest.raises(BadInput, match="at least one token"):
        asyncio.run(engine.score((), [(3,)]))


def test_equal_scores_are_computed_once(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = ready(reader, end)
    first, second, again = asyncio.run(engine.score((5, 6), [(7,), (8,), (7,)]))
    assert first == again != second
    assert reader.calls == [(1, 2)]


# -- failures ---------------------------------------------------------------------------------


class Broken(Reader):
    """A model whose calls fail from one on, with one fault or another."""

    def __init__(self, model: Any, first: int, fault: Exception):
        super().__init__(model)
        self.first = first
        self.fault: Exception | None = fault

    def __call__(self, **given: Any) -> Any:
        if self.fault and len(self.calls) >= self.first:
            raise self.fault
        return super().__call__(**given)


def ask_both(engine: LocalEngine) -> list[Any]:
    """Five answers and a score, or what went wrong with each; nobody waits for ever."""

    async def waiting() -> list[Any]:
        asked = [engine.generate(Request(p, GREEDY, 0)) for p in prompts(5, 9)]
        scores = [engine.score((1, 2), [(3,), (4,)])]
        return await asyncio.wait_for(
            asyncio.gather(*asked, *scores, return_exceptions=True), timeout=60
        )

    return asyncio.run(waiting())


@pytest.mark.parametrize("first", [0, 1, 3, 5, 6, 7, 9])
def test_a_failing_model_fails_everyone_who_waits_and_then_works_again(
    model: Any, end: int, first: int
) -> None:
    """Whether it fails when it is looked at, with scores, with prompts, or in mid-answer."""
    broken = Broken(model, first, MemoryError("no room"))
    engine = LocalEngine(broken, end=end)
    found = ask_both(engine)
    faults = [str(f) for f in found if isinstance(f, MemoryError)]
    assert set(faults) == {"no room"}
    assert len(faults) == 6 if first < 6 else len(faults) >= 1
    broken.fault = None
    assert ask_both(engine)[:5] == ask_both(LocalEngine(model, end=end))[:5]


@pytest.mark.parametrize("first", [1, 3, 5, 6, 8])
def test_what_never_fits_in_memory_ends_in_the_fault(model: Any, end: int, first: int) -> None:
    broken = Broken(model, first, torch.OutOfMemoryError("too much"))
    found = ask_both(LocalEngine(broken, end=end))
    assert any(isinstance(f, torch.OutOfMemoryError) for f in found)


def test_a_passing_lack_of_memory_changes_no_answer(
    model: Any, end: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where luck has been drawn for tokens that were not said."""

    class Sometimes(Reader):
        def __call__(self, **given: Any) -> Any:
            self.calls.append(())
            if len(self.calls) in (3, 7, 12):
                raise torch.OutOfMemoryError("too much")
            return self.model(**given)

    asked = [Request(p, Sampling(max_tokens=9), s) for s, p in enumerate(prompts(20, 20))]
    done = ask(LocalEngine(Sometimes(model), end=end), asked)
    assert "out of memory" in caplog.text
    assert [d.tokens for d in done] == [d.tokens for d in ask(LocalEngine(model, end=end), asked)]


def test_a_model_that_answers_no_numbers_is_a_clear_error(model: Any, end: int) -> None:
    class Diverged(Reader):
        def __call__(self, **given: Any) -> Any:
            out = super().__call__(**given)
            out.logits[...] = float("nan")
            return out

    with pytest.raises(BadInput, match=r"not a number.*earlier checkpoint"):
        ask(LocalEngine(Diverged(model), end=end), [Request((5, 6), GREEDY, 0)])


@pytest.mark.usefixtures("either_way")
@pytest.mark.slow
def test_a_thousand_games_at_once_stay_within_the_budget(model: Any, end: int) -> None:
    """Room for a dozen of them: all play their three turns, and none says anything else."""
    memory = 64 * 12 * TOKEN
    number = 1000
    shared = prompts(1, 40, seed=3)[0]

    async def game(engine: LocalEngine, c: int) -> Tokens:
        held = shared
        for turn in range(3):
            prompt = (*held, c % 300, turn)
            done = await engine.generate(Request(prompt, Sampling(max_tokens=4), 10 * c + turn))
            held = prompt + done.tokens
        return held

    async def games(engine: LocalEngine) -> list[Tokens]:
        return list(await asyncio.gather(*(game(engine, c) for c in range(number))))

    engine = LocalEngine(model, end=end, memory=memory)
    tight = asyncio.run(games(engine))
    assert memory / 2 < engine.peak_memory <= memory
    assert tight == asyncio.run(games(LocalEngine(model, end=end)))


def test_cancelled_requests_leave_the_others_their_answers(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = ready(reader, end)
    asked = [Request(p, GREEDY, 0) for p in prompts(6, 9)]

    async def some_leave() -> list[Any]:
        tasks = [asyncio.ensure_future(engine.generate(r)) for r in asked]
        await asyncio.sleep(0)  # all have asked; nobody has an answer
        for task in tasks[::2]:
            task.cancel()
        waiting = asyncio.gather(*tasks, return_exceptions=True)
        return await asyncio.wait_for(waiting, timeout=60)

    answers = asyncio.run(some_leave())
    assert all(isinstance(a, asyncio.CancelledError) for a in answers[::2])
    stayed = [a.tokens for a in answers[1::2]]
    assert stayed == [by_generate(model, r.prompt, end) for r in asked[1::2]]
    assert reader.calls[0][0] == 3, "nothing is computed for who has left"

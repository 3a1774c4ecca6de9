"""The in-process engine: its cache, its shared rows and its batches change nothing of what is said.

The reference is the model itself: ``generate`` of transformers, or one whole sequence read at once.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from sparring.agents.engines.core import Completion, Request, Sampling, Tokens
from sparring.agents.engines.local import LocalEngine
from sparring.envs.core import BadInput

NewModel = Callable[..., Any]
GREEDY = Sampling(temperature=0, max_tokens=10)


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


def prompts(number: int, longest: int, seed: int = 0) -> list[Tokens]:
    """Ragged prompts of any ids, the fill id among them."""
    luck = random.Random(seed)
    return [tuple(luck.choices(range(300), k=luck.randint(1, longest))) for _ in range(number)]


@pytest.fixture(scope="module")
def model(new_model: NewModel) -> Any:
    return new_model()


@pytest.fixture(scope="module")
def end(model: Any) -> int:
    """An end token that this model does say: what it says most often, left alone."""
    said = [t for p in prompts(60, 30, seed=5) for t in set(by_generate(model, p, None)[1:])]
    return max(sorted(set(said)), key=said.count)


def by_generate(model: Any, prompt: Tokens, end: int | None) -> Tokens:
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


def after(model: Any, tokens: Tokens) -> torch.Tensor:
    """log P(next token) after each token of one sequence, read at once without fill: [T, V]."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([tokens])).logits[0]
    return logits.double().log_softmax(-1)


def in_full(model: Any, prompt: Tokens, tokens: Tokens, heat: float = 1.0) -> list[float]:
    """log P of each of ``tokens`` after ``prompt``, by one read of the whole."""
    table = (after(model, prompt + tokens) / heat).log_softmax(-1)
    return [float(table[len(prompt) + i - 1, t]) for i, t in enumerate(tokens)]


def ask(engine: LocalEngine, requests: Sequence[Request]) -> list[Completion]:
    async def all_at_once() -> list[Completion]:
        return list(await asyncio.gather(*(engine.generate(r) for r in requests)))

    return asyncio.run(all_at_once())


def talk(
    engine: LocalEngine, turns: int, sampling: Sampling, number: int = 7, holding: bool = True
) -> list[list[tuple[Tokens, Tokens, tuple[float, ...]]]]:
    """Conversations of several turns, ragged: (prompt, tokens, logprobs) of each turn of each."""
    luck = random.Random(3)
    held: list[Tokens] = [()] * number
    found: list[list[tuple[Tokens, Tokens, tuple[float, ...]]]] = [[] for _ in range(number)]
    for turn in range(turns):
        more = prompts(number, 15, seed=10 + turn)
        asking = [c for c in range(number) if turn == 0 or luck.random() < 0.8]
        requests = [
            Request(held[c] + more[c], sampling, 100 * turn + c, len(held[c]) if holding else 0)
            for c in asking
        ]
        for c, request, done in zip(asking, requests, ask(engine, requests), strict=True):
            held[c] = request.prompt + done.tokens
            found[c].append((request.prompt, done.tokens, done.logprobs))
    return found


# -- greedy: the words of transformers' own loop ----------------------------------------------


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


@pytest.mark.parametrize(
    ("cache_tokens", "holding"),
    [(1 << 18, True), (1 << 18, False), (60, True), (0, True)],
    ids=["held", "nothing held", "evicted", "no cache"],
)
def test_greedy_over_turns_is_generate(
    model: Any, end: int, cache_tokens: int, holding: bool
) -> None:
    engine = LocalEngine(model, end=end, cache_tokens=cache_tokens)
    turns = [t for c in talk(engine, 4, GREEDY, holding=holding) for t in c]
    assert len(turns) > 20
    for prompt, tokens, _ in turns:
        assert tokens == by_generate(model, prompt, end)


def test_forgetting_between_turns_changes_nothing(model: Any, end: int) -> None:
    class Forgetful(LocalEngine):
        def complete(self, requests: Sequence[Request]) -> list[Completion]:
            self.forget()
            return super().complete(requests)

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
    (done,) = ask(engine, [Request((*held, 7, 8), GREEDY, 0, len(held))])
    assert done.tokens == by_generate(model, (*held, 7, 8), end)


def test_a_turn_reads_only_what_is_new(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = LocalEngine(reader, end=end)
    prompt = prompts(1, 60, seed=4)[0] * 3
    (first,) = ask(engine, [Request(prompt, GREEDY, 0)])
    held = prompt + first.tokens
    reader.calls.clear()
    ask(engine, [Request((*held, 7, 8), GREEDY, 0, len(held))])
    assert reader.calls[0] == (1, 3), "the last token said and the two new ones"


def test_the_cache_keeps_to_its_size_and_drops_what_was_used_longest_ago(
    model: Any, end: int
) -> None:
    reader = Reader(model)
    engine = LocalEngine(reader, end=end, cache_tokens=50)
    one = Sampling(temperature=0, max_tokens=1)
    a, b, c = (tuple(range(i, i + 20)) for i in (20, 120, 220))
    said = {p: ask(engine, [Request(p, one, 0)])[0].tokens for p in (a, b)}

    def again(p: Tokens) -> int:
        """How many places a next turn reads."""
        reader.read = 0
        ask(engine, [Request((*p, *said[p], 9), one, 0, 21)])
        return reader.read

    engine.cache.recall(a)  # used just now, so b goes when room is needed
    said[c] = ask(engine, [Request(c, one, 0)])[0].tokens
    assert len(engine.cache) == 2
    assert again(b) == 22, "b was dropped, and is read again"
    big = tuple(range(60))
    ask(engine, [Request(big, one, 0)])
    assert engine.cache.recall(big) is None, "larger than the whole cache"
    assert sum(map(len, engine.cache._kept)) == engine.cache._tokens <= 50


# -- log-probabilities ------------------------------------------------------------------------


@pytest.mark.parametrize("heat", [0.0, 1.0, 0.6])
def test_logprobs_over_turns_are_those_of_a_full_read(model: Any, end: int, heat: float) -> None:
    engine = LocalEngine(model, end=end, cache_tokens=400)
    sampling = Sampling(temperature=heat, max_tokens=8)
    conversations = talk(engine, 4, sampling)
    for prompt, tokens, logprobs in (t for c in conversations for t in c):
        expected = in_full(model, prompt, tokens, heat or 1.0)
        assert logprobs == pytest.approx(expected, abs=1e-4)


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


def test_equal_prompts_are_read_once(model: Any, end: int) -> None:
    reader = Reader(model)
    (prompt,) = prompts(1, 20)
    ask(LocalEngine(reader, end=end), [Request(prompt, Sampling(), s) for s in range(30)])
    assert reader.calls[0] == (1, len(prompt))


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
    assert ask(engine, [Request(prompt, hot, s) for s in range(20)]) == first
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


def test_equal_scores_are_computed_once(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = LocalEngine(reader, end=end)
    first, second, again = asyncio.run(engine.score((5, 6), [(7,), (8,), (7,)]))
    assert first == again != second
    assert reader.calls == [(2, 3)]


# -- failures ---------------------------------------------------------------------------------


class Broken:
    """A model whose calls fail while ``broken``."""

    def __init__(self, model: Any):
        self.model = model
        self.broken = True

    def __call__(self, **given: Any) -> Any:
        if self.broken:
            raise MemoryError("no room")
        return self.model(**given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def test_a_failing_model_fails_everyone_who_waits_and_then_works_again(
    model: Any, end: int
) -> None:
    broken = Broken(model)
    engine = LocalEngine(broken, end=end)

    async def waiting() -> list[Any]:
        asked = [engine.generate(Request(p, GREEDY, 0)) for p in prompts(5, 9)]
        scores = [engine.score((1, 2), [(3,), (4,)])]
        return await asyncio.wait_for(
            asyncio.gather(*asked, *scores, return_exceptions=True), timeout=60
        )

    faults = asyncio.run(waiting())
    assert [str(f) for f in faults] == ["no room"] * 6
    assert all(isinstance(f, MemoryError) for f in faults)
    broken.broken = False
    assert not [f for f in asyncio.run(waiting()) if isinstance(f, Exception)]


def test_cancelled_requests_leave_the_others_their_answers(model: Any, end: int) -> None:
    reader = Reader(model)
    engine = LocalEngine(reader, end=end)
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

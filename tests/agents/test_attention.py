"""A model attends in our way to its engine, and to everybody else as it always did."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from whole_reads import ask, prompts

from sparring.agents.engines.core import Request, Sampling
from sparring.agents.engines.local import attention, ragged, reading
from sparring.agents.engines.local.engine import LocalEngine

SAY = Sampling(max_tokens=8)


@pytest.fixture
def model(new_model: Callable[..., Any]) -> Any:
    return new_model()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is read as large batches are."""
    monkeypatch.setattr(attention, "SMALL", 0)
    monkeypatch.setattr(reading, "IN_LINE", 0)


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns a hundred times as often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 100)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("large", "often")
def test_engines_in_threads_share_a_model(model: Any) -> None:
    """Each says what it says alone, and the model attends in its own way in the end."""
    asked = [[Request(p, SAY, 0) for p in prompts(9, 30, seed=n)] for n in range(3)]
    alone = [ask(LocalEngine(model, end=-1), some) for some in asked]

    def again(n: int) -> list[Any]:
        return [ask(LocalEngine(model, end=-1), asked[n]) for _ in range(5)]

    with ThreadPoolExecutor(3) as threads:
        for expected, found in zip(alone, threads.map(again, range(3)), strict=True):
            for done in found:
                assert [d.tokens for d in done] == [d.tokens for d in expected]
    assert model.config._attn_implementation == "sdpa"


def test_who_reads_meanwhile_reads_as_ever(model: Any) -> None:
    """A thread that trains or evaluates, with fill on the left."""
    ids = torch.tensor([[0, 0, 0, 11, 12, 13], [5, 6, 7, 8, 9, 10]])
    given = {"input_ids": ids, "attention_mask": (ids > 0).long()}

    def read() -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = model(**given).logits
        return logits

    with ThreadPoolExecutor(1) as other:
        expected = other.submit(read).result()
        with attention.attending(model, [(0, 3, 3)]):
            assert model.config._attn_implementation == attention.NAME
            assert torch.equal(other.submit(read).result(), expected)


@pytest.mark.usefixtures("large")
def test_without_numba_answers_only_take_longer(
    model: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*given: Any) -> Any:
        raise OSError("no space left")

    asked = [Request(p, SAY, 0) for p in prompts(5, 30, seed=1)]
    expected = ask(LocalEngine(model, end=-1), asked)
    monkeypatch.setattr(ragged, "attend", fails)
    attention._kernel.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            found = ask(LocalEngine(model, end=-1), asked)
    finally:
        attention._kernel.cache_clear()
    assert [d.tokens for d in found] == [d.tokens for d in expected]
    assert caplog.text.count("numba does not work here (OSError: no space left)") == 1


@pytest.mark.usefixtures("large")
def test_a_model_that_gives_all_logits_is_read_right(model: Any) -> None:
    """Whatever it is asked to keep; rows of more and of fewer tokens than are scored."""

    class Generous:
        def __call__(self, *, logits_to_keep: Any = 0, **given: Any) -> Any:
            return model(**given)

        def __getattr__(self, name: str) -> Any:
            return getattr(model, name)

    said = [(prompt[:n], prompt[n:]) for prompt in prompts(4, 24, seed=3) for n in (4, 20)]

    async def scores(engine: LocalEngine) -> list[Any]:
        return await asyncio.gather(*(engine.score(p, [more, more[:1]]) for p, more in said))

    expected = asyncio.run(scores(LocalEngine(model, end=-1)))
    engine = LocalEngine(Generous(), end=-1)
    for one, other in zip(asyncio.run(scores(engine)), expected, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    asked = [Request(p, SAY, 0) for p, _ in said]
    assert [d.tokens for d in ask(engine, asked)] == [
        d.tokens for d in ask(LocalEngine(model, end=-1), asked)
    ]
    assert engine._reading.line_from == 0

"""What is shared is computed once, and gives what separate rows give."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from sparring.training.batch import Batch, collate
from sparring.training.learner import Learner, Ramp, UpdateConfig, logprobs, parts
from sparring.training.rows import Row

VOCABULARY = 40


def rows(number: int, seed: int = 0) -> list[Row]:
    """Rows of two answers with few different beginnings, as self-play makes them."""
    luck = random.Random(seed)
    found = []
    for _ in range(number):
        role = luck.choice(("player_0", "player_1"))
        start = [4 + (role == "player_1"), 7, 8, 9, 10 + luck.randrange(2)]
        first = [20 + luck.randrange(2), 3]
        tokens, spans = [*start, *first], [(5, 7)]
        if luck.random() < 0.6:
            more = [30, 31 + luck.randrange(2)]
            tokens += more
            spans.append((len(tokens), len(tokens) + 2))
            tokens += [20 + luck.randrange(3), 3]
        logprobs = tuple(-0.1 * tokens[at] for a, b in spans for at in range(a, b))
        found.append(Row(role, tuple(tokens), tuple(spans), logprobs, luck.uniform(-2, 2)))
    return found


@pytest.fixture(scope="module")
def model(new_model: Callable[..., Any]) -> Any:
    return new_model(seed=1, loud=3.0)


def loss_and_gradient(model: Any, batch: Batch, config: UpdateConfig) -> tuple[float, torch.Tensor]:
    """Of the first inner step, against an old policy and a magnet that differ from the model."""
    learner = Learner(model, config)
    model.zero_grad(set_to_none=True)
    here = logprobs(model, batch, config.tokens_at_once)
    other = (here.detach() + torch.linspace(-0.3, 0.3, here.shape[1])).log_softmax(-1)
    third = (here.detach() + torch.linspace(0.2, -0.2, here.shape[1])).log_softmax(-1)
    everything = torch.arange(len(batch.chosen))
    beta = 1 / config.step_size.at(0)
    loss = learner._loss(here, batch, everything, other, third, beta)
    loss.backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    return float(loss.detach()), gradient


@pytest.mark.parametrize(
    "config",
    [
        UpdateConfig(),
        UpdateConfig(clip=0.2, step_size=Ramp(1.0, 1.0)),
        UpdateConfig(clip=0.05, entropy=0.1, magnet=0.0),
    ],
)
def test_merged_rows_give_what_separate_rows_give(model: Any, config: UpdateConfig) -> None:
    data = rows(60)
    loss, gradient = loss_and_gradient(model, collate(data), config)
    apart, separate = loss_and_gradient(model, collate(data, share=False), config)
    assert loss == pytest.approx(apart, rel=1e-5)
    assert torch.allclose(gradient, separate, atol=1e-6 * float(separate.abs().max()) + 1e-7)
    twice, _ = loss_and_gradient(model, collate(data + data), config)
    assert twice == pytest.approx(apart, rel=1e-5)  # the mean over rows stays


def test_sharing_saves_tokens() -> None:
    data = rows(60)
    together, apart = collate(data), collate(data, share=False)
    assert together.ids.numel() < apart.ids.numel() / 5
    assert float(together.count.sum()) == float(apart.count.sum())
    assert float(together.gain.sum()) == pytest.approx(float(apart.gain.sum()), rel=1e-5)
    assert float(together.cost.sum()) == pytest.approx(float(apart.cost.sum()), rel=1e-5)


def test_a_token_attends_to_its_ancestors_only() -> None:
    data = [
        Row("a", (5, 6, 7), ((2, 3),), (-1.0,), 1.0),
        Row("a", (5, 6, 8, 9), ((3, 4),), (-1.0,), -2.0),
    ]
    batch = collate(data)
    assert batch.ids.tolist() == [[5, 6, 7, 8, 9]]
    assert batch.depth.tolist() == [[0, 1, 2, 2, 3]]
    assert batch.sees is not None
    assert batch.sees[0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 1, 1],
    ]
    assert batch.chosen.tolist() == [7, 9]
    assert batch.before.tolist() == [1, 3]
    assert (batch.gain.tolist(), batch.cost.tolist()) == ([1.0, 0.0], [0.0, 2.0])


def test_gains_and_costs_of_equal_tokens_add_up() -> None:
    base = Row("a", (5, 6, 7), ((1, 3),), (-1.0, -2.0), 0.0)
    given = [Row(base.role, base.tokens, base.spans, base.logprobs, a) for a in (1, -2, 4, 0)]
    batch = collate(given)
    assert batch.rows == 4
    assert batch.gain.tolist() == [5.0, 5.0]
    assert batch.cost.tolist() == [2.0, 2.0]
    assert batch.count.tolist() == [4.0, 4.0]
    assert batch.behaviour.tolist() == [-1.0, -2.0]


def test_log_probabilities_are_those_of_each_row_alone(model: Any) -> None:
    data = rows(40, seed=3)
    batch = collate(data)
    found = logprobs(model, batch, 64).gather(1, batch.chosen[:, None])[:, 0]
    paths = {}
    for i, (tree, place) in enumerate(batch.where.tolist()):
        assert batch.sees is not None
        seen = torch.nonzero(batch.sees[tree, place])[:, 0]
        paths[tuple(batch.ids[tree, seen].tolist())] = float(found[i].detach())
    for row in data:
        with torch.no_grad():
            alone = model(torch.tensor([row.tokens])).logits[0].log_softmax(-1)
        for start, stop in row.spans:
            for at in range(start, stop):
                expected = float(alone[at - 1, row.tokens[at]])
                assert paths[row.tokens[: at + 1]] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("at_once", [1, 30, 100, 100_000])
@pytest.mark.parametrize("share", [True, False])
def test_parts_cover_every_token_once(at_once: int, share: bool) -> None:
    batch = collate(rows(50), share=share)
    found = parts(batch, at_once)
    assert torch.cat([part.tokens for part in found]).tolist() == list(range(len(batch.chosen)))
    assert [part.start for part in found[1:]] == [part.stop for part in found[:-1]]
    for part in found:
        assert part.width == int(batch.sizes[part.start : part.stop].max())
        assert part.width * (part.stop - part.start) <= max(at_once, part.width)


def test_no_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rows"):
        collate([])

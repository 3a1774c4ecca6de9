"""What is shared is computed once, and gives what separate rows give."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch

from sparring.training import proximal
from sparring.training.batch import Batch, collate
from sparring.training.forward import logprobs, parts
from sparring.training.rows import Row
from sparring.training.segments import Segments
from sparring.training.update import Ramp, UpdateConfig

VOCABULARY = 40


def rows(number: int, seed: int = 0) -> list[Row]:
    """Rows of two answers with few different beginnings, as self-play makes them.

    Each answer has an advantage of its own and each row a weight.
    """
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
        gains = tuple(luck.uniform(-2, 2) for _ in spans)
        weight = luck.choice((0.5, 1.0, 3.0))
        found.append(Row(role, tuple(tokens), tuple(spans), logprobs, gains, weight))
    return found


@pytest.fixture(scope="module")
def model(new_model: Callable[..., Any]) -> Any:
    return new_model(seed=1, loud=3.0)


def loss_and_gradient(model: Any, batch: Batch, config: UpdateConfig) -> tuple[float, torch.Tensor]:
    """Of the first inner step, against an old policy and a magnet that differ from the model."""
    model.zero_grad(set_to_none=True)
    here = logprobs(model, batch, config.tokens_at_once)
    other = (here.detach() + torch.linspace(-0.3, 0.3, here.shape[1])).log_softmax(-1)
    third = (here.detach() + torch.linspace(0.2, -0.2, here.shape[1])).log_softmax(-1)
    everything = replace(parts(batch, 1 << 20)[0], tokens=torch.arange(len(batch.chosen)))
    terms = [(other, 1 / config.step_size.at(0)), (third, config.magnet)]
    loss = proximal.loss(config, batch, other, terms)(here, everything)
    loss.backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    return float(loss.detach()), gradient


@pytest.mark.parametrize(
    "config",
    [
        UpdateConfig(),
        UpdateConfig(clip=0.2, step_size=Ramp(1.0, 1.0)),
        UpdateConfig(clip=0.05, entropy=0.1, magnet=0.0),
        UpdateConfig(clip=0.2, importance_cap=0.5),
    ],
)
def test_merged_rows_give_what_separate_rows_give(model: Any, config: UpdateConfig) -> None:
    data = rows(60)
    loss, gradient = loss_and_gradient(model, collate(data), config)
    apart, separate = loss_and_gradient(model, collate(data, share=False), config)
    assert loss == pytest.approx(apart, rel=1e-5)
    assert torch.allclose(gradient, separate, atol=3e-6 * float(separate.abs().max()))
    twice, _ = loss_and_gradient(model, collate(data + data), config)
    assert twice == pytest.approx(apart, rel=1e-5)  # the mean over rows stays


def test_one_row_a_turn_is_the_same_sum_for_more_tokens(model: Any) -> None:
    """The mean is over rows, so only the sums agree: there are more rows of a turn."""
    whole = rows(30)
    apart = []
    for row in whole:
        said = iter(row.logprobs)
        for (start, stop), advantage in zip(row.spans, row.advantages, strict=True):
            own = tuple(next(said) for _ in range(start, stop))
            given = row.tokens[:stop], ((start, stop),), own, (advantage,), row.weight
            apart.append(Row(row.role, *given))
    found = []
    for data in (whole, apart):
        loss, gradient = loss_and_gradient(
            model, collate(data, share=False), UpdateConfig(clip=0.2)
        )
        found.append((loss * len(data), gradient * len(data)))
    assert len(apart) > len(whole)
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    scale = float(found[0][1].abs().max())
    assert float((found[0][1] - found[1][1]).abs().max()) < 1e-5 * scale


def test_sharing_saves_tokens() -> None:
    data = rows(60)
    together, apart = collate(data), collate(data, share=False)
    assert together.ids.numel() < apart.ids.numel() / 5
    assert float(together.count.sum()) == float(apart.count.sum())
    assert float(together.gain.sum()) == pytest.approx(float(apart.gain.sum()), rel=1e-5)
    assert float(together.cost.sum()) == pytest.approx(float(apart.cost.sum()), rel=1e-5)


def test_a_token_attends_to_its_ancestors_only() -> None:
    data = [
        Row("a", (5, 6, 7), ((2, 3),), (-1.0,), (1.0,)),
        Row("a", (5, 6, 8, 9), ((3, 4),), (-1.0,), (-2.0,)),
    ]
    batch = collate(data)
    assert batch.ids.tolist() == [[5, 6, 7, 8, 9]]
    assert batch.depth.tolist() == [[0, 1, 2, 2, 3]]
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
    base = Row("a", (5, 6, 7), ((1, 3),), (-1.0, -2.0), (0.0,))
    given = [replace(base, advantages=(a,)) for a in (1.0, -2.0, 4.0, 0.0)]
    batch = collate(given)
    assert batch.rows == 4
    assert batch.gain.tolist() == [5.0, 5.0]
    assert batch.cost.tolist() == [2.0, 2.0]
    assert batch.count.tolist() == [4.0, 4.0]
    assert batch.behaviour.tolist() == [-1.0, -2.0]


@pytest.mark.parametrize("share", [True, False])
def test_answers_keep_their_own_advantages(share: bool) -> None:
    row = Row("a", (5, 6, 7, 8, 9), ((1, 3), (4, 5)), (-1.0, -2.0, -3.0), (1.5, -0.5))
    batch = collate([row], share=share)
    assert batch.chosen.tolist() == [6, 7, 9]
    assert batch.gain.tolist() == [1.5, 1.5, 0.0]
    assert batch.cost.tolist() == [0.0, 0.0, 0.5]


def test_weights_multiply_all_that_is_summed() -> None:
    """Weights 0.5 and 1.5; the behaviour is the mean by weight."""
    one = Row("a", (5, 6), ((1, 2),), (-1.0,), (2.0,), 0.5)
    batch = collate([one, replace(one, logprobs=(-2.0,), advantages=(-4.0,), weight=1.5)])
    assert batch.rows == 2
    assert batch.gain.tolist() == [2 * 0.5]
    assert batch.cost.tolist() == [4 * 1.5]
    assert batch.count.tolist() == [2.0]
    assert batch.behaviour.tolist() == [(-1 * 0.5 - 2 * 1.5) / 2]


def test_a_token_is_trained_where_some_row_samples_it() -> None:
    """What one row sampled, another only read: the first row alone trains it."""
    said = Row("a", (5, 6, 7), ((1, 3),), (-1.0, -2.0), (1.0,))
    read = Row("b", (5, 6, 7, 8), ((3, 4),), (-3.0,), (2.0,))
    batch = collate([said, read])
    assert len(batch.ids) == 1
    assert batch.chosen.tolist() == [6, 7, 8]
    assert batch.gain.tolist() == [1.0, 1.0, 2.0]
    assert batch.count.tolist() == [1.0, 1.0, 1.0]


def test_log_probabilities_are_those_of_each_row_alone(model: Any) -> None:
    data = rows(40, seed=3)
    batch = collate(data)
    found = logprobs(model, batch, 64).gather(1, batch.chosen[:, None])[:, 0]
    paths = {}
    for i, (tree, place) in enumerate(batch.where.tolist()):
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


# -- segments ---------------------------------------------------------------------------------


def segments_of(data: list[Row], by: Literal["answer", "row"], share: bool = True) -> Segments:
    found = collate(data, share=share, segments=by).segments
    assert found is not None
    return found


TWO = [
    Row("b", (5, 9, 8, 7), ((1, 2), (3, 4)), (-1.0, -2.0), (3.0, 1.0), 2.0),
    Row("a", (5, 6, 7), ((1, 3),), (-4.0, -8.0), (0.5,)),
    Row("b", (5, 9, 8, 7), ((1, 2), (3, 4)), (-0.5, -2.5), (1.0, -3.0)),
]


@pytest.mark.parametrize("share", [True, False])
def test_answers_as_segments(share: bool) -> None:
    """In the order of the rows, whatever the order in the trees; equal rows stay apart."""
    found = segments_of(TWO, "answer", share)
    assert found.length.tolist() == [1, 1, 2, 1, 1]
    assert found.behaviour.tolist() == [-1.0, -2.0, -12.0, -0.5, -2.5]
    assert found.advantage.tolist() == [3.0, 1.0, 0.5, 1.0, -3.0]
    assert found.weight.tolist() == [2.0, 2.0, 1.0, 1.0, 1.0]
    assert found.owner.tolist() == [0, 1, 2, 2, 3, 4]
    batch = collate(TWO, share=share, segments="answer")
    assert batch.chosen[found.token].tolist() == [9, 7, 6, 7, 9, 7]


@pytest.mark.parametrize("share", [True, False])
def test_rows_as_segments(share: bool) -> None:
    found = segments_of(TWO, "row", share)
    assert found.length.tolist() == [2, 2, 2]
    assert found.behaviour.tolist() == [-3.0, -12.0, -3.0]
    assert found.advantage.tolist() == [2.0, 0.5, -1.0], "the mean over its answers"
    assert found.weight.tolist() == [2.0, 1.0, 1.0]
    assert found.owner.tolist() == [0, 0, 1, 1, 2, 2]


def test_sums_over_segments_carry_the_gradient() -> None:
    """A merged token counts in each segment that holds it."""
    found, batch = segments_of(TWO, "row"), collate(TWO)
    values = batch.chosen.float().requires_grad_()
    sums = found.sums(values)
    assert sums.tolist() == [16.0, 13.0, 16.0]
    (sums * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert values.grad is not None
    slopes = dict(zip(map(tuple, batch.where.tolist()), values.grad.tolist(), strict=True))
    assert sorted(slopes.values()) == [10.0, 10.0, 101.0, 101.0]


@pytest.mark.parametrize("by", ["answer", "row"])
def test_segments_do_not_depend_on_sharing(by: Literal["answer", "row"]) -> None:
    data = rows(60)
    for share in (True, False):
        batch = collate(data, share=share, segments=by)
        assert batch.segments is not None
        sums = batch.segments.sums(batch.chosen.double())
        if by == "row":
            said = [sum(row.tokens[at] for a, b in row.spans for at in range(a, b)) for row in data]
        else:
            said = [sum(row.tokens[a:b]) for row in data for a, b in row.spans]
        assert sums.tolist() == said


def test_segments_only_where_asked_for() -> None:
    assert collate(TWO).segments is None

"""Losses of whole sequences: part by part they have the gradient that they have at once."""

import random
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch

from sparring.envs.core import BadInput
from sparring.training import sequences
from sparring.training.batch import Batch, collate
from sparring.training.forward import cut, said_logprobs
from sparring.training.learner import Learner
from sparring.training.rows import Row
from sparring.training.side import Demonstrations, Side
from sparring.training.update import Ramp, UpdateConfig

NewModel = Callable[..., Any]
ONCE = 1 << 20


def rows(number: int, seed: int = 0) -> list[Row]:
    """Rows of one or two answers with few different beginnings, some of them equal."""
    luck = random.Random(seed)
    found = []
    for _ in range(number):
        tokens = [*(4 + luck.randrange(2), 7, 8, 10 + luck.randrange(2)), 20 + luck.randrange(2), 3]
        spans = [(4, 6)]
        if luck.random() < 0.6:
            tokens += [30, 31 + luck.randrange(2), 20 + luck.randrange(3), 21, 3]
            spans.append((8, 11))
        said = tuple(luck.uniform(-3, -1) for a, b in spans for _ in range(a, b))
        gains = tuple(luck.uniform(-2, 2) for _ in spans)
        found.append(Row("a", tuple(tokens), tuple(spans), said, gains, luck.choice((0.5, 1.0))))
    return found


def uneven(logprobs: torch.Tensor) -> torch.Tensor:
    """A loss that is no sum over sequences: each one's slope depends on all the others."""
    scale = torch.linspace(-1, 1, len(logprobs))
    return torch.logsumexp(logprobs * scale / 4, 0) + (logprobs.mean() + 3).square()


def gradient(model: Any, take: Callable[[], torch.Tensor]) -> torch.Tensor:
    model.zero_grad(set_to_none=True)
    take()
    found = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    model.zero_grad(set_to_none=True)
    return found


def directly(model: Any, batch: Batch, loss: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The loss on the log-probabilities of the whole batch, in one graph."""
    value = loss(sequences.whole(batch).sums(said_logprobs(model, batch, ONCE)))
    value.backward()  # type: ignore[no-untyped-call]
    return value.detach()


@pytest.mark.parametrize("by", ["answer", "row"])
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("at_once", [1, 40, 150, ONCE])
def test_the_gradient_is_the_direct_one(
    new_model: NewModel, by: Literal["answer", "row"], share: bool, at_once: int
) -> None:
    model = new_model(seed=1, loud=3.0)
    batch = collate(rows(40), share=share, segments=by)
    passes = len(cut(model, batch, at_once))
    assert passes > 1 if at_once == 1 else passes == 1 if share and at_once == ONCE else True
    learner = Learner(model, UpdateConfig(tokens_at_once=at_once))
    expected = gradient(model, lambda: directly(model, batch, uneven))
    value = directly(model, batch, uneven)
    model.zero_grad(set_to_none=True)
    told: list[float] = []

    def by_parts() -> torch.Tensor:
        told.append(learner._gradient(batch, sequences.by_parts(model, batch, uneven, at_once)))
        return torch.zeros(())

    found = gradient(model, by_parts)
    assert float((found - expected).abs().max()) < 1e-6 * float(expected.abs().max()) + 1e-8
    assert told == pytest.approx([float(value)], rel=1e-5), "the sum over parts is the loss"
    assert float(expected.abs().max()) > 1e-3


def test_segments_are_scored_as_alone(new_model: NewModel) -> None:
    model, data = new_model(seed=1, loud=3.0), rows(20)
    found = sequences.logprobs(model, collate(data, segments="answer"), 60)
    expected = []
    for row in data:
        with torch.no_grad():
            alone = model(torch.tensor([row.tokens])).logits[0].log_softmax(-1)
        for a, b in row.spans:
            expected.append(sum(float(alone[at - 1, row.tokens[at]]) for at in range(a, b)))
    assert found.tolist() == pytest.approx(expected, abs=1e-4)
    whole = sequences.logprobs(model, collate(data, segments="row"), 60)
    assert float(whole.sum()) == pytest.approx(sum(expected), rel=1e-5)


def test_the_update_does_not_depend_on_parts(new_model: NewModel) -> None:
    after = []
    for at_once in (1, 60, ONCE):
        model = new_model(seed=1, loud=3.0)
        options: dict[str, Any] = {"inner_steps": 3, "max_grad_norm": 1e9}
        learner = Learner(model, UpdateConfig(tokens_at_once=at_once, **options))
        learner.optimizer = torch.optim.SGD(model.parameters(), lr=0.01)  # type: ignore[assignment]
        found = learner.descend_sequences(collate(rows(40), segments="answer"), uneven, 0.0)
        assert learner.updates == 1
        after.append((found["loss"], torch.cat([p.detach().flatten() for p in model.parameters()])))
    start = torch.cat([p.detach().flatten() for p in new_model(seed=1, loud=3.0).parameters()])
    for loss, weights in after[1:]:
        assert loss == pytest.approx(after[0][0], rel=1e-4)
        moved = float((after[0][1] - start).abs().max())
        assert float((weights - after[0][1]).abs().max()) < 1e-3 * moved


def test_the_slopes_are_those_of_the_present_weights(new_model: NewModel) -> None:
    """A second inner step starts from where the first one went, not from the first slopes."""
    model, batch = new_model(seed=1, loud=1.0), collate(rows(20), segments="answer")
    config = UpdateConfig(tokens_at_once=1, inner_steps=60, learning_rate=Ramp(3e-3, 3e-3))
    target = sequences.whole(batch).behaviour

    def loss(own: torch.Tensor) -> torch.Tensor:
        return (own - target).square().mean()

    first = float(loss(sequences.logprobs(model, batch, ONCE)))
    Learner(model, config).descend_sequences(batch, loss, 0.0)
    assert float(loss(sequences.logprobs(model, batch, ONCE))) < first / 4


def test_a_batch_without_segments_is_refused(new_model: NewModel) -> None:
    with pytest.raises(ValueError, match="segments="):
        sequences.logprobs(new_model(), collate(rows(3)), 60)


@pytest.mark.parametrize("at_once", [1, ONCE])
def test_a_loss_that_is_no_number_leaves_the_weights(new_model: NewModel, at_once: int) -> None:
    model, batch = new_model(seed=1), collate(rows(5), segments="answer")
    before = [p.detach().clone() for p in model.parameters()]
    learner = Learner(model, UpdateConfig(tokens_at_once=at_once))
    with pytest.raises(FloatingPointError, match="update 0"):
        learner.descend_sequences(batch, lambda own: own.sum() + torch.inf, 0.0)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert all(p.grad is None for p in model.parameters())


# -- the side loss ----------------------------------------------------------------------------


def test_the_side_loss_adds_its_gradient(new_model: NewModel) -> None:
    """weight · 1/rows · Σ_tokens w·(−log π), whatever the parts."""
    model = new_model(seed=1, loud=3.0)
    batch, aside = collate(rows(20), segments="answer"), collate(rows(8, seed=5))
    moved = []
    for weight in (0.0, 0.5, 1.0):
        model = new_model(seed=1, loud=3.0)
        config = UpdateConfig(tokens_at_once=50, inner_steps=1, max_grad_norm=1e9)
        learner = Learner(model, config)
        learner.optimizer = torch.optim.SGD(model.parameters(), lr=1.0)  # type: ignore[assignment]
        before = torch.cat([p.detach().flatten() for p in model.parameters()])
        side = Side(aside, weight) if weight else None
        found = learner.descend_sequences(batch, uneven, 0.0, side)
        after = torch.cat([p.detach().flatten() for p in model.parameters()])
        moved.append((before - after) / config.learning_rate.at(0))
    model = new_model(seed=1, loud=3.0)

    def likelihood() -> torch.Tensor:
        own = said_logprobs(model, aside, ONCE)
        value = -(aside.count * own).sum() / 8
        value.backward()  # type: ignore[no-untyped-call]
        assert found["side_loss"] == pytest.approx(float(value.detach()), rel=1e-4)
        return value

    expected = gradient(model, likelihood)
    for weight, step in zip((0.5, 1.0), moved[1:], strict=True):
        close = 1e-3 * float(expected.abs().max())
        assert float((step - moved[0] - weight * expected).abs().max()) < close


def test_demonstrations_are_drawn_anew_and_the_same_again() -> None:
    data = [Row("a", (5, 6, 7 + i), ((2, 3),), (0.0,), (0.0,)) for i in range(20)]
    side = Demonstrations(data, 0.5, rows_a_step=6)

    def drawn(update: int) -> list[int]:
        found = side.draw(update, share=True)
        assert found.weight == 0.5
        return sorted(found.batch.chosen.tolist())

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    assert len(set(drawn(0))) == 6
    assert len({token for update in range(20) for token in drawn(update)}) == 20
    assert len(Demonstrations(data, 0.5, rows_a_step=99).draw(0, True).batch.chosen) == 20
    for bad in ([], 0.5), (data, 0.0):
        with pytest.raises(BadInput, match="side loss"):
            Demonstrations(*bad)  # type: ignore[arg-type]

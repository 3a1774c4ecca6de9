"""Filtered behaviour cloning: weighted likelihood, in epochs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sparring.training.advantages.constant import Constant
from sparring.training.learner import Learner
from sparring.training.methods.cloning import Cloning
from sparring.training.update import Ramp, UpdateConfig

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("method", "weights"),
    [
        (Cloning(epochs=1), (2.0 / 3, 1.0 / 2)),
        (Cloning(epochs=1, length="sum"), (2.0, 1.0)),
        (Cloning(epochs=1, length=10), (0.2, 0.1)),
        (Cloning(epochs=1, length="sum", estimator=Constant()), (2 * 0.5, -1.5)),
    ],
    ids=["mean", "sum", "constant", "advantages"],
)
def test_the_gradient_by_hand(
    new_model: Make,
    sample_of: Make,
    stepped: Make,
    gradient: Make,
    scored: Make,
    method: Cloning,
    weights: tuple[float, float],
) -> None:
    """Of two games, of three tokens with weight 2 and of two with weight 1: −Σ w·log π over 2."""
    model = new_model(seed=3, loud=3.0)
    samples = [sample_of(0.5, (20, 21, 3), weight=2.0), sample_of(-1.5, (22, 3))]
    value = torch.zeros(())
    for weight, said in zip(weights, ((20, 21, 3), (22, 3)), strict=True):
        value = value - weight * scored(model, (4, 7, 8), said).sum() / 2
    expected = gradient(model, value)
    found, metrics = stepped(method, model, samples, inner_steps=7)
    assert float((found - expected).abs().max()) < 1e-5 * float(expected.abs().max())
    assert metrics["loss"] == pytest.approx(float(value.detach()), rel=1e-4)
    assert metrics["rows"] == 2


@pytest.mark.parametrize(("epochs", "rows_a_step", "steps"), [(3, None, 3), (2, 4, 6), (1, 99, 1)])
def test_every_row_once_an_epoch(
    new_model: Make,
    sample_of: Make,
    monkeypatch: pytest.MonkeyPatch,
    epochs: int,
    rows_a_step: int | None,
    steps: int,
) -> None:
    learner = Learner(new_model(), UpdateConfig())
    seen: list[list[int]] = []
    monkeypatch.setattr(
        learner, "step", lambda batch, loss: seen.append(sorted(batch.chosen.tolist())) or {}
    )
    samples = [sample_of(1.0, (20 + i,)) for i in range(10)]
    Cloning(epochs, rows_a_step).learn(learner, samples, 0.0)
    assert len(seen) == steps
    assert sorted(token for some in seen for token in some) == sorted(list(range(20, 30)) * epochs)
    assert learner.updates == 1


def test_what_was_kept_becomes_likely(new_model: Make, sample_of: Make) -> None:
    model = new_model(seed=3, loud=1.0)
    config = UpdateConfig(learning_rate=Ramp(3e-3, 3e-3))
    samples = [sample_of(1.0, (20, 3), weight=3.0), sample_of(1.0, (21, 3))]
    Cloning(epochs=150).learn(Learner(model, config), samples, 0.0)
    with torch.no_grad():
        chances = model(torch.tensor([[4, 7, 8]])).logits[0, -1].softmax(-1)
    assert float(chances[20]) == pytest.approx(0.75, abs=0.02), "as often as it weighs"
    assert float(chances[21]) == pytest.approx(0.25, abs=0.02)


def test_its_state_is_the_estimators() -> None:
    assert Cloning().state_dict() == {"estimator": {}}
    Cloning().load_state_dict({"estimator": {}})

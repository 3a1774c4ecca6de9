"""One ratio for a whole answer: the gradient by hand, the references, the weights."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch

from sparring.training.advantages.constant import Constant
from sparring.training.learner import Learner
from sparring.training.losses.utterance import clipped, imitation
from sparring.training.methods.utterance import Utterance
from sparring.training.rows import Row
from sparring.training.side import Demonstrations
from sparring.training.update import Ramp, UpdateConfig

Make = Callable[..., Any]
TWO = (((4, 7, 8), (20, 21, 3)), ((4, 7, 8, 20, 21, 3, 9), (22, 3)))


def near(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return float((found - expected).abs().max()) < 1e-5 * float(expected.abs().max())


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_the_gradient_by_hand(
    new_model: Make, sample_of: Make, stepped: Make, gradient: Make, scored: Make, at_once: int
) -> None:
    """Two answers of one game with A = 0.2·1 and 0.8·1 and weight 2, one of another with A = −1."""
    model = new_model(seed=3, loud=3.0)
    first = sample_of(1.0, TWO, model=model, weight=2.0, credit=(0.2, 0.8))
    second = sample_of(-1.0, (23, 3), model=model)
    total = torch.zeros(())
    for (prompt, said), w, a in (
        (TWO[0], 2.0, 0.2),
        (TWO[1], 2.0, 0.8),
        (((4, 7, 8), (23, 3)), 1, -1),
    ):
        own = scored(model, prompt, said).mean()
        total = total - w * (a - 0.2) * own / 3  # at ρ = 1, the pull of 0.2 attached
    expected = gradient(model, total)
    found, metrics = stepped(Utterance(Constant()), model, [first, second], tokens_at_once=at_once)
    assert near(found, expected)
    assert metrics["loss"] == pytest.approx(-(2 * 0.2 + 2 * 0.8 - 1) / 3, abs=1e-4)
    assert metrics["advantage_size"] == pytest.approx((0.2 + 0.8 + 1) / 3)
    assert metrics["mismatch_max"] < 1e-5
    assert metrics["utterance_ratio"] == pytest.approx(1.0, abs=0.1)
    assert metrics["utterance_shift"] > 0


def test_a_whole_game_as_one(
    new_model: Make, sample_of: Make, stepped: Make, gradient: Make, scored: Make
) -> None:
    model = new_model(seed=3, loud=3.0)
    one = sample_of(2.0, TWO, model=model)
    own = torch.cat([scored(model, *pair) for pair in TWO]).mean()
    expected = gradient(model, -2.0 * own)
    loss = partial(clipped, kl=0.0)
    found, _ = stepped(Utterance(Constant(), loss, by="row"), model, [one])
    assert near(found, expected)


def test_the_reference_is_what_sampled_or_the_learner(
    new_model: Make, sample_of: Make, stepped: Make
) -> None:
    """The engine said −1 a token; the ratio is taken to that, or to the model's own."""
    one = sample_of(1.0, (20, 21, 3))
    losses = {}
    for reference in ("behaviour", "update", "start"):
        model = new_model(seed=3, loud=3.0)
        own = Utterance(Constant(), partial(clipped, clip=99.0, kl=0.0), reference=reference)
        losses[reference] = stepped(own, model, [one])[1]["loss"]
    model = new_model(seed=3, loud=3.0)
    with torch.no_grad():
        logits = model(torch.tensor([[4, 7, 8, 20, 21, 3]])).logits[0].log_softmax(-1)
    mean = float(logits[torch.arange(2, 5), torch.tensor([20, 21, 3])].mean())
    assert losses["behaviour"] == pytest.approx(-torch.exp(torch.tensor(mean + 1)).item(), rel=1e-4)
    assert losses["update"] == pytest.approx(-1.0, rel=1e-5)
    assert losses["start"] == pytest.approx(-1.0, rel=1e-5)


def test_the_reference_of_the_start_stays(new_model: Make, sample_of: Make) -> None:
    model = new_model(seed=3, loud=1.0)
    learner = Learner(model, UpdateConfig(inner_steps=3, learning_rate=Ramp(2e-4, 2e-4)))
    one = sample_of(1.0, (20, 21, 3), model=model)
    method = Utterance(Constant(), partial(clipped, clip=99.0, kl=0.0), reference="start")
    losses = [method.learn(learner, [one], 0.0)["loss"] for _ in range(4)]
    assert all(b < a - 0.01 for a, b in pairwise(losses)), "ρ to the start grows"
    assert losses[0] < -1.0


@pytest.mark.parametrize(("reward", "bound"), [(1.0, 1.2), (-1.0, 0.8)])
def test_an_update_stops_at_the_clip(
    new_model: Make, sample_of: Make, reward: float, bound: float
) -> None:
    """The gradient is flat beyond ρ = 1.2 and 0.8, so plain descent stops with its next step."""
    ratios = []
    for clip in (0.2, 99.0):
        model = new_model(seed=3, loud=1.0)
        learner = Learner(model, UpdateConfig(inner_steps=120, learning_rate=Ramp(2e-3, 2e-3)))
        learner.optimizer = torch.optim.SGD(model.parameters(), lr=1.0)  # type: ignore[assignment]
        sample = sample_of(reward, (20, 3), model=model)
        method = Utterance(Constant(), partial(clipped, clip=clip, kl=0.0))
        metrics = method.learn(learner, [sample], 0.0)
        ratios.append(metrics["utterance_ratio"])
        if clip == 0.2:
            assert metrics["loss"] == pytest.approx(-reward * bound, abs=1e-5)
    assert ratios[0] == pytest.approx(bound, abs=0.06)
    assert abs(ratios[1] - 1) > 0.4


def test_imitation_and_a_side_loss(new_model: Make, sample_of: Make) -> None:
    model = new_model(seed=3, loud=1.0)
    config = UpdateConfig(inner_steps=40, learning_rate=Ramp(3e-3, 3e-3))
    side = Demonstrations([Row("b", (5, 6, 30), ((2, 3),), (0.0,), (0.0,))], 0.5)
    method = Utterance(Constant(), imitation, reference="start", side=side)
    learner = Learner(model, config)
    one = sample_of(0.0, (20, 3))
    first = method.learn(learner, [one], 0.0)
    assert first["side_loss"] < 1.0 < first["loss"] + 1.0
    with torch.no_grad():
        aside = model(torch.tensor([[5, 6]])).logits[0, -1].softmax(-1)[30]
        own = model(torch.tensor([[4, 7, 8]])).logits[0, -1].softmax(-1)[20]
    assert min(float(aside), float(own)) > 0.4


def test_its_state_is_the_estimators() -> None:
    class Remembers(Constant):
        def state_dict(self) -> dict[str, Any]:
            return {"x": 1}

    assert Utterance(Remembers()).state_dict() == {"estimator": {"x": 1}}

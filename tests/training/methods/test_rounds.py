"""Off-line rounds: what is kept, where an update starts, and that a resumed run goes on exactly."""

import copy
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from sparring.training.core import Metrics, Sample, Stateless
from sparring.training.learner import Learner
from sparring.training.methods.cloning import Cloning
from sparring.training.methods.rounds import Rounds
from sparring.training.update import Ramp, UpdateConfig

Make = Callable[..., Any]


class Watched(Stateless):
    """Keeps what it was given, and moves the weights."""

    def __init__(self) -> None:
        self.given: list[list[float]] = []
        self.started: list[float] = []

    def learn(self, learner: Any, samples: Sequence[Sample], progress: float) -> Metrics:
        self.given.append([s.reward for s in samples])
        weight = next(learner.model.parameters())
        self.started.append(float(weight.detach().sum()))
        with torch.no_grad():
            weight.add_(1.0)
        learner.updates += 1
        return {"loss": 1.0}


def learner_of(model: Any) -> Learner:
    return Learner(model, UpdateConfig(learning_rate=Ramp(1e-2, 1e-3), inner_steps=2))


@pytest.mark.parametrize(
    ("keep", "given"),
    [
        (1, [[0], [1], [2], [3]]),
        (2, [[0], [0, 1], [1, 2], [2, 3]]),
        (9, [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]),
    ],
)
def test_the_data_of_the_last_rounds(
    new_model: Make, sample_of: Make, keep: int, given: list[list[float]]
) -> None:
    method, learner = Rounds(Watched(), keep), learner_of(new_model())
    metrics = [method.learn(learner, [sample_of(float(i), (20,))], 0.0) for i in range(4)]
    assert isinstance(method.method, Watched)
    assert method.method.given == given
    assert [m["rounds"] for m in metrics] == [min(i + 1, keep) for i in range(4)]
    assert [m["round_samples"] for m in metrics] == [len(g) for g in given]
    assert {m["loss"] for m in metrics} == {1.0}
    assert len(method.kept["learner"]) == min(keep - 1, 4), "what the next round needs, no more"


def test_from_the_latest_or_the_base_weights(new_model: Make, sample_of: Make) -> None:
    starts = {}
    for start in ("latest", "base"):
        learner = learner_of(new_model(seed=3))
        method = Rounds(Watched(), 2, start)
        for _ in range(3):
            method.learn(learner, [sample_of(1.0, (20,))], 0.0)
        assert isinstance(method.method, Watched)
        starts[start] = method.method.started
    assert len(set(starts["latest"])) == 3
    assert starts["base"] == [starts["latest"][0]] * 3


def test_from_base_the_optimiser_starts_anew_too(new_model: Make, sample_of: Make) -> None:
    """The same data from the same weights: the same update, and not another because of momentum."""
    learner = learner_of(new_model(seed=3, loud=1.0))
    method = Rounds(Cloning(epochs=3), keep=1, start="base")
    metrics = [method.learn(learner, [sample_of(1.0, (20, 3))], 0.0) for _ in range(3)]
    assert metrics[1] == metrics[0] == metrics[2]


def test_each_player_has_its_own_rounds(new_model: Make, sample_of: Make) -> None:
    method = Rounds(Watched(), 2)
    learners = {name: learner_of(new_model()) for name in ("x", "y")}
    for i in range(2):
        for name, learner in learners.items():
            method.learn(learner, [sample_of(10 * i + (name == "y"), (20,), player=name)], 0.0)
    assert isinstance(method.method, Watched)
    assert method.method.given == [[0], [1], [0, 10], [1, 11]]


def test_no_rounds_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Rounds(Cloning(), keep=0)


def saved(state: Any) -> Any:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("start", ["latest", "base"])
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_resumed_run_goes_on_bit_for_bit(
    new_model: Make, sample_of: Make, start: Any, stop: int
) -> None:
    """From the weights and states of a checkpoint, read as a checkpoint is read."""

    def round_of(i: int) -> list[Sample]:
        return [sample_of(0.1 * i + k / 3, (20 + (i + k) % 5, 21, 3), seed=k) for k in range(3)]

    def fresh() -> tuple[Rounds, Learner]:
        return Rounds(Cloning(2, rows_a_step=2), 3, start), learner_of(new_model(seed=3, loud=1.0))

    method, learner = fresh()
    expected = [method.learn(learner, round_of(i), i / 5) for i in range(5)]
    weights = learner.model.state_dict()

    first, early = fresh()
    for i in range(stop):
        first.learn(early, round_of(i), i / 5)
    state = saved({"method": first.state_dict(), "learner": early.state_dict()})
    kept = saved(early.model.state_dict())
    second, late = fresh()
    late.model.load_state_dict(kept)
    late.load_state_dict(state["learner"])
    second.load_state_dict(state["method"])
    assert second.kept == first.kept
    assert [second.learn(late, round_of(i), i / 5) for i in range(stop, 5)] == expected[stop:]
    for name, weight in late.model.state_dict().items():
        assert torch.equal(weight, weights[name])

    forgetful, same = fresh()
    same.model.load_state_dict(kept)
    same.load_state_dict(copy.deepcopy(state["learner"]))
    assert forgetful.learn(same, round_of(stop), stop / 5) != expected[stop], "it is needed"

"""The learner: what an update does to the model, the magnet and the state."""

import copy
import math
from dataclasses import replace
from math import inf
from typing import Any

import pytest
import torch

from sparring.envs.core import BadInput
from sparring.training import weights
from sparring.training.batch import collate
from sparring.training.forward import logprobs
from sparring.training.learner import Learner
from sparring.training.rows import Row
from sparring.training.update import Ramp, UpdateConfig

GOOD, BAD, END = 20, 21, 3
PROMPT = (4, 7, 8)


def rows(model: Any) -> list[Row]:
    """A game of one answer: GOOD pays 1, BAD costs 1, sampled equally often."""
    batch = [(GOOD, 1.0), (BAD, -1.0)] * 8
    with torch.no_grad():
        policy = model(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1)
    return [
        Row("a", (*PROMPT, said), ((3, 4),), (float(policy[said]),), (pays,))
        for said, pays in batch
    ]


def chance(model: Any, token: int) -> float:
    with torch.no_grad():
        return float(model(torch.tensor([PROMPT])).logits[0, -1].softmax(-1)[token])


def test_an_update_favours_what_paid(new_model: Any) -> None:
    model = new_model(seed=3, loud=1.0)
    learner = Learner(model, UpdateConfig(learning_rate=Ramp(3e-3, 3e-3)))
    before = chance(model, GOOD), chance(model, BAD)
    for _ in range(3):
        metrics = learner.update(collate(rows(model)), progress=0.0)
    assert chance(model, GOOD) > 1.2 * before[0]
    assert chance(model, BAD) < before[1]
    assert metrics["mismatch_max"] < 1e-5  # the rows were scored by the same weights
    assert metrics["kl_step"] > 0


@pytest.mark.parametrize("cap", [0.5, 2.0, 100.0])
def test_the_cap_bounds_what_an_odd_engine_does(new_model: Any, cap: float) -> None:
    """An engine that says of each token that it was e^-2 times as likely as it was."""
    learners = []
    for config in (UpdateConfig(), UpdateConfig(importance_cap=cap)):
        learner = Learner(new_model(seed=3, loud=1.0), replace(config, inner_steps=1))
        honest = rows(learner.model)
        odd = [replace(row, logprobs=tuple(p - 2 for p in row.logprobs)) for row in honest]
        given = honest if config.importance_cap is None else odd
        found = learner.update(collate(given), progress=0.0)
        learners.append((learner, found))
    (_, alone), (_, capped) = learners
    weight = min(cap, math.exp(2))
    assert capped["grad_norm"] == pytest.approx(weight * alone["grad_norm"], rel=1e-3)
    assert capped["importance_cut"] == float(cap < math.exp(2))
    assert capped["mismatch_mean"] == pytest.approx(2, abs=1e-4)
    assert "importance_cut" not in alone


def test_zero_advantage_leaves_the_policy(new_model: Any) -> None:
    """AdamW makes small steps of whatever rounding leaves of a zero gradient; β holds them."""
    moved = []
    for scale in (0.0, 1.0):
        model = new_model(seed=3, loud=1.0)
        given = [replace(row, advantages=(scale * row.advantages[0],)) for row in rows(model)]
        config = UpdateConfig(magnet=0.0, inner_steps=20)
        moved.append(Learner(model, config).update(collate(given), progress=0.0)["kl_step"])
    assert moved[0] < 0.01 * moved[1]


def test_the_magnet_moves_when_it_should(new_model: Any) -> None:
    model = new_model(seed=3, loud=1.0)
    learner = Learner(model, UpdateConfig(magnet_every=2, learning_rate=Ramp(3e-3, 3e-3)))
    batch = collate(rows(model))
    seen = []
    for _ in range(5):
        start = logprobs(model, batch, 100).detach()
        learner.update(batch, progress=0.0)
        with weights.using(model, learner.magnet):
            pull = logprobs(model, batch, 100).detach()
        seen.append(torch.equal(pull, start))
    assert seen == [True, False, True, False, True]


def test_state_goes_on_exactly(new_model: Any) -> None:
    config = UpdateConfig(magnet_every=2, learning_rate=Ramp(1e-3, 1e-4))
    one = Learner(new_model(seed=3, loud=1.0), config)
    batch = collate(rows(one.model))
    for step in range(3):
        one.update(batch, step / 10)
    two = Learner(copy.deepcopy(one.model), config)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    for step in range(3, 6):
        assert one.update(batch, step / 10) == two.update(batch, step / 10)


def test_parts_of_a_batch_add_up(new_model: Any) -> None:
    """Many small passes through the model give the update of one large pass."""
    found = []
    for at_once in (1, 100_000):
        model = new_model(seed=3, loud=1.0)
        learner = Learner(model, UpdateConfig(tokens_at_once=at_once, inner_steps=1))
        found.append(learner.update(collate(rows(model), share=False), 0.0)["grad_norm"])
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_a_broken_loss_stops_the_run(new_model: Any) -> None:
    model = new_model(seed=3, loud=1.0)
    broken = [replace(row, advantages=(inf,)) for row in rows(model)]
    with pytest.raises(FloatingPointError, match="loss"):
        Learner(model, UpdateConfig()).update(collate(broken), 0.0)


def test_ramp() -> None:
    assert [Ramp(1.0, 3.0).at(p) for p in (0, 0.5, 1)] == [1.0, 2.0, 3.0]
    assert Ramp(inf, inf).at(0.5) == inf


@pytest.mark.parametrize(
    "options",
    [
        {"inner_steps": 0},
        {"magnet_every": 0},
        {"step_size": Ramp(0.5, 0.0)},
        {"importance_cap": 0.0},
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        UpdateConfig(**options)

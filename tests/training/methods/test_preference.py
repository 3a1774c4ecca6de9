"""Preference losses on pairs of games and of answers."""

from collections.abc import Callable
from functools import partial
from math import log
from typing import Any

import pytest
import torch

from sparring.envs.core import BadInput
from sparring.training.items import by_seat, games, siblings
from sparring.training.learner import Learner
from sparring.training.losses.preference import dpo, spin, sppo
from sparring.training.methods.preference import Preference
from sparring.training.pairs import Builder, all_ordered, best_and_worst, softmax, win_rates
from sparring.training.rows import Row
from sparring.training.side import Demonstrations
from sparring.training.update import Ramp, UpdateConfig

Make = Callable[..., Any]
P = (4, 7, 8)
GAMES = Builder(games(), best_and_worst())


def near(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return float((found - expected).abs().max()) < 1e-5 * float(expected.abs().max())


@pytest.mark.parametrize("at_once", [1, 10_000])
@pytest.mark.parametrize("average", [False, True])
def test_the_gradient_by_hand(
    new_model: Make,
    sample_of: Make,
    stepped: Make,
    gradient: Make,
    scored: Make,
    average: bool,
    at_once: int,
) -> None:
    """Where the policy is the reference: −β/2·(∇ chosen − ∇ rejected), mean over two pairs."""
    model = new_model(seed=3, loud=3.0)
    said = {(0, 1.0): (20, 21, 3), (0, 0.0): (22, 3), (1, 1.0): (22, 3), (1, 0.0): (23, 24, 25, 3)}
    samples = [sample_of(reward, tokens, seed=seed) for (seed, reward), tokens in said.items()]
    total = torch.zeros(())
    for (_, reward), tokens in said.items():
        own = scored(model, P, tokens)
        total = total - 0.4 / 2 / 2 * (2 * reward - 1) * (own.mean() if average else own.sum())
    expected = gradient(model, total)
    method = Preference(GAMES, partial(dpo, beta=0.4), average)
    found, metrics = stepped(method, model, samples, tokens_at_once=at_once)
    assert near(found, expected)
    assert metrics["loss"] == pytest.approx(log(2), abs=1e-5)
    assert (metrics["pairs"], metrics["groups"]) == (2, 2)
    assert metrics["pair_accuracy"] == 1.0
    assert metrics["pair_margin"] > 0


def test_games_of_several_rows_and_answers_of_shared_games(
    new_model: Make, sample_of: Make, stepped: Make, gradient: Make, scored: Make
) -> None:
    """A fork makes two rows of one game: its log-probability is the sum over both."""
    forked = (((4, 7, 8), (20, 3)), ((5, 9), (21, 3)))
    model = new_model(seed=3, loud=3.0)
    own = torch.cat([scored(model, *pair) for pair in forked])
    other = scored(model, P, (22, 3))
    expected = gradient(model, -0.5 * (own.mean() - other.mean()))
    samples = [sample_of(1.0, forked), sample_of(0.0, (22, 3))]
    method = Preference(GAMES, partial(dpo, beta=1.0), average=True)
    found, metrics = stepped(method, model, samples, learning_rate=Ramp(1e-2, 1e-2))
    assert near(found, expected)
    with torch.no_grad():  # the weights have moved
        up = torch.cat([scored(model, *pair) for pair in forked]).mean() - own.mean()
        down = scored(model, P, (22, 3)).mean() - other.mean()
    assert metrics["chosen_shift"] == pytest.approx(float(up), abs=1e-5)
    assert metrics["rejected_shift"] == pytest.approx(float(down), abs=1e-5)
    assert metrics["pair_margin"] == pytest.approx(float(up - down), abs=1e-5)
    assert float(up - down) > 0.01

    model = new_model(seed=3, loud=3.0)
    second = (4, 7, 8, 20, 3, 9)
    chosen, rejected = scored(model, second, (21, 3)), scored(model, second, (22, 23, 3))
    expected = gradient(model, -0.5 * (chosen.sum() - rejected.sum()))
    samples = [
        sample_of(1.0, [(P, (20, 3)), (second, (21, 3))]),
        sample_of(0.0, [(P, (20, 3)), (second, (22, 23, 3))]),
    ]
    method = Preference(Builder(siblings(), best_and_worst()), partial(dpo, beta=1.0))
    found, metrics = stepped(method, model, samples)
    assert near(found, expected), "the first answer is the same in both and is not trained"
    assert metrics["no_pair/alone"] == 1


def test_two_answers_of_one_game_in_two_pairs(
    new_model: Make, sample_of: Make, stepped: Make, gradient: Make, scored: Make
) -> None:
    """20 over 23 (½ against 0) at the first turn, 21 over 22 at the second, in three games."""
    model = new_model(seed=3, loud=3.0)
    second = (4, 7, 8, 20, 3, 9)
    total = torch.zeros(())
    for prompt, chosen, rejected in ((P, 20, 23), (second, 21, 22)):
        up, down = (scored(model, prompt, (answer, 3)) for answer in (chosen, rejected))
        total = total - 0.5 / 2 * (up.sum() - down.sum())
    expected = gradient(model, total)
    samples = [
        sample_of(1.0, [(P, (20, 3)), (second, (21, 3))]),
        sample_of(0.0, [(P, (20, 3)), (second, (22, 3))]),
        sample_of(0.0, (23, 3)),
    ]
    method = Preference(Builder(siblings(), all_ordered()), partial(dpo, beta=1.0))
    found, metrics = stepped(method, model, samples)
    assert metrics["pairs"] == 2
    assert near(found, expected)


def test_weights_and_targets_reach_the_loss(
    new_model: Make, sample_of: Make, stepped: Make, gradient: Make, scored: Make
) -> None:
    """d/dΔ of the soft loss at Δ = 0 is β·(½ − p), p = σ(m·(0.6 − 0.4)) with m = 7."""
    model = new_model(seed=3, loud=3.0)
    chosen, rejected = scored(model, P, (20, 3)), scored(model, P, (21, 3))
    p = 0.802184
    expected = gradient(model, 3.0 * 0.5 * (0.5 - p) * (chosen.sum() - rejected.sum()))
    samples = [sample_of(0.6, (20, 3), weight=3.0), sample_of(0.4, (21, 3), weight=3.0)]
    builder = Builder(games(), best_and_worst(target=softmax(7.0)))
    found, _ = stepped(Preference(builder, partial(dpo, beta=0.5)), model, samples)
    assert near(found, expected)


def test_items_of_several_pairs_are_computed_once(
    new_model: Make, sample_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(new_model(), UpdateConfig())
    seen: list[int] = []

    def watch(batch: Any, loss: Any, progress: float, side: Any) -> dict[str, float]:
        seen.append(batch.rows)
        return {}

    monkeypatch.setattr(learner, "descend_sequences", watch)
    samples = [sample_of(float(i), (20 + i, 3)) for i in range(5)]
    metrics = Preference(Builder(games(), all_ordered()), dpo).learn(learner, samples, 0.0)
    assert (metrics["pairs"], seen) == (10, [5])


# -- the reference ----------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["start", "update"])
def test_the_reference_is_the_start_of_the_run_or_of_the_update(
    new_model: Make, sample_of: Make, reference: Any
) -> None:
    model = new_model(seed=3, loud=1.0)
    config = UpdateConfig(inner_steps=1, learning_rate=Ramp(1e-3, 1e-3))
    learner = Learner(model, config)
    samples = [sample_of(1.0, (20, 3)), sample_of(0.0, (21, 3))]
    method = Preference(GAMES, dpo, reference=reference)
    losses = [method.learn(learner, samples, 0.0)["loss"] for _ in range(3)]
    assert losses[0] == pytest.approx(log(2), abs=1e-6)
    if reference == "update":
        assert losses == pytest.approx([log(2)] * 3, abs=1e-6)
    else:
        assert losses[2] < losses[1] < losses[0] - 1e-3


def test_the_reference_is_kept_though_the_first_step_has_no_pairs(
    new_model: Make, sample_of: Make
) -> None:
    learner = Learner(new_model(), UpdateConfig(inner_steps=1))
    method = Preference(GAMES, dpo)
    tied = [sample_of(1.0, (20, 3)), sample_of(1.0, (21, 3))]
    assert method.learn(learner, tied, 0.0) == {"pairs": 0, "groups": 1, "no_pair/tied": 1}
    assert learner.updates == 0
    learner.updates = 1  # by another method
    samples = [sample_of(1.0, (20, 3)), sample_of(0.0, (21, 3))]
    assert "loss" in method.learn(learner, samples, 0.0)


def test_where_nothing_can_ever_be_compared_it_says_so(new_model: Make, sample_of: Make) -> None:
    learner = Learner(new_model(), UpdateConfig())
    with pytest.raises(BadInput, match="none of the 2 groups has two items"):
        Preference(GAMES, dpo).learn(
            learner, [sample_of(1.0, (20, 3)), sample_of(0.0, (20, 3), seed=1)], 0.0
        )


# -- the published methods --------------------------------------------------------------------


def chances(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(torch.tensor([P])).logits[0, -1].softmax(-1)
    return found


def test_sppo_reaches_its_targets(new_model: Make, sample_of: Make) -> None:
    """log π/π_ref of best and worst end at (P − ½)/β: with β = 0.5 at 0.308 and −0.154."""
    model = new_model(seed=3, loud=1.0)
    learner = Learner(model, UpdateConfig(inner_steps=20, learning_rate=Ramp(2e-3, 1e-5)))
    before = chances(model)
    samples = [sample_of(r, (a,)) for r, a in ((1.0, 20), (0.0, 21), (0.0, 22))]
    method = Preference(Builder(siblings(), win_rates()), partial(sppo, beta=0.5))
    for step in range(15):
        metrics = method.learn(learner, samples, step / 14)
    moved = (chances(model) / before).log()
    assert float(moved[20]) == pytest.approx((0.654039 - 0.5) / 0.5, abs=0.01)
    assert float(moved[21]) == pytest.approx((0.422980 - 0.5) / 0.5, abs=0.01)
    assert metrics["loss"] < 1e-4


def test_spin_prefers_demonstrations_and_stops_where_they_are_said(
    new_model: Make, sample_of: Make
) -> None:
    model = new_model(seed=3, loud=1.0)
    learner = Learner(model, UpdateConfig(inner_steps=10, learning_rate=Ramp(1e-3, 1e-3)))
    builder = Builder(siblings(score=by_seat(lambda name: float(name == "demo"))), all_ordered())
    demonstrations = [sample_of(0.0, (20, 3), who="demo")]
    method = Preference(builder, spin, reference="update", demonstrations=demonstrations)
    before = chances(model)
    metrics = method.learn(learner, [sample_of(9.0, (21, 3)), sample_of(9.0, (22, 3))], 0.0)
    assert metrics["pairs"] == 2
    after = chances(model)
    assert float(after[20]) > float(before[20])
    assert float(after[20] / after[21]) > float(before[20] / before[21])
    with pytest.raises(BadInput, match="two items"):
        method.learn(learner, [sample_of(9.0, (20, 3))], 0.0)


def test_a_side_loss(new_model: Make, sample_of: Make) -> None:
    side = Demonstrations([Row("b", (5, 6, 30), ((2, 3),), (0.0,), (0.0,))], 0.5)
    learner = Learner(new_model(seed=3), UpdateConfig(inner_steps=1))
    samples = [sample_of(1.0, (20, 3)), sample_of(0.0, (21, 3))]
    assert Preference(GAMES, dpo, side=side).learn(learner, samples, 0.0)["side_loss"] > 0

"""The value head and its advantages: numbers by hand, what is learned, what is left alone."""

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from sparring.envs.core import BadInput
from sparring.training.advantages.gae import GAE, GAEConfig, gae
from sparring.training.advantages.value import ValueHead, last_states
from sparring.training.core import Sample

New = Callable[..., Sample]

VALUES = (0.5, 0.2, -0.1)  # of three turns; the reward is 1 and γ = 0.9


def test_one_step_ahead_by_hand() -> None:
    """λ = 0: 0.9·0.2 − 0.5, 0.9·(−0.1) − 0.2, 1 − (−0.1)."""
    assert gae(VALUES, 1.0, 0.9, 0.0) == pytest.approx((-0.32, -0.29, 1.1))


def test_the_whole_return_by_hand() -> None:
    """λ = 1: 0.81·1 − 0.5, 0.9·1 − 0.2, 1 + 0.1: the return minus the value."""
    assert gae(VALUES, 1.0, 0.9, 1.0) == pytest.approx((0.31, 0.7, 1.1))


def test_between_the_two_by_hand() -> None:
    """γλ = 0.45: −0.29 + 0.45·1.1 = 0.205; −0.32 + 0.45·0.205 = −0.22775."""
    assert gae(VALUES, 1.0, 0.9, 0.5) == pytest.approx((-0.22775, 0.205, 1.1))


def test_a_head_that_knows_nothing_gives_the_reward(new_model: Any, sample: New) -> None:
    batch = [sample(2, prompts=((4, 7), (4, 7, 8, 9))), sample(-1, prompts=((5,),))]
    assert GAE(new_model(), GAEConfig(lam=1.0))(batch) == [(2.0, 2.0), (-1.0,)]
    assert GAE(new_model(), GAEConfig(lam=0.0))(batch) == [(0.0, 2.0), (-1.0,)]
    assert GAE(new_model())([sample(1, turns=0)]) == [()]


def test_it_learns_what_a_prompt_is_worth(new_model: Any, sample: New) -> None:
    """With token 20 in the prompt the role wins 1, with 21 it loses 3, with 22 it is 1 or −1."""
    good, bad, open_ = (4, 20, 8), (4, 21, 8), (4, 22, 8)
    pays = [(1, good), (1, good), (-3, bad), (-3, bad), (1, open_), (-1, open_)]
    batch = [sample(r, prompts=(prompt,)) for r, prompt in pays]
    estimator = GAE(new_model(seed=3))
    estimator(batch)
    assert estimator.error == pytest.approx((2 * 1 + 2 * 9 + 2 * 1) / 6)  # V = 0
    for _ in range(20):
        found = [a for (a,) in estimator(batch)]
    assert found == pytest.approx([0, 0, 0, 0, 1, -1], abs=0.05)
    assert estimator.error == pytest.approx(2 / 6, abs=0.05)


def test_it_learns_lambda_returns_turn_by_turn(new_model: Any, sample: New) -> None:
    """Two turns, reward 2, γ = 0.5: V of the last is 2 and V of the first 0.5·2, for any λ."""
    batch = [sample(2, prompts=((4, 7), (4, 7, 8, 9)))]
    for lam in (0.0, 0.5, 1.0):
        estimator = GAE(new_model(seed=3), GAEConfig(gamma=0.5, lam=lam))
        for _ in range(30):
            (found,) = estimator(batch)
        assert found == pytest.approx((0, 0), abs=0.02)
        head = estimator.head
        values = head(head.features([(4, 7), (4, 7, 8, 9)], 100)).tolist()
        assert values == pytest.approx([1, 2], abs=0.05)


def test_the_values_do_not_know_the_batch_they_judge(new_model: Any, sample: New) -> None:
    """Read first, fitted then: what the rewards are shows only in the next call."""
    high, low = (GAE(new_model(seed=3)) for _ in range(2))
    batch = [sample(1, prompts=((4, 7),))]
    assert high(batch) == low(batch) == [(1.0,)]
    high([sample(5, prompts=((4, 7),))])
    low([sample(-5, prompts=((4, 7),))])
    assert high(batch)[0][0] < low(batch)[0][0]


def test_states_are_those_of_the_model_at_the_prompts_end(new_model: Any) -> None:
    """The output layer on them gives the model's own logits; passes, fill and cuts do not show."""
    model = new_model()
    prompts = [(4, 7, 8, 9, 10), (4, 7), (5, 6, 7), (4, 7), (4,), (9, 9, 9, 9, 9, 9, 9), (4, 7, 9)]
    for at_once in (1, 8, 100):
        states = last_states(model, prompts, at_once)
        for prompt, state in zip(prompts, states, strict=True):
            with torch.no_grad():
                logits = model(torch.tensor([prompt])).logits[0, -1]
                assert torch.allclose(model.get_output_embeddings()(state), logits, atol=1e-4)


def test_what_begins_a_longer_prompt_needs_no_pass(new_model: Any) -> None:
    model = new_model()
    seen: list[tuple[int, ...]] = []
    decoder = model.get_decoder()
    hook = decoder.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    prompts = [(4, 7), (4, 7, 8, 9), (4,), (4, 7, 8, 9), (5, 6), (4, 7, 9)]
    last_states(model, prompts, 100)
    assert seen == [(3, 4)]  # (4, 7, 8, 9), (4, 7, 9) and (5, 6), in one go
    seen.clear()
    last_states(model, prompts, 6)
    hook.remove()
    assert seen == [(2, 3), (1, 4)]  # at most six tokens with fill


def test_the_model_is_left_alone(new_model: Any, sample: New) -> None:
    model = new_model()
    model.train()
    model.get_decoder().layers[0].eval()
    modes = [module.training for module in model.modules()]
    before = copy.deepcopy(model.state_dict())
    luck = torch.get_rng_state()
    GAE(model)([sample(1, prompts=((4, 7), (4, 7, 8)))])
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(w, before[name]) for name, w in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(luck, torch.get_rng_state())


def test_with_an_adapter(new_model: Any, sample: New) -> None:
    """The states are of the model with its adapter; dropout is off while they are read."""
    plain = new_model()
    torch.manual_seed(0)
    config = LoraConfig(
        r=4, lora_dropout=0.5, target_modules=["q_proj", "v_proj"], init_lora_weights=False
    )
    adapted = get_peft_model(copy.deepcopy(plain), config)
    adapted.train()
    prompts = [(4, 7, 8)]
    one, two = (last_states(adapted, prompts, 100) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.allclose(one, last_states(plain, prompts, 100), atol=1e-2)
    adapted.eval()
    with torch.no_grad():
        logits = adapted(torch.tensor(prompts)).logits[0, -1]
        assert torch.allclose(adapted.get_output_embeddings()(one[0]), logits, atol=1e-4)
    assert GAE(adapted)([sample(1, prompts=((4, 7, 8),))]) == [(1.0,)]


def test_one_step_moves_a_value_by_twice_the_rate_at_most(new_model: Any) -> None:
    for width in (32, 128):
        head = ValueHead(new_model(width=width), 0.05)
        features = head.features([(4, 7, 8), (5, 6)], 100)
        head.fit(features[:1], torch.tensor([0]), torch.tensor([1000.0]), steps=1)
        near, far = head(features).tolist()
        assert near == pytest.approx(0.1, rel=1e-3)  # 0.05·‖h‖₁/‖h‖₁ + 0.05
        assert abs(far) <= 0.1


def test_a_loaded_one_goes_on_exactly(new_model: Any, sample: New) -> None:
    batch = [sample(1, prompts=((4, 7), (4, 7, 8))), sample(-1, prompts=((5,),))]
    one, two = GAE(new_model(seed=3)), GAE(new_model(seed=3))
    for _ in range(3):
        one(batch)
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    two.load_state_dict(torch.load(file, weights_only=True))
    for _ in range(3):
        assert one(batch) == two(batch)
    assert two.state_dict()["head"]["optimizer"]["state"][0]["step"] == 300  # 6 batches of 50


def test_what_no_model_played_has_no_value(new_model: Any, sample: New) -> None:
    with pytest.raises(ValueError, match="no model played it"):
        GAE(new_model())([sample(1, prompts=((4, 7), ()))])


def test_settings_are_checked() -> None:
    with pytest.raises(BadInput, match="gamma and lam"):
        GAEConfig(lam=1.1)
    with pytest.raises(BadInput, match="learning-rate"):
        GAEConfig(steps=0)

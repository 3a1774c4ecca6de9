"""Adapters: what is trained and what is not, several on one model, and their files."""

import asyncio
import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from sparring.agents.pretrained import load_model
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training import checkpoint
from sparring.training.assembly import new_player, new_players
from sparring.training.batch import Batch, collate
from sparring.training.config import SelfPlayConfig
from sparring.training.learner import Learner
from sparring.training.models import lora
from sparring.training.models.load import trainable
from sparring.training.models.options import LoraOptions
from sparring.training.recipes.kuhn import Config, build
from sparring.training.rows import Row
from sparring.training.update import Ramp, UpdateConfig
from sparring.training.weights import trained

RANK = LoraOptions(rank=4)
UPDATE = UpdateConfig(learning_rate=Ramp(5e-3, 5e-3), inner_steps=2)
PROMPT = (4, 7, 8)


def batch(good: int) -> Batch:
    """Two answers of one token to PROMPT, of which ``good`` pays."""
    said = [(20, 1.0 if good == 20 else -1.0), (21, 1.0 if good == 21 else -1.0)]
    return collate([Row("a", (*PROMPT, t), ((3, 4),), (-6.0,), (pays,)) for t, pays in said])


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([PROMPT])).logits[0, -1].clone()


def frozen(model: Any) -> dict[str, torch.Tensor]:
    return {n: p.detach().clone() for n, p in model.named_parameters() if "lora_" not in n}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_only_the_adapter_learns(folder: Path) -> None:
    plain, _ = load_model(str(folder))
    model, _ = trainable(str(folder), RANK)
    assert torch.equal(logits(model), logits(plain))  # B is 0
    names = trained(model)
    assert names
    assert all("lora_" in name for name in names)
    # 4 of attention and 3 of the MLP in 2 layers, 4·(in + out) each: width 32, MLP 96
    assert sum(p.numel() for p in names.values()) == 2 * 4 * (4 * (32 + 32) + 3 * (32 + 96))
    before = frozen(model)
    learner = Learner(model, UPDATE)
    assert learner.magnet == {}
    for _ in range(3):
        learner.update(batch(20), 0.0)
    assert same(frozen(model), before)
    start, now = logits(plain).softmax(-1), logits(model).softmax(-1)
    assert now[20] / now[21] > 1.2 * start[20] / start[21]
    assert set(learner.magnet) == set(names)  # copies are of what is trained


def test_a_seed_gives_one_adapter(folder: Path) -> None:
    one, same_seed, other = (trainable(str(folder), RANK, seed=s)[0] for s in (1, 1, 2))
    first = {n: p.detach() for n, p in trained(one).items()}
    assert same(first, {n: p.detach() for n, p in trained(same_seed).items()})
    assert not same(first, {n: p.detach() for n, p in trained(other).items()})


def test_two_adapters_learn_apart_on_one_model(folder: Path) -> None:
    model, _ = trainable(str(folder), RANK, name="attacker")
    model = lora.with_adapter(model, RANK, 0, "defender")
    before = frozen(model)
    attacker, defender = (Learner(model, UPDATE, name) for name in ("attacker", "defender"))
    start = logits(model).softmax(-1)

    def of(name: str) -> torch.Tensor:
        with lora.active(model, name):
            return logits(model)

    for _ in range(3):
        attacker.update(batch(20), 0.0)
    assert torch.equal(of("defender").softmax(-1), start)
    held = of("attacker")
    for _ in range(3):
        defender.update(batch(21), 0.0)
    assert torch.equal(of("attacker"), held)
    assert of("attacker").softmax(-1)[20] > 1.2 * start[20]
    assert of("defender").softmax(-1)[21] > 1.2 * start[21]
    assert same(frozen(model), before)
    assert attacker.magnet.keys().isdisjoint(defender.magnet)


def test_an_adapter_alone_learns_what_it_learns_beside_another(folder: Path) -> None:
    """Bit for bit: the other one takes no part."""
    alone, _ = trainable(str(folder), RANK, name="attacker")
    first = Learner(alone, UPDATE, "attacker")
    shared, _ = trainable(str(folder), RANK, name="attacker")
    shared = lora.with_adapter(shared, RANK, 3, "defender")
    second, other = Learner(shared, UPDATE, "attacker"), Learner(shared, UPDATE, "defender")
    for _ in range(2):
        expected = first.update(batch(20), 0.0)
        assert second.update(batch(20), 0.0) == expected
        other.update(batch(21), 0.0)


def config(folder: Path, **options: Any) -> Config:
    small = {"steps": 2, "games": 8, "max_tokens": 4, "update": replace(UPDATE, inner_steps=1)}
    return Config(model=str(folder), lora=RANK, **(small | options))


def test_a_saved_adapter_loads_in_peft_and_here(folder: Path, tmp_path: Path) -> None:
    experiment = build(config(folder))
    for _ in experiment.loop.run():
        pass
    saved = checkpoint.save(tmp_path / "run", experiment.loop) / "model"
    assert not (saved / "model.safetensors").exists()  # the base stays where it is
    expected = logits(experiment.loop.players["learner"].model)
    assert not torch.equal(expected, logits(load_model(str(folder))[0]))
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert torch.equal(logits(PeftModel.from_pretrained(base, saved)), expected)
    ours, tokens = load_model(str(saved))
    assert torch.equal(logits(ours), expected)
    assert tokens.chat_template
    assert (saved / "tokenizer.json").is_file()


def test_a_run_with_an_adapter_resumes_exactly(folder: Path, tmp_path: Path) -> None:
    whole = list(build(config(folder, steps=4)).loop.run())
    first = build(config(folder, steps=4)).loop
    running = first.run()
    parts = [next(running), next(running)]
    saved = checkpoint.save(tmp_path, first)
    second = build(config(folder, steps=4), saved).loop
    second.load_state_dict(checkpoint.load_state(saved))
    assert [*parts, *second.run()] == whole


def test_an_adapter_folder_is_trained_further(folder: Path, tmp_path: Path) -> None:
    first, tokens = trainable(str(folder), RANK)
    Learner(first, UPDATE).update(batch(20), 0.0)
    lora.save(first, tmp_path / "saved")
    tokens.save_pretrained(tmp_path / "saved")
    second, _ = trainable(str(tmp_path / "saved"), LoraOptions())
    assert torch.equal(logits(second), logits(first))
    assert trained(second).keys() == trained(first).keys()
    before = frozen(second)
    Learner(second, UPDATE).update(batch(20), 0.0)
    assert not torch.equal(logits(second), logits(first))
    assert same(frozen(second), before)
    options = SelfPlayConfig(model=str(tmp_path / "saved"), lora=RANK)
    with pytest.raises(BadInput, match="whole model"):
        new_players([KuhnPoker()], options, ("player_0", "player_1"))


def test_players_with_adapters_share_a_model_and_are_saved_apart(
    folder: Path, tmp_path: Path
) -> None:
    options = SelfPlayConfig(model=str(folder), lora=RANK, update=UPDATE)
    games = [KuhnPoker()]
    players = new_players(games, options, ("player_0", "player_1"))
    zero, one = players.values()
    assert zero.model is one.model
    zero.learner.update(batch(20), 0.0)
    one.learner.update(batch(21), 0.0)
    for name, player in players.items():
        player.save(tmp_path / f"model-{name}")
        with lora.active(player.model, name):
            expected = logits(player.model)
        assert torch.equal(logits(load_model(str(tmp_path / f"model-{name}"))[0]), expected)
    again = new_players(games, options, ("player_0", "player_1"), tmp_path)
    for name, player in again.items():
        with lora.active(player.model, name), lora.active(zero.model, name):
            assert torch.equal(logits(player.model), logits(zero.model))


def test_engines_play_with_their_own_adapter(folder: Path) -> None:
    options = SelfPlayConfig(model=str(folder), lora=RANK, update=UPDATE)
    players = new_players([KuhnPoker()], options, ("player_0", "player_1"))
    for _ in range(3):
        players["player_0"].learner.update(batch(20), 0.0)
    model = players["player_0"].model
    for name in ("player_1", "player_0"):
        players[name].publish()
        engine = players[name].agent.engine  # type: ignore[attr-defined]
        found = asyncio.run(engine.score(tuple(PROMPT), [(20,)]))
        with lora.active(model, name):
            expected = float(logits(model).log_softmax(-1)[20])
        assert found[0] == pytest.approx(expected, abs=1e-5)


def test_all_weights_in_bfloat16_keep_their_small_steps(folder: Path) -> None:
    model, _ = trainable(str(folder), LoraOptions(), dtype="bfloat16")
    assert model.dtype == torch.float32
    assert logits(model).dtype == torch.bfloat16
    tiny = UpdateConfig(learning_rate=Ramp(1e-6, 1e-6), inner_steps=1)
    before = copy.deepcopy(model.state_dict())
    Learner(model, tiny).update(batch(20), 0.0)
    moved = [not torch.equal(p, before[name]) for name, p in model.state_dict().items()]
    assert sum(moved) > len(moved) / 2


def test_an_adapter_on_a_bfloat16_model_is_float32(folder: Path) -> None:
    model, _ = trainable(str(folder), RANK, dtype="bfloat16")
    assert {p.dtype for p in trained(model).values()} == {torch.float32}
    assert model.dtype == torch.bfloat16
    learner = Learner(model, UPDATE)
    start = logits(model).float().softmax(-1)[20]
    for _ in range(3):
        learner.update(batch(20), 0.0)
    assert logits(model).float().softmax(-1)[20] > 1.2 * start


def test_recomputed_activations_give_the_same_gradient(folder: Path) -> None:
    found = []
    for again in (False, True):
        model, _ = trainable(str(folder), RANK, gradient_checkpointing=again)
        calls: list[int] = []
        learner = Learner(model, UpdateConfig(inner_steps=1, magnet=0.0))
        learner.update(batch(20), 0.0)
        layer = model.get_decoder().layers[0].input_layernorm
        layer.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        learner.update(batch(20), 0.0)
        found.append({n: p.detach().clone() for n, p in trained(model).items()})
        # before, in and after the step; in the step once more where it is recomputed
        assert len(calls) == 3 + again
    assert same(*found)


def test_dropout_is_of_inner_steps_only(folder: Path) -> None:
    model, _ = trainable(str(folder), replace(RANK, dropout=0.5))
    learner = Learner(model, replace(UPDATE, magnet=0.0))
    learner.update(batch(20), 0.0)
    assert torch.equal(learner.remember(batch(20)), learner.remember(batch(20)))
    torch.manual_seed(0)
    one = learner._gradient(batch(20), lambda policy, part: policy.sum())
    two = learner._gradient(batch(20), lambda policy, part: policy.sum())
    assert one != two
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rank": 0}, "at least 1"),
        ({"dropout": 0.1}, "need --lora.rank"),
        ({"rank": 4, "dropout": 1.0}, "dropout"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        LoraOptions(**options)


def test_what_cannot_be_loaded_says_why_in_a_line(folder: Path, tmp_path: Path) -> None:
    def fault(call: Any) -> str:
        with pytest.raises(BadInput) as found:
            call()
        text = str(found.value)
        assert "\n" not in text
        return text

    assert "no_such_layer" in fault(
        lambda: trainable(str(folder), replace(RANK, targets="no_such_layer"))
    )
    if not torch.cuda.is_available():
        assert "CUDA" in fault(lambda: trainable(str(folder), replace(RANK, bits=4)))
    assert "--model" in fault(lambda: new_player([KuhnPoker()], SelfPlayConfig(lora=RANK)))
    model, _ = trainable(str(folder), RANK)
    assert "no adapter" in fault(lambda: lora.load(model, tmp_path, "default"))
    small, _ = trainable(str(folder), replace(RANK, targets="q_proj"))
    lora.save(model, tmp_path / "large")
    assert "another" in fault(lambda: lora.load(small, tmp_path / "large", "default"))

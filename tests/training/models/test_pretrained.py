"""A real pretrained chat model learns. Skipped unless SPARRING_PRETRAINED names its folder."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from sparring.training import checkpoint
from sparring.training.models.expected import memory
from sparring.training.models.options import LoraOptions
from sparring.training.recipes.spiral import PPO, Config, build
from sparring.training.update import Ramp

FOLDER = os.environ.get("SPARRING_PRETRAINED", "")
pytestmark = [
    pytest.mark.pretrained,
    pytest.mark.skipif(
        not FOLDER, reason="set SPARRING_PRETRAINED=PATH to a folder with a pretrained chat model"
    ),
]


def status(name: str) -> int:
    """Bytes, from this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def test_it_learns_to_answer_legally(tmp_path: Path) -> None:
    """SPIRAL's method with an adapter: of SmolLM2-135M's answers 2 % are legal at first."""
    update = replace(PPO, kl="k3", learning_rate=Ramp(3e-4, 3e-4), tokens_at_once=2048)
    config = Config(
        mix=("KuhnPoker-v0",),
        model=FOLDER,
        lora=LoraOptions(rank=16),
        steps=5,
        games=48,
        max_tokens=6,
        against_random=0.0,
        update=update,
    )
    loop = build(config).loop
    (estimate,) = memory(loop)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = status("VmRSS")
    legal = [metrics["legal"] for metrics in loop.run()]
    assert status("VmHWM") - before < estimate.total - estimate.there
    assert max(legal[-2:]) > legal[0] + 0.2

    saved = checkpoint.save(tmp_path, loop) / "model"
    assert sum(file.stat().st_size for file in saved.glob("adapter*")) < 1 << 25
    base = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)
    ids = torch.arange(5, 15)[None]
    with torch.no_grad():
        plain = base(ids).logits
        learned = loop.players["learner"].model(ids).logits
        assert torch.allclose(PeftModel.from_pretrained(base, saved)(ids).logits, learned)
    assert not torch.allclose(plain, learned)

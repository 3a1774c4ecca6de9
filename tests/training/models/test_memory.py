"""The estimate of memory: its formulas, its warning, and an update measured against it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.agents.pretrained import load_model
from sparring.training.models.expected import memory
from sparring.training.models.load import trainable
from sparring.training.models.memory import Estimate, Load, Term, estimate, free, size
from sparring.training.models.options import LoraOptions
from sparring.training.recipes.kuhn import Config, build
from sparring.training.update import UpdateConfig

LOAD = Load(tokens=100, line=50, outputs=20, trained=30, spoken=10, engine=1 << 20)
LAYERS, WIDTH, WORDS = 2, 32, 334  # of the tests' model


def terms(found: Estimate) -> dict[str, int]:
    return {term.name: term.bytes for term in found.terms}


def test_terms_by_hand(folder: Path) -> None:
    model, _ = load_model(str(folder))
    numbers = sum(p.numel() for p in model.parameters())
    exact = UpdateConfig(magnet=0.2, reference=0.1, entropy=0.01)
    found = terms(estimate(model, exact, LOAD))
    assert found["gradients"] == 4 * numbers
    assert found["optimiser"] == 2 * 4 * numbers
    assert found["copies"] == 2 * 4 * numbers
    assert found["weights"] == 4 * numbers + sum(4 * b.numel() for b in model.buffers())
    # logits, log-probabilities, two gradients; two for each of three KL terms; one for entropy
    assert found["logits"] == 11 * 20 * WORDS * 4
    assert found["policies"] == 7 * 30 * WORDS * 4
    assert found["engine"] == 10 * LAYERS * 2 * WIDTH * 4
    sampled = terms(estimate(model, UpdateConfig(kl="k3", magnet=0.0), LOAD))
    assert sampled["logits"] == 4 * 20 * WORDS * 4
    assert sampled["policies"] == 5 * 30 * 4
    assert sampled["copies"] == 0


def test_an_adapter_is_all_that_is_learned_and_copied(folder: Path) -> None:
    model, _ = trainable(str(folder), LoraOptions(rank=4))
    learned = 4 * 2 * 4 * (4 * (32 + 32) + 3 * (32 + 96))
    found = terms(estimate(model, UpdateConfig(), LOAD, players=3))
    assert found["gradients"] == found["copies"] == 3 * learned
    assert found["optimiser"] == 6 * learned


def test_recomputing_costs_less(folder: Path) -> None:
    kept, again = (
        trainable(str(folder), LoraOptions(rank=4), gradient_checkpointing=on)[0]
        for on in (False, True)
    )
    config = UpdateConfig()
    more = terms(estimate(kept, config, LOAD))["activations"]
    less = terms(estimate(again, config, LOAD))["activations"]
    each = more / 100 / (1 + 1 / LAYERS)  # of a token, without the layer twice
    assert less == pytest.approx(100 * (LAYERS * WIDTH * 4 + 2 * each / LAYERS), rel=0.03)


def test_attention_that_keeps_its_weights_grows_with_the_line(folder: Path) -> None:
    model, _ = load_model(str(folder))
    config = UpdateConfig()
    longer = Load(tokens=100, line=500, outputs=20, trained=30)
    assert terms(estimate(model, config, longer)) == pytest.approx(
        terms(estimate(model, config, LOAD)) | {"engine": 0}, rel=0.2
    )
    model.set_attn_implementation("eager")
    more = terms(estimate(model, config, longer))["activations"]
    assert more > 1.3 * terms(estimate(model, config, LOAD))["activations"]


def test_what_does_not_fit_is_said_in_a_line() -> None:
    held = Estimate((Term("weights", 3 << 30, "w"), Term("logits", 5 << 30, "l")), 3 << 30, 4 << 30)
    assert not held.fits
    assert "8.0 GiB" in held.warning()
    assert "\n" not in held.warning()
    assert "tokens-at-once" in held.warning()
    assert Estimate(held.terms, 3 << 30, 5 << 30).warning() == ""
    assert Estimate(held.terms, 0, None).fits
    lines = str(held).splitlines()
    assert "8.0 GiB" in lines[0]
    assert [line.split()[2] for line in lines[1:]] == ["logits:", "weights:"]


def test_sizes_for_a_person() -> None:
    assert [size(n) for n in (0, 300_000, 5 << 20, 3 << 30)] == [
        "0.00 MiB",
        "0.29 MiB",
        "5 MiB",
        "3.0 GiB",
    ]
    left = free(torch.device("cpu"))
    assert left is None or 1 << 20 < left < 1 << 50


def test_a_run_is_estimated_before_it_starts(folder: Path) -> None:
    loop = build(Config(model=str(folder), games=64, max_tokens=5)).loop
    (found,) = memory(loop)
    activations = next(t for t in found.terms if t.name == "activations")
    assert activations.bytes > 0


MEASURE = """
import gc, sys, torch
torch.set_num_threads(1)
from sparring.agents.embedded import build_model, build_tokenizer
from sparring.envs import game
from sparring.training.batch import collate
from sparring.training.forward import cut
from sparring.training.learner import Learner
from sparring.training.models.expected import _samples
from sparring.training.models.memory import Load, estimate
from sparring.training.models.recompute import recompute
from sparring.training.rows import learning_rows
from sparring.training.update import UpdateConfig
from sparring.agents.render import Renderer

width, layers, at_once, share, kl, again = sys.argv[1:]
rules = game("TicTacToe-v0")
tokenizer = build_tokenizer([rules])
model = build_model(tokenizer, seed=0, width=int(width), layers=int(layers)).eval()
if again == "1":
    recompute(model)
samples = _samples([rules], Renderer(tokenizer))
rows = learning_rows(samples, [s.spread(1.0) for s in samples])
config = UpdateConfig(tokens_at_once=int(at_once), inner_steps=2, kl=kl)
batch = collate(rows[: int(at_once) // 128], share=share == "1")
largest = max(cut(model, batch, int(at_once)), key=lambda p: (int(p.line[-1]) + 1) * p.width)
tokens = (int(largest.line[-1]) + 1) * largest.width
load = Load(tokens, largest.width, len(largest.tokens), len(batch.chosen))
found = estimate(model, config, load)
learner = Learner(model, config)
gc.collect()

def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(name))

with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts anew
before = status("VmRSS")
learner.update(batch, 0.0)
print(status("VmHWM") - before, found.total - found.there)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured on Linux")
@pytest.mark.parametrize(
    "setting",
    [
        # width, layers, tokens at once, share, kl, recompute
        ("128", "4", "4096", "1", "exact", "0"),  # the embedded model
        ("128", "4", "4096", "0", "k3", "0"),
        ("512", "6", "2048", "1", "exact", "0"),  # 20 million parameters
        ("512", "6", "2048", "0", "k3", "1"),
    ],
)
def test_an_update_takes_what_was_estimated(setting: Any) -> None:
    """Never more than a tenth above the estimate, and the estimate is at most four times that."""
    command = [sys.executable, "-c", MEASURE, *setting]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured, expected = map(int, done.stdout.split())
    assert expected / 4 < measured < 1.1 * expected

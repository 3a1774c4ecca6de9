"""What ``test_group.py`` compares: the same training alone, and by the processes of a group.

python group_program.py RANK SIZE PORT FOLDER      one process of a group; writes FOLDER/rankN.pt
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sparring.agents.embedded import build_model, build_tokenizer
from sparring.agents.render import Renderer
from sparring.agents.runs import find_checkpoint
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training import checkpoint, learner, weights
from sparring.training.advantages.rae import RAE
from sparring.training.assembly import mixture_of, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.group import Group, joined
from sparring.training.imitate import imitate_random
from sparring.training.items import games
from sparring.training.learner import Learner
from sparring.training.losses.preference import dpo
from sparring.training.methods.core import Method
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.methods.preference import Preference
from sparring.training.methods.rounds import Rounds
from sparring.training.methods.utterance import Utterance
from sparring.training.models.options import LoraOptions
from sparring.training.pairs import Builder, all_ordered
from sparring.training.parts import Part
from sparring.training.rollouts import InProcess
from sparring.training.selfplay import SelfPlay
from sparring.training.sharded import shard
from sparring.training.update import Ramp, UpdateConfig

GAME = KuhnPoker()
STEPS = 3
BEFORE = 2  # steps before a checkpoint is written
UPDATE = UpdateConfig(
    inner_steps=3, learning_rate=Ramp(1e-3, 5e-4), magnet_every=2, reference=0.1, tokens_at_once=128
)


@dataclass(frozen=True)
class Case:
    """A way to train: ``model`` is "embedded", a Qwen3 with tied embeddings, or a "llama".

    ``most``: so many samples of a step are trained on.
    """

    method: Method
    update: UpdateConfig = UPDATE
    model: str = "embedded"
    lora: bool = False
    most: int | None = None


def cases() -> dict[str, Case]:
    """Made anew each time: methods remember."""
    sampled = replace(UPDATE, kl="k3", importance_cap=2.0, share_prefixes=False)
    pairs = Preference(Builder(games(), all_ordered()), partial(dpo, beta=0.3))
    return {
        "exact": Case(PolicyGradient(RAE())),
        "sampled": Case(PolicyGradient(RAE()), sampled),
        "one pass": Case(Utterance(RAE()), replace(UPDATE, tokens_at_once=10_000)),
        "utterance": Case(Utterance(RAE(), reference="update")),
        "pairs": Case(pairs, replace(UPDATE, share_prefixes=False)),
        "one tree": Case(PolicyGradient(RAE()), most=1),
        "rounds": Case(Rounds(PolicyGradient(RAE()), start="base")),
        "lora": Case(PolicyGradient(RAE()), sampled, "llama", lora=True),
    }


def write_models(folder: Path) -> None:
    """The models that the cases begin with, which have learned to play at random."""
    tokenizer = build_tokenizer([GAME])
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 512}
    torch.manual_seed(5)
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes, **heads))
    models = {"embedded": build_model(tokenizer, seed=0, width=32, layers=2), "llama": llama}
    plan = {"steps": 40, "games_a_step": 32, "rate": 1e-2, "seed": 0}
    for name, model in models.items():
        taught = Learner(model.eval(), UpdateConfig())
        list(imitate_random(taught, Renderer(tokenizer), [GAME], **plan))
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)


def _awaken(model: torch.nn.Module) -> None:
    """A new adapter made one that has learned. Where B is zero the first gradients of A are as
    small as rounding, and AdamW divides each by its own size: two summations of one batch would
    part by 1e-5 in A, whoever makes them."""
    luck = torch.Generator().manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05, generator=luck)


def build(case: Case, folder: Path, saved: Path | None = None) -> SelfPlay:
    """The loop of a case at its start, or as it was ``saved``."""
    lora = LoraOptions(rank=4) if case.lora else LoraOptions()
    path = str(folder / case.model)
    config = SelfPlayConfig(model=path, lora=lora, update=case.update, max_tokens=3)
    newest = find_checkpoint(saved) if saved else None
    player = new_player([GAME], config, newest)
    if case.lora and newest is None:
        _awaken(player.model)
    loop = SelfPlay(mixture_of([GAME]), {"learner": player}, case.method, STEPS, 48, 3)
    if newest is not None:
        loop.load_state_dict(checkpoint.load_state(newest))
    return loop


def played(case: Case, folder: Path) -> list[Any]:
    """The samples of each step, by the policy of the start."""
    loop, found = build(case, folder), []
    for loop.step in range(STEPS):
        games = InProcess().play(loop)
        samples = [s for game in games for e in game.episodes for s in loop._samples(game, e)]
        found.append(samples[: case.most])
    return found


@contextmanager
def counted() -> Iterator[list[int]]:
    """Inside, how many tokens (with fill) each pass with gradient reads is written down."""
    made: list[int] = []
    inner = learner.part_logprobs

    def counting(model: Any, batch: Any, part: Part) -> torch.Tensor:
        if torch.is_grad_enabled():
            made.append(part.lines * part.width if part.stop > part.start else 0)
        return inner(model, batch, part)

    learner.part_logprobs = counting
    try:
        yield made
    finally:
        learner.part_logprobs = inner


def train(
    case: Case, loop: SelfPlay, steps: list[Any], saved: Path | None = None
) -> dict[str, Any]:
    """The rest of the steps; a checkpoint in ``saved`` before the last of them."""
    metrics = []
    with counted() as tokens:
        while loop.step < STEPS:
            if saved and loop.step == BEFORE:
                checkpoint.save(saved, loop)
            metrics.append(loop._learn(steps[loop.step]))
            loop.step += 1
    model, state = loop.players["learner"].model, loop.state_dict()
    return {
        "metrics": metrics,
        "tokens": tokens,
        "weights": weights.whole_copy_of(model),
        "learner": state["learners"]["learner"],
    }


def run(name: str, folder: Path, group: Group, saved: Path, resumed: Path | None) -> dict[str, Any]:
    """One case from its start to its end, or from what ``resumed`` holds; saves in ``saved``."""
    case = cases()[name]
    steps = group.share(played(case, folder) if group.rank == 0 else None)
    loop = build(case, folder, resumed)
    for player in loop.players.values():
        shard(player.learner, group)
    return train(case, loop, steps, saved)


def main(rank: int, size: int, port: int, folder: Path) -> None:
    torch.set_num_threads(1)
    group = joined(rank, size, "127.0.0.1", port, patience=60)
    found = {}
    for name in cases():
        saved = folder / "group" / name
        found[name] = run(name, folder, group, saved, None)
        if (folder / "alone" / name).is_dir():
            resumed = folder / "alone" / name
            found[f"{name}, resumed"] = run(name, folder, group, saved, resumed)
    try:
        group.agree(7, rank)
    except RuntimeError as fault:
        found["apart"] = {"fault": str(fault)}
    torch.save(found, folder / f"rank{rank}.pt")
    group.leave()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), Path(sys.argv[4]))

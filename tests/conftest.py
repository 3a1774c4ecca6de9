"""What the tests of agents and of training share: one tokenizer, tiny models, an engine by script.

Models of this size are slower on two threads than on one, and one thread adds up in one order.
"""

import importlib.util
import math
import random
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.agents.embedded import build_model, build_tokenizer
from sparring.agents.engines.core import Completion, Request, Sampling, Tokens
from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.llm import LLMAgent
from sparring.agents.pretrained import player
from sparring.agents.render import Renderer
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.imitate import imitate_random
from sparring.training.learner import Learner
from sparring.training.update import UpdateConfig

torch.set_num_threads(1)

NewModel = Callable[..., Any]


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures of other files; no folder of tests is on the import path."""
    for name in ("browser", "endpoint", "whole_reads"):
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec
        assert spec.loader
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        config.pluginmanager.register(module, name)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return build_tokenizer([KuhnPoker(), TicTacToe()])


@pytest.fixture(scope="session")
def new_model(tokenizer: Any) -> NewModel:
    """A function that makes a tiny model of random weights of size 0.02·``loud``.

    Small weights predict nearly the same whatever they read; louder ones show a wrong mask.
    """

    def make(seed: int = 0, *, width: int = 32, layers: int = 2, loud: float = 15.0) -> Any:
        model = build_model(tokenizer, seed=seed, width=width, layers=layers).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    weight.mul_(0.02 * width**0.5 * loud)
        return model

    return make


@pytest.fixture(scope="session")
def taught(tokenizer: Any, new_model: NewModel) -> Any:
    """A tiny model that answers TicTacToe legally about half the time. Not to be changed."""
    model = new_model(loud=1.0)
    learner = Learner(model, UpdateConfig(share_prefixes=False))
    game = TicTacToe(board=False)
    renderer = Renderer(tokenizer)
    plan = {"steps": 25, "games_a_step": 8, "rate": 2e-2, "seed": 0}
    for _ in imitate_random(learner, renderer, [game], **plan):
        pass
    return model


@pytest.fixture
def talker(taught: Any, tokenizer: Any) -> tuple[LLMAgent, LocalEngine]:
    """The taught model in a seat, and its engine with an empty cache."""
    return player("talker", taught, tokenizer, Sampling(max_tokens=8))


@dataclass
class Scripted:
    """An engine that answers legally, in ways that no tokenizer would write.

    It reads the legal answers in the prompt, and spells one letter by letter, after a thought, in
    brackets, cut off before its end token, or not at all. It remembers what it was asked and said.
    """

    renderer: Renderer
    junk: bool = True
    asked: list[Request] = field(default_factory=list)
    said: list[Completion] = field(default_factory=list)

    async def generate(self, request: Request) -> Completion:
        luck = random.Random(request.seed)
        seen = str(self.renderer.tokenizer.decode(request.prompt))
        answer = luck.choice(re.findall(r"Legal: ([\w, ]+)", seen)[-1].split(", "))
        styles = ["spelled", "thought", "bracketed", "cut off"] + ["junk"] * self.junk
        style = luck.choice(styles)
        text = {
            "thought": f"<think>maybe {answer}, or not</think> {answer}",
            "bracketed": f"I say [{answer}].",
            "junk": f"{answer} <|end|> or anything",
        }.get(style, answer)
        letters = text if style in ("spelled", "thought") else [text]
        tokens = tuple(t for part in letters for t in self.renderer.text_tokens(part))
        if style != "cut off":
            tokens += (self.renderer.end,)
        done = Completion(tokens, tuple(math.log(luck.uniform(0.1, 0.9)) for _ in tokens))
        self.asked.append(request)
        self.said.append(done)
        return done

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        raise NotImplementedError


@pytest.fixture(scope="session")
def scripted() -> type[Scripted]:
    return Scripted

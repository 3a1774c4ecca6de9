"""Recipes made tiny, a learner that says a game's examples, and a method that is watched."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs.core import Action, Observation
from sparring.training import run as running
from sparring.training.config import RunConfig
from sparring.training.core import Metrics, Sample
from sparring.training.experiment import Experiment
from sparring.training.run import drive
from sparring.training.selfplay import SelfPlay

Lines = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def small(tiny_model: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded model tiny, and no report, which takes long."""
    monkeypatch.setattr(running, "keep", lambda *run, last: None)


@dataclass
class Parrot:
    """Says one of the game's examples, with the tokens that a model would have sampled."""

    renderer: Renderer
    name: str = "learner"
    random: RandomAgent = field(default_factory=RandomAgent)

    async def act(self, observation: Observation) -> Action:
        said = await self.random.act(observation)
        prompt = self.renderer.prompt(observation)
        tokens = self.renderer.answer(said.text)
        return Action(said.text, "", prompt, tokens, (-1.0,) * len(tokens))


@dataclass
class Watched:
    """A method that keeps the samples which it is given, step by step."""

    method: Any
    given: list[list[Sample]] = field(default_factory=list)

    def learn(self, learner: Any, samples: Sequence[Sample], progress: float) -> Metrics:
        self.given.append(list(samples))
        found: Metrics = self.method.learn(learner, samples, progress)
        return found

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = self.method.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.method.load_state_dict(state)


@pytest.fixture
def played() -> Callable[[Experiment], tuple[list[list[Sample]], list[Metrics], SelfPlay]]:
    """Runs an experiment whose learner only says examples: the samples that reached the method at
    each step, the metrics, and the loop."""

    def play(experiment: Experiment) -> tuple[list[list[Sample]], list[Metrics], SelfPlay]:
        loop = experiment.loop
        player: Any = loop.players["learner"]
        player.agent = Parrot(player.agent.renderer)
        watched = Watched(loop.method)
        loop.method = watched
        return watched.given, list(loop.run()), loop

    return play


@pytest.fixture
def parroting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Makes the learner of a recipe's module say examples, where a tiny model says too little that
    could be learned from. It learns as ever."""

    def patch(module: Any) -> None:
        new_player = module.new_player

        def parrot(*args: Any, **options: Any) -> Any:
            player = new_player(*args, **options)
            player.agent = Parrot(player.agent.renderer)
            return player

        monkeypatch.setattr(module, "new_player", parrot)

    return patch


@pytest.fixture
def driven(tmp_path: Path) -> Callable[[str, RunConfig], tuple[Lines, Lines]]:
    """The metrics of a whole run, and of the same run gone on with from the checkpoint before its
    last step."""

    def twice(recipe: str, config: RunConfig) -> tuple[Lines, Lines]:
        whole, again = tmp_path / "whole", tmp_path / "again"
        assert drive(recipe, config, whole, quiet=True)
        shutil.copytree(whole, again)
        shutil.rmtree(again / "checkpoints" / f"step-{config.steps:06d}")
        assert drive(recipe, config, again, quiet=True)
        return metrics(whole), metrics(again)

    return twice


def metrics(folder: Path) -> Lines:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture
def tiny() -> Callable[..., Any]:
    """A recipe's config with all that takes time made small."""

    def make(kind: type[Any], **options: Any) -> Any:
        few = {"steps": 2, "imitation_steps": 0, "imitation_games": 8, "save_every": 1}
        return kind(**{**few, "trackers": (), "max_tokens": 12, **options})

    return make

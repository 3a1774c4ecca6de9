"""Learn Kuhn poker by self-play, from a model that starts as noise.

Stage one imitates random legal play, so that the model can read a position and word an answer.
Stage two is self-play: RAE advantages, and a proximal update with a magnet on every batch.
What each part of it gives is measured in docs/recipes/kuhn.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparring.agents.embedded import build_model, build_tokenizer
from sparring.agents.engines.core import Sampling
from sparring.agents.pretrained import load_model, player
from sparring.envs.registry import game
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.rae import RAE
from sparring.training.config import RunConfig
from sparring.training.core import Estimator, Metrics
from sparring.training.deals import balanced, independent
from sparring.training.imitate import imitate_random
from sparring.training.learner import Learner, UpdateConfig
from sparring.training.run import Experiment
from sparring.training.selfplay import SelfPlay

EMBEDDED = "embedded"
ADVANTAGES: dict[str, Callable[[], Estimator]] = {"rae": RAE, "none": Constant}


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Options of `sparring train kuhn`."""

    game: str = "KuhnPoker-v0"
    """Any registered game with listed answers."""
    model: str = EMBEDDED
    """The embedded model, or the folder or hub id of a transformers model."""
    steps: int = 200
    """Self-play updates."""
    games: int = 2048
    """Games played for each update."""
    imitation_steps: int = 100
    """Steps of stage one, for the embedded model; 0 for a model that can already talk."""
    imitation_games: int = 512
    """Random games for each step of stage one."""
    imitation_rate: float = 2e-3
    """Highest learning rate of stage one."""
    advantage: Literal["rae", "none"] = "rae"
    """Role-conditioned advantages, or the bare reward."""
    deals: Literal["balanced", "independent"] = "balanced"
    """Every opening equally often in each batch, or each game dealt anew."""
    max_tokens: int = 8
    """Longest answer, in tokens."""
    update: UpdateConfig = UpdateConfig()  # noqa: RUF009  it is frozen


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint's model folder."""
    rules = game(config.game)
    if checkpoint is None and config.model == EMBEDDED:
        tokenizer = build_tokenizer([rules])
        model = build_model(tokenizer, seed=config.seed)
    else:
        model, tokenizer = load_model(str(checkpoint or config.model))
    learner = Learner(model, config.update)
    agent, engine = player("learner", model, tokenizer, Sampling(max_tokens=config.max_tokens))
    loop = SelfPlay(
        game=rules,
        player=agent,
        learner=learner,
        estimator=ADVANTAGES[config.advantage](),
        publish=engine.forget,
        steps=config.steps,
        games=config.games,
        seed=config.seed,
        deals=balanced(rules) if config.deals == "balanced" else independent,
    )

    def stage_one() -> Iterator[Metrics]:
        if config.model == EMBEDDED:
            yield from imitate_random(
                learner,
                agent.renderer,
                rules,
                steps=config.imitation_steps,
                games=config.imitation_games,
                rate=config.imitation_rate,
                seed=config.seed,
            )
        engine.forget()

    return Experiment(loop, stage_one, config.imitation_steps, model, tokenizer)

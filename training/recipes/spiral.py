"""SPIRAL (arXiv 2506.24119): one model learns several games at once by playing itself.

Role-conditioned advantages, and PPO's clipped surrogate for a few epochs on every batch. What the
paper did, what differs here, and how to run it small and in full: docs/recipes/spiral.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from sparring.envs.registry import game
from sparring.training.advantages import keys
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.group import Group
from sparring.training.advantages.rae import RAE
from sparring.training.assembly import learn_language, mixture_of, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Estimator
from sparring.training.experiment import Experiment
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig

ADVANTAGES: dict[str, Callable[[], Estimator]] = {
    "rae": RAE,
    "game": lambda: RAE(key=keys.game),
    "none": Constant,
    "seats": lambda: Group(key=keys.episode),
}

PPO = UpdateConfig(
    inner_steps=2,
    learning_rate=Ramp(5e-4, 5e-5),
    clip=0.2,
    step_size=Ramp(inf, inf),
    magnet=0.0,
)
"""Two epochs of PPO's clipped surrogate and no KL terms, as the paper has it; the learning rate is
for the embedded model (the paper's, for 4B parameters, is 1e-6)."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train spiral`."""

    mix: tuple[str, ...] = (
        "KuhnPoker-v0",
        "TicTacToe-v0(board=False)",
        "SimpleNegotiation-v0(resources=2,turns=4)",
    )
    """The games, as many of each in every batch."""
    steps: int = 200
    games: int = 768
    imitation_steps: int = 150
    max_tokens: int = 16
    advantage: Literal["rae", "game", "none", "seats"] = "rae"
    """A baseline for each (game, role), for each game, none, or the mean of each game's seats."""
    update: UpdateConfig = PPO


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    games = [game(spec) for spec in config.mix]
    player = new_player(games, config, checkpoint)
    loop = SelfPlay(
        mixture=mixture_of(games),
        players={"learner": player},
        method=PolicyGradient(ADVANTAGES[config.advantage]()),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
    )
    return Experiment(loop, lambda: learn_language(player, games, config), config.stage_one_steps)

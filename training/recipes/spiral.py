"""SPIRAL (arXiv 2506.24119): one model learns several games at once by playing itself.

Role-conditioned advantages, and PPO's clipped surrogate for a few epochs on every batch. What the
paper did, what differs here, and how to run it small and in full: docs/recipes/spiral.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from sparring.envs.core import BadInput
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
from sparring.training.opponents.mixed import with_random
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
"""The paper's own update: two epochs of PPO's clipped surrogate and no KL terms. The learning rate
is for the embedded model (the paper's, for 4B parameters, is 1e-6)."""

UPDATE = UpdateConfig(
    inner_steps=4,
    learning_rate=Ramp(5e-4, 1e-4),
    clip=0.2,
    step_size=Ramp(1.0, 0.5),
    magnet=0.05,
    magnet_every=1 << 20,
)
"""PPO's clipped surrogate, as the paper has it, and two KL terms that it does not have: to the
policy before the update, and to random play. Without them a model of a million parameters soon
plays one and the same game of TicTacToe."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train spiral`."""

    mix: tuple[str, ...] = (
        "KuhnPoker-v0",
        "TicTacToe-v0(board=False)",
        "SimpleNegotiation-v0(resources=2,turns=4)",
    )
    """The games, as many of each in every batch."""
    steps: int = 250
    games: int = 384
    imitation_steps: int = 150
    imitation_games: int = 96
    max_tokens: int = 16
    show_legal: bool | None = None
    advantage: Literal["rae", "game", "none", "seats"] = "rae"
    """A baseline for each (game, role), for each game, none, or the mean of each game's seats."""
    against_random: float = 0.25
    """The share of the games that are against random legal play instead of itself."""
    update: UpdateConfig = UPDATE

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.against_random <= 1:
            raise BadInput("against-random is a share, from 0 to 1")


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    games = [game(spec) for spec in config.mix]
    player = new_player(games, config, checkpoint)
    loop = SelfPlay(
        mixture=mixture_of(games),
        players={"learner": player},
        method=PolicyGradient(ADVANTAGES[config.advantage]()),
        opponents=with_random(config.against_random),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
    )
    return Experiment(loop, lambda: learn_language(player, games, config), config.stage_one_steps)

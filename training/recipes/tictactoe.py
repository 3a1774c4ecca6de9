"""Learn TicTacToe by self-play, from a model that starts as noise and random legal play.

Half of the games are against itself, half against random legal play: alone with itself it soon
meets only a few games, and forgets how to answer in all others. The magnet stands still at random
play and keeps some of every answer alive. A value head tells the move that lost a game from those
before it. Neither the board is drawn nor the free cells listed: a model that reads the moves alone
has a quarter of the tokens to read. What it reaches is measured in docs/recipes/tictactoe.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparring.envs.registry import game
from sparring.training.advantages.gae import GAE
from sparring.training.advantages.rae import RAE
from sparring.training.assembly import learn_language, mixture_of, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Estimator
from sparring.training.experiment import Experiment
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.opponents.mixed import with_random
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig

UPDATE = UpdateConfig(
    inner_steps=3,
    learning_rate=Ramp(4e-4, 5e-5),
    step_size=Ramp(0.5, 0.5),
    magnet=0.1,
    magnet_every=1 << 20,
)
"""Larger steps are faster at first, but end in a policy that never varies (entropy 0.03 nats): it
loses a fifth of its games as the second player and learns no more."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train tictactoe`."""

    game: str = "TicTacToe-v0(board=False)"
    """Any registered game with listed answers."""
    steps: int = 500
    games: int = 256
    imitation_steps: int = 120
    imitation_games: int = 48
    max_tokens: int = 4
    show_legal: bool | None = None
    advantage: Literal["gae", "rae"] = "gae"
    """With a learned value of every position, or role-conditioned over the whole game."""
    update: UpdateConfig = UPDATE


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules = game(config.game)
    player = new_player([rules], config, checkpoint)
    estimator: Estimator = GAE(player.model) if config.advantage == "gae" else RAE()
    loop = SelfPlay(
        mixture=mixture_of([rules]),
        players={"learner": player},
        method=PolicyGradient(estimator),
        opponents=with_random(0.5),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
    )
    return Experiment(loop, lambda: learn_language(player, [rules], config), config.stage_one_steps)

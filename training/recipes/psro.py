"""Policy-space response oracles (PSRO, arXiv 1711.00832) and fictitious self-play, on small games.

A pool of past selves grows while the learner trains: against their Nash mixture in phases (PSRO,
the double oracle of two-player games), against all of them alike (fictitious self-play), or against
itself, for comparison. Advantages are whitened by role, so that one update fits games of large and
of small stakes. What comes out of the first two is a mixture of policies, whose NashConv is
measured exactly as ``nash_conv_average``. docs/recipes/psro.md has the figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparring.envs.core import Game
from sparring.envs.registry import game
from sparring.training.advantages.whitening import Whitening
from sparring.training.assembly import deals_of, learn_language, mixture_of, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.experiment import Experiment
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.opponents.core import Opponents
from sparring.training.opponents.mirror import Mirror
from sparring.training.opponents.nash import Nash
from sparring.training.opponents.past import UniformPast
from sparring.training.opponents.pool import Pool
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig

RESPONSE = UpdateConfig(
    learning_rate=Ramp(5e-4, 2e-4),
    step_size=Ramp(1.0, 1.0),
    magnet=0.1,
    magnet_every=1 << 20,
)
"""For a best response: larger steps than in mirror self-play, and a magnet that stays at random
play, so that the learner never stops trying what has become useful again."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train psro`."""

    game: str = "KuhnPoker-v0"
    """A registered two-player zero-sum game."""
    against: Literal["nash", "past", "mirror"] = "nash"
    """The Nash mixture of the pool, all past selves alike, or the current policy."""
    every: int = 10
    """Updates between two snapshots: with "nash" a best response is trained for so long."""
    since: float = 0.0
    """With "past", this part of the past no longer counts: 0.5 leaves the newer half."""
    mirror: float = 0.0
    """The share of games against the current policy, with "past" and "nash"; 0.8 in OpenAI Five."""
    matrix_games: int = 256
    """Games for each cell of the payoff matrix, with "nash"."""
    steps: int = 200
    games: int = 2048
    update: UpdateConfig = RESPONSE


def opponents(config: Config, pool: Pool) -> Opponents:
    """What ``config.against`` stands for."""
    made: dict[str, Callable[[], Opponents]] = {
        "nash": lambda: Nash(
            pool,
            every=config.every,
            games=config.matrix_games,
            deals=deals_of,
            seed=config.seed,
            mirror=config.mirror,
        ),
        "past": lambda: UniformPast(
            pool, every=config.every, since=config.since, mirror=config.mirror
        ),
        "mirror": Mirror,
    }
    return made[config.against]()


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules: Game = game(config.game)
    player = new_player([rules], config, checkpoint)
    players = {"learner": player}
    loop = SelfPlay(
        mixture=mixture_of([rules]),
        players=players,
        method=PolicyGradient(Whitening()),
        opponents=opponents(config, Pool(players, capacity=None)),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
    )
    return Experiment(loop, lambda: learn_language(player, [rules], config), config.stage_one_steps)

"""SPAG (arXiv 2404.10642): Adversarial Taboo against oneself, learned from the winners' turns.

Each step is a round: many games of the current model with itself, of which only the winners' turns
are kept, later turns counting more and both roles the same; then utterance-level clipping and a
supervised side loss. What the paper did, what differs here, and how to run it small and in full:
docs/recipes/spag.md.
"""

import random
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from sparring.envs.core import Game
from sparring.envs.registry import game
from sparring.training.advantages.constant import Constant
from sparring.training.assembly import learn_language, mixture_of, new_player
from sparring.training.config import EMBEDDED, SelfPlayConfig
from sparring.training.credit import geometric
from sparring.training.experiment import Experiment
from sparring.training.filters.core import Filters
from sparring.training.filters.outcome import no_forfeits, winners
from sparring.training.filters.weights import even_roles
from sparring.training.imitate import random_play
from sparring.training.losses.utterance import clipped
from sparring.training.methods.utterance import Utterance
from sparring.training.player import Player
from sparring.training.selfplay import SelfPlay
from sparring.training.side import Demonstrations
from sparring.training.update import Ramp, UpdateConfig

STEPS_ON_A_BATCH = UpdateConfig(
    inner_steps=4,
    learning_rate=Ramp(5e-4, 5e-4),
    step_size=Ramp(inf, inf),
    magnet=0.0,
)
"""Of these the method uses the number of inner steps and the rate, which are for the embedded model
(the paper's rate, for 7B and 13B parameters, is 2e-6)."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train spag`."""

    game: str = "AdversarialTaboo-v0(turns=3, rule_break='void', most_frequent=100, skip=98)"
    """The game, with two words to find by default: "stop" and "water"."""
    steps: int = 12
    """Rounds; the paper has three, each with all of its words."""
    games: int = 256
    imitation_steps: int = 60
    imitation_games: int = 64
    max_tokens: int = 16
    side: float = 0.5
    """Weight of the supervised loss on games of random play; 0 switches it off. For the embedded
    model only: a model that can already talk needs demonstrations of its own."""
    update: UpdateConfig = STEPS_ON_A_BATCH


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules = game(config.game)
    player = new_player([rules], config, checkpoint)
    method = Utterance(
        Constant(),
        partial(clipped, clip=0.2, kl=0.2),
        reference="behaviour",
        side=demonstrations(player, rules, config),
    )
    loop = SelfPlay(
        mixture=mixture_of([rules]),
        players={"learner": player},
        method=method,
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
        credit=geometric(0.8),
        filters=[Filters(no_forfeits, winners, even_roles)],
    )
    return Experiment(loop, lambda: learn_language(player, [rules], config), config.stage_one_steps)


def demonstrations(player: Player, rules: Game, config: Config) -> Demonstrations | None:
    """Games of random play for the side loss, the same for every build."""
    if config.model != EMBEDDED or not config.side:
        return None
    luck = random.Random(f"demonstrations/{config.seed}")
    shown = random_play(player.agent.renderer, [rules], config.imitation_games, luck)
    return Demonstrations.of(shown, config.side, seed=config.seed)

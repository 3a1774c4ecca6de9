"""Learn Kuhn poker by self-play, from a model that starts as noise.

Stage one imitates random legal play, so that the model can read a position and word an answer.
Stage two is self-play: RAE advantages, and a proximal update with a magnet on every batch.
What each part of it gives is measured in docs/recipes/kuhn.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparring.envs.registry import game
from sparring.training.advantages.constant import Constant
from sparring.training.advantages.rae import RAE
from sparring.training.assembly import learn_language, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Estimator
from sparring.training.deals import balanced, independent
from sparring.training.experiment import Experiment
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.mixture import Entry, Mixture
from sparring.training.selfplay import SelfPlay

ADVANTAGES: dict[str, Callable[[], Estimator]] = {"rae": RAE, "none": Constant}


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train kuhn`."""

    game: str = "KuhnPoker-v0"
    """Any registered game with listed answers."""
    steps: int = 200
    """Self-play updates."""
    advantage: Literal["rae", "none"] = "rae"
    """Role-conditioned advantages, or the bare reward."""
    deals: Literal["balanced", "independent"] = "balanced"
    """Every opening equally often in each batch, or each game dealt anew."""


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules = game(config.game)
    player = new_player([rules], config, checkpoint)
    deals = balanced(rules) if config.deals == "balanced" else independent
    loop = SelfPlay(
        mixture=Mixture([Entry(rules, deals)]),
        players={"learner": player},
        method=PolicyGradient(ADVANTAGES[config.advantage]()),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
    )
    return Experiment(loop, lambda: learn_language(player, [rules], config), config.stage_one_steps)

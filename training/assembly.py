"""What recipes have in common: models to players, games to mixtures, the first stage."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sparring.agents.embedded import build_model, build_tokenizer
from sparring.agents.engines.core import Sampling
from sparring.agents.pretrained import load_model
from sparring.agents.pretrained import player as seated
from sparring.agents.runs import model_folder
from sparring.envs.core import BadInput, Game
from sparring.training.config import EMBEDDED, SelfPlayConfig
from sparring.training.core import Metrics
from sparring.training.deals import Deals, balanced, independent
from sparring.training.imitate import imitate_random
from sparring.training.learner import Learner
from sparring.training.mixture import Entry, Mixture
from sparring.training.player import Player

def new_player(
    games: Sequence[Game],
    config: SelfPlayConfig,
    checkpoint: Path | None = None,
    *,
    name: str = "learner",
    width: int = 128,
    layers: int = 4,
) -> Player:
    """A player with the model that ``config`` names, or with that of a checkpoint.

    ``width`` and ``layers`` are of the embedded model.

    Raises:
        BadInput: the model cannot be loaded.
    """
    if checkpoint is None and config.model == EMBEDDED:
        tokenizer: Any = build_tokenizer(games)
        network: Any = build_model(tokenizer, seed=config.seed, width=width, layers=layers)
    else:
        network, tokenizer = load_model(str(checkpoint / model_folder(name) if checkpoint else config.model))
    agent, engine = seated(name, network, tokenizer, Sampling(max_tokens=config.max_tokens))
    return Player(agent, Learner(network, config.update), engine.forget, tokenizer)


def mixture_of(games: Sequence[Game]) -> Mixture:
    """The games with equal shares; those that list their openings are dealt evenly."""
    return Mixture([Entry(game, deals_of(game)) for game in games])


def deals_of(game: Game) -> Deals:
    """Balanced deals where the game lists its openings, else independent ones."""
    try:
        return balanced(game)
    except BadInput:
        return independent


def learn_language(
    player: Player, games: Sequence[Game], config: SelfPlayConfig
) -> Iterator[Metrics]:
    """Stage one, for a player with the embedded model."""
    if config.stage_one_steps:
        yield from imitate_random(
            player.learner,
            player.agent.renderer,
            games,
            steps=config.imitation_steps,
            games_a_step=config.imitation_games,
            rate=config.imitation_rate,
            seed=config.seed,
        )
    player.publish()

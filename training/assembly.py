"""What recipes have in common: models to players, games to mixtures, the first stage."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from sparring.agents.embedded import build_model, build_tokenizer
from sparring.agents.engines.core import Sampling
from sparring.agents.pretrained import SHOW_LEGAL
from sparring.agents.pretrained import player as seated
from sparring.agents.runs import model_folder
from sparring.envs.core import BadInput, Game
from sparring.training.config import EMBEDDED, SelfPlayConfig
from sparring.training.core import Metrics
from sparring.training.deals import Deals, balanced, independent
from sparring.training.imitate import imitate_random
from sparring.training.learner import Learner
from sparring.training.mixture import Entry, Mixture
from sparring.training.models import lora
from sparring.training.models.load import trainable
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
        BadInput: the model cannot be loaded, or not trained as the options say.
    """
    if config.model == EMBEDDED:
        _check_plain(config)
    if checkpoint is None and config.model == EMBEDDED:
        tokenizer: Any = build_tokenizer(games)
        network: Any = build_model(tokenizer, seed=config.seed, width=width, layers=layers)
    else:
        path = str(checkpoint / model_folder(name) if checkpoint else config.model)
        network, tokenizer = _load(path, config)
    return _player(name, network, tokenizer, config)


def new_players(
    games: Sequence[Game],
    config: SelfPlayConfig,
    names: Sequence[str],
    checkpoint: Path | None = None,
) -> dict[str, Player]:
    """Several players that learn apart. With ``config.lora`` they share one model and have an
    adapter each; else each has a model of its own.

    Raises:
        BadInput: as ``new_player``; or vLLM is to generate for several.
    """
    if config.engine == "vllm" and len(names) > 1:
        raise BadInput("vLLM generates for one learning player, not several; leave --engine out")
    if config.lora.rank is None:
        return {name: new_player(games, config, checkpoint, name=name) for name in names}
    if config.model == EMBEDDED:
        _check_plain(config)
    network, tokenizer = _load(config.model, config, names[0])
    for name in names[1:]:
        network = lora.with_adapter(network, config.lora, config.seed, name)
    if checkpoint is not None:
        for name in names:
            lora.load(network, checkpoint / model_folder(name), name)
    return {name: _player(name, network, tokenizer, config, name) for name in names}


def _check_plain(config: SelfPlayConfig) -> None:
    if config.lora.rank is not None or config.dtype == "bfloat16" or config.gradient_checkpointing:
        raise BadInput(
            "lora, dtype and gradient-checkpointing are for pretrained models; "
            "name one with --model PATH-OR-ID"
        )


def _load(path: str, config: SelfPlayConfig, adapter: str = lora.ONLY) -> tuple[Any, Any]:
    return trainable(
        path,
        config.lora,
        dtype=config.dtype,
        gradient_checkpointing=config.gradient_checkpointing,
        seed=config.seed,
        name=adapter,
    )


def _player(
    name: str, network: Any, tokenizer: Any, config: SelfPlayConfig, adapter: str | None = None
) -> Player:
    shown = config.model != EMBEDDED if config.show_legal is None else config.show_legal
    tokenizer.init_kwargs[SHOW_LEGAL] = shown
    sampling = Sampling(max_tokens=config.max_tokens)
    using = partial(lora.active, network, adapter)
    agent, engine = seated(name, network, tokenizer, sampling, using)
    memory = None if config.engine_memory is None else int(config.engine_memory * 2**30)
    if memory is not None:
        engine.memory = memory
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    learner = Learner(network, config.update, adapter)
    player = Player(agent, learner, engine.forget, tokenizer, forget=engine.forget)
    if config.engine == "vllm":
        from sparring.training.served import by_vllm

        return by_vllm(player, using, memory=memory)
    return player


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

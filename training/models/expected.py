"""What a run will play and learn from, guessed from a few games of random legal play."""

import asyncio
import random
from collections.abc import Iterator, Sequence

from sparring.agents.engines.local.engine import LocalEngine
from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs.core import Game
from sparring.training.batch import collate
from sparring.training.core import Sample
from sparring.training.forward import cut
from sparring.training.imitate import as_said_by_model
from sparring.training.models import lora
from sparring.training.models.memory import Estimate, Load, estimate
from sparring.training.player import Player
from sparring.training.rows import learning_rows
from sparring.training.selfplay import SelfPlay

SAMPLE = 32  # games


def memory(loop: SelfPlay) -> Iterator[Estimate]:
    """What each model of a run will take."""
    games = loop.mixture.games
    for model in {id(p.model): p.model for p in loop.players.values()}.values():
        players = [p for p in loop.players.values() if p.model is model]
        learner = players[0].learner
        sizes = load(games, players[0], loop.games_a_step)
        with lora.active(model, learner.adapter):
            yield estimate(model, learner.config, sizes, len(players))


def load(games: Sequence[Game], player: Player, number: int) -> Load:
    """The sizes of an update on ``number`` games, as if they went like random ones.

    A model that words its answers itself, untaught by us, is taken to make all of them as long as
    it may.
    """
    engine, renderer = player.agent.engine, player.agent.renderer
    config = player.learner.config
    samples = _samples(games, renderer)
    rows = learning_rows(samples, [sample.spread(0.0) for sample in samples])
    batch = collate(rows, share=config.share_prefixes)
    said = [stop - start for row in rows for start, stop in row.spans]
    more = 0
    if renderer.instruct:
        more = sum(max(player.agent.sampling.max_tokens - n, 0) for n in said)
    times = number / (max(SAMPLE // len(games), 1) * len(games))
    total = int((int(batch.sizes.sum()) + more) * times)
    trained = int((len(batch.chosen) + more) * times)
    longest = max(len(row.tokens) for row in rows) + -(-more // len(rows))
    fill = max(part.width for part in cut(player.model, batch, config.tokens_at_once))
    tokens = min(total, max(config.tokens_at_once, longest))
    spoken = memory = 0
    if isinstance(engine, LocalEngine):
        kept = int((sum(len(row.tokens) for row in rows) + more) * times)
        spoken, memory = kept + min(engine.max_rows, number) * longest, engine.memory
    return Load(tokens, max(longest, fill), tokens * trained // total, trained, spoken, memory)


def _samples(games: Sequence[Game], renderer: Renderer) -> list[Sample]:
    luck = random.Random(0)
    matches = [
        Match(
            game,
            {role: RandomAgent() for role in game.roles},
            luck.getrandbits(63),
            luck.getrandbits(63),
        )
        for game in games
        for _ in range(max(SAMPLE // len(games), 1))
    ]
    episodes = [as_said_by_model(e, renderer) for e in asyncio.run(play_all(matches))]
    return [
        Sample(e, role, 0.0, (1.0,) * len(e.turns_of(role))) for e in episodes for role in e.seats
    ]

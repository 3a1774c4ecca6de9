"""The first stage: teach a model the language of a game from random legal play.

Never from good play: what it learns is how to read a position and word a legal answer, each with
about the same probability. How to win it must find out by itself.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs.core import Episode, Game, Role
from sparring.training.batch import collate
from sparring.training.core import Metrics, Sample
from sparring.training.learner import Learner
from sparring.training.rows import learning_rows


def as_said_by_model(episode: Episode, renderer: Renderer) -> Episode:
    """The same game with the tokens that a model would have read and said."""
    turns = []
    for turn in episode.turns:
        prompt = renderer.prompt(turn.observation)
        tokens = renderer.answer(turn.action.text)
        certain = (0.0,) * len(tokens)
        said = replace(turn.action, prompt=prompt, tokens=tokens, logprobs=certain)
        turns.append(replace(turn, action=said))
    return replace(episode, turns=tuple(turns))


def imitate_random(
    learner: Learner,
    renderer: Renderer,
    games: Sequence[Game],
    *,
    steps: int,
    games_a_step: int,
    rate: float,
    seed: int,
) -> Iterator[Metrics]:
    """``steps`` steps of maximum likelihood, each on fresh games of random legal play, as many of
    each of ``games``."""
    each = max(games_a_step // len(games), 1)
    for step in range(steps):
        samples = random_play(renderer, games, each, random.Random(f"imitate/{seed}/{step}"))
        rows = learning_rows(samples, [s.spread(0.0) for s in samples])
        batch = collate(rows, share=learner.config.share_prefixes)
        # AdamW's second moments need a few steps to settle; a falling rate ends without jitter.
        shape = min((step + 1) / 10, 1.0, (steps - step) / (0.7 * steps))
        yield {"step": step + 1, **learner.imitate(batch, rate * shape)}
    learner.fresh_optimizer()


def random_play(
    renderer: Renderer, games: Sequence[Game], each: int, luck: random.Random
) -> list[Sample]:
    """Every role's part in ``each`` games of random legal play of each of ``games``, as a model
    would have said it; for demonstrations too."""
    matches = [
        Match(game, _random_seats(game), luck.getrandbits(63), luck.getrandbits(63))
        for game in games
        for _ in range(each)
    ]
    episodes = [as_said_by_model(e, renderer) for e in asyncio.run(play_all(matches))]
    return [
        Sample(e, role, 0.0, (1.0,) * len(e.turns_of(role))) for e in episodes for role in e.seats
    ]


def _random_seats(game: Game) -> dict[Role, RandomAgent]:
    return {role: RandomAgent() for role in game.roles}

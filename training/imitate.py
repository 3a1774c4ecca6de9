"""The first stage: teach a model the language of a game from random legal play.

Never from good play: what it learns is how to read a position and word a legal answer, each with
about the same probability. How to win it must find out by itself.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace

from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.render import Renderer
from sparring.envs.core import Episode, Game
from sparring.training.batch import collate
from sparring.training.core import Metrics
from sparring.training.learner import Learner
from sparring.training.rows import learning_rows


def as_said_by_model(episode: Episode, renderer: Renderer) -> Episode:
    """The same game with the tokens that a model would have read and said."""
    turns = []
    for turn in episode.turns:
        prompt, _ = renderer.prompt(turn.observation)
        tokens = renderer.answer(turn.action.text)
        certain = (0.0,) * len(tokens)
        said = replace(turn.action, prompt=prompt, tokens=tokens, logprobs=certain)
        turns.append(replace(turn, action=said))
    return replace(episode, turns=tuple(turns))


def imitate_random(
    learner: Learner,
    renderer: Renderer,
    game: Game,
    *,
    steps: int,
    games: int,
    rate: float,
    seed: int,
) -> Iterator[Metrics]:
    """``steps`` steps of maximum likelihood, each on ``games`` fresh games of random legal play."""
    seats = {role: RandomAgent() for role in game.roles}
    for step in range(steps):
        luck = random.Random(f"imitate/{seed}/{step}")
        matches = [
            Match(game, seats, luck.getrandbits(63), luck.getrandbits(63)) for _ in range(games)
        ]
        episodes = asyncio.run(play_all(matches))
        shown = [as_said_by_model(episode, renderer) for episode in episodes]
        rows = learning_rows(shown, [dict.fromkeys(game.roles, 0.0)] * games)
        batch = collate(rows, share=learner.config.share_prefixes)
        # AdamW's second moments need a few steps to settle; a falling rate ends without jitter.
        shape = min((step + 1) / 10, 1.0, (steps - step) / (0.7 * steps))
        yield {"step": step + 1, **learner.imitate(batch, rate * shape)}
    learner.fresh_optimizer()

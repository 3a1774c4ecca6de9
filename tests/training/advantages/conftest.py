"""Samples with the reward that a test wants."""

from collections.abc import Callable

import pytest

from sparring.agents.engines.core import Tokens
from sparring.envs.core import Action, Episode, Observation, Turn
from sparring.training.core import Sample, Split
from sparring.training.credit import whole


def make(
    reward: float,
    *,
    game: str = "G",
    seed: int = 0,
    role: str = "player_0",
    part: str | None = None,
    turns: int = 1,
    credit: Split = whole,
    prompts: tuple[Tokens, ...] = (),
) -> Sample:
    """One role's game; ``prompts``, where given, are what it read at each of its turns."""
    read = prompts or ((1,),) * turns
    seen = Observation(role, (), None)
    played = tuple(Turn(seen, Action("said", prompt=prompt, tokens=(2,))) for prompt in read)
    parts = {role: part} if part else {}
    episode = Episode(game, seed, played, {role: reward}, {}, {}, parts=parts)
    return Sample(episode, role, reward, credit(len(read)))


@pytest.fixture(scope="session")
def sample() -> Callable[..., Sample]:
    return make

"""Keys: which samples share a baseline."""

from collections.abc import Callable

from sparring.training.core import Sample

Key = Callable[[Sample], tuple[str | int, ...]]
"""From a sample to what it shares with others; of strings and integers, so that it can be saved."""


def game_and_role(sample: Sample) -> tuple[str | int, ...]:
    """(game, role): the role's hidden part (spy, civilian) where it has one. RAE's key."""
    return sample.episode.game, sample.part


def game(sample: Sample) -> tuple[str | int, ...]:
    """(game,): all roles together, a baseline without role conditioning."""
    return (sample.episode.game,)


def deal_and_role(sample: Sample) -> tuple[str | int, ...]:
    """(game, seed, role): the group of GRPO, all games from the same start seen by the same role.

    Needs deals that repeat each seed (``deals.repeated``).
    """
    return sample.episode.game, sample.episode.seed, sample.part

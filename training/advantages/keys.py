"""Keys: which samples share a baseline."""

from collections.abc import Callable, Sequence

from sparring.envs.core import BadInput
from sparring.training.core import Sample

Key = Callable[[Sample], tuple[str | int, ...]]
"""From a sample to what it shares with others; of strings and integers, so that it can be saved."""


def game_and_role(sample: Sample) -> tuple[str | int, ...]:
    """(game, role): the role's hidden part (spy, civilian) where it has one. RAE's key."""
    return sample.episode.game, sample.part


def player_game_and_role(sample: Sample) -> tuple[str | int, ...]:
    """(player, game, role): for a league, whose players meet different opponents in one role."""
    return sample.player, *game_and_role(sample)


def game(sample: Sample) -> tuple[str | int, ...]:
    """(game,): all roles together, a baseline without role conditioning."""
    return (sample.episode.game,)


def deal_and_role(sample: Sample) -> tuple[str | int, ...]:
    """(game, seed, role): the group of GRPO, all games from the same start seen by the same role.

    Needs deals that repeat each seed (``deals.repeated``).
    """
    return sample.episode.game, sample.episode.seed, sample.part


def episode(sample: Sample) -> tuple[str | int, ...]:
    """The game itself: the mean of its seats is the baseline. Not to be used in self-play.

    In a zero-sum game that mean is 0, so nothing is learned of which seat is better off, and an
    illegal answer of one seat is a success of the other. It is here because others do it:
    benchmarks/collapse.py shows what comes of it.
    """
    return (id(sample.episode),)


def shared_rewards(
    samples: Sequence[Sample], key: Key
) -> tuple[dict[tuple[str | int, ...], list[float]], int]:
    """The rewards of each key, and how many samples are the only one of theirs.

    Raises:
        BadInput: every sample is the only one of its key, so there is nothing to compare it with.
    """
    rewards: dict[tuple[str | int, ...], list[float]] = {}
    for sample in samples:
        rewards.setdefault(key(sample), []).append(sample.reward)
    alone = sum(len(some) == 1 for some in rewards.values())
    if samples and alone == len(samples):
        raise BadInput(
            f"no two of the {alone} samples share a key, so no advantage can be told: "
            "play more games a step, each deal several times (deals.repeated), or take another key"
        )
    return rewards, alone

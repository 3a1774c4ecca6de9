"""Rules about how a game ended."""

from collections.abc import Sequence
from statistics import mean

from sparring.training.advantages.keys import Key
from sparring.training.core import Sample
from sparring.training.filters.core import Rule, each


@each
def winners(sample: Sample) -> str | None:
    """Keep whoever has the highest payoff of the game, where somebody has less ("tie", "lost").

    What SPAG trains on (arXiv 2404.10642). It is about the payoff of the game, not the reward.
    """
    payoffs = sample.episode.payoffs
    if min(payoffs.values()) == max(payoffs.values()):
        return "tie"
    return None if payoffs[sample.role] == max(payoffs.values()) else "lost"


@each
def no_forfeits(sample: Sample) -> str | None:
    """Drop the games that illegal answers ended, on all sides ("forfeit").

    SPAG drops them too: then nothing teaches against breaking the rules but the games that go on.
    """
    return "forfeit" if sample.episode.forfeits else None


@each
def nonzero(sample: Sample) -> str | None:
    """Drop rewards of exactly 0 ("zero")."""
    return None if sample.reward else "zero"


def at_least(reward: float) -> Rule:
    """Drop rewards below ``reward`` ("low_reward")."""

    @each
    def rule(sample: Sample) -> str | None:
        return None if sample.reward >= reward else "low_reward"

    return rule


def all_together(sample: Sample) -> tuple[str | int, ...]:
    """The key that all samples share."""
    return ()


def above_mean(key: Key = all_together) -> Rule:
    """Keep rewards strictly above the mean of all samples that share ``key`` ("below_mean").

    With the default all roles and all games are pooled, as in self-play on Deal or No Deal (arXiv
    2406.18872); ``keys.game`` takes a mean for each game.
    """

    def rule(samples: Sequence[Sample]) -> list[Sample | str]:
        rewards: dict[object, list[float]] = {}
        for sample in samples:
            rewards.setdefault(key(sample), []).append(sample.reward)
        means = {k: mean(some) for k, some in rewards.items()}
        return [s if s.reward > means[key(s)] else "below_mean" for s in samples]

    return rule

"""Training rewards: what a role is paid for learning, from the payoffs of a finished episode."""

from sparring.envs.core import Episode, Role
from sparring.training.core import Reward


def payoff(episode: Episode, role: Role) -> float:
    """R_i = X_i, the payoff itself."""
    return episode.payoffs[role]


def mixed(weight: float) -> Reward:
    """R_i = X_i + λ·Σ_{j≠i} X_j, λ = ``weight``: 0 selfish, 1 cooperative, −1 competitive.

    The objectives of self-play on Deal or No Deal (arXiv 2406.18872); with λ = −1 the rewards of
    two roles add up to zero whatever the payoffs.
    """

    def reward(episode: Episode, role: Role) -> float:
        others = sum(x for other, x in episode.payoffs.items() if other != role)
        return episode.payoffs[role] + weight * others

    return reward


def fined(reward: Reward, forfeit: float) -> Reward:
    """``reward``, but ``forfeit`` for a role whose illegal answers ended the game.

    The others keep what ``reward`` gives them, so a fine in a zero-sum game leaves it a little
    less than zero-sum, as it was meant to.
    """

    def fine(episode: Episode, role: Role) -> float:
        return forfeit if role in episode.forfeits else reward(episode, role)

    return fine

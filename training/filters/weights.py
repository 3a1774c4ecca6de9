"""Rules that drop nothing and change how much a sample counts."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sparring.training.advantages.keys import game_and_role
from sparring.training.core import Sample
from sparring.training.filters.core import Rule


def even_roles(samples: Sequence[Sample]) -> list[Sample | str]:
    """w ← w · N/(R·N_role): each of a game's R roles (hidden parts count as roles) gets 1/R of it.

    N is the number of samples of the game and N_role those of the role. After ``winners`` it is
    SPAG's N_decided/(2·N_role_wins) (arXiv 2404.10642): a role that rarely wins counts as much. A
    role without a sample leaves its share unused, as there.
    """
    own = Counter(game_and_role(s) for s in samples)
    whole = Counter(s.episode.game for s in samples)
    parts: dict[str, set[str]] = {}
    for s in samples:
        e = s.episode
        parts.setdefault(e.game, set()).update(e.parts.get(role, role) for role in e.payoffs)
    weights: dict[tuple[str | int, ...], float] = {
        (game, part): whole[str(game)] / (len(parts[str(game)]) * n)
        for (game, part), n in own.items()
    }
    return [replace(s, weight=s.weight * weights[game_and_role(s)]) for s in samples]


def shorter(rate: float) -> Rule:
    """w ← w · exp(−a·n), n the number of tokens that the role said: what is shorter counts more.

    STP (arXiv 2502.00212) weighs proofs by their length with a = 0.001.
    """

    def rule(samples: Sequence[Sample]) -> list[Sample | str]:
        said = [sum(len(turn.action.tokens) for turn in s.turns) for s in samples]
        pairs = zip(samples, said, strict=True)
        return [replace(s, weight=s.weight * math.exp(-rate * n)) for s, n in pairs]

    return rule

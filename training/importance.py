"""Weights of games that an older policy has played.

For games played by μ and learned from by π, over all turns t of all seats that learn,

    w = min(C, Π_t π(answer_t | view_t) / μ(answer_t | view_t))

With C = ∞ a mean over the games of μ with weights w is the mean over those of π:
E_μ[w·f(game)] = E_π[f(game)]. C bounds the variance (truncated importance sampling, Ionides 2008).
A weight of each token by itself, π/μ there, is cheaper and corrects less: neither which situations
came up, nor what the other seats did, who are as old. In self-play that is half of the game.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sparring.training.batch import collate
from sparring.training.core import Metrics, Sample
from sparring.training.learner import Learner
from sparring.training.rows import rows_of


def of_games(
    learners: Mapping[str, Learner], samples: Sequence[Sample], step: int
) -> tuple[list[Sample], Metrics]:
    """The samples with the weights of their games, where ``UpdateConfig.importance`` is "game".

    Games of this ``step``'s policy weigh 1, and so do all where none is older. Metrics:
    "importance_cut", the share of the games whose weight C held; "importance_size", the effective
    share of the games, (Σw)² / (n·Σw²).
    """
    older = [s for s in samples if s.version is not None and s.version < step and s.turns]
    caps = {name: _cap(learners[name]) for name in {s.player for s in older}}
    older = [s for s in older if caps[s.player] is not None]
    if not older:
        return list(samples), {}
    apart: dict[int, float] = {}
    for name, learner in learners.items():
        for key, x in _apart(learner, [s for s in older if s.player == name]).items():
            apart[key] = apart.get(key, 0.0) + x
    cap = {id(s.episode): caps[s.player] or 1.0 for s in older}
    held = {key: min(math.log(cap[key]), x) for key, x in apart.items()}
    weights = {key: math.exp(x) for key, x in held.items()}
    size = sum(weights.values()) ** 2 / (len(weights) * sum(w * w for w in weights.values()))
    cut = sum(held[key] < x for key, x in apart.items()) / len(apart)
    return (
        [replace(s, weight=s.weight * weights.get(id(s.episode), 1.0)) for s in samples],
        {"importance_cut": cut, "importance_size": size},
    )


def _cap(learner: Learner) -> float | None:
    return learner.config.importance_cap if learner.config.importance == "game" else None


def _apart(learner: Learner, samples: Sequence[Sample]) -> dict[int, float]:
    """log π − log μ of what these samples say, by episode."""
    rows, owners = [], []
    for sample in samples:
        own = rows_of(sample, [0.0] * len(sample.turns))
        rows += own
        owners += [id(sample.episode)] * len(own)
    if not rows:
        return {}
    batch = collate(rows, share=learner.config.share_prefixes, segments="row")
    assert batch.segments is not None
    found: dict[int, float] = {}
    now = learner.remember_sequences(batch) - batch.segments.behaviour
    for key, x in zip(owners, now.tolist(), strict=True):
        found[key] = found.get(key, 0.0) + x
    return found

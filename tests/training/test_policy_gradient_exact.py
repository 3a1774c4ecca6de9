"""The exact policy gradient of Kuhn poker equals the mean of our sampled estimator.

The policy is a table of logits, one for each information set: bet or call against check or fold.
The expected numbers at uniform play are derived in exact fractions; see docs/games/kuhn-poker.md.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch

from sparring.envs.core import Role
from sparring.envs.games.kuhn import KuhnPoker, KuhnState
from sparring.training.losses.policy_gradient import surrogate

BOLD = {"bet": 1, "call": 1, "check": 0, "fold": 0}
Key = tuple[str, str]  # card, moves of the hand

EXACT: Mapping[Key, float] = {
    **{(card, ""): 1 / 16 for card in "JQK"},
    ("J", "kb"): -1 / 48,
    ("Q", "kb"): 1 / 48,
    ("K", "kb"): 1 / 16,
    **{(card, "k"): 1 / 48 for card in "JQK"},
    ("J", "b"): -1 / 24,
    ("Q", "b"): 1 / 24,
    ("K", "b"): 1 / 8,
}
"""d(own expected payoff) / d(logit of the bold answer) where both play uniformly."""

Game = tuple[float, list[tuple[Role, Key, int]], Mapping[Role, float]]


def games(state: KuhnState, p: float, taken: list[tuple[Role, Key, int]]) -> Iterator[Game]:
    """All games from here with their probability under uniform play."""
    if not state.to_act:
        yield p, taken, state.payoffs
        return
    (role,) = state.to_act
    key = (state.deals[0][int(role[-1])], state.spot.moves)
    for answer in state.observe(role).legal or ():
        here = [*taken, (role, key, BOLD[answer])]
        yield from games(state.step({role: answer}), p / 2, here)


ALL = [g for p, start in KuhnPoker().openings() for g in games(start, p, [])]


def gradient(sample: list[tuple[float, Game]], baselines: Mapping[Role, float]) -> dict[Key, float]:
    """Of −Σ surrogate over weighted games at the uniform policy."""
    logits = {key: torch.zeros(2, requires_grad=True) for key in EXACT}
    total = torch.zeros(())
    for weight, (_, taken, payoffs) in sample:
        for role, key, choice in taken:
            advantage = torch.tensor(weight * (payoffs[role] - baselines[role]))
            said = logits[key].log_softmax(-1)[choice]
            gain, cost = advantage.clamp(min=0), (-advantage).clamp(min=0)
            total = total - surrogate(said, said.detach(), gain, cost)
    total.backward()
    return {key: float(x.grad[1]) if x.grad is not None else 0.0 for key, x in logits.items()}


@pytest.mark.parametrize("baselines", [(0.0, 0.0), (1 / 8, -1 / 8), (3.0, -7.0)])
def test_expected_estimate_is_the_exact_gradient(baselines: tuple[float, float]) -> None:
    """For any constant baseline of a role: by enumeration of all games."""
    assert sum(p for p, _, _ in ALL) == pytest.approx(1)
    both = dict(zip(("player_0", "player_1"), baselines, strict=True))
    found = gradient([(game[0], game) for game in ALL], both)
    assert found == pytest.approx(EXACT, abs=1e-6)


def test_the_sampled_estimate_agrees_within_its_error() -> None:
    n = 1_000_000  # games; equal ones are merged, as in training
    drawn = np.random.default_rng(0).multinomial(n, [p for p, _, _ in ALL])
    found = gradient(
        [(count / n, game) for count, game in zip(drawn.tolist(), ALL, strict=True)],
        {"player_0": 0.0, "player_1": 0.0},
    )
    for key, expected in EXACT.items():
        # a game adds at most |payoff|/2 = 1 to a logit: its standard error is below 1/√n
        assert abs(found[key] - expected) < 4 / n**0.5, key

"""Games of an older policy, weighed, are games of the newer one."""

import asyncio
import math
import random
from collections.abc import Mapping
from dataclasses import replace
from statistics import mean, stdev
from typing import Any

import pytest
import torch
from whole_reads import after

from sparring.agents.engines.core import Sampling
from sparring.agents.play import Match, play_all
from sparring.agents.pretrained import player
from sparring.envs.core import BadInput, Episode
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.core import Sample
from sparring.training.importance import of_games
from sparring.training.learner import Learner
from sparring.training.update import UpdateConfig

GAME = TicTacToe(board=False)
CONFIG = UpdateConfig(importance="game", importance_cap=1e9)


@pytest.fixture
def learner(new_model: Any) -> Learner:
    """What learns: near to what played, and not the same."""
    model = new_model(loud=1.0)
    with torch.no_grad():
        luck = torch.Generator().manual_seed(1)
        for weight in model.parameters():
            weight.add_(0.02 * torch.randn(weight.shape, generator=luck))
    return Learner(model, CONFIG)


@pytest.fixture
def samples(new_model: Any, tokenizer: Any) -> list[Sample]:
    """Games of an older policy, both seats learning, all turns said by it."""
    agent, _ = player("old", new_model(loud=1.0), tokenizer, Sampling(max_tokens=3))
    seats = dict.fromkeys(GAME.roles, agent)
    episodes = asyncio.run(play_all(Match(GAME, seats, n, n) for n in range(300)))
    return [
        Sample(e, role, 0.0, (1.0,) * len(e.turns_of(role)), version=3)
        for e in episodes
        for role in GAME.roles
        if e.turns_of(role)
    ]


def by_hand(learner: Learner, episode: Episode) -> float:
    """log π − log μ of all that was said."""
    total = 0.0
    for turn in episode.turns:
        action = turn.action
        table = after(learner.model, action.prompt + action.tokens)[len(action.prompt) - 1 : -1]
        total += float(table.gather(1, torch.tensor(action.tokens)[:, None]).sum())
        total -= sum(action.logprobs)
    return total


def weights_of(samples: list[Sample]) -> Mapping[int, float]:
    return {id(s.episode): s.weight for s in samples}


def test_a_game_weighs_by_all_that_both_seats_said(learner: Learner, samples: list[Sample]) -> None:
    found, metrics = of_games({"learner": learner}, samples, 4)
    assert [replace(s, weight=1.0) for s in found] == samples
    for sample in random.Random(0).sample(found, 12):
        exact = by_hand(learner, sample.episode)
        assert sample.weight == pytest.approx(math.exp(exact), rel=1e-3)
    by_game = weights_of(found)
    assert all(s.weight == by_game[id(s.episode)] for s in found), "both seats of a game"
    values = list(by_game.values())
    size = sum(values) ** 2 / (len(values) * sum(w * w for w in values))
    assert metrics == {"importance_cut": 0.0, "importance_size": pytest.approx(size)}
    assert max(values) > 1.1 > 0.9 > min(values), "the policies are too near to show anything"


def test_the_mean_weight_is_one(learner: Learner, samples: list[Sample]) -> None:
    """E_μ[w] = 1; w·f has the mean of f under π, and this is f = 1."""
    values = list(weights_of(of_games({"learner": learner}, samples, 4)[0]).values())
    assert abs(mean(values) - 1) < 4 * stdev(values) / len(values) ** 0.5


def test_the_cap_holds(learner: Learner, samples: list[Sample]) -> None:
    whole, _ = of_games({"learner": learner}, samples, 4)
    learner.config = replace(CONFIG, importance_cap=1.05)
    found, metrics = of_games({"learner": learner}, samples, 4)
    assert [s.weight for s in found] == pytest.approx([min(s.weight, 1.05) for s in whole])
    over = [w > 1.05 for w in weights_of(whole).values()]
    assert metrics["importance_cut"] == pytest.approx(sum(over) / len(over))
    assert any(over)


def test_fresh_games_weigh_what_they_weighed(learner: Learner, samples: list[Sample]) -> None:
    assert of_games({"learner": learner}, samples, 3) == (samples, {})
    half = [replace(s, version=4, weight=0.5) for s in samples[:100]] + samples[100:]
    found, _ = of_games({"learner": learner}, half, 4)
    assert found[:100] == half[:100]


def test_it_is_left_out_where_tokens_weigh(learner: Learner, samples: list[Sample]) -> None:
    learner.config = UpdateConfig(importance_cap=2.0)
    assert of_games({"learner": learner}, samples, 4) == (samples, {})


def test_two_players_share_the_weight_of_their_game(
    learner: Learner, samples: list[Sample]
) -> None:
    first = GAME.roles[0]
    apart = [replace(s, player="a" if s.role == first else "b") for s in samples]
    found, _ = of_games({"a": learner, "b": learner}, apart, 4)
    alone, _ = of_games({"learner": learner}, samples, 4)
    for one, both in zip(alone, found, strict=True):
        assert both.weight == pytest.approx(one.weight, rel=1e-4)


def test_it_needs_a_cap() -> None:
    with pytest.raises(BadInput, match="importance game needs importance-cap"):
        UpdateConfig(importance="game")

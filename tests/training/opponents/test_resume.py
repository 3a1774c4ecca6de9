"""A run with a pool goes on from a checkpoint as if it had not stopped, number for number."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from sparring.agents.random import RandomAgent
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.advantages.keys import player_game_and_role
from sparring.training.advantages.rae import RAE
from sparring.training.core import Metrics
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.mixture import Entry, Mixture
from sparring.training.opponents.core import Opponents
from sparring.training.opponents.league import League
from sparring.training.opponents.nash import Nash
from sparring.training.opponents.past import LastK, UniformPast
from sparring.training.opponents.pfsp import PFSP
from sparring.training.opponents.pool import Pool
from sparring.training.player import Player
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig
from sparring.training.weights import trained

GAME = TicTacToe(board=False)
CONFIG = UpdateConfig(inner_steps=1, learning_rate=Ramp(3e-3, 3e-3))
STEPS = 4

Make = Callable[[Mapping[str, Player]], Opponents]


def pool(players: Mapping[str, Player], **options: Any) -> Pool:
    return Pool(players, fixed=[RandomAgent()], **options)


STRATEGIES: dict[str, Make] = {
    "last": lambda p: LastK(pool(p), 2, every=1, mirror=0.3, current=True),
    "uniform": lambda p: UniformPast(pool(p, capacity=2), every=1, at_once=2),
    "pfsp": lambda p: PFSP(pool(p), every=1, at_once=2),
    "nash": lambda p: Nash(pool(p), every=2, games=4),
    "nash from the start": lambda p: Nash(pool(p), every=2, games=4, begin_from="start"),
    "league": lambda p: League(
        pool(p),
        {"learner": "main", "hunter": "main_exploiter", "critic": "league_exploiter"},
        soonest=1,
        latest=2,
        at_once=2,
    ),
}


def cached(opponents: Any) -> int:
    """How many conversations the engines of past selves hold."""
    agents = [agent for member in opponents.pool.past for agent in member.agents.values()]
    assert agents
    engines = [agent.agent.engine for agent in agents]
    return sum(len(getattr(engine, "engine", engine).kept) for engine in engines)


WITH_ADAPTERS = ("uniform", "nash from the start", "league")


@pytest.mark.parametrize(
    ("name", "rank"), [(n, None) for n in STRATEGIES] + [(n, 2) for n in WITH_ADAPTERS]
)
def test_a_resumed_run_is_the_unbroken_one(name: str, rank: int | None, new_player: Any) -> None:
    def fresh() -> SelfPlay:
        names = ("learner", "hunter", "critic") if name == "league" else ("learner",)
        players = {player: new_player(player, CONFIG, rank) for player in names}
        return SelfPlay(
            mixture=Mixture([Entry(GAME)]),
            players=players,
            method=PolicyGradient(RAE(key=player_game_and_role)),
            steps=STEPS,
            games_a_step=13,
            seed=7,
            retries=2,
            opponents=STRATEGIES[name](players),
        )

    def going_on(loop: SelfPlay) -> SelfPlay:
        """What a checkpoint keeps, through a file, into a loop that was just built."""
        file, made = io.BytesIO(), fresh()
        torch.save(loop.state_dict(), file)
        file.seek(0)
        for player, other in zip(made.players.values(), loop.players.values(), strict=True):
            theirs = other.model.state_dict()  # past selves too, where they are adapters
            player.model.load_state_dict({own: theirs[own] for own in player.model.state_dict()})
        made.load_state_dict(torch.load(file, weights_only=True))
        return made

    unbroken = fresh()
    wanted = list(unbroken.run())
    assert len({metrics["reward/player_0"] for metrics in wanted}) > 1
    resumed, found = fresh(), list[Metrics]()
    for _ in range(STEPS):  # stopped and resumed after every step
        resumed = going_on(resumed)
        found.append(next(resumed.run()))
    resumed.forget()
    assert not cached(resumed.opponents)
    assert found == wanted
    for player, other in zip(resumed.players.values(), unbroken.players.values(), strict=True):
        own, theirs = trained(player.model), trained(other.model)
        assert own.keys() == theirs.keys()
        assert all(torch.equal(weight, theirs[part]) for part, weight in own.items())

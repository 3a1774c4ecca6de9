"""One seat of a game as a Gymnasium environment: the same games as ``play`` plays."""

import asyncio
import random
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env

from sparring.agents.gym import SingleAgentEnv
from sparring.agents.optimal import optimal
from sparring.agents.random import RandomAgent
from sparring.envs.core import Action, Observation, Void
from sparring.envs.games.kuhn import KuhnPoker, KuhnState
from sparring.envs.games.tictactoe import TicTacToe

KUHN = KuhnPoker(hands=2)


def rollout(env: SingleAgentEnv, seed: int) -> list[Any]:
    observation, info = env.reset(seed=seed)
    luck, log, over = random.Random(seed), [info["role"]], False
    while not over:
        action = luck.choice(info["legal_actions"])
        observation, reward, over, cut, info = env.step(action)
        assert not cut
        log += [action, observation["text"], reward]
    episode = info["episode"]
    assert reward == episode.payoffs[info["role"]]
    return log


def test_gymnasium_accepts_it() -> None:
    env = SingleAgentEnv(KUHN, RandomAgent())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*")
        check_env(env, skip_render_check=True)
    env.close()


def test_a_seed_gives_one_game_from_every_seat() -> None:
    one, two = (SingleAgentEnv(TicTacToe(), RandomAgent()) for _ in range(2))
    games = [rollout(one, seed) for seed in range(12)]
    two.reset(seed=99)
    two.step("1")  # broken off in the middle: nothing of it is left
    assert [rollout(two, seed) for seed in range(12)] == games
    assert {game[0] for game in games} == {"player_0", "player_1"}
    one.close()
    two.close()


def test_the_opponent_answers_before_step_returns() -> None:
    env = SingleAgentEnv(KuhnPoker(), optimal("KuhnPoker-v0"), role="player_1")
    observation, info = env.reset(seed=3)
    assert observation["text"].splitlines()[-1].startswith("player_0: ")
    assert env.action_space.offers() == info["legal_actions"]
    observation, reward, over, _, info = env.step("nonsense")
    assert (reward, over) == (0.0, False)
    assert "Try again." in observation["text"]
    observation, reward, over, _, info = env.step("nonsense")
    assert (reward, over) == (-2.0, True)
    assert info["episode"].forfeits == ("player_1",)
    assert env.render() == observation["text"]
    with pytest.raises(RuntimeError, match="call reset"):
        env.step("bet")
    env.close()


def test_inside_a_running_loop() -> None:
    async def notebook() -> float:
        env = SingleAgentEnv(KUHN, RandomAgent(), role="player_0")
        log = rollout(env, 1)
        env.close()
        return float(log[-1])

    assert asyncio.run(notebook()) in range(-4, 5)


def test_a_void_game_is_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(state: KuhnState, answers: Mapping[str, str]) -> KuhnState:
        raise Void("no verdict")

    monkeypatch.setattr(KuhnState, "step", step)
    env = SingleAgentEnv(KUHN, RandomAgent(), role="player_0")
    env.reset(seed=0)
    _, reward, over, cut, info = env.step("bet")
    assert (reward, over, cut, info["episode"].void) == (0.0, False, True, "no verdict")
    env.close()


def test_faults() -> None:
    with pytest.raises(ValueError, match="has no role 'x'; it has player_0, player_1"):
        SingleAgentEnv(KUHN, RandomAgent(), role="x")
    env = SingleAgentEnv(KUHN, {}, role="player_0")
    with pytest.raises(ValueError, match="no agent in the seat of player_1"):
        env.reset(seed=0)
    env.close()

    class Fails(RandomAgent):
        async def act(self, observation: Observation) -> Action:
            raise OSError("out of paper")

    env = SingleAgentEnv(KUHN, Fails(), role="player_0")
    env.reset(seed=0)
    with pytest.raises(OSError, match="out of paper"):
        env.step("bet")
    env.reset(seed=0)
    with pytest.raises(TypeError, match="a string, not int"):
        env.step(3)  # type: ignore[arg-type]
    env.close()

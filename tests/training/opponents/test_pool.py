"""The pool: who is in it, who has to go, and that a past self is what the learner was."""

import asyncio
import copy
import io
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch

from sparring.agents.core import Agent, HasPolicy
from sparring.agents.engines.core import Sampling, Tokens
from sparring.agents.play import Match, play
from sparring.agents.pretrained import player
from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput, Episode, Observation
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.solve import walk
from sparring.training import weights
from sparring.training.learner import Learner
from sparring.training.models import lora
from sparring.training.models.options import LoraOptions
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.restart import restart
from sparring.training.player import Player
from sparring.training.update import UpdateConfig

GAME = TicTacToe(board=False)
KUHN = walk(KuhnPoker())


def names(pool: Pool) -> list[str]:
    return list(pool.members)


def test_the_oldest_past_self_goes_first(learner: Player) -> None:
    pool = Pool({"learner": learner}, fixed=[RandomAgent()], capacity=2)
    pool.add(0)
    pool.add(10)
    episode = Episode("G", 0, (), {"a": 1, "b": -1}, {}, {})
    pool.records.add("learner", "learner@step-0", episode, "a")
    _, gone = pool.add(20)
    assert gone == ["learner@step-0"]
    assert names(pool) == ["random", "learner@step-10", "learner@step-20"]
    assert pool.records.games("learner", "learner@step-0") == 0
    _, gone = pool.add(30, keep=["learner@step-10"])
    assert gone == ["learner@step-20"]
    _, gone = pool.add(40, keep=["learner@step-10", "learner@step-30"])
    assert gone == [], "none that is kept is dropped: the pool outgrows its capacity"
    assert len(pool.past) == 3
    _, gone = pool.add(50)
    assert gone == ["learner@step-10", "learner@step-30"]


def test_without_a_capacity_nobody_goes(learner: Player) -> None:
    pool = Pool({"learner": learner}, capacity=None)
    for step in range(60):
        pool.add(step)
    assert len(pool.past) == 60


def test_names_are_told_apart(learner: Player) -> None:
    with pytest.raises(BadInput, match="names of their own"):
        Pool({"learner": learner}, fixed=[RandomAgent(), RandomAgent()])
    with pytest.raises(BadInput, match="names of their own"):
        Pool({"learner": learner}, fixed=[RandomAgent("learner")])
    with pytest.raises(BadInput, match="at least 1 past self"):
        Pool({"learner": learner}, capacity=0)


def observations() -> list[Observation]:
    """Some positions as a model that sits in both seats saw them, each once: asked a second time,
    an engine goes on from what it has read, which may change the last digit."""
    luck = random.Random(5)
    seats = dict.fromkeys(GAME.roles, RandomAgent())
    found = []
    for _ in range(4):
        match = Match(GAME, seats, luck.getrandbits(63), luck.getrandbits(63))
        found += [turn.observation for turn in asyncio.run(play(match)).turns]
    return list({(seen.role, seen.messages): seen for seen in found}.values())


def policies(agent: Agent) -> list[dict[str, float]]:
    assert isinstance(agent, HasPolicy)
    seen = observations()

    async def ask() -> list[dict[str, float]]:
        return [dict(await agent.policy(o)) for o in seen]

    return asyncio.run(ask())


def test_a_past_self_plays_with_the_old_weights(
    learner: Player, nudge: Any, tokenizer: Any
) -> None:
    """It says, word for word and number for number, what a separate copy of the model says."""
    before = copy.deepcopy(learner.model)
    pool = Pool({"learner": learner})
    pool.add(40)
    nudge(learner.model)
    changed = weights.copy_of(learner.model)
    twin, _ = player("twin", before, tokenizer, Sampling(max_tokens=4))
    past = pool.seated("learner@step-40", GAME.roles[0])

    assert policies(past) == policies(twin)
    assert policies(past) != policies(learner.agent)

    def episode(agent: Agent) -> Episode:
        return asyncio.run(play(Match(GAME, dict.fromkeys(GAME.roles, agent), 3, 4), retries=3))

    old, same, now = (episode(agent) for agent in (past, twin, learner.agent))
    assert [t.action for t in old.turns] == [t.action for t in same.turns]
    assert [t.action for t in old.turns] != [t.action for t in now.turns]
    assert max(len(old.turns_of(role)) for role in GAME.roles) > 1, "the cache was never used"
    assert set(old.seats.values()) == {"learner@step-40"}

    for name, weight in weights.trained(learner.model).items():
        assert torch.equal(weight, changed[name]), "the learner has its own weights back"
        assert not weight.data.is_inference()


def test_the_learner_trains_on_after_a_past_self_played(learner: Player) -> None:
    pool = Pool({"learner": learner})
    pool.add(0)
    policies(pool.seated("learner@step-0", GAME.roles[0]))
    ids = torch.tensor([[1, 2, 3]])
    learner.model(input_ids=ids).logits.sum().backward()
    assert all(p.grad is not None for p in learner.model.parameters())


def test_a_failure_inside_gives_the_learner_its_weights_back(learner: Player, nudge: Any) -> None:
    pool = Pool({"learner": learner})
    member, _ = pool.add(0)
    nudge(learner.model)
    now = weights.copy_of(learner.model)
    (past,) = member.agents.values()
    no_such_token = 10**6
    with pytest.raises(IndexError):
        asyncio.run(past.agent.engine.score((1, no_such_token), [(2,)]))  # type: ignore[attr-defined]
    for name, weight in weights.trained(learner.model).items():
        assert torch.equal(weight, now[name])


def test_what_a_past_self_was_asked_is_remembered(learner: Player) -> None:
    pool = Pool({"learner": learner})
    member, _ = pool.add(0)
    (past,) = member.agents.values()
    asked: list[int] = []
    score = past.agent.engine.score  # type: ignore[attr-defined]

    async def counted(prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        asked.append(len(continuations))
        found: list[float] = await score(prompt, continuations)
        return found

    past.agent.engine.score = counted  # type: ignore[attr-defined]

    async def ask() -> list[Any]:
        return [await past.policy(o) for o in KUHN.observations]  # type: ignore[attr-defined]

    assert asyncio.run(ask()) == asyncio.run(ask())
    assert sum(asked) == 2 * len(KUHN.observations), "two answers at each set, asked once"


def test_a_pool_goes_through_a_checkpoint(learner: Player, nudge: Any) -> None:
    fixed = [RandomAgent()]
    pool = Pool({"learner": learner}, fixed=fixed)
    for step in (0, 10, 20):
        pool.add(step)
        nudge(learner.model)
    file = io.BytesIO()
    torch.save(pool.state_dict(), file)
    file.seek(0)
    again = Pool({"learner": learner}, fixed=fixed)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert names(again) == names(pool)
    for name in names(pool)[1:]:
        role = GAME.roles[0]
        assert policies(again.seated(name, role)) == policies(pool.seated(name, role))
    with pytest.raises(
        BadInput, match=r"saved with the fixed agents \['random'\], not \['other'\]"
    ):
        Pool({"learner": learner}, fixed=[RandomAgent("other")]).load_state_dict(pool.state_dict())


def test_players_of_separate_roles_are_frozen_together(new_player: Any, nudge: Any) -> None:
    attacker, defender = new_player("attacker"), new_player("defender")
    nudge(defender.model)
    of = {"player_0": "attacker", "player_1": "defender"}
    pool = Pool({"attacker": attacker, "defender": defender}, player_of=of.__getitem__)
    pool.add(3)
    assert names(pool) == ["learners@step-3"]
    for role, who in of.items():
        agent = pool.seated("learners@step-3", role)
        assert agent.name == f"{who}@step-3"
        assert policies(agent) == policies(pool.players[who].agent)
    without = Pool({"attacker": attacker, "defender": defender})
    without.add(3)
    with pytest.raises(BadInput, match="needs player_of"):
        without.seated("learners@step-3", "player_0")


def test_players_with_adapters_on_one_model(taught: Any, tokenizer: Any) -> None:
    """Each is frozen, plays and begins anew with its own adapter, whichever is active."""
    names = ("learner", "hunter")
    model = copy.deepcopy(taught)
    for seed, name in enumerate(names):
        model = lora.with_adapter(model, LoraOptions(rank=2), seed, name)
    players = {}
    for name in names:
        using = partial(lora.active, model, name)
        agent, engine = player(name, model, tokenizer, Sampling(max_tokens=4), using)
        learner = Learner(model, UpdateConfig(magnet=0.2), name)
        players[name] = Player(agent, learner, engine.forget, tokenizer)
        with torch.no_grad(), lora.active(model, name):
            for number, weight in enumerate(weights.trained(model).values()):
                wave = torch.sin(torch.arange(weight.numel()) + float(len(name) * number))
                weight.add_(0.2 * wave.view_as(weight))
    pool = Pool(players)
    said = {name: policies(one.agent) for name, one in players.items()}
    assert said["learner"] != said["hunter"]
    for name in names:
        pool.add(0, [name])
        assert all(f".{name}." in weight for weight in pool.members[f"{name}@step-0"].copies[name])
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".learner." in name or ".hunter." in name:
                weight.mul_(0.5)
    for name in names:
        assert policies(pool.seated(f"{name}@step-0", GAME.roles[0])) == said[name]
        assert policies(players[name].agent) != said[name]
    restart(players["hunter"], pool.members["learner@step-0"].copies["learner"])
    assert policies(players["hunter"].agent) == said["learner"]
    assert policies(players["learner"].agent) not in (said["learner"], said["hunter"])
    assert all(".hunter." in name for name in players["hunter"].learner.magnet)


def test_a_player_begins_anew(new_player: Any, nudge: Any, new_model: Any) -> None:
    one = new_player(config=UpdateConfig(inner_steps=1, magnet=0.2))
    start = weights.copy_of(one.model)
    nudge(one.model)
    parameter = next(one.model.parameters())
    parameter.grad = torch.ones_like(parameter)
    one.learner.optimizer.step()
    one.learner.magnet = weights.copy_of(one.model)
    restart(one, start)
    for name, weight in weights.trained(one.model).items():
        assert torch.equal(weight, start[name])
        assert weight.data_ptr() != start[name].data_ptr(), "what it learns leaves the start alone"
        assert torch.equal(one.learner.magnet[name], start[name])
    assert not one.learner.optimizer.state
    with pytest.raises(BadInput, match="models of the same kind"):
        restart(one, weights.copy_of(new_model(layers=1)))

"""What goes between processes comes out as it went in, and nothing goes twice."""

import asyncio
from typing import Any

import numpy as np
import pytest
import torch

from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.envs.core import Action, Message, Turn
from sparring.envs.registry import game
from sparring.training.cluster.parcels import Receiver, Sender
from sparring.training.cluster.wire import as_arrays, as_weights, packed, unpacked


@pytest.mark.parametrize("spec", ["KuhnPoker-v0", "AdversarialTaboo-v0", "Avalon-v0"])
def test_episodes_come_back_as_they_were(spec: str) -> None:
    rules, random = game(spec), RandomAgent()
    matches = [Match(rules, dict.fromkeys(rules.roles, random), n, n) for n in range(5)]
    episodes = asyncio.run(play_all(matches))
    turn = episodes[0].turns[0]
    said = Action("x", "a thought", (1, 2), (3,), (-0.1234567890123,))
    turn = Turn(turn.observation, said, accepted=False)
    # what observations add beside what the game shows does not count in ==, and is needed
    found = unpacked(packed([episodes[:2], episodes[2:]]))
    assert found == [episodes[:2], episodes[2:]]
    for before, after in zip(episodes, [e for some in found for e in some], strict=True):
        assert [tuple(t.observation) for t in before.turns] == [
            tuple(t.observation) for t in after.turns
        ]
    assert packed([[turn]]) == packed([[turn]])  # type: ignore[list-item]
    assert unpacked(packed([[turn]])) == [[turn]]  # type: ignore[list-item]


def test_what_views_share_is_sent_once() -> None:
    message = Message("referee", "a long text " * 1000)
    assert len(packed([[message] * 50])) < 2 * len(packed([[message]]))  # type: ignore[list-item]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.int64])
def test_weights_of_every_kind(dtype: torch.dtype) -> None:
    weights = {"a": torch.randn(3, 4).to(dtype), "none": torch.ones(()).to(dtype)}
    weights["turned"] = weights["a"].T
    back = as_weights(as_arrays(weights))
    for name, weight in weights.items():
        assert back[name].dtype == dtype
        assert torch.equal(back[name], weight)


@pytest.mark.filterwarnings("error")
def test_weights_may_lie_in_memory_that_cannot_be_written() -> None:
    arrays = as_arrays({"a": torch.arange(6.0)})
    frozen = arrays["a"][0].copy()
    frozen.flags.writeable = False
    back = as_weights({"a": (frozen, torch.float32)})
    assert back["a"].tolist() == list(range(6))
    assert np.shares_memory(back["a"].numpy(), frozen), "past selves cost nothing per process"


class Store:
    """Like that of Ray, counting."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        self.fetched: list[int] = []

    def put(self, arrays: Any) -> int:
        self.held.append(arrays)
        return len(self.held) - 1

    def fetch(self, where: int) -> Any:
        self.fetched.append(where)
        return self.held[where]


def test_weights_go_once_however_often_the_state_goes() -> None:
    store = Store()
    sender, receiver = Sender(store.put), Receiver(store.fetch)
    past = [{"name": n, "copies": {"p": {"w": torch.full((2,), float(n))}}} for n in range(3)]
    state: dict[str, Any] = {"past": past[:2], "rate": 0.5, "none": {}, "pair": (1, 2)}
    first = receiver.open(sender.pack(state))
    assert first["rate"] == 0.5
    assert first["pair"] == (1, 2)
    assert first["none"] == {}
    assert [m["copies"]["p"]["w"].tolist() for m in first["past"]] == [[0, 0], [1, 1]]

    second = receiver.open(sender.pack({**state, "past": past}))
    assert store.fetched == [0, 1, 2], "the third is new, and the others were there"
    assert second["past"][0]["copies"]["p"] is first["past"][0]["copies"]["p"]
    third = receiver.open(sender.pack({**state, "past": past[2:]}))
    assert third["past"][0]["copies"]["p"] is second["past"][2]["copies"]["p"]
    receiver.open(sender.pack({**state, "past": past[:1]}))
    assert store.fetched == [0, 1, 2, 3], "what was gone is sent again"


def test_a_receiver_that_begins_later_gets_everything() -> None:
    store = Store()
    sender = Sender(store.put)
    state = {"w": {"a": torch.ones(2)}}
    sender.pack(state)
    parcel = sender.pack(state)
    assert Receiver(store.fetch).open(parcel)["w"]["a"].tolist() == [1, 1]
    assert len(store.held) == 1


def test_parcels_of_two_senders_never_have_one_name() -> None:
    a, b = (Sender(Store().put).pack({"w": {"a": torch.ones(1)}}) for _ in range(2))
    assert a.label != b.label
    assert not a.stored.keys() & b.stored.keys()

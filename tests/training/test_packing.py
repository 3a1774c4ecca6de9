"""Samples as bytes: the same samples come back, and nothing else does."""

import io
import math
import os
import pickle
import zlib
from enum import StrEnum
from typing import Any

import numpy as np
import pytest
import torch

from sparring.envs.core import Action, Episode, Message, Observation, Turn
from sparring.training.core import Sample
from sparring.training.packing import pack, unpack


def episode(turns: int = 2, **options: Any) -> Episode:
    """Each turn holds the ones before it, as the runner makes them."""
    own: tuple[Turn, ...] = ()
    seen: tuple[Message, ...] = (Message("game", "Go", None),)
    for k in range(turns):
        seen = (*seen, Message("b", f"said {k}", frozenset({"a", "b"})))
        prompt = tuple(range(3 * k))
        action = Action("x", "thought", prompt, (k, 70_000), (-1 / 3, -math.pi))
        own = (*own, Turn(Observation("a", seen, ("x", "y"), (), own, 2**62), action, k % 2 == 0))
    given: dict[str, Any] = {
        "payoffs": {"a": 0.1, "b": -0.1},
        "outcome": {"agreed": 1.0},
        **options,
    }
    seats, views = {"a": "learner", "b": "other"}, {"a": seen, "b": ()}
    return Episode("g", 2**62, own, seats=seats, views=views, parts={"a": "spy"}, **given)


def test_samples_come_back_as_they_were() -> None:
    e = episode()
    some = [Sample(e, "a", 0.1 + 0.2, (0.2, 0.8), 1 / 3, "red"), Sample(e, "b", -0.1, ())]
    back = unpack(pack(some))
    assert back == some
    assert back[0].episode is back[1].episode
    assert back[0].turns[1].observation.turns == some[0].turns[1].observation.turns
    assert back[0].turns[1].observation.seed == 2**62
    assert unpack(pack([])) == []


def test_a_long_game_is_no_deep_one() -> None:
    (back,) = unpack(pack([Sample(episode(turns=600), "a", 1.0, (1.0,) * 600)]))
    assert len(back.turns) == 600


def test_a_checkpoint_with_them_is_read_safely() -> None:
    file = io.BytesIO()
    torch.save({"kept": [pack([Sample(episode(), "a", 1.0, (0.5, 0.5))])]}, file)
    file.seek(0)
    (kept,) = torch.load(file, weights_only=True)["kept"]
    assert unpack(kept)[0].credit == (0.5, 0.5)


class Kind(StrEnum):
    ONE = "one"


def test_numbers_and_words_of_other_kinds_become_plain() -> None:
    odd = {"mean": np.float64(0.1)}
    (back,) = unpack(pack([Sample(episode(outcome=odd, void=Kind.ONE), "a", 1.0, ())]))
    assert back.episode.outcome == {"mean": 0.1}
    assert type(back.episode.outcome["mean"]) is float
    assert type(back.episode.void) is str


def test_what_is_no_plain_value_is_refused_when_packed() -> None:
    with pytest.raises(TypeError, match="ndarray"):
        pack([Sample(episode(outcome={"x": np.zeros(2)}), "a", 1.0, ())])
    with pytest.raises(TypeError, match="function"):
        pack([Sample(episode(outcome={"x": test_a_long_game_is_no_deep_one}), "a", 1.0, ())])


class Evil:
    def __reduce__(self) -> Any:
        return os.getcwd, ()


@pytest.mark.parametrize("bad", [Evil(), os.getcwd, Kind.ONE, np.float64(1.0)], ids=type)
def test_bytes_that_would_run_code_are_refused(bad: Any) -> None:
    data = bytearray(zlib.compress(pickle.dumps([bad])))
    with pytest.raises(pickle.UnpicklingError, match="no part of a sample"):
        unpack(torch.frombuffer(data, dtype=torch.uint8))

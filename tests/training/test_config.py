"""Options that are kept in a run's folder and read back."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from sparring.training.config import (
    SelfPlayConfig,
    from_json,
    games_of,
    read_config,
    to_json,
)
from sparring.training.update import Ramp, UpdateConfig


@dataclass(frozen=True, kw_only=True)
class Mixed(SelfPlayConfig):
    mix: tuple[str, ...] = ("A", "B")
    weights: tuple[float, ...] = ()
    update: UpdateConfig = UpdateConfig(learning_rate=Ramp(1.0, 0.5))  # noqa: RUF009


@pytest.mark.parametrize(
    "config",
    [
        Mixed(),
        Mixed(trackers=(), mix=("C",), weights=(0.25, 0.75)),
        Mixed(trackers=("wandb", "tensorboard"), update=UpdateConfig(clip=0.2, inner_steps=3)),
    ],
)
def test_what_is_kept_is_read_back(config: Mixed, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(to_json("mixed", config)))
    found = read_config("mixed", tmp_path, Mixed)
    assert found == config
    assert isinstance(found.trackers, tuple)
    assert hash(found) == hash(config), "no list is left in it"
    assert from_json(Mixed, asdict(config)) == config


def test_by_default_a_run_goes_to_tensorboard() -> None:
    assert SelfPlayConfig().trackers == ("tensorboard",)


@pytest.mark.parametrize(
    ("options", "games"),
    [
        ({"game": "KuhnPoker-v0", "games": 2048}, ("KuhnPoker-v0",)),
        ({"mix": ["A", "B"], "games": 768}, ("A", "B")),
        ({"mix": ("A",)}, ("A",)),
        ({"steps": 3, "games": 4}, ()),
        ({}, ()),
    ],
)
def test_the_games_that_options_name(options: dict[str, Any], games: tuple[str, ...]) -> None:
    assert games_of(options) == games


def test_a_run_from_before_an_option_existed_has_its_default(tmp_path: Path) -> None:
    kept = to_json("mixed", Mixed(mix=("C",), update=UpdateConfig(clip=0.2)))
    del kept["options"]["engine"], kept["options"]["update"]["importance_cap"]
    (tmp_path / "config.json").write_text(json.dumps(kept))
    assert read_config("mixed", tmp_path, Mixed) == Mixed(mix=("C",), update=UpdateConfig(clip=0.2))

"""A contract that looks at few games: other suites' games are slow, and there are many of them."""

import pytest

from sparring import envs
from sparring.envs.contract import positions, text, views

FEW = {"SEEDS": range(3), "FEW": range(1), "LIMIT": 80}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (envs.contract, positions, text, views):
        for name, value in FEW.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)

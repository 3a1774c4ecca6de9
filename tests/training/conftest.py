"""What tests of whole runs share."""

from typing import Any

import pytest

from sparring.agents.embedded import build_model
from sparring.training import assembly


@pytest.fixture
def tiny_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded model of recipes is tiny, whatever size they ask for."""

    def tiny(tokenizer: Any, *, seed: int, **sizes: int) -> Any:
        return build_model(tokenizer, seed=seed, width=32, layers=1)

    monkeypatch.setattr(assembly, "build_model", tiny)

"""A tiny model on disk, as a user has one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Any, new_model: Callable[..., Any]) -> Path:
    """A model folder in transformers' format: random weights, the tests' tokenizer."""
    place = tmp_path / "base"
    new_model(seed=5, loud=1.0).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place

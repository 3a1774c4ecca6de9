"""Checks for the options of games: silent, or one clear line."""

import math
from collections.abc import Collection
from typing import Any

from sparring.envs.core import BadInput


def whole(name: str, value: Any, low: int, high: int | None = None) -> None:
    """``value`` is a whole number from ``low`` to ``high``. Raises ``BadInput``."""
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= low
    if not fits or (high is not None and value > high):
        most = f" of at least {low}" if high is None else f" from {low} to {high}"
        raise BadInput(f"{name} must be a whole number{most}, not {value!r}")


def number(name: str, value: Any, low: float, high: float) -> None:
    """``value`` is a finite number from ``low`` to ``high``. Raises ``BadInput``."""
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not (real and math.isfinite(value) and low <= value <= high):
        raise BadInput(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")


def one_of(name: str, value: Any, choices: Collection[Any]) -> None:
    """``value`` is one of ``choices``. Raises ``BadInput``."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        known = ", ".join(str(choice) for choice in choices)
        raise BadInput(f"{name} must be one of {known}, not {value!r}")


def flag(name: str, value: Any) -> None:
    """``value`` is true or false. Raises ``BadInput``."""
    if not isinstance(value, bool):
        raise BadInput(f"{name} must be True or False, not {value!r}")

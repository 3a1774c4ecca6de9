"""How often each game of a mixture is played."""

from collections.abc import Mapping
from typing import Any, Protocol

from sparring.training.core import Metrics, Stateless


class Curriculum(Protocol):
    """Weights of games by name (``Mixture.entries``), which may follow what is learned."""

    def weights(self) -> Mapping[str, float]:
        """Positive numbers; only their ratios count."""
        ...

    def learned(self, metrics: Metrics) -> None:
        """Called after every update with what it reports; "advantage_size/GAME" among it."""
        ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Fixed(Stateless):
    """Weights that stay."""

    def __init__(self, weights: Mapping[str, float]):
        if not weights or min(weights.values()) <= 0:
            raise ValueError(f"weights are positive, not {dict(weights)}")
        self._weights = dict(weights)

    def weights(self) -> Mapping[str, float]:
        return self._weights

    def learned(self, metrics: Metrics) -> None:
        """It stays as it is."""

"""Which roles learn when. A role that does not learn still plays."""

from collections.abc import Mapping
from typing import Any, Protocol

from sparring.envs.core import Role
from sparring.training.core import Metrics, Stateless


class Schedule(Protocol):
    """Asked for every role of every game before a step's update, told the metrics after it."""

    def learns(self, role: Role, step: int) -> bool:
        """Whether ``role`` (a hidden part counts as one) learns in the step after ``step`` ones."""
        ...

    def learned(self, metrics: Metrics) -> None: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Everyone(Stateless):
    """All roles, always."""

    def learns(self, role: Role, step: int) -> bool:
        return True

    def learned(self, metrics: Metrics) -> None:
        """Nothing changes that."""

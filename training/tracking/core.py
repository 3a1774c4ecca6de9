"""Where the numbers of a run go while it is going."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sparring.training.core import Metrics


class Tracker(Protocol):
    """Somewhere to log to."""

    def log(self, metrics: Metrics) -> None:
        """Called once for every step, in order; ``metrics["step"]`` says which one. When it
        returns, a kill no longer loses the numbers, where the tracker can promise that."""
        ...

    def close(self) -> None:
        """Called when the run ends or stops, not when it is killed."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """One stretch of a run: from its start or a checkpoint, to its end or a stop.

    ``done``: the step that it goes on from, -1 for a new run. What was tracked after ``done`` is
    played again, so a tracker must not show it twice.
    """

    folder: Path
    recipe: str
    options: Mapping[str, Any]
    done: int = -1

    @property
    def new(self) -> bool:
        return self.done < 0


Factory = Callable[[Session], Tracker]
"""Opens a tracker. Raises ``BadInput`` where it cannot, before it has written anything."""

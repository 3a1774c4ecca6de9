"""What is done with the samples of a step: the seam between playing and learning."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sparring.training.core import Metrics, Sample
from sparring.training.learner import Learner


class Method(Protocol):
    """Turns samples into an update. What it remembers is in its state, hence in the checkpoint."""

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        """Update ``learner`` from ``samples``; ``progress`` in [0, 1] is how far the run is.

        Raises:
            BadInput: there is nothing to learn from in the samples, and the reason why.
        """
        ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...

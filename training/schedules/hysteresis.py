"""Two phases, each with its own condition to end it, judged on smoothed metrics.

Different thresholds for going and for coming back keep the schedule from flickering between its
phases; so does the least time in a phase. Vision-Zero (arXiv 2509.25541) trains clues and votes by
such turns: from votes to clues when they are right in at least 0.9 and abstain in at most 0.1 of
the cases, back when wrong in at least 0.4 or abstaining in at least 0.5; averages with ρ = 0.95,
at least 5 updates in a phase, and a patience of 20: here, after 20 updates a phase ends anyway.

    s ← ρ·s + (1 − ρ)·x        for every metric x of a step; s starts at the first x
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Any

from sparring.envs.core import BadInput, Role
from sparring.training.core import Metrics

Condition = Callable[[Mapping[str, float]], bool]
"""From the smoothed metrics, by name, to whether the phase is over."""


@dataclass(frozen=True, slots=True)
class Phase:
    """``roles``: those that learn in it. ``over``: when to go to the other phase."""

    roles: frozenset[Role]
    over: Condition


class Hysteresis:
    """Starts in the first of two phases. A role in neither of them always learns.

    ``decay``: ρ, in [0, 1). ``dwell``: the fewest updates in a phase. ``patience``: the most;
    None: no limit.
    """

    def __init__(
        self,
        first: Phase,
        second: Phase,
        *,
        decay: float = 0.95,
        dwell: int = 5,
        patience: int | None = 20,
    ):
        if not 0 <= decay < 1:
            raise BadInput(f"decay is in [0, 1), not {decay}")
        if dwell < 1 or (patience is not None and patience < dwell):
            raise BadInput(f"dwell must be at least 1, and patience ({patience}) at least {dwell}")
        self.phases = first, second
        self.decay, self.dwell, self.patience = decay, dwell, patience
        self.phase = 0
        self.updates = 0  # in this phase
        self.smoothed: dict[str, float] = {}

    def learns(self, role: Role, step: int) -> bool:
        if not any(role in phase.roles for phase in self.phases):
            return True
        return role in self.phases[self.phase].roles

    def learned(self, metrics: Metrics) -> None:
        """Take up a step's metrics, and go to the other phase if this one is over.

        Raises:
            BadInput: the condition asks for a metric that no step has reported.
        """
        for name, x in metrics.items():
            if isfinite(x):
                before = self.smoothed.get(name, x)
                self.smoothed[name] = self.decay * before + (1 - self.decay) * x
        self.updates += 1
        if self.updates >= self.dwell and self._over():
            self.phase, self.updates = 1 - self.phase, 0

    def _over(self) -> bool:
        if self.patience is not None and self.updates >= self.patience:
            return True
        try:
            return self.phases[self.phase].over(self.smoothed)
        except KeyError as fault:
            name = str(fault.args[0])
            near = ", ".join(get_close_matches(name, self.smoothed, cutoff=0.0)) or "none"
            raise BadInput(f"no step has reported the metric {name}; nearest are: {near}") from None

    def state_dict(self) -> dict[str, Any]:
        return {"phase": self.phase, "updates": self.updates, "smoothed": dict(self.smoothed)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.phase, self.updates = state["phase"], state["updates"]
        self.smoothed = dict(state["smoothed"])

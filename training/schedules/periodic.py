"""Some roles learn at every k-th step only, the others always.

A proposer that learns too fast runs away from its solver; in self-questioning (SQLM, arXiv
2508.03682) it is updated once for every five updates of the solver.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.envs.core import BadInput, Role
from sparring.training.core import Metrics, Stateless


@dataclass(frozen=True)
class Periodic(Stateless):
    """``every``: of each slow role its k; it learns in the k-th step, the 2k-th and so on."""

    every: Mapping[Role, int]

    def __post_init__(self) -> None:
        slow = {role: k for role, k in self.every.items() if k < 1}
        if slow:
            raise BadInput(f"a role learns every k steps with k at least 1, not {slow}")

    def learns(self, role: Role, step: int) -> bool:
        return (step + 1) % self.every.get(role, 1) == 0

    def learned(self, metrics: Metrics) -> None:
        """The steps alone decide."""

"""Roles take turns: while one learns, the others play on as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparring.envs.core import BadInput, Role
from sparring.training.core import Metrics, Stateless


@dataclass(frozen=True)
class Alternate(Stateless):
    """One phase after the other, ``steps`` steps each, and then from the start.

    ``phases``: the roles that learn in each, as in ``Alternate([{"proposer"}, {"solver"}], 10)``;
    ``steps`` may be one number for all phases or one for each. A role in no phase always learns.
    """

    phases: Sequence[frozenset[Role] | set[Role]]
    steps: int | Sequence[int]

    def __post_init__(self) -> None:
        if any(isinstance(phase, str) for phase in self.phases):
            raise BadInput('a phase is a set of roles: say {"player_0"}')
        lengths = self._lengths()
        if not self.phases or len(lengths) != len(self.phases) or min(lengths) < 1:
            raise BadInput(
                f"{len(self.phases)} phases need one number of steps, or one each, "
                f"at least 1; not {self.steps}"
            )

    def _lengths(self) -> list[int]:
        if isinstance(self.steps, int):
            return [self.steps] * len(self.phases)
        return list(self.steps)

    def learns(self, role: Role, step: int) -> bool:
        if not any(role in phase for phase in self.phases):
            return True
        lengths = self._lengths()
        at = step % sum(lengths)
        for phase, length in zip(self.phases, lengths, strict=True):
            if at < length:
                return role in phase
            at -= length
        raise AssertionError("unreachable")

    def learned(self, metrics: Metrics) -> None:
        """The steps alone decide."""

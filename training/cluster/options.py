"""What each role of a run on Ray is given."""

from dataclasses import dataclass

from sparring.envs.core import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What Ray reserves for each process. Fractions share: two workers of 0.5 GPU are on one."""

    worker_cpus: float = 1.0
    """Of each rollout worker."""
    worker_gpus: float = 0.0
    """Of each rollout worker."""
    learner_cpus: float = 1.0
    """Of each process that learns."""
    learner_gpus: float = 0.0
    """Of each process that learns."""
    evaluator_cpus: float = 1.0
    """Of the process that measures."""
    evaluator_gpus: float = 0.0
    """Of the process that measures."""
    patience: float = 4.0
    """A piece that takes so many times as long as the usual one is given to a free worker too; the
    first answer counts."""
    timeout: float = 1800.0
    """Seconds after which a worker that has not answered is stopped and started again."""

    def __post_init__(self) -> None:
        if min(*self.wanted("cpus", 1, 1), *self.wanted("gpus", 1, 1)) < 0:
            raise BadInput("resources must be at least 0")
        if self.patience < 1 or self.timeout <= 0:
            raise BadInput("resources.patience must be at least 1, and timeout greater than 0")

    def wanted(self, what: str, workers: int, learners: int) -> tuple[float, float, float]:
        """Of "cpus" or "gpus", in all: by the workers, the learners, the evaluator."""
        roles = ((workers, "worker"), (learners, "learner"), (1, "evaluator"))
        first, second, third = (many * getattr(self, f"{role}_{what}") for many, role in roles)
        return first, second, third

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
    """Of the learner."""
    learner_gpus: float = 0.0
    """Of the learner."""
    patience: float = 4.0
    """A piece that takes so many times as long as the usual one is given to a free worker too; the
    first answer counts."""
    timeout: float = 1800.0
    """Seconds after which a worker that has not answered is stopped and started again."""

    def __post_init__(self) -> None:
        given = (self.worker_cpus, self.worker_gpus, self.learner_cpus, self.learner_gpus)
        if min(given) < 0:
            raise BadInput("resources must be at least 0")
        if self.patience < 1 or self.timeout <= 0:
            raise BadInput("resources.patience must be at least 1, and timeout greater than 0")

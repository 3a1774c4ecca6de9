"""The processes of a run on Ray, as its driver starts them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from sparring.training.cluster.learner import Learner
from sparring.training.cluster.replica import Replica
from sparring.training.config import RunConfig

SOON = 10.0  # seconds for an answer that needs no work
SAME_ORDER = {"env_vars": {"PYTHONHASHSEED": "0"}}
"""Learners of a group go through sets in the same order, so that they do the same."""


@dataclass(frozen=True)
class Learners:
    """The processes that learn together. ``done``: what ``Learner.run`` of each will return."""

    actors: list[Any]
    done: list[Any]

    @property
    def lead(self) -> Any:
        """Rank 0, which is the run; the others accompany it."""
        return self.actors[0]

    def one_died(self) -> bool:
        """Whether a process is gone; the others then fail as well, at their next meeting."""
        for actor in self.actors:
            try:
                ray.get(actor.events.remote(0, 0.0), timeout=SOON)
            except ray.exceptions.RayError:
                return True
        return False

    def end(self) -> None:
        """Those that are still there wait for one that is not."""
        for actor in self.actors:
            ray.kill(actor)


class Roles:
    """Starts the workers, which Ray starts again when they die, and then learners. ``folder`` is
    the run's, absolute."""

    def __init__(self, recipe: str, config: RunConfig, folder: Path):
        self.recipe, self.config, self.folder = recipe, config, folder
        self.home = str(Path.cwd())
        given = config.resources
        kind = ray.remote(Replica).options(
            num_cpus=given.worker_cpus, num_gpus=given.worker_gpus, max_restarts=-1
        )
        self.workers = [
            kind.remote(recipe, config, self.home, ray.get) for _ in range(config.rollout_workers)
        ]

    def learners(self) -> Learners:
        """A new group, which goes on from the run's newest checkpoint."""
        given, size = self.config.resources, self.config.learners
        kind: Any = ray.remote(Learner).options(
            num_cpus=given.learner_cpus,
            num_gpus=given.learner_gpus,
            max_concurrency=3,  # it runs, is looked at, and is told to stop
            runtime_env=SAME_ORDER,
        )
        actors = [
            kind.remote(self.recipe, self.config, self.folder, self.home, self.workers)
            for _ in range(size)
        ]
        meeting = ray.get(actors[0].meeting.remote())
        done = [actor.run.remote(rank, size, meeting) for rank, actor in enumerate(actors)]
        return Learners(actors, done)

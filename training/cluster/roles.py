"""The processes of a run on Ray, as its driver starts them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sparring.training.cluster.checks import without_engine
from sparring.training.cluster.faults import is_fault_of_ray
from sparring.training.cluster.learner import Learner
from sparring.training.cluster.replica import Replica
from sparring.training.config import RunConfig

SOON = 10.0  # seconds for an answer that needs no work
PATIENCE = 60.0  # seconds before it is said that processes are not there yet
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
            except GetTimeoutError:
                continue  # busy
            except RayError:
                return True
        return False

    def end(self) -> None:
        """Those that are still there wait for one that is not."""
        for actor in self.actors:
            ray.kill(actor)


class Roles:
    """Starts the workers and the evaluator, which Ray starts again when they die, and then
    learners. ``folder`` is the run's, absolute; ``says`` is told what a person should know."""

    def __init__(self, recipe: str, config: RunConfig, folder: Path, says: Callable[[str], None]):
        self.recipe, self.config, self.folder, self.says = recipe, config, folder, says
        self.home = str(Path.cwd())
        given = config.resources
        self._actors = self._new_learners()  # first, so that they get their places
        kind = ray.remote(Replica)
        self.evaluator = kind.options(
            num_cpus=given.evaluator_cpus, num_gpus=given.evaluator_gpus, max_restarts=-1
        ).remote(recipe, without_engine(config), self.home, ray.get)
        worker = kind.options(
            num_cpus=given.worker_cpus, num_gpus=given.worker_gpus, max_restarts=-1
        )
        self.workers = [
            worker.remote(recipe, config, self.home, ray.get) for _ in range(config.rollout_workers)
        ]

    def _new_learners(self) -> list[Any]:
        given = self.config.resources
        own: dict[str, Any] = {
            "num_cpus": given.learner_cpus,
            "num_gpus": given.learner_gpus,
            "max_concurrency": 3,  # it runs, is looked at, and is told to stop
            "runtime_env": SAME_ORDER,
        }
        lead = own
        if here := _this_node({"CPU": given.learner_cpus, "GPU": given.learner_gpus}):
            lead = {**own, "scheduling_strategy": here}
        about = self.recipe, self.config, self.folder, self.home
        every = [lead] + [own] * (self.config.learners - 1)
        return [ray.remote(Learner).options(**options).remote(*about) for options in every]

    def learners(self, stopping: Callable[[], bool]) -> Learners | None:
        """A new group, once all processes are there, which goes on from the run's newest
        checkpoint; None where it is to stop before.

        Raises:
            RayError: a process could not be made as it should.
        """
        actors, self._actors = self._actors or self._new_learners(), []
        asked = [(actor, "meeting") for actor in actors]
        asked += [(actor, "ready") for actor in (self.evaluator, *self.workers)]
        if not self._there(asked, stopping):
            return None
        meeting = ray.get(actors[0].meeting.remote())
        done = [
            actor.run.remote(self.workers, self.evaluator, rank, len(actors), meeting)
            for rank, actor in enumerate(actors)
        ]
        return Learners(actors, done)

    def _there(self, asked: list[tuple[Any, str]], stopping: Callable[[], bool]) -> bool:
        """Wait until all have answered, or it is to stop."""
        began, told = time.monotonic(), False
        waiting = {getattr(actor, name).remote(): (actor, name) for actor, name in asked}
        while waiting and not stopping():
            for ref in ray.wait(list(waiting), num_returns=1, timeout=1.0)[0]:
                actor, name = waiting.pop(ref)
                try:
                    ray.get(ref)
                except RayError as fault:  # it may be on its way up again
                    if name == "meeting" or not is_fault_of_ray(fault):
                        raise
                    time.sleep(1.0)
                    waiting[getattr(actor, name).remote()] = (actor, name)
            if waiting and not told and time.monotonic() - began > PATIENCE:
                told = True
                self.says(f"waiting for {len(waiting)} of {len(asked)} processes to start")
        return not waiting


def _this_node(wanted: dict[str, float]) -> NodeAffinitySchedulingStrategy | None:
    """The driver's machine, if it has what is wanted: the run's folder is on its disk."""
    own = ray.get_runtime_context().get_node_id()
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    has: dict[str, float] = next((node["Resources"] for node in nodes if node["NodeID"] == own), {})
    if any(has.get(what, 0.0) < many for what, many in wanted.items()):
        return None
    return NodeAffinitySchedulingStrategy(own, soft=False)

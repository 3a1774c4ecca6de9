"""The process that a user starts: it brings up the roles, shows what happens, and starts the
learner again from its last checkpoint when it dies."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sparring.envs.core import BadInput
from sparring.training.config import RunConfig
from sparring.training.show import Shows

DEATHS = 3  # of the learner, without a new step in between
LOOK = 1.0  # seconds between looks at whether to stop


def on_ray(
    recipe: str,
    config: RunConfig,
    folder: Path,
    show: Callable[[Path, int], Shows],
    stopping: Callable[[], bool],
) -> bool:
    """``training.run.drive`` on Ray.

    Raises:
        BadInput: Ray is not installed or not there, or the cluster is too small; or as ``drive``.
    """
    try:
        import ray
    except ModuleNotFoundError as fault:
        raise BadInput("--ray needs Ray: pip install 'sparring[ray]'") from fault
    from sparring.training.cluster.faults import cause_of, is_fault_of_ray
    from sparring.training.cluster.roles import Roles

    with ExitStack() as open_:
        screen = _Screen(show, open_)
        open_.enter_context(_started(ray, config, screen))
        roles = Roles(recipe, config, folder.resolve(), screen.says)
        deaths, seen = 0, 0
        while True:
            learners = None
            try:
                learners = roles.learners(stopping)
                return learners is not None and _watch(ray, learners, screen, stopping)
            except ray.exceptions.RayError as fault:
                died = is_fault_of_ray(fault) or (learners is not None and learners.one_died())
                if not died:
                    raise cause_of(fault) from None
                deaths = 1 if screen.furthest > seen else deaths + 1
                seen = screen.furthest
                if stopping() or deaths >= DEATHS:
                    raise BadInput(
                        f"the learner died {deaths} times without a new step ({_line(fault)}); "
                        f"go on with --resume {folder} once the reason is known"
                    ) from fault
                screen.says("the learner died; it goes on from its last checkpoint")
                if learners is not None:
                    learners.end()


def _line(fault: BaseException) -> str:
    return str(fault).strip().splitlines()[0]


class _Screen:
    """Shows the events of one learner after another."""

    def __init__(self, show: Callable[[Path, int], Shows], open_: ExitStack):
        self.show = show
        self.open = open_
        self.furthest = 0  # the last step that was ever done, whatever is played again
        self._shown: Shows | None = None
        self._early: list[str] = []

    def tell(self, what: str, how: tuple[Any, ...]) -> None:
        """One event."""
        if what == "begin":
            if self._shown is None:
                self._shown = self.open.enter_context(self.show(*how))
                for line in self._early:
                    self._shown.says(line)
        elif self._shown is not None:
            if what == "step":
                self.furthest = max(self.furthest, int(how[0]["step"]))
            getattr(self._shown, what)(*how)

    def says(self, line: str) -> None:
        """Something that a person should know."""
        if self._shown is None:
            self._early.append(line)
        self.tell("says", (line,))


def _watch(ray: Any, learners: Any, screen: _Screen, stopping: Callable[[], bool]) -> bool:
    """Show what the learners do until the first of them ends, or any of them fails."""
    seen, asked, ended = 0, False, False
    while True:
        if stopping() and not asked:
            asked = True
            learners.lead.stop.remote()
        try:
            news = ray.get(learners.lead.events.remote(seen, 0.0 if ended else LOOK))
        except ray.exceptions.RayActorError:
            ray.get(learners.done)  # which says why
            raise
        for event in news:
            screen.tell(*event)
        seen += len(news)
        if ended and not news:
            found: bool = ray.get(learners.done[0])
            return found
        there, _ = ray.wait(learners.done, num_returns=len(learners.done), timeout=0)
        ray.get([done for done in there if done != learners.done[0]])  # raises where one failed
        ended = learners.done[0] in there


@contextmanager
def _started(ray: Any, config: RunConfig, screen: _Screen) -> Iterator[None]:
    """Inside, Ray is there with room for the roles."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    given = config.resources
    cpus, gpus = (
        sum(given.wanted(what, config.rollout_workers, config.learners))
        for what in ("cpus", "gpus")
    )
    options = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
    fresh = {
        "address": "local",
        "num_cpus": max(int(-(-cpus // 1)), os.cpu_count() or 1),
        "include_dashboard": False,
    }
    try:
        with _own_signals():
            if config.ray == "local":
                ray.init(**fresh, **options)
            elif config.ray == "auto":
                try:
                    ray.init(address="auto", **options)
                except ConnectionError:
                    ray.init(**fresh, **options)
            else:
                _reach(config.ray)
                ray.init(address=config.ray, **options)
    except (OSError, ValueError, RuntimeError) as fault:
        raise BadInput(
            f"no Ray at {config.ray!r} ({_line(fault)}); --ray local starts it on this machine"
        ) from fault
    try:
        there = ray.cluster_resources()
        for what, wanted in (("CPU", cpus), ("GPU", gpus)):
            if there.get(what, 0) < wanted:
                raise BadInput(
                    f"the run asks for {wanted:g} {what}s and the cluster has "
                    f"{there.get(what, 0):g}; use fewer --rollout-workers, or set --resources"
                )
        if there.get("GPU") and not gpus:
            screen.says("there are GPUs, and no role asks for one: see --resources")
        yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Ray itself waits for minutes where nobody is. Raises ``OSError``, ``ValueError``."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError("an address is HOST:PORT")
    socket.create_connection((host, int(port)), timeout=5.0).close()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray answers SIGTERM itself once it has begun; here a run is then asked to stop."""
    main = threading.current_thread() is threading.main_thread()  # only it may set handlers
    wanted = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = {number: signal.getsignal(number) for number in wanted}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)

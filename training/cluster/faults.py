"""Whose fault it was: the work's own, or that of the process that it ran in."""

import threading
from collections.abc import Callable

from ray.exceptions import RayError, RayTaskError

from sparring.envs.core import BadInput


def is_fault_of_ray(fault: BaseException) -> bool:
    """Whether a process died or an object was lost, so that the same work may yet succeed."""
    if isinstance(fault, RayTaskError):
        return isinstance(fault.cause, RayError)
    return isinstance(fault, RayError)


def cause_of(fault: BaseException) -> BaseException:
    """What the work itself raised in its process, with the way there as a note."""
    if not isinstance(fault, RayTaskError):
        return fault
    cause: BaseException = fault.cause
    if not isinstance(cause, BadInput):
        cause.add_note(fault.traceback_str)
    return cause


def later(seconds: float, call: Callable[[], None]) -> None:
    """Try again after a while, unless this process ends before."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()

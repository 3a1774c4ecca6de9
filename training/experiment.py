"""What a recipe builds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sparring.training.core import Metrics
from sparring.training.selfplay import SelfPlay


@dataclass
class Experiment:
    """The loop, and its first stage with its number of steps."""

    loop: SelfPlay
    stage_one: Callable[[], Iterator[Metrics]]
    stage_one_steps: int

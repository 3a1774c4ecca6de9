"""The games of a run: which ones, how often each, and with which deals."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparring.envs.core import BadInput, Game
from sparring.envs.specs import describe
from sparring.training.core import Metrics
from sparring.training.curriculum.core import Curriculum, Fixed
from sparring.training.deals import Deals, independent


@dataclass(frozen=True, slots=True)
class Entry:
    """One game of a mixture. ``name``: its canonical spec, as in ``Episode.game``."""

    game: Game
    deals: Deals = independent
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", describe(self.game))


class Mixture:
    """Several games in one run. ``curriculum`` gives the weights; by default all are equal.

    ``group``: the numbers of games are multiples of it, for deals that come in groups
    (``deals.repeated``).

    Raises:
        BadInput: there is no game, or one is there twice.
    """

    def __init__(
        self, entries: Sequence[Entry], curriculum: Curriculum | None = None, *, group: int = 1
    ):
        self.entries = tuple(entries)
        self.group = group
        names = [entry.name for entry in self.entries]
        if not names or len(set(names)) < len(names):
            raise BadInput("a run needs at least one game, and each of its games once")
        self.curriculum = curriculum or Fixed(dict.fromkeys(names, 1.0))

    @property
    def games(self) -> tuple[Game, ...]:
        return tuple(entry.game for entry in self.entries)

    def counts(self, luck: random.Random, number: int) -> list[int]:
        """How many of ``number`` games are of each entry: its share, up to one group.

        Systematic sampling, so the expected count is exactly the share.

        Raises:
            BadInput: ``number`` is no multiple of the group.
        """
        if number % self.group:
            raise BadInput(f"{number} games a step are no whole groups of {self.group}")
        if len(self.entries) == 1:
            return [number]
        return [groups * self.group for groups in self._shares(luck, number // self.group)]

    def _shares(self, luck: random.Random, number: int) -> list[int]:
        weights = self.curriculum.weights()
        total = sum(weights[entry.name] for entry in self.entries)
        point, at, before, counts = luck.random(), 0.0, 0, []
        for entry in self.entries:
            at += number * weights[entry.name] / total
            until = int(at + point) if entry is not self.entries[-1] else number
            counts.append(until - before)
            before = until
        return counts

    def learned(self, metrics: Metrics) -> None:
        """What the step's update said of each game; the curriculum may follow it."""
        self.curriculum.learned(metrics)

    def metrics(self) -> Metrics:
        """The share of each game in the next step, where there are several."""
        if len(self.entries) == 1:
            return {}
        weights = self.curriculum.weights()
        total = sum(weights.values())
        return {f"share/{name}": weight / total for name, weight in weights.items()}

    def state_dict(self) -> dict[str, Any]:
        return self.curriculum.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.curriculum.load_state_dict(state)

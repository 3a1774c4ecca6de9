"""The inputs of a forecast as a run measured them: medians over the lines of its metrics."""

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sparring.envs.core import BadInput
from sparring.training.tracking.jsonl import METRICS, records

FIRST = 1
"""Steps at the start of a run that do not count: they load models and compile."""
LOAD = "ray/load_seconds"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run on a cluster says of its steps: medians, and the mean of ``age_mean``."""

    steps: int
    """Steps that the medians are of."""
    workers: int
    """ray/workers"""
    games: int
    """games, of a step"""
    play_seconds: float
    """ray/play_seconds: from handing out the step's first piece to getting back its last"""
    learn_seconds: float
    """ray/learn_seconds: the update"""
    publish_seconds: float
    """ray/publish_seconds: what publishing kept the learner from learning"""
    games_per_second: float
    """ray/worker_games_per_second: of one worker while it plays"""
    tokens_per_second: float
    """ray/worker_tokens_per_second: sampled tokens, of one worker while it plays"""
    load_seconds: float
    """ray/load_seconds: getting and loading weights, of the slowest worker; 0 where a run does not
    say it"""
    learner_idle: float
    """ray/learner_idle: share of wall time"""
    age_mean: float
    """ray/staleness_mean"""
    age_max: int
    """ray/staleness_max, the largest of all steps"""

    @property
    def game_seconds(self) -> float:
        """What a game takes a worker, at the size of piece that the run had."""
        return 1 / self.games_per_second

    @property
    def tokens_per_game(self) -> float:
        return self.tokens_per_second / self.games_per_second


def measured(folder: Path) -> Measured:
    """Read a run's metrics; the first step is left out where there are others.

    Raises:
        BadInput: no run, or one that was not on a cluster, or a metric that is no number.
    """
    try:
        lines = [line for line in records(folder / METRICS) if "step" in line]
    except ValueError:  # a line cut off by a kill
        raise BadInput(f"{folder / METRICS} has a line that cannot be read") from None
    if not lines:
        raise BadInput(f"{folder} holds no steps of a run ({METRICS})")
    counted = lines[FIRST:] or lines
    rate = _middle(folder, counted, "ray/worker_games_per_second")
    if rate <= 0:
        raise BadInput(f"{folder}: ray/worker_games_per_second is {rate}; nothing was played")
    return Measured(
        steps=len(counted),
        workers=round(_middle(folder, counted, "ray/workers")),
        games=round(_middle(folder, counted, "games")),
        play_seconds=_middle(folder, counted, "ray/play_seconds"),
        learn_seconds=_middle(folder, counted, "ray/learn_seconds"),
        publish_seconds=_middle(folder, counted, "ray/publish_seconds"),
        games_per_second=rate,
        tokens_per_second=_middle(folder, counted, "ray/worker_tokens_per_second"),
        load_seconds=_middle(folder, counted, LOAD) if LOAD in counted[0] else 0.0,
        learner_idle=_middle(folder, counted, "ray/learner_idle"),
        age_mean=sum(_values(folder, counted, "ray/staleness_mean")) / len(counted),
        age_max=round(max(_values(folder, counted, "ray/staleness_max"))),
    )


def _middle(folder: Path, lines: list[dict[str, Any]], metric: str) -> float:
    return median(_values(folder, lines, metric))


def _values(folder: Path, lines: list[dict[str, Any]], metric: str) -> list[float]:
    values = [line.get(metric) for line in lines]
    if None in values:
        raise BadInput(f"{folder} does not say {metric}; was it run with --ray?")
    for value in values:
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise BadInput(f"{folder}: {metric} is {value!r}, which is no number")
    return [float(value) for value in values if value is not None]

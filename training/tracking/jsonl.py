"""metrics.jsonl, which every run has: one line a step, on the disk when the step is over.

A kill can only cut off the last line; ``checkpoint.rewind_metrics`` drops it when the run goes on.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.training.core import Metrics

METRICS = "metrics.jsonl"


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line. The file is closed after it, so that a kill of the process loses nothing."""
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")


def records(path: Path) -> list[dict[str, Any]]:
    """The lines of a file that ``append`` wrote; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class JsonLines:
    """Adds "seconds" to every line that has none: of self-play, going on where the file ends."""

    def __init__(self, path: Path):
        self.path = path
        before = records(path)[-1:]
        self.began = time.monotonic() - sum(float(line["seconds"]) for line in before)

    def seconds(self) -> float:
        """How long it has taken so far."""
        return round(time.monotonic() - self.began, 2)

    def log(self, metrics: Metrics) -> None:
        append(self.path, {**metrics, "seconds": metrics.get("seconds", self.seconds())})

    def close(self) -> None:
        """Nothing is open."""

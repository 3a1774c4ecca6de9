"""Shows every step's metrics to the alarms, and tells when one is raised or is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.training import names
from sparring.training.core import Metrics
from sparring.training.tracking.alarms import ALARMS, Alarm
from sparring.training.tracking.trail import Trail

FILE = "alarms.jsonl"


@dataclass(frozen=True, slots=True)
class News:
    """An alarm is raised, or ``over``. ``alarm``: its name and place, as "legal/KuhnPoker-v0"."""

    step: int
    alarm: str
    says: str
    do: str
    over: bool = False

    def as_json(self) -> dict[str, Any]:
        if self.over:
            return {"step": self.step, "alarm": self.alarm, "over": True}
        return {"step": self.step, "alarm": self.alarm, "says": self.says, "do": self.do}


class Watch:
    """One speaks when it is raised, and not again before it is over.

    All that it remembers comes from the metrics: seeing the lines of metrics.jsonl again brings it
    to where it was.
    """

    def __init__(self, watched: Sequence[Alarm] | None = None):
        self._alarms = tuple(ALARMS if watched is None else watched)
        self._trails: dict[str, Trail] = {}
        self._on: dict[str, bool] = {}
        self._seen: dict[str, None] = {}

    def see(self, metrics: Metrics) -> list[News]:
        """What changes with the metrics of a step."""
        self._seen |= dict.fromkeys(metrics)  # a game may be missing in a step
        shown = {m: metrics[m] for m in names.finest(self._seen) if m in metrics}
        news = []
        for alarm in self._alarms:
            for place, (x, word) in alarm.reads(shown).items():
                key = alarm.name + place
                trail = self._trails.setdefault(key, Trail(alarm.window))
                trail.add(x)
                on = self._on.get(key, False)
                if trail.full and alarm.wrong(trail, on) is not on:
                    self._on[key] = not on
                    said = "" if on else alarm.sentence(trail, word)
                    news.append(News(int(metrics["step"]), key, said, alarm.do, over=on))
        return news

    def numbers(self) -> Metrics:
        """1 for an alarm that is on, 0 for one that was; for trackers."""
        return {f"alarm/{key}": float(on) for key, on in self._on.items()}

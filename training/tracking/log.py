"""What is done with the metrics of a step: written, looked at by the alarms, tracked, shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparring.training.core import Metrics
from sparring.training.show import Shows
from sparring.training.tracking.core import Session, Tracker
from sparring.training.tracking.jsonl import METRICS, JsonLines, append, records
from sparring.training.tracking.watch import FILE, Watch


@dataclass
class Log:
    """What is done with the metrics of a step: written, tracked, looked at by the alarms, shown."""

    session: Session
    lines: JsonLines
    trackers: Sequence[Tracker]
    watch: Watch
    display: Shows

    @classmethod
    def of(cls, session: Session, trackers: Sequence[Tracker], display: Shows) -> "Log":
        """With what the earlier steps of the run have left behind."""
        path, watch = session.folder / METRICS, Watch()
        for metrics in records(path):
            watch.see(metrics)
        return cls(session, JsonLines(path), trackers, watch, display)

    def __call__(self, metrics: Metrics) -> None:
        self.lines.log(metrics)
        metrics = {name: x for name, x in metrics.items() if name != "seconds"}
        for news in self.watch.see(metrics):
            append(self.session.folder / FILE, news.as_json())
            self.display.alarm(news)
        for tracker in self.trackers:
            tracker.log(metrics | self.watch.numbers())
        self.display.step(metrics)

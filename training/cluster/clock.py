"""What a step on Ray says of itself: by worker, and how the learner's time goes."""

import time
from collections.abc import Sequence

from sparring.training.cluster.books import Answer
from sparring.training.cluster.replica import Report
from sparring.training.core import Metrics


def by_worker(answers: Sequence[Answer], step: int) -> Metrics:
    """What each worker did in a step, and what one does on average."""
    found: Metrics = {}
    for number in sorted({a.worker for a in answers}):
        own = [a for a in answers if a.worker == number]
        seconds, mark = sum(a.report.seconds for a in own), f"@worker-{number}"
        found[f"ray/games_per_second{mark}"] = sum(a.report.games for a in own) / seconds
        found[f"ray/tokens_per_second{mark}"] = sum(a.report.tokens for a in own) / seconds
        found[f"ray/staleness_mean{mark}"] = ages(own, step)["ray/staleness_mean"]
        found |= {f"{name}{mark}": x for name, x in _hits([a.report for a in own]).items()}
    reports = [a.report for a in answers]
    seconds = sum(r.seconds for r in reports)
    found["ray/worker_games_per_second"] = sum(r.games for r in reports) / seconds
    found["ray/worker_tokens_per_second"] = sum(r.tokens for r in reports) / seconds
    found["ray/load_seconds"] = max(r.load_seconds for r in reports)
    return found | _hits(reports) | ages(answers, step)


def _hits(reports: Sequence[Report]) -> Metrics:
    """The share of prompt tokens that were in the engine's memory, where it says so."""
    asked = sum(r.asked for r in reports)
    return {"ray/cache_hits": 1 - sum(r.read for r in reports) / asked} if asked else {}


def ages(answers: Sequence[Answer], step: int) -> Metrics:
    """How many updates behind the policy was that played: over games, mean and maximum."""
    games = sum(a.report.games for a in answers)
    return {
        "ray/staleness_mean": sum((step - a.version) * a.report.games for a in answers) / games,
        "ray/staleness_max": float(max(step - a.version for a in answers)),
    }


class Clock:
    """How the learner's time goes. A step calls ``waits``, ``goes_on``, ``learned``, ``publishes``,
    ``published``, in this order; a time is that since the call before."""

    def __init__(self) -> None:
        self._began = self._at = time.monotonic()
        self._waited = self._learning = self._publishing = 0.0
        self._found: Metrics = {}

    def waits(self) -> None:
        self._at = time.monotonic()

    def goes_on(self) -> None:
        now = time.monotonic()
        self._waited, self._at = now - self._at, now

    def learned(self) -> None:
        now = time.monotonic()
        self._learning, self._at = now - self._at, now

    def publishes(self) -> None:
        self._at = time.monotonic()

    def published(self) -> None:
        now = time.monotonic()
        self._publishing = now - self._at
        whole = now - self._began
        self._began = now
        self._found = {
            "ray/learn_seconds": self._learning,
            "ray/publish_seconds": self._publishing,
            "ray/learner_idle": self._waited / whole if whole else 0.0,
        }

    def metrics(self) -> Metrics:
        return self._found

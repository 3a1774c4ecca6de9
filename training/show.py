"""What a person sees while a run is going: progress with time left, the live numbers, alarms."""

from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sparring.training import names
from sparring.training.core import Metrics
from sparring.training.models.memory import Estimate
from sparring.training.progress import progress_bar
from sparring.training.tracking.watch import News

LABELS = {
    "nash_conv": "NashConv",
    "legal": "legal answers",
    "entropy": "entropy (nats)",
    "kl_step": "KL of the update",
    "answer_tokens": "tokens an answer",
}
PLAIN_EVERY = 10  # steps between lines where the output is not a terminal


class Shows(Protocol):
    """Is told what happens in a run. Entered, it shows; left, it stops."""

    def __enter__(self) -> "Shows": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def stage_one(self, metrics: Metrics, total: int) -> None:
        """One step of imitation is done."""

    def step(self, metrics: Metrics) -> None:
        """One step of self-play is done (step 0 is the evaluation before the first)."""

    def alarm(self, news: News) -> None:
        """An alarm is raised, or over."""

    def memory(self, estimate: Estimate) -> None:
        """What the run will take."""

    def says(self, line: str) -> None:
        """Something that a person should know."""


class Display(Shows):
    """A live table and a bar on a terminal; a plain line now and then elsewhere."""

    def __init__(self, folder: Path, steps: int, *, quiet: bool = False):
        self.console = Console(quiet=quiet, highlight=False)
        self.folder = folder
        self.steps = steps
        self.latest: Metrics = {}
        self.bar = progress_bar(self.console)
        self._task = self.bar.add_task("starting", total=None)
        self._stage = ""
        self._live: Live | None = None

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            self._live = Live(self._render(), console=self.console, refresh_per_second=4)
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.__exit__(kind, fault, trace)

    def _render(self) -> Group:
        return Group(numbers(str(self.folder), self.latest), self.bar)

    def _advance(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage = stage
            self.bar.remove_task(self._task)
            self._task = self.bar.add_task(stage, total=total, completed=max(done - 1, 0))
        self.bar.update(self._task, completed=done)
        if self._live:
            self._live.update(self._render())

    def stage_one(self, metrics: Metrics, total: int) -> None:
        done = int(metrics["step"])
        self._advance("learning the language", done, total)
        if not self._live and done % (PLAIN_EVERY * 5) == 0:
            loss = metrics["imitation_loss"]
            self._line(f"learning the language {done}/{total}  loss {loss:.3f}")

    def step(self, metrics: Metrics) -> None:
        self.latest |= metrics
        done = int(metrics["step"])
        self._advance("self-play", done, self.steps)
        if not self._live and (done % PLAIN_EVERY == 0 or done == self.steps):
            self._line("  ".join([f"self-play {done}/{self.steps}", *in_a_line(self.latest)]))

    def alarm(self, news: News) -> None:
        """An alarm is raised, or over; it stays above the live table."""
        if news.over:
            self._line(f"step {news.step}: over: {news.alarm}")
        else:
            self._line(f"step {news.step}: ALARM {news.alarm}: {news.says} {news.do}", "bold")

    def memory(self, estimate: Estimate) -> None:
        """What the run will take; a warning where that is more than there is."""
        self._line(str(estimate))
        if not estimate.fits:
            self._line(estimate.warning(), "bold")

    def says(self, line: str) -> None:
        self._line(line)

    def _line(self, text: str, style: str = "") -> None:
        wrapped = self.console.is_terminal  # a log has lines, not paragraphs
        self.console.print(Text(text, style), soft_wrap=not wrapped)


def in_a_line(metrics: Metrics) -> list[str]:
    """The labelled metrics; those of all games together where there are such."""
    found = []
    for family, label in LABELS.items():
        own = {n: x for m, x in metrics.items() if (n := names.parse(m)).family == family}
        whole = {n: x for n, x in own.items() if not n.game}
        found += [
            " ".join(filter(None, (label, name.game, name.player, f"{x:.4g}")))
            for name, x in (whole or own).items()
        ]
    return found


def numbers(title: str, metrics: Metrics) -> Table:
    """A row for each labelled metric and reward, a column for each game if there are several."""
    games = names.games(m for m in metrics if names.parse(m).family in {*LABELS, "reward"})
    columns = ["", *games]
    table = Table(show_header=bool(games), box=None, title=Text(title), title_justify="left")
    for head in ("", "all", *games) if games else ("", ""):
        table.add_column(Text(head), overflow="fold")
    rows: dict[str, dict[str, str]] = {}
    order = [*LABELS, "reward"]
    parsed = [(names.parse(metric), x) for metric, x in metrics.items()]
    shown = [(name, x) for name, x in parsed if name.family in order]
    for name, x in sorted(shown, key=lambda pair: order.index(pair[0].family)):
        label = LABELS.get(name.family, f"reward of {name.role}")
        row = rows.setdefault(f"{label}, {name.player}" if name.player else label, {})
        row[name.game] = f"{x:+.4f}" if name.role else f"{x:.4g}"
    for label, cells in rows.items():
        table.add_row(Text(label), *(cells.get(game, "") for game in columns))
    return table

"""What a person sees while a run is going: progress with time left, and the live numbers."""

from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from sparring.training.core import Metrics

LABELS = {
    "nash_conv": "NashConv",
    "legal": "legal answers",
    "entropy": "entropy (nats)",
    "kl_step": "KL of the update",
    "answer_tokens": "tokens an answer",
}
PLAIN_EVERY = 10  # steps between lines where the output is not a terminal


class Display:
    """A live table and a bar on a terminal; a plain line now and then elsewhere."""

    def __init__(self, folder: Path, steps: int, *, quiet: bool = False):
        self.console = Console(quiet=quiet, highlight=False)
        self.folder = folder
        self.steps = steps
        self.latest: Metrics = {}
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("time left"),
            TimeRemainingColumn(),
            console=self.console,
        )
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
        table = Table(show_header=False, box=None, title=str(self.folder), title_justify="left")
        for name, label in LABELS.items():
            if name in self.latest:
                table.add_row(label, f"{self.latest[name]:.4g}")
        for name, value in self.latest.items():
            if name.startswith("reward/"):
                table.add_row(f"reward of {name[7:]}", f"{value:+.4f}")
        return Group(table, self.bar)

    def _advance(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage = stage
            self.bar.remove_task(self._task)
            self._task = self.bar.add_task(stage, total=total, completed=max(done - 1, 0))
        self.bar.update(self._task, completed=done)
        if self._live:
            self._live.update(self._render())

    def stage_one(self, metrics: Metrics, total: int) -> None:
        """One step of imitation is done."""
        done = int(metrics["step"])
        self._advance("learning the language", done, total)
        if not self._live and done % (PLAIN_EVERY * 5) == 0:
            loss = metrics["imitation_loss"]
            self._line(f"learning the language {done}/{total}  loss {loss:.3f}")

    def step(self, metrics: Metrics) -> None:
        """One step of self-play is done (step 0 is the evaluation before the first)."""
        self.latest |= metrics
        done = int(metrics["step"])
        self._advance("self-play", done, self.steps)
        if not self._live and (done % PLAIN_EVERY == 0 or done == self.steps):
            shown = [
                f"{label} {self.latest[n]:.4g}" for n, label in LABELS.items() if n in self.latest
            ]
            self._line(f"self-play {done}/{self.steps}  " + "  ".join(shown))

    def _line(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)  # a log has lines, not paragraphs

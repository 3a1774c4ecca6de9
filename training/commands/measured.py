"""How exploitability is printed, as text and as JSON, and the progress of measuring it."""

from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparring.agents.exploitability.exact import ExactReport
from sparring.agents.exploitability.exploited import Exploited
from sparring.agents.exploitability.policy_table import Reference, rows, sentence
from sparring.agents.exploitability.sampled import SampledReport
from sparring.agents.wording import percent
from sparring.envs.core import Role
from sparring.envs.solve import Strategy, Tree
from sparring.training.progress import progress_bar

console = Console(highlight=False)


class Steps:
    """Progress with time left on a terminal, a line for each stage elsewhere; gone at the end."""

    def __init__(self, *, quiet: bool):
        self.quiet = quiet
        hidden = quiet or not console.is_terminal
        self.bar = progress_bar(console, transient=True, disable=hidden)

    def __enter__(self) -> "Steps":
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def begin(self, stage: str, total: int) -> None:
        for task in self.bar.task_ids:
            self.bar.remove_task(task)
        self.bar.add_task(stage, total=total)
        if self.bar.disable and not self.quiet:
            line(f"{stage} ({total}) ...")

    def done(self, number: int) -> None:
        self.bar.update(self.bar.task_ids[-1], completed=number)


def line(text: str = "") -> None:
    """A line: filled on a terminal, with its indent kept; left whole elsewhere."""
    if console.is_terminal:
        bare = text.lstrip()
        console.print(Padding(Text(bare), (0, 0, 0, len(text) - len(bare))))
    else:
        console.print(Text(text), soft_wrap=True)


def show_exact(found: ExactReport) -> None:
    """NashConv, and what a best response gains in each seat."""
    line(
        f"NashConv {found.nash_conv:.4f}   exploitability {found.exploitability:.4f}   "
        "exact, from the agent's probabilities"
    )
    _show_seats(found)


def _show_seats(found: ExactReport) -> None:
    width = max(map(len, found.values))
    for role, value in found.values.items():
        best = found.best_responses[role]
        line(
            f"  {role:{width}}  {value:+.4f} against itself; a best response gets {best:+.4f}, "
            f"{max(best - value, 0.0):.4f} more"
        )


def show_sampled(found: SampledReport) -> None:
    """The measured NashConv, how much of it may be chance, and what was left out."""
    true, floor = found.corrected, found.floor
    line(
        f"NashConv {found.exact.nash_conv:.4f} as measured from {found.samples} answers at each "
        "information set"
    )
    line(
        f"  Biased upward, by about {found.bias:.4f} (bootstrap). Corrected: {true.mean:.4f}, "
        f"95 % interval of the true value [{true.low:.4f}, {true.high:.4f}]"
    )
    if floor is not None:
        line(
            f"  The floor: an exact equilibrium would show {floor.mean:.4f}, 95 % of the time "
            f"{floor.low:.4f} to {floor.high:.4f}"
        )
        if found.exact.nash_conv <= floor.high:
            line("  This cannot be told from an equilibrium with so few answers; more: --samples")
    if found.illegal:
        line(
            f"  {found.illegal} of {found.asked} answers were illegal and are left out: the policy "
            "is that of the legal ones"
        )
    if found.silent:
        line(
            f"  {found.silent} information sets had no legal answer; the policy counts as uniform "
            "there"
        )
    _show_seats(found.exact)


def show_table(
    name: str, tree: Tree, strategy: Strategy, right: Reference | None, most: int
) -> None:
    """The policy in words, by role; where there is but one legal answer is left out."""
    if not most:
        return
    chosen = [
        row
        for row in rows(tree, strategy, right.strategy if right else None)
        if len(row.chances) > 1
    ]
    beside = f"; equilibrium: {right.note}" if right else ""
    line()
    line(f"The policy of {name}{beside}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    table.add_column("reached", justify="right", no_wrap=True)
    table.add_column("lost", justify="right", no_wrap=True)
    last: Role | None = None
    for row in chosen[:most]:
        if row.role != last:
            table.add_row(Text(row.role, "bold"))
            last = row.role
        lost = f"{row.loss:.4f}" if row.loss > 5e-5 else "-"
        table.add_row(Padding(Text(sentence(row)), (0, 0, 0, 2)), percent(row.reach), lost)
    console.print(table)
    if len(chosen) > most:
        line(f"... {len(chosen) - most} more; --rows {len(chosen)} shows all, --json too")
    line("reached: how often, against itself; lost: to a best response, in all NashConv")


def show_exploited(name: str, found: Exploited, exact: ExactReport | None) -> None:
    """What the exploiter gains, by seat and in all; beside it the exact best response if known."""
    whole = found.nash_conv
    line(
        f"NashConv is at least {whole.mean:.4f}, 95 % interval [{whole.low:.4f}, {whole.high:.4f}]"
        f" from {found.deals} deals: what an exploiter gains against {name}"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("seat", "exploiter gets", "more than the agent"):
        table.add_column(column, justify="left" if column == "seat" else "right", no_wrap=True)
    if exact is not None:
        table.add_column("best response", justify="right", no_wrap=True)
    for role, seat in found.seats.items():
        cells = [role]
        for e in (seat.payoff, seat.gain):
            cells.append(f"{e.mean:+.4f} ± {e.high - e.mean:.4f}")
        if exact is not None:
            cells.append(f"{exact.best_responses[role]:+.4f}")
        table.add_row(*map(Text, cells))
    console.print(table)
    for role, seat in found.seats.items():
        if any(seat.forfeits):
            own, given = seat.forfeits
            line(f"{role}: {own} games forfeited by the exploiter, {given} by {name}")
    if found.void:
        line(f"{found.void} deals did not count (void) and are left out")
    if exact is not None:
        line(
            f"± is the 95 % interval. NashConv {exact.nash_conv:.4f} and the last column are exact."
        )
    else:
        line("± is the 95 % interval. A best response gains at least so much; more steps may tell.")


def exact_json(tree: Tree, found: ExactReport, right: Reference | None) -> dict[str, Any]:
    return {
        "kind": "exact",
        "nash_conv": found.nash_conv,
        "exploitability": found.exploitability,
        "values": dict(found.values),
        "best_responses": dict(found.best_responses),
        **_table_json(tree, found.strategy, right),
    }


def sampled_json(tree: Tree, found: SampledReport, right: Reference | None) -> dict[str, Any]:
    return {
        **exact_json(tree, found.exact, right),
        "kind": "sampled",
        "samples": found.samples,
        "asked": found.asked,
        "illegal": found.illegal,
        "silent": found.silent,
        "bias": found.bias,
        "corrected": asdict(found.corrected),
        "floor": asdict(found.floor) if found.floor else None,
    }


def exploited_json(found: Exploited, exact: ExactReport | None) -> dict[str, Any]:
    known: Mapping[str, Any] = {} if exact is None else {"exact_nash_conv": exact.nash_conv}
    return {"kind": "lower bound", **asdict(found), **known}


def _table_json(tree: Tree, strategy: Strategy, right: Reference | None) -> dict[str, Any]:
    table = rows(tree, strategy, right.strategy if right else None)
    listed = [row.as_json() for row in table]
    return {"equilibrium": right.note if right else None, "policy": listed}

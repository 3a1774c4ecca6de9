"""Forecasts of clusters and the traffic of weights as tables in the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from sparring.training.cluster.forecast import Forecast, forecast
from sparring.training.cluster.inputs import Cluster
from sparring.training.cluster.traffic import BFLOAT16, FLOAT32, LLAMAS, fan_out

GIGA = 10**9


def speed_table(clusters: Sequence[Cluster], steps: int) -> Table:
    """A row for every cluster: how fast, who waits, how old the games are, what is sent."""
    table = _table(
        f"{clusters[0].games} games a step; means of {steps} steps; GB: weights sent a step",
        *("workers", "K", "s/step", "tokens/s", "learner idle", "workers idle", "age, max", "GB"),
    )
    for each in clusters:
        table.add_row(str(each.workers), str(each.staleness), *_cells(forecast(each, steps)))
    return table


def _cells(f: Forecast) -> list[str]:
    return [
        f"{f.step_seconds:.4g}",
        f"{f.tokens_per_second:,.0f}",
        f"{f.learner_idle:.0%}",
        f"{f.worker_idle:.0%}",
        f"{f.age_mean:.2f}, {f.age_max}",
        f"{f.weight_bytes / GIGA:.4g}",
    ]


def weight_table(nodes: int, bandwidth: float, rank: int) -> Table:
    """A row for every named model: the weights of a publish in GB, and seconds to ``nodes`` nodes
    at ``bandwidth`` bytes a second.

    Raises:
        BadInput: as ``fan_out`` and ``Shape.lora_parameters``.
    """
    table = _table(
        f"weights in GB; s: until {nodes} nodes have them, at {8 * bandwidth / GIGA:g} Gbit/s",
        *("model", "parameters", "float32", "bfloat16", "s", "s, tree", f"LoRA {rank}", "s"),
    )
    for shape in LLAMAS:
        full, small = shape.parameters, FLOAT32 * shape.lora_parameters(rank)
        sent = fan_out(BFLOAT16 * full, nodes, bandwidth)
        table.add_row(
            shape.name,
            f"{full / GIGA:.3f} B",
            f"{FLOAT32 * full / GIGA:.2f}",
            f"{BFLOAT16 * full / GIGA:.2f}",
            f"{sent.sequential:.3g}",
            f"{sent.tree:.3g}",
            f"{small / GIGA:.3f}",
            f"{fan_out(small, nodes, bandwidth).sequential:.3g}",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    for name in columns:
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    return table

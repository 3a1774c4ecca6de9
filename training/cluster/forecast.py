"""How fast a cluster will train, and who will wait: forecast from what each part takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparring.envs.core import BadInput
from sparring.training.cluster.inputs import Cluster
from sparring.training.cluster.simulation import Play, Trace, simulate


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a cluster does in the steps w to S - 1, after the first w in which it finds its pace.

    With V(s) the time at which version s of the weights is published, T = V(S) - V(w) and
    n = S - w; N, G, U and the rest as in ``Cluster``.
    """

    step_seconds: float
    """T / n."""
    games_per_second: float
    """G / step_seconds."""
    tokens_per_second: float
    """Sampled tokens: games_per_second × tokens_per_game."""
    play_seconds: float
    """Mean over the steps w to S - 1 of (last piece back) - (first piece handed out), which in an
    asynchronous run overlaps with learning."""
    learner_idle: float
    """Share of T in which the learner waits for games: 1 - n·U / T."""
    worker_busy: float
    """Share of T in which a worker plays or gets weights, mean over workers: the sum over pieces
    of the part of [start, end] that lies in [V(w), V(S)], over N·T."""
    worker_idle: float
    """Share of T in which a worker has no piece, mean over workers: the sum of the parts of
    [V(w), V(S)] between one piece and the worker's next, over N·T."""
    age_mean: float
    """Mean over the games of the steps w to S - 1 of (step that learns from it) - (version that
    played it)."""
    age_max: int
    """The largest of these; at most K."""
    copies: float
    """Copies of the weights that leave the learner's node, a step."""
    weight_bytes: float
    """copies × the bytes of a version."""


def warm_up(cluster: Cluster, steps: int) -> int:
    """w = steps / 4, rounded down, + 2 (K + 1): steps that are simulated first and not counted."""
    return steps // 4 + 2 * (cluster.staleness + 1)


def forecast(cluster: Cluster, steps: int = 100) -> Forecast:
    """What ``cluster`` does on average over ``steps`` steps.

    Raises:
        BadInput: ``steps`` is less than 1.
    """
    if steps < 1:
        raise BadInput(f"{steps} steps; a forecast takes at least 1")
    warm = warm_up(cluster, steps)
    trace = simulate(cluster, warm + steps)
    begin, end = trace.published[warm], trace.published[warm + steps]
    span = end - begin
    learned = [p for p in trace.plays if warm <= p.step < warm + steps]
    games = cluster.games * steps
    sent = sum(p.sent and begin <= p.start < end for p in trace.plays) / steps
    busy, idle = _shares(cluster, trace, begin, end)
    return Forecast(
        step_seconds=span / steps,
        games_per_second=games / span,
        tokens_per_second=games * cluster.tokens_per_game / span,
        play_seconds=_playing(learned, steps),
        learner_idle=max(0.0, 1 - steps * cluster.update / span),  # not -1e-16
        worker_busy=busy,
        worker_idle=idle,
        age_mean=sum(p.age * cluster.size(p.piece) for p in learned) / games,
        age_max=max(p.age for p in learned),
        copies=sent,
        weight_bytes=sent * cluster.weight_bytes,
    )


def _playing(plays: Sequence[Play], steps: int) -> float:
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    for play in plays:
        first.setdefault(play.step, play.start)  # they are in the order of handing out
        last[play.step] = max(play.end, last.get(play.step, 0.0))
    return (sum(last.values()) - sum(first.values())) / steps


def _shares(cluster: Cluster, trace: Trace, begin: float, end: float) -> tuple[float, float]:
    """Shares of [begin, end] in which workers have a piece, and in which they have none."""
    busy = idle = 0.0
    plays: list[list[Play]] = [[] for _ in range(cluster.workers)]
    for play in trace.plays:
        plays[play.worker].append(play)
    for own in plays:
        since = 0.0  # without a piece
        for play in own:
            idle += _overlap(since, play.start, begin, end)
            busy += _overlap(play.start, play.end, begin, end)
            since = play.end
        idle += _overlap(since, end, begin, end)
    whole = cluster.workers * (end - begin)
    return busy / whole, idle / whole


def _overlap(start: float, stop: float, begin: float, end: float) -> float:
    return max(0.0, min(stop, end) - max(start, begin))


def fitted(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(a, b) of the line seconds = a + b × games closest to measured (games, seconds) of pieces.

    Least squares: b = Σ(g - ḡ)(t - t̄) / Σ(g - ḡ)², a = t̄ - b·ḡ; where a would be below 0, a = 0
    and b = Σgt / Σg².

    Raises:
        BadInput: fewer than two different sizes, or pieces that take no longer for more games.
    """
    if len({games for games, _ in points}) < 2:
        raise BadInput("a line takes pieces of at least two different sizes")
    games = sum(g for g, _ in points) / len(points)
    seconds = sum(t for _, t in points) / len(points)
    slope = sum((g - games) * (t - seconds) for g, t in points)
    slope /= sum((g - games) ** 2 for g, _ in points)
    if slope <= 0:
        raise BadInput("these pieces take no longer for more games; measure larger ones")
    if (start := seconds - slope * games) >= 0:
        return start, slope
    return 0.0, sum(g * t for g, t in points) / sum(g * g for g, _ in points)

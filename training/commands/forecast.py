"""sparring forecast: how fast will a cluster train, and who waits?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sparring.envs.core import BadInput
from sparring.training.cluster.forecast import fitted, forecast, warm_up
from sparring.training.cluster.inputs import Cluster
from sparring.training.cluster.measured import Measured, measured
from sparring.training.commands.cluster_tables import GIGA, speed_table, weight_table
from sparring.training.commands.common import out, parse

MOST_PIECES = 1_000_000  # of one forecast: some ten seconds


@dataclass(frozen=True)
class Options:
    """Forecast how fast a learner and N workers train together, and which of them wait.

    A simulation of what each part takes: measure these, or take them from a run with --run. The
    defaults are round numbers to play with, measured nowhere. docs/scaling.md has the rules.
    """

    run: Path | None = None
    """A run with --ray, runs/kuhn: what its metrics say replaces the defaults below."""
    workers: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    """Numbers of workers to forecast."""
    staleness: tuple[int, ...] = (0, 1)
    """Steps that the workers may be ahead of the learner; 0 is synchronous."""
    games: int | None = None
    """Games of a step. Default: the run's, or 256."""
    tokens_per_game: float | None = None
    """Tokens sampled in a game. Default: the run's, or 2000."""
    rollout_pieces: int = 0
    """Pieces that the games of a step are cut into, as in sparring train; 0: one for every
    worker."""
    game_seconds: float | None = None
    """What one more game adds to a piece, seconds of a worker. Default: the run's, or 1."""
    piece_seconds: float | None = None
    """What a piece takes beside its games, seconds of a worker. Default: 0 with --run, else 1."""
    points: tuple[tuple[float, float], ...] = ()
    """In place of both: measured pieces, games and seconds of each, '--points 4 5.1 32 19.5'."""
    spread: float = 0.0
    """Standard deviation of what a piece takes, as a share of its mean."""
    learn_seconds: float | None = None
    """What an update takes, seconds. Default: the run's, or 30."""
    put_seconds: float | None = None
    """What publishing weights takes the learner, seconds. Default: the run's, or 2."""
    load_seconds: float | None = None
    """What loading them takes a worker, without the network, seconds. Default: the run's, which
    holds the network too, or 2."""
    weight_gigabytes: float | None = None
    """Published weights, 10^9 bytes. Default: 0 with --run, else 16.06, which is
    Llama-3.1-8B in bfloat16."""
    gigabits: float = 100.0
    """Of the learner's uplink, 10^9 bits a second."""
    per_node: int = 8
    """Workers of a node; a node gets the weights once."""
    beside: int = 0
    """Workers on the learner's own node, to which nothing is sent."""
    steps: int = 100
    """Steps to simulate."""
    seed: int = 0
    """Of the spread."""
    nodes: int = 4
    """In the table of weights: nodes to send to."""
    rank: int = 16
    """In the table of weights: rank of the adapter, on all linear layers."""


def run(args: Sequence[str]) -> int:
    """Parse, simulate, print two tables."""
    options = parse(Options, "forecast", args)
    found = measured(options.run) if options.run else None
    whole = _cluster(options, found)
    if not options.workers or not options.staleness:
        raise BadInput("give at least one number of --workers and one --staleness")
    clusters = [
        replace(whole, workers=n, staleness=k) for k in options.staleness for n in options.workers
    ]
    for each in clusters:
        pieces = each.pieces * (options.steps + warm_up(each, options.steps))
        if pieces > MOST_PIECES:
            raise BadInput(f"{pieces:,} pieces are too many to simulate; take fewer --steps")
    # first, so that bad input is told before anything is printed
    weights = weight_table(options.nodes, GIGA / 8 * options.gigabits, options.rank)
    out.print(speed_table(clusters, options.steps))
    if found:
        _compare(whole, found, options)
    out.print(weights)
    return 0


def _cluster(options: Options, found: Measured | None) -> Cluster:
    """One worker, by the options, the run and the defaults, in this order."""
    start, game = _or(options.piece_seconds, 0.0 if found else 1.0), options.game_seconds
    if options.points:
        if options.piece_seconds is not None or game is not None:
            raise BadInput("--points are in place of --piece-seconds and --game-seconds")
        start, game = fitted(options.points)
    return Cluster(
        workers=1,
        games=round(_or(options.games, found.games if found else 256)),
        game_seconds=_or(game, found.game_seconds if found else 1.0),
        piece_seconds=start,
        learn_seconds=_or(options.learn_seconds, found.learn_seconds if found else 30.0),
        put_seconds=_or(options.put_seconds, found.publish_seconds if found else 2.0),
        load_seconds=_or(options.load_seconds, found.load_seconds if found else 2.0),
        tokens_per_game=_or(options.tokens_per_game, found.tokens_per_game if found else 2000.0),
        weight_bytes=GIGA * _or(options.weight_gigabytes, 0.0 if found else 16.06),
        bandwidth=GIGA / 8 * options.gigabits,
        rollout_pieces=options.rollout_pieces,
        spread=options.spread,
        per_node=options.per_node,
        beside=options.beside,
        seed=options.seed,
    )


def _or(given: float | None, default: float) -> float:
    return default if given is None else given


def _compare(whole: Cluster, found: Measured, options: Options) -> None:
    """What the run was, beside its own forecast: how far to trust the table."""
    like = replace(whole, workers=found.workers, staleness=found.age_max)
    said = forecast(like, options.steps)
    out.print(
        f"{options.run}, {found.workers} workers, medians of {found.steps} steps: play "
        f"{found.play_seconds:.4g} s, learner idle {found.learner_idle:.0%}, age "
        f"{found.age_mean:.2f} (max {found.age_max})\nforecast for the same: play "
        f"{said.play_seconds:.4g} s, learner idle {said.learner_idle:.0%}, age "
        f"{said.age_mean:.2f} (max {said.age_max})\n",
        markup=False,
    )

"""Does it transfer? A run's first and newest checkpoint in games that the run did not train on.

Both play the same opponent on the same deals, from the same seats, and with the same luck of the
opponent. What is compared is the difference on each deal, so that luck which both had goes out.
"""

import asyncio
import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from scipy.stats import t as student

from sparring.agents.arena.estimates import SHARE, UNKNOWN, Bounds, Estimate, quantile, ratios
from sparring.agents.arena.schedule import Contest, RoundRobin
from sparring.agents.arena.tournament import play
from sparring.agents.core import Agent
from sparring.envs.core import BadInput, Game
from sparring.envs.registry import game
from sparring.envs.specs import describe
from sparring.training.config import CONFIG, games_of

HELD_OUT = (
    "TicTacToe-v0",  # a board, all of it open
    "Nim-v0",  # arithmetic
    "KuhnPoker-v0",  # hidden cards, a few positions
    "LeducPoker-v0",  # hidden cards, more of them
    "LiarsDice-v0",  # chances and bluffs
    "IteratedPrisonersDilemma-v0",  # not zero-sum, both at once, again and again
    "BuySell-v0(turns=6)",  # a bargain, in words
    "ReferenceGame-v0",  # words that another understands
    "AdversarialTaboo-v0",  # free talk against an opponent
)
"""Games of many kinds, each short enough for the 2048 tokens that the embedded model reads."""

CHECKPOINT, OPPONENT = "the checkpoint", "the opponent"
"""What the players are called: before and after the same, because luck hangs on names."""


@dataclass(frozen=True, slots=True)
class Change:
    """One game. Payoffs are means a game over all seats, in the game's own unit.

    ``difference``: after − before on the same deal. ``share``: that as a share of the range of
    payoffs. ``changed``: deals on which it is not 0. ``legal``: the share of accepted answers,
    before and after; where speech is free any words are legal. ``forfeits``: the share of its
    seats lost by illegal answers. ``void``: games that did not count; their deals are left out.
    """

    game: str
    trained: bool
    before: Estimate
    after: Estimate
    difference: Estimate
    share: Estimate
    changed: int
    legal: tuple[Estimate, Estimate]
    forfeits: tuple[Estimate, Estimate]
    void: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``overall``: the mean of ``Change.share`` over the games that were not trained on, all of the
    same weight; its interval is for these very games. ``unplayed``: why a game could not be.
    ``stopped``: before all games were played."""

    changes: tuple[Change, ...]
    overall: Estimate
    unplayed: Mapping[str, str]
    stopped: bool = False


def trained_on(run: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The options of a run, and the names of the games that it trains on.

    Raises:
        BadInput: the folder holds no run.
    """
    try:
        options = dict(json.loads((run / CONFIG).read_text())["options"])
        return options, tuple(map(_name, games_of(options)))
    except FileNotFoundError:
        raise BadInput(f"{run} is not a run: it has no {CONFIG}") from None
    except (ValueError, KeyError, TypeError) as fault:
        raise BadInput(f"{run / CONFIG} cannot be read ({fault})") from fault


def _name(spec: str) -> str:
    try:
        return game(spec).name
    except BadInput:  # a game of a file or a package that is no longer there
        return spec


def held_out(trained: Collection[str]) -> list[Game]:
    """The built-in games but those that were trained on, in whatever form."""
    return [each for each in map(game, HELD_OUT) if each.name not in trained]


def transfer(
    games: Iterable[Game],
    before: Agent,
    after: Agent,
    opponent: Callable[[Game], Agent],
    *,
    trained: Collection[str] = (),
    number: int,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Comparison:
    """Play ``number`` games of each game with either checkpoint and compare them.

    A game that cannot be played, as where a prompt is longer than the model reads, is left out and
    named with the reason. Ctrl-C ends it with the games that are compared, if there are any.

    Raises:
        BadInput: ``number`` is not a positive even number, or no game could be played.
    """
    plan = RoundRobin(number, [(CHECKPOINT, OPPONENT)])  # nobody against itself
    changes: list[Change] = []
    unplayed: dict[str, str] = {}
    stopped = False
    for at, each in enumerate(games):
        tables = []
        try:
            for n, agent in enumerate((before, after)):
                contest = Contest(each, {CHECKPOINT: agent, OPPONENT: opponent(each)})
                base = number * (2 * at + n)
                told = lambda done, planned, base=base: progress(base + done)  # noqa: E731
                tables.append(asyncio.run(play([contest], plan, seed=seed, progress=told)))
            changes.append(compare(each, *tables, trained=each.name in trained))
        except BadInput as fault:
            unplayed[describe(each)] = str(fault)
        except KeyboardInterrupt:
            if not changes:
                raise
            stopped = True
            break
    if not changes:
        where, why = next(iter(unplayed.items()))
        raise BadInput(f"no game could be played; {where}: {why}")
    shares = [change.share for change in changes if not change.trained]
    overall = equal_weight(shares) if shares else UNKNOWN
    return Comparison(tuple(changes), overall, unplayed, stopped)


def compare(rules: Game, before: pl.DataFrame, after: pl.DataFrame, *, trained: bool) -> Change:
    """What two tables of the same deals (``arena/table.py``) say of the checkpoint in them.

    Raises:
        BadInput: no deal is left without a void game.
    """
    void = [table.filter(pl.col("end") == "void") for table in (before, after)]
    out = [*void[0]["deal"], *void[1]["deal"]]
    mine = [
        table.filter((pl.col("agent") == CHECKPOINT) & ~pl.col("deal").is_in(out))
        for table in (before, after)
    ]
    by_deal = [t.group_by("deal").agg(pl.col("payoff").mean()).sort("deal") for t in mine]
    one, two = (list(table["payoff"]) for table in by_deal)
    if not one:
        raise BadInput("every deal has a game that did not count (void)")
    low, high = rules.declares.low, rules.declares.high
    differences = [y - x for x, y in zip(one, two, strict=True)]
    width = high - low or 1.0
    return Change(
        game=describe(rules),
        trained=trained,
        before=_mean(one, (low, high)),
        after=_mean(two, (low, high)),
        difference=_mean(differences, (low - high, high - low)),
        share=_mean([each / width for each in differences], (-1.0, 1.0)),
        changed=sum(each != 0 for each in differences),
        legal=_both(mine, pl.col("legal"), pl.col("answers")),
        forfeits=_both(mine, pl.col("forfeited").cast(pl.Int32), pl.lit(1)),
        void=sum(table["index"].n_unique() for table in void),
    )


def _mean(values: Sequence[float], bounds: Bounds) -> Estimate:
    """The mean of one value a deal; that none varied does not make it certain."""
    rows = pl.DataFrame({"deal": range(len(values)), "value": values, "weight": 1.0})
    return ratios(rows, bounds=bounds)[()]


def _both(
    tables: Sequence[pl.DataFrame], value: pl.Expr, weight: pl.Expr
) -> tuple[Estimate, Estimate]:
    """A share before and after, clustered by deal."""
    rows = (t.select("deal", value.alias("value"), weight.alias("weight")) for t in tables)
    one, two = (ratios(each, bounds=SHARE).get((), UNKNOWN) for each in rows)
    return one, two


def equal_weight(means: Sequence[Estimate]) -> Estimate:
    """The mean of G independent means, all of the same weight.

        m ± t(ν)·√V,    V = Σ v_g,    v_g = (e_g/G)²,    ν = V² / Σ v_g²/(n_g − 1)

    with the standard errors e_g of the means from n_g deals, and Welch's (1947) degrees of freedom.
    Infinite where one of them is. Where an interval is not symmetric (``estimates.bounded``) e_g
    is half of its width, divided by t(n_g − 1).
    """
    mean = math.fsum(e.mean for e in means) / len(means)
    clusters = sum(e.clusters for e in means)
    if not all(math.isfinite(e.low) for e in means):
        return Estimate(mean, -math.inf, math.inf, clusters)
    errors = [(e.high - e.low) / 2 / quantile(e.clusters) for e in means]
    parts = [(error / len(means)) ** 2 for error in errors]
    whole = math.fsum(parts)
    if not whole:  # games in which every end pays the same
        return Estimate(mean, mean, mean, clusters)
    divided = math.fsum(v * v / (e.clusters - 1) for v, e in zip(parts, means, strict=True))
    half = float(student.ppf(0.975, whole * whole / divided)) * math.sqrt(whole)
    return Estimate(mean, mean - half, mean + half, clusters)

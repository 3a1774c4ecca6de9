"""sparring transfer RUN: did what was learned help in other games?"""

import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from tyro.conf import Positional

from sparring.agents.arena.estimates import Estimate
from sparring.agents.arena.folder import finite
from sparring.agents.arena.schedule import check_games
from sparring.agents.core import Agent
from sparring.agents.registry import agent, is_model
from sparring.agents.runs import MODEL, checkpoints, find_checkpoint
from sparring.envs.core import BadInput, Game
from sparring.envs.registry import game
from sparring.training.commands.common import out, parse
from sparring.training.commands.contests import MEMORY
from sparring.training.commands.usage import counted
from sparring.training.harness import TaskChange, check_installed, compare
from sparring.training.progress import progress_bar
from sparring.training.transfer import Comparison, held_out, trained_on, transfer

EMBEDDED = "embedded"


@dataclass(frozen=True)
class Transfer:
    """Does it transfer? Play a run's first and its newest checkpoint in games that the run did not
    train on, on the same deals against the same opponent, and compare them.

    With --lm-eval also on tasks of the lm-evaluation-harness.
    """

    run: Positional[Path]
    """The folder of a run."""
    game: tuple[str, ...] = ()
    """Games to play instead of the built-in set."""
    games: int = 200
    """Games of each checkpoint in each game, an even number: every deal is played from both sides.
    0 plays none, for --lm-eval alone."""
    against: str = "random"
    """The opponent of both checkpoints."""
    seed: int = 0
    """The same seed plays the same games."""
    lm_eval: tuple[str, ...] = ()
    """Tasks of the lm-evaluation-harness (needs the extra lm-eval)."""
    tasks_from: Path | None = None
    """A folder of lm-eval task files of your own."""
    limit: int | None = None
    """Only so many documents of each lm-eval task."""
    json: bool = False
    """Print one JSON object instead of tables."""


def run(args: Sequence[str]) -> int:
    """Parse, play, run tasks, print."""
    options = parse(Transfer, "transfer", args)
    first, last = _ends(options.run)
    settings, trained = trained_on(options.run)
    if options.lm_eval:
        check_installed()
    elif not options.games:
        raise BadInput("--games 0 plays nothing; name tasks with --lm-eval, or leave it out")
    played = _play(options, first, last, trained) if options.games else None
    said = [*verdict(played, embedded=settings.get("model") == EMBEDDED)] if played else []
    if not options.json and played:
        title = f"payoff against {options.against}, step {first} and step {last}"
        _show(played, f"{title}, {options.games} games each")
        out.print("\n".join(said), markup=False)
    stopped = played is not None and played.stopped
    tasks = _tasks(options, first, last) if options.lm_eval and not stopped else []
    if options.json:
        found = {
            "run": str(options.run),
            "before": first,
            "after": last,
            "games": asdict(played) if played else None,
            "said": said,
            "lm_eval": [asdict(each) for each in tasks],
        }
        print(json.dumps(finite(found)))
    elif tasks:
        _show_tasks(tasks, f"lm-eval, step {first} and step {last}")
    return 130 if stopped else 0


def _ends(run: Path) -> tuple[int, int]:
    """The steps of the first and the newest checkpoint. Raises ``BadInput`` if they are one."""
    find_checkpoint(run)
    steps = list(checkpoints(run))
    if len(steps) < 2:
        raise BadInput(
            f"{run} has only the checkpoint of step {steps[0]}: nothing to compare; go on with: "
            f"sparring train kuhn --resume {run}"
        )
    return steps[0], steps[-1]


def _play(options: Transfer, first: int, last: int, trained: Collection[str]) -> Comparison:
    check_games(options.games)  # says what is wrong with the number before anything is loaded
    rules = [game(spec) for spec in options.game] or held_out(trained)
    before, after = (agent(f"run:{options.run}@{step}", rules[0].name) for step in (first, last))
    from sparring.agents.pretrained import share_memory  # brings torch, which takes time

    share_memory((before, after), MEMORY)
    opponent = _opponent(options.against)
    met = [opponent(rules[0])] if is_model(options.against) else []
    bar = progress_bar(out, transient=True, disable=options.json)
    with counted(met, quiet=options.json), bar:
        task = bar.add_task("playing", total=2 * options.games * len(rules))
        return transfer(
            rules,
            before,
            after,
            opponent,
            trained=trained,
            number=options.games,
            seed=options.seed,
            progress=lambda done: bar.update(task, completed=done),
        )


def _opponent(name: str) -> Callable[[Game], Agent]:
    """Who ``name`` is in a game; a model, which does not hang on the game, is loaded once."""
    load = cache(lambda game: agent(name, game))
    return lambda rules: load("" if is_model(name) else rules.name)


def _tasks(options: Transfer, first: int, last: int) -> list[TaskChange]:
    before, after = (find_checkpoint(options.run, step) / MODEL for step in (first, last))
    return compare(before, after, options.lm_eval, folder=options.tasks_from, limit=options.limit)


def verdict(found: Comparison, *, embedded: bool) -> Iterator[str]:
    """What the numbers say, in plain sentences."""
    new = [each for each in found.changes if not each.trained]
    lost = [each.game for each in new if min(f.mean for f in each.forfeits) > 1 / 2]
    if new:
        if any(each.changed for each in new):
            yield _overall(found.overall, len(new), sound=2 * len(lost) < len(new))
        else:
            yield "No deal ended differently: nothing is seen to transfer."
    if lost:
        yield (
            f"Most games of {', '.join(lost)} are lost by illegal answers, before and after: "
            "payoffs there tell wording, not play."
        )
    if embedded:
        yield (
            "The embedded model knows only the words of the game that it was made for; this is a "
            "question for a pretrained model (sparring train kuhn --model PATH-OR-ID)."
        )
    for each in found.changes:
        if each.trained:
            yield f"{each.game} was trained on: it does not count above."
        if each.void:
            yield f"{each.game}: {each.void} games did not count (void); their deals are left out."
    for spec, reason in found.unplayed.items():
        yield f"{spec} was not played: {reason}."
    if found.stopped:
        yield "Stopped before all games were played."


def _overall(e: Estimate, games: int, *, sound: bool) -> str:
    """The mean over ``games``; ``sound``: most of them were played and not just forfeited."""
    where = "the 1 game here" if games == 1 else f"the {games} games here, each of the same weight"
    if not math.isfinite(e.low):
        return f"Not told: one deal of a game is too few, over {where}."
    change = f"{e.mean:+.2%} of the range of payoffs, 95 % interval {e.low:+.2%} to {e.high:+.2%}"
    if e.low <= 0 <= e.high:
        return f"Not told: no difference is sure over {where} ({change})."
    verb = "gained" if e.low > 0 else "lost"
    head = "It transfers: after" if sound and e.low > 0 else "After"
    return f"{head} training it {verb} over {where} ({change})."


def _show(found: Comparison, title: str) -> None:
    """Payoffs, then how legal the answers are: two tables, narrow enough for most terminals."""
    payoffs = _table(title, "game", "before", "after", "difference")
    answers = _table("legal answers", "game", "before", "after")
    for each in found.changes:
        payoffs.add_row(each.game, *map(_brief, (each.before, each.after, each.difference)))
        answers.add_row(
            each.game, *(f"{e.mean:.1%} ({e.low:.1%}-{e.high:.1%})" for e in each.legal)
        )
    out.print(payoffs)
    out.print("±: to the farther end of the 95 % interval, which counts deals")
    out.print(answers)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left", overflow="fold")
    return table


def _brief(e: Estimate) -> str:
    """The mean, and how far its 95 % interval goes to the farther side."""
    far = max(e.high - e.mean, e.mean - e.low)
    return f"{e.mean:+.3f} ±{far:.3f}" if math.isfinite(far) else f"{e.mean:+.3f} (no interval)"


def _show_tasks(found: Sequence[TaskChange], title: str) -> None:
    table = _table(title, "task", "before", "after", "difference")
    for each in found:
        less = " (less is better)" if each.higher_is_better is False else ""
        table.add_row(
            f"{each.task} {each.metric.removesuffix(',none')}{less}",
            _with_error(each.before, each.before_error),
            _with_error(each.after, each.after_error),
            _task_difference(each),
        )
    out.print(table)
    out.print("SE: lm-eval's own standard error. ±: half of a 95 % interval, paired by document")
    if not all(each.paired for each in found):
        out.print("*: not a mean over documents; as if both were independent, which is too wide")


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.4g}" + ("" if error is None else f" (SE {error:.2g})")


def _task_difference(found: TaskChange) -> str:
    e = found.difference
    if not math.isfinite(e.low):
        return f"{e.mean:+.4g} (no interval)"
    return f"{e.mean:+.4g} ±{(e.high - e.low) / 2:.2g}" + ("" if found.paired else " *")

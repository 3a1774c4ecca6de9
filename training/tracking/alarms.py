"""What breaks runs of self-play, each with a plain sentence and what to do about it.

An alarm looks at one number of every step, at each game's own where there are several. Whether
something is wrong is a pure function of the trail of these numbers and of whether the alarm is on:
the bound to leave it is easier than the one to enter it, so it does not flicker.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from sparring.training import names
from sparring.training.core import Metrics
from sparring.training.tracking.trail import Trail

Readings = Mapping[str, tuple[float, str]]
"""By place ("" or "/GAME", see ``names.Name``) the number of a step, and a word on it if any."""

Wrong = Callable[[Trail, bool], bool]
"""From the trail and whether the alarm is on to whether something is wrong."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """``reads``: what it looks at in the metrics of a step. ``window``: over how many steps.

    ``says``: what is wrong, with the {mean} of the window, the {peak} and the {first} such mean,
    and the {word} of the last reading.
    """

    name: str
    reads: Callable[[Metrics], Readings]
    wrong: Wrong
    says: str
    do: str
    window: int = 10

    def sentence(self, trail: Trail, word: str) -> str:
        return self.says.format(mean=trail.mean, peak=trail.peak, first=trail.first, word=word)


def of(family: str) -> Callable[[Metrics], Readings]:
    """The metrics of one family as they are."""

    def read(metrics: Metrics) -> Readings:
        parsed = ((names.parse(metric), x) for metric, x in metrics.items())
        return {name.place: (x, "") for name, x in parsed if name.family == family}

    return read


def leads(metrics: Metrics) -> Readings:
    """By how much the role that wins most is before the one that wins least, in shares of games."""
    by_game: dict[str, dict[str, float]] = {}
    for metric, x in metrics.items():
        name = names.parse(metric)
        if name.family == "wins":
            by_game.setdefault(name.place, {})[name.role] = x
    found = {}
    for place, wins in by_game.items():
        best, worst = max(wins, key=lambda r: wins[r]), min(wins, key=lambda r: wins[r])
        word = f"{best} {wins[best]:.0%}, {worst} {wins[worst]:.0%}"
        found[place] = (wins[best] - wins[worst], word)
    return found


def no_numbers(metrics: Metrics) -> Readings:
    """How many metrics are infinite or no numbers, and which."""
    wrong = [f"{name} is {x}" for name, x in metrics.items() if not isfinite(x)]
    return {"": (len(wrong), ", ".join(wrong[:3]))}


def below(bound: float, again: float) -> Wrong:
    """On under ``bound``, off from ``again`` on."""
    return lambda trail, on: trail.mean < (again if on else bound)


def above(bound: float, again: float) -> Wrong:
    """On over ``bound``, off up to ``again``."""
    return lambda trail, on: trail.mean > (again if on else bound)


def shrunk(trail: Trail, on: bool) -> bool:
    """On under 40 % of its peak, off from 60 % on."""
    return trail.mean < (0.6 if on else 0.4) * trail.peak


def fallen(trail: Trail, on: bool) -> bool:
    """On 0.1 under its peak, off at 0.05."""
    return trail.peak - trail.mean > (0.05 if on else 0.1)


def gone(trail: Trail, on: bool) -> bool:
    """On under 5 % of its peak, or under 0.005 nats; off at twice that."""
    return trail.mean < (2 if on else 1) * max(0.05 * trail.peak, 0.005)


def zero(trail: Trail, on: bool) -> bool:
    """On under 1 % of its peak, or at 0 from the start; off at 5 %: one game is no recovery."""
    return trail.mean <= (5 if on else 1) * max(0.01 * trail.peak, 1e-9)


def grown(trail: Trail, on: bool) -> bool:
    """On over 3 times what it was at first and over 0.01 nats, or over 0.1; off at 2/3 of that."""
    return trail.mean > (2 / 3 if on else 1) * min(max(3 * trail.first, 0.01), 0.1)


ALARMS: list[Alarm] = [
    Alarm(
        "number",
        no_numbers,
        above(0, 0),
        "No number: {word}.",
        "Lower the learning rate, and go on from a checkpoint before this step: delete those after "
        "it, then --resume.",
        window=1,
    ),
    Alarm(
        "length",
        of("answer_tokens"),
        shrunk,
        "Answers became short: {mean:.3g} tokens, {peak:.3g} at the most before.",
        "Read transcripts/: thinking stops where it gains nothing. Advantages by role (rae) keep "
        "the luck of the seat out of what is learned; smaller steps help too.",
    ),
    Alarm(
        "legal",
        of("legal"),
        fallen,
        "Fewer answers are legal: {mean:.1%}, {peak:.1%} at the most before.",
        "See in transcripts/ what is refused; lower the learning rate or the step size.",
    ),
    Alarm(
        "forfeits",
        of("forfeits"),
        above(0.5, 0.3),
        "{mean:.0%} of the games end by an illegal answer.",
        "Such games teach the format and little of the game: more imitation first, another try for "
        "an illegal answer, or longer answers (--max-tokens).",
    ),
    Alarm(
        "entropy",
        of("entropy"),
        gone,
        "The policy hardly varies: entropy {mean:.2g} nats a token, {peak:.2g} at the most before.",
        "Nothing new is tried any more. Fine where one line of play is best; else smaller steps, a "
        "stronger magnet (--update.magnet) or an entropy bonus (--update.entropy).",
    ),
    Alarm(
        "advantage",
        of("advantage_size"),
        zero,
        "Advantages are all zero: mean size {mean:.2g}, {peak:.2g} at the most before.",
        "Nothing is learned, because all games that are compared end alike: other opponents, more "
        "openings, or other groups.",
    ),
    Alarm(
        "kept",
        of("kept"),
        below(0.01, 0.02),
        "The filters leave {mean:.1%} of what was played.",
        "Hardly anything is left to learn from: loosen the filters.",
        window=5,
    ),
    Alarm(
        "mismatch",
        of("mismatch_mean"),
        grown,
        "Engine and learner differ by {mean:.2g} nats a token, {first:.2g} at first.",
        "What is trained is not what was sampled: see that the engine has the weights of the last "
        "update, the learner's precision and its sampling settings.",
    ),
    Alarm(
        "one-sided",
        leads,
        above(0.95, 0.9),
        "One role wins everything: {word} of the games.",
        "If the rules do not favour it so much: past selves or fixed opponents beside the current "
        "policy, and advantages by role (rae).",
    ),
]
"""Those that every run has. One of your own: ``ALARMS.append(Alarm(...))``."""

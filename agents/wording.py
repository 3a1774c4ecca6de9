"""Policies and positions in words: "holding J, after a check", "bets 31 %, checks 69 %"."""

import re
from collections.abc import Mapping, Sequence

from sparring.envs.core import Role, View

VERBS = {
    **{verb: f"{verb}s" for verb in ("bet", "call", "check", "fold", "raise", "accept", "reject")},
    **{"pass": "passes", "cooperate": "cooperates", "defect": "defects"},
}
"""Answers that are verbs, in the third person; any other answer is played."""

SURE = 0.9995
"""From here on an answer is "always" given: what is shown as 100.0 %."""

MOST = 6
"""At most so many answers of a policy are named; the rest are counted together."""


def percent(p: float) -> str:
    """A probability as people write it: "31 %", "0.4 %", "under 0.1 %"."""
    if p < 1e-9:  # linear programs leave specks, below 0 too
        return "0 %"
    if p < 0.001:
        return "under 0.1 %"
    if p > SURE:
        return "100 %"
    return f"{p:.0%}".replace("%", " %") if 0.01 <= p <= 0.99 else f"{100 * p:.1f} %"


def percentages(chances: Mapping[str, float]) -> str:
    """A policy at one view: "bets 33 %, checks 67 %", "always folds", "plays rock (33 %), ...",
    "any of 9, each 11 %"."""
    likely = [answer for answer, p in chances.items() if p > SURE]
    if likely:
        return f"always {does(likely[0])}"
    given = [(answer, p) for answer, p in chances.items() if p > 1e-9]
    alike = len(given) > 4 and max(p for _, p in given) - min(p for _, p in given) < 1e-9
    if alike:
        return f"any of {len(given)}, each {percent(given[0][1])}"
    if len(given) > MOST:
        given.sort(key=lambda pair: -pair[1])
    named, rest = given[:MOST], given[MOST:]
    verbs = all(answer in VERBS for answer, _ in given)
    parts = [
        f"{VERBS[answer]} {percent(p)}" if verbs else f"{answer} ({percent(p)})"
        for answer, p in named
    ]
    if rest:
        parts.append(f"{len(rest)} others ({percent(sum(p for _, p in rest))})")
    return ("" if verbs else "plays ") + ", ".join(parts)


def does(answer: str) -> str:
    """An answer in the third person: "bets", "plays rock"."""
    return VERBS.get(answer, f"plays {answer}")


def situation(view: View, roles: Sequence[Role]) -> str:
    """What a view shows after the rules: what the role holds, and what has been said since.

    "Your card: J" is "holding J", "player_0: check" is "check"; anything else stands as it is.
    """
    holding: list[str] = []
    since: list[str] = []
    for message in view[1:]:
        text = message.text.strip()
        if own := re.fullmatch(r"Your (?:card|cards|die|dice|hand): (.+?)\.?", text):
            new = f"holding {own[1]}"
            (since if holding else holding).append(new)  # the next hand of a match
        else:
            since.append(_event(text, message.sender, roles))
    if not since:
        return ", ".join([*holding, "at the start"])
    if len(since) == 1 and since[0] in VERBS:
        since = [f"a {since[0]}"]
    return f"{', '.join(holding)}, after {', '.join(since)}".removeprefix(", ")


def _event(text: str, sender: str, roles: Sequence[Role]) -> str:
    """One message, short: an answer by itself, "Public card: J" as "public card J"."""
    named, colon, rest = text.partition(": ")
    if colon and named in roles and "\n" not in rest and ": " not in rest:
        return rest
    if colon and re.fullmatch(r"[A-Z][a-z]+(?: [a-z]+)?", named) and len(rest) <= 12:
        return f"{named.lower()} {rest.rstrip('.')}"
    said = " / ".join(text.rstrip(".").splitlines())
    return f"{sender}: {said}" if sender in roles else said

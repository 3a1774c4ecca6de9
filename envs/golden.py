"""Golden transcripts: fixed games of a game, word for word, replayed from their own inputs.

A file holds its inputs: a line ``@ name=value ...`` starts a game (``seed``, ``retries``, and the
game's options, in JSON), a line ``> role "answer"`` answers. Lines with ``#`` are comments. All
other lines are what the game makes of it: who is to act, what each role newly sees, payoffs.

A golden file makes a change of behaviour visible. After an intended one (which raises the version
in the game's name) write the file anew and read the difference.
"""

import json
import os
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

from sparring.envs.core import Game, Role, View
from sparring.envs.referee import RETRIES, Refereed, RefereedState

WRITE = "SPARRING_GOLDEN"
"""With this environment variable set to ``write``, ``check`` writes the files anew."""


def replay(make: Callable[..., Game], text: str) -> Iterator[str]:
    """The whole file again, from its inputs. Answers wait until all roles to act have answered.

    ``make(**options)`` gives the game.
    """
    state: RefereedState | None = None
    waiting: dict[Role, str] = {}
    shown: dict[Role, View] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            yield line
        elif line.startswith("@ "):
            options = {k: json.loads(v) for k, v in (pair.split("=") for pair in line[2:].split())}
            seed, retries = options.pop("seed"), options.pop("retries", RETRIES)
            state = Refereed(make(**options), retries).start(seed)
            shown = dict.fromkeys(state.game.roles, ())
            yield from ("", line, *_position(state, shown))
        elif line.startswith("> "):
            if state is None:
                raise ValueError("an answer comes before the first game")
            role, _, answer = line[2:].partition(" ")
            waiting[role] = json.loads(answer)
            yield line
            if set(waiting) == set(state.to_act):
                state, waiting = state.step(waiting), {}
                yield from _position(state, shown)


def _position(state: RefereedState, shown: dict[Role, View]) -> Iterator[str]:
    """What each role newly sees, the payoffs, and what may be said next. Notes it in ``shown``."""
    for role in state.game.roles:
        view = state.observe(role).messages
        if view[: len(shown[role])] != shown[role]:
            raise ValueError(f"the view of {role} lost something")
        for message in view[len(shown[role]) :]:
            first, *more = message.text.splitlines() or [""]
            yield f"    {role} sees  {message.sender}: {first}"
            yield from (f"    {role} sees      {line}" for line in more)
        shown[role] = view
    yield "    payoffs  " + ", ".join(f"{r} {p:+g}" for r, p in state.payoffs.items())
    for role in state.to_act:
        seen = state.observe(role)
        offers = " | ".join(seen.legal or seen.examples)
        some = "anything" + (f", such as {offers}" if offers else "")
        yield f"    {role} may say  " + (some if seen.legal is None else offers)
    if not state.to_act:
        lost = "".join(f", {role} forfeits" for role in state.forfeits)
        yield f"    over{lost}" + (f", void: {state.void}" if state.void else "")


def check(file: Path, make: Callable[..., Game]) -> None:
    """Replay ``file`` and compare, or write it anew (see ``WRITE``).

    Raises:
        AssertionError: the first line that differs, with what the game says now.
    """
    text = file.read_text(encoding="utf-8")
    lines = list(replay(make, text))
    if os.environ.get(WRITE) == "write":
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    for number, (now, then) in enumerate(zip_longest(lines, text.splitlines()), start=1):
        if now != then:
            raise AssertionError(
                f"{file.name}, line {number}: {now!r}, was {then!r}. If that is intended, raise "
                f"the version and write the file anew with {WRITE}=write"
            )

"""Golden transcripts: every game of ours plays a few fixed games, word for word.

A file in ``golden/`` holds its own inputs: a line ``@ name=value ...`` starts a game (``seed``,
``retries``, and the game's options, in JSON), a line ``> role "answer"`` answers. All other lines
are what the game makes of it: who is to act, what each role newly sees, payoffs. After an intended
change (which raises the version in the game's name) write them anew and read the difference:

    SPARRING_GOLDEN=write python -m pytest tests/envs/test_golden.py
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparring.envs.core import Role, View
from sparring.envs.referee import Refereed, RefereedState
from sparring.envs.registry import game, games

FOLDER = Path(__file__).parent / "golden"
OURS = tuple(n for n in games() if type(game(n)).__module__.startswith("sparring.envs."))


def replay(name: str, text: str) -> Iterator[str]:
    """The whole file again, from its inputs. Answers wait until all roles to act have answered."""
    state: RefereedState | None = None
    waiting: dict[Role, str] = {}
    shown: dict[Role, View] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            yield line
        elif line.startswith("@ "):
            options = {k: json.loads(v) for k, v in (pair.split("=") for pair in line[2:].split())}
            seed, retries = options.pop("seed"), options.pop("retries", 1)
            state = Refereed(game(name, **options), retries).start(seed)
            shown = dict.fromkeys(state.game.roles, ())
            yield from ("", line, *position(state, shown))
        elif line.startswith("> "):
            assert state is not None, "an answer before the first game"
            role, _, answer = line[2:].partition(" ")
            waiting[role] = json.loads(answer)
            yield line
            if set(waiting) == set(state.to_act):
                state, waiting = state.step(waiting), {}
                yield from position(state, shown)


def position(state: RefereedState, shown: dict[Role, View]) -> Iterator[str]:
    """What each role newly sees, the payoffs, and what may be said next. Notes it in ``shown``."""
    for role in state.game.roles:
        view = state.observe(role).messages
        assert view[: len(shown[role])] == shown[role], f"the view of {role} lost something"
        for message in view[len(shown[role]) :]:
            first, *more = message.text.splitlines() or [""]
            yield f"    {role} sees  {message.sender}: {first}"
            yield from (f"    {role} sees      {line}" for line in more)
        shown[role] = view
    yield "    payoffs  " + ", ".join(f"{r} {p:+g}" for r, p in state.payoffs.items())
    for role in state.to_act:
        legal = state.observe(role).legal
        yield f"    {role} may say  " + ("anything" if legal is None else " | ".join(legal))
    if not state.to_act:
        lost = "".join(f", {role} forfeits" for role in state.forfeits)
        yield f"    over{lost}" + (f", void: {state.void}" if state.void else "")


@pytest.mark.parametrize("name", OURS)
def test_golden(name: str) -> None:
    file = FOLDER / f"{name}.txt"
    assert file.is_file(), f"{name} has no golden transcript; see the head of this file"
    text = file.read_text(encoding="utf-8")
    lines = list(replay(name, text))
    if os.environ.get("SPARRING_GOLDEN") == "write":
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    for number, (now, then) in enumerate(zip(lines, text.splitlines(), strict=False), start=1):
        assert now == then, f"golden/{file.name}, line {number}"
    assert len(lines) == len(text.splitlines())


@pytest.mark.parametrize("name", OURS)
def test_golden_shows_the_ways_to_end(name: str) -> None:
    """At least an ordinary end, a refused answer, and a forfeit."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert text.count("    over\n") >= 2
    assert "Try again." in text
    assert "forfeits" in text


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(OURS)


def test_a_changed_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Any = RefereedState.observe

    def louder(state: RefereedState, role: Role) -> Any:
        seen = whole(state, role)
        return type(seen)(role, tuple(type(m)(m.sender, m.text.upper()) for m in seen.messages))

    monkeypatch.setattr(RefereedState, "observe", louder)
    monkeypatch.delenv("SPARRING_GOLDEN", raising=False)
    with pytest.raises(AssertionError, match="line"):
        test_golden("KuhnPoker-v0")

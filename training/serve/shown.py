"""What a browser is shown of a game. No other file decides that.

While a game with a person in it goes on, its page gets what the referee lets that seat observe,
the names of the agents that the person chose, and the person's own answers: nothing is read here
of other roles' views, of answers, thoughts, probabilities or the deal. It is not even told which of
the others the game waits for, nor that one of them has answered: where parts are hidden, that is a
part. A game of agents only has nobody to be kept from anything, so all of it is shown. When a game
is over, its replay shows it whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sparring.envs.core import Message, Role
from sparring.training.serve.table import Table

BUTTONS = 500
"""At most so many legal answers are sent; one that is not among them can still be typed."""

EXAMPLES = 3


def about(table: Table) -> dict[str, Any]:
    """What does not change: the game, its seats, and the rules of the seat that is played.

    ``fresh``: the person has not answered yet.
    """
    person, rules = table.setup.person, table.game
    return {
        "id": table.id,
        "game": table.setup.game,
        "roles": list(rules.roles),
        "seats": dict(table.setup.seats),
        "person": person,
        "sum": str(rules.declares.sum),
        "fresh": not any(h.seen.role == person for m in table.moments for h in m.answers),
        "rules": {role: rules.rules(role) for role in rules.roles if person in (role, None)},
    }


@dataclass
class Feed:
    """News of one game for one connection: first all, then what is new; never the same twice."""

    table: Table
    _seen: dict[Role, int] = field(default_factory=dict)  # messages sent, by role
    _steps: int = 0
    _last: dict[str, Any] | None = None

    def news(self) -> dict[str, Any] | None:
        """What has changed since the last call, or ``None``."""
        table = self.table
        state = _watched(table) if table.setup.person is None else _played(table)
        views = {role: self._new(role) for role in state.pop("of")}
        steps = _steps(table, self._steps) if table.setup.person is None else []
        if state == self._last and not steps and not any(new for _, new in views.values()):
            return None
        self._last = state
        found = {**state, "views": {role: _sent(*new) for role, new in views.items()}}
        for role, (start, new) in views.items():
            self._seen[role] = start + len(new)
        if table.setup.person is None:
            found |= {"from": self._steps, "steps": steps}
            self._steps += len(steps)
        return found

    def _new(self, role: Role) -> tuple[int, tuple[Message, ...]]:
        """The messages of a role's view that this connection has not had, and how many it had."""
        start = self._seen.get(role, 0)
        return start, self.table.state.observe(role).messages[start:]


def _sent(start: int, new: tuple[Message, ...]) -> dict[str, Any]:
    return {"from": start, "new": [{"sender": m.sender, "text": m.text} for m in new]}


def _played(table: Table) -> dict[str, Any]:
    """The state of a game for the person in it."""
    role = table.setup.person
    own = [
        {"at": moment.seen[heard.seen.role], "text": heard.action.text}
        for moment in table.moments
        for heard in moment.answers
        if heard.seen.role == role and not heard.accepted
    ]
    return {
        "of": [role],
        "ask": _ask(table),
        "said": table.said,
        "refused": own,
        "end": _end(table),
    }


def _ask(table: Table) -> dict[str, Any] | None:
    """The question that waits for the person."""
    if table.asked is None or table.over:
        return None
    seen, strikes = table.asked, table.state.strikes.count(table.asked.role)
    legal = None if seen.legal is None else list(seen.legal[:BUTTONS])
    return {
        "turn": len(seen.turns),
        "legal": legal,
        "more": len(seen.legal or ()) - len(legal or ()),
        "examples": list(seen.examples[:EXAMPLES]),
        "tries": table.retries - strikes + 1,
    }


def _watched(table: Table) -> dict[str, Any]:
    """The state of a game of agents."""
    return {
        "of": list(table.game.roles),
        "asked": list(table.state.to_act),
        "pace": {"running": table.pace.running, "delay": table.pace.delay},
        "end": _end(table),
    }


def _steps(table: Table, start: int) -> list[dict[str, Any]]:
    """The steps of a game of agents, as a replay has them."""
    return [
        {
            "seen": dict(moment.seen),
            "answers": [
                {
                    "role": heard.seen.role,
                    "text": heard.action.text,
                    "private": heard.action.private,
                    "accepted": heard.accepted,
                    "legal": None if heard.seen.legal is None else list(heard.seen.legal),
                    "chances": heard.chances,
                    "tokens": len(heard.action.tokens),
                }
                for heard in moment.answers
            ],
        }
        for moment in table.moments[start:]
    ]


def _end(table: Table) -> Mapping[str, Any] | None:
    """How it ended; only then are payoffs, and the replay with everything, shown."""
    if not table.over:
        return None
    episode = table.episode
    return {
        "fault": table.fault,
        "payoffs": dict(episode.payoffs) if episode else {},
        "forfeits": list(episode.forfeits) if episode else [],
        "void": episode.void if episode else None,
        "replay": table.id if table.kept else None,
    }

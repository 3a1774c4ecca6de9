"""All games of the server: opening them, finding them, keeping them, picking them up again."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sparring.agents.replay import replay
from sparring.envs.core import BadInput, Role
from sparring.training.serve import records
from sparring.training.serve.backstage import Backstage
from sparring.training.serve.core import YOU, Refused, Setup
from sparring.training.serve.lineup import Lineup
from sparring.training.serve.shelf import Shelf
from sparring.training.serve.table import Table

OPEN = 64
"""At most so many games are unfinished at a time."""

IDLE = 24 * 3600.0
"""Seconds without an answer after which an unfinished game makes room for a new one, if need be."""

KEPT = 200
"""So many finished games stay in memory; of earlier ones there is the replay."""

log = logging.getLogger(__name__)


def draw() -> int:
    """The seed of a deal, that nobody can guess."""
    return secrets.randbits(48)


@dataclass
class Hall:
    """The tables, what can be chosen for them, and where their replays go."""

    lineup: Lineup
    shelf: Shelf
    draw: Callable[[], int] = draw
    backstage: Backstage = field(default_factory=Backstage)
    tables: dict[str, Table] = field(default_factory=dict)
    closed: bool = False
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def open(self, spec: str, person: Role | None, agents: Mapping[Role, str]) -> Table:
        """Start a game; ``agents`` sit in the seats that are not the person's.

        Raises:
            BadInput: a game, seat or agent that is not on offer.
            Refused: too many games are open.
        """
        rules = self.lineup.game(spec)
        seats = self.lineup.seats(rules, person, agents)
        self._make_room()
        everybody = {role: seats.get(role, YOU) for role in rules.roles}
        setup = Setup(spec, everybody, person, self.draw(), self.draw())
        table = Table(secrets.token_urlsafe(16), setup, rules)
        records.begin(self._record(table.id), setup)
        self._seat(table)
        return table

    def find(self, id: str) -> Table | None:
        return self.tables.get(id)

    def leave(self, table: Table) -> None:
        """Give a game up; it is not kept."""
        if not table.over and (task := self._tasks.get(table.id)):
            table.fault = "The game was given up."
            task.cancel()
            table.notify()

    async def close(self) -> None:
        """Let go of all games; the unfinished ones are picked up by the next server."""
        self.closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.backstage.close()

    def wake(self) -> None:
        """Let every open connection look up, so that it sees that the hall is closing."""
        self.closed = True
        for table in self.tables.values():
            table.notify()

    def pick_up(self) -> None:
        """Go on with the games that an earlier server left unfinished."""
        self.shelf.unfinished.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.shelf.unfinished.glob("*.jsonl"))[:OPEN]:
            try:
                self._seat(records.restored(file, self.lineup))
            except BadInput as fault:  # left where it is: another server may offer its game
                log.warning("a game of %s cannot go on: %s", file.parent, fault)

    def _make_room(self) -> None:
        going = [table for table in self.tables.values() if not table.over]
        if len(going) >= OPEN:
            oldest = min(going, key=lambda table: table.touched)
            if time.monotonic() - oldest.touched < IDLE:
                raise Refused(f"{OPEN} games are open here; end one of them first")
            self.leave(oldest)
        for id in [id for id, table in self.tables.items() if table.over][:-KEPT]:
            del self.tables[id]

    def _seat(self, table: Table) -> None:
        self.tables[table.id] = table
        task = asyncio.create_task(self._play(table))
        self._tasks[table.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(table.id, None))

    async def _play(self, table: Table) -> None:
        record = self._record(table.id)
        try:
            await table.run(self.backstage, partial(records.add, record))
            if table.episode is not None:
                await asyncio.to_thread(self._keep, table)
        finally:
            if table.over:  # and not, where the server is closing, a game to be picked up
                record.unlink(missing_ok=True)
                table.closed = True
                table.notify()

    def _keep(self, table: Table) -> None:
        assert table.episode is not None
        chances = [heard.chances for moment in table.moments for heard in moment.answers]
        try:
            whole = replay(table.game, table.episode, chances, retries=table.retries)
        except ValueError as fault:  # a judge in the rules that changes its mind
            log.warning("the game %s has no replay: %s", table.id, fault)
            return
        self.shelf.add(table.id, whole)
        table.kept = True

    def _record(self, id: str) -> Path:
        return self.shelf.unfinished / f"{id}.jsonl"

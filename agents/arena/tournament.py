"""Playing a tournament: many games at once, every finished one kept and none played twice."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import polars as pl

from sparring.agents.arena.schedule import Batch, Contest, Fixture, Schedule, fixtures
from sparring.agents.arena.table import SCHEMA, rows, table
from sparring.agents.core import Agent
from sparring.agents.play import Match, play_many
from sparring.agents.replay import Chances, ask_chances
from sparring.envs.core import BadInput, Episode, Game, Role

CHUNK = 4096  # games whose rows are held as Python objects before they become columns


class Progress(Protocol):
    """Told what is going on: ``planned`` games in all so far, ``done`` of them."""

    def __call__(self, done: int, planned: int) -> None: ...


def quiet(done: int, planned: int) -> None:
    """Tells nobody."""


class Keeper(Protocol):
    """Keeps what was played, so that a tournament can go on after a stop (``folder.py``)."""

    def finished(self) -> Mapping[int, Sequence[Mapping[str, Any]]]:
        """The rows of every game that was kept earlier, by index."""
        ...

    def keep(self, index: int, found: Sequence[Mapping[str, Any]]) -> None:
        """One more game has ended."""
        ...

    def wants(self, index: int, fixture: Fixture) -> bool:
        """Whether this game should be kept whole too."""
        ...

    def keep_whole(self, index: int, game: Game, episode: Episode, chances: Chances) -> None:
        """A whole game; ``chances`` of the listed answers at each turn, where known."""
        ...


@dataclass
class Columns:
    """Rows as they come, held as columns: some 150 bytes a row."""

    parts: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=SCHEMA)])
    fresh: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, found: Sequence[Mapping[str, Any]]) -> None:
        self.fresh += found
        if len(self.fresh) >= 2 * CHUNK:
            self._pack()

    def _pack(self) -> None:
        if self.fresh:
            self.parts.append(table(self.fresh))
            self.fresh = []

    def whole(self) -> pl.DataFrame:
        """All rows, in the order of the games."""
        self._pack()
        self.parts = [pl.concat(self.parts, how="diagonal")]
        return self.parts[0].sort("index", "seat")


async def play(
    contests: Sequence[Contest],
    schedule: Schedule,
    *,
    seed: int = 0,
    keeper: Keeper | None = None,
    at_once: int = 1024,
    progress: Progress = quiet,
) -> pl.DataFrame:
    """Play a tournament to its end and return its table (``table.py``).

    Raises:
        BadInput: fewer than two agents, or what the schedule does not allow.
    """
    for contest in contests:
        if len(contest.agents) < 2:
            raise BadInput(f"a tournament needs at least two agents, not {len(contest.agents)}")
    kept = keeper.finished() if keeper else {}
    found, base, round = Columns(), 0, 0
    while batches := schedule.plan(contests, round, found.whole()):
        planned = base + sum(batch.games for batch in batches)
        done = base
        for index, fixture in _numbered(batches, base, seed, round) if kept else ():
            if index in kept:
                _same(fixture, index, kept[index])
                found.add(kept[index])
                done += 1
        progress(done, planned)
        left = ((i, f) for i, f in _numbered(batches, base, seed, round) if i not in kept)
        async for index, fixture, episode in _played(left, at_once):
            now = _rows(fixture, index, episode)
            if keeper:
                if keeper.wants(index, fixture):
                    chances = await ask_chances(episode, _seats(fixture))
                    named = replace(episode, seats={row["role"]: row["agent"] for row in now})
                    keeper.keep_whole(index, fixture.contest.game, named, chances)
                keeper.keep(index, now)
            found.add(now)
            done += 1
            progress(done, planned)
        base, round = planned, round + 1
    return found.whole()


def _numbered(
    batches: Sequence[Batch], base: int, seed: int, round: int
) -> Iterator[tuple[int, Fixture]]:
    """The games of a round with their numbers in the tournament."""
    index = base
    for b in batches:
        for fixture in fixtures(b.contest, b.pairings, b.deals, seed=seed, round=round):
            yield index, fixture
            index += 1


def _same(fixture: Fixture, index: int, found: Sequence[Mapping[str, Any]]) -> None:
    """A game that was kept is the one that is planned here. Raises ``BadInput`` if not."""
    names = {row["role"]: row["agent"] for row in found if row["rated"]}
    if names != fixture.names or {row["seed"] for row in found} != {fixture.seed}:
        raise BadInput(
            f"game {index} was played by other agents or on another deal than planned now; "
            "play the tournament anew in another folder"
        )


async def _played(
    left: Iterator[tuple[int, Fixture]], at_once: int
) -> AsyncIterator[tuple[int, Fixture, Episode]]:
    """Play what is left, ``at_once`` games at a time."""
    flying: dict[int, tuple[int, Fixture]] = {}

    def matches() -> Iterator[Match]:
        for started, (index, fixture) in enumerate(left):
            flying[started] = index, fixture
            yield Match(fixture.contest.game, _seats(fixture), fixture.seed, fixture.luck)

    async for started, episode in play_many(matches(), at_once=at_once):
        yield *flying.pop(started), episode


def _seats(fixture: Fixture) -> dict[Role, Agent]:
    """Who sits where: the agents that hold a seat in all games, and those of the pairing."""
    contest, names = fixture.contest, fixture.names
    return {
        role: contest.agents[names[role]] if role in names else contest.fixed[role]
        for role in contest.game.roles
    }


def _rows(fixture: Fixture, index: int, episode: Episode) -> list[dict[str, Any]]:
    one, two = fixture.pairing
    free = fixture.names
    others = {role: two if name == one else one for role, name in free.items()}
    roles = fixture.contest.game.roles
    return rows(
        episode,
        index=index,
        round=fixture.round,
        deal=fixture.deal,
        names={role: free.get(role) or fixture.contest.fixed[role].name for role in roles},
        opponents={role: others.get(role, "") for role in roles},
        sides={role: fixture.sides.get(role, role) for role in roles},
        rated={role: role in free for role in roles},
    )

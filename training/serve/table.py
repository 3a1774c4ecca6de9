"""One game on the server: who sits there, what has happened, and whom it waits for.

``agents/play.py`` plays it. Beside it the table follows the position by the same answers (states
are values, so that costs nothing but the steps), because it must be able to say at any moment what
a seat sees, and the player in it is asked only at its own turns.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from sparring.agents.core import Agent
from sparring.agents.play import Match, play
from sparring.envs.core import Action, BadInput, Episode, Game, Observation, Role
from sparring.envs.referee import RETRIES, Refereed, RefereedState
from sparring.training.serve.backstage import Backstage
from sparring.training.serve.core import Chances, Heard, Moment, Pace, Refused, Setup

PERSON_RETRIES = 9
"""Where a person plays, so many tries more a turn: a slip of the finger is not a forfeit."""

Asks = Callable[[Observation], Awaitable[tuple[Action, Chances]]]
log = logging.getLogger(__name__)


@dataclass
class Table:
    """A game that is being played or has ended. All of it happens on the server's loop."""

    id: str
    setup: Setup
    game: Game
    pace: Pace = field(default_factory=Pace)
    moments: list[Moment] = field(default_factory=list)
    asked: Observation | None = None  # the person's turn, while it is
    said: str | None = None  # the person's answer, while it waits for the others'
    episode: Episode | None = None
    fault: str | None = None  # why the game stopped without an end
    touched: float = field(default_factory=time.monotonic)
    kept: bool = False  # there is a replay of it
    closed: bool = False  # nothing more will happen

    def __post_init__(self) -> None:
        self.state: RefereedState = Refereed(self.game, self.retries).start(self.setup.seed)
        self.changed = asyncio.Event()
        self._pending: dict[Role, Heard] = {}
        self._reply: asyncio.Future[str] | None = None
        self._told: dict[Role, deque[tuple[Action, Chances]]] = {}

    @property
    def retries(self) -> int:
        return RETRIES if self.setup.person is None else PERSON_RETRIES

    @property
    def over(self) -> bool:
        return self.episode is not None or self.fault is not None

    async def run(self, backstage: Backstage, written: Callable[[Heard], None]) -> None:
        """Play to the end. ``written`` gets every answer as it is given."""
        try:
            seats = await self._seats(backstage, written)
            match = Match(self.game, seats, self.setup.seed, self.setup.luck)
            self.episode = await play(match, self.retries)
        except BadInput as fault:
            self.fault = str(fault)
        except Exception as fault:  # of an agent or a game: this game ends, the server does not
            log.exception("the game %s of %s failed", self.id, self.setup.game)
            self.fault = f"the game failed ({type(fault).__name__}); the server's terminal says why"
        finally:
            self.notify()

    async def _seats(
        self, backstage: Backstage, written: Callable[[Heard], None]
    ) -> dict[Role, "Seat"]:
        seats = {}
        for role, name in self.setup.seats.items():
            asks: Asks = self._ask_person
            if role != self.setup.person:
                asks = _paced(self, backstage, await backstage.agent(name, self.game.name))
            seats[role] = Seat(name, self, asks, written)
        return seats

    async def _ask_person(self, seen: Observation) -> tuple[Action, Chances]:
        self.asked = seen
        self._reply = asyncio.get_running_loop().create_future()
        self.notify()
        return Action(await self._reply), None

    def answer(self, turn: int, text: str) -> None:
        """The person's answer to its ``turn``-th question, from 0.

        Raises:
            Refused: that is not the question that waits; it may have been answered already.
        """
        if self.over:
            raise Refused("the game is over")
        if self.asked is None or self._reply is None or turn != len(self.asked.turns):
            raise Refused("that turn has been answered already, or is not yours")
        self.asked, self.said = None, text
        self._reply.set_result(text)
        self.notify()

    def hear(self, heard: Heard) -> None:
        """An answer was given; when it is the last that the position waits for, step."""
        self._pending[heard.seen.role] = heard
        to_act = self.state.to_act
        if self._pending.keys() < set(to_act):
            return
        given = [self._pending[role] for role in to_act]
        roles = self.game.roles
        seen = {role: len(self.state.observe(role).messages) for role in roles}
        self.state = self.state.step({h.seen.role: h.action.text for h in given})
        rejected = self.state.rejected
        for late in set(rejected) - set(to_act):
            self._refuse_late(late)
        answers = [replace(h, accepted=h.seen.role not in rejected) for h in given]
        self.moments.append(Moment(seen, tuple(answers)))
        self._pending = {}
        waits = dict(self.state.record.accepted)  # for another's retry
        self.said = waits.get(self.setup.person or "")
        self.pace.last = time.monotonic()
        self.notify()

    def _refuse_late(self, role: Role) -> None:
        """Its answer had waited for another's retry; the rules came to it only now."""
        for at in reversed(range(len(self.moments))):
            answers = self.moments[at].answers
            if any(h.seen.role == role for h in answers):
                refused = [replace(h, accepted=h.seen.role != role and h.accepted) for h in answers]
                self.moments[at] = replace(self.moments[at], answers=tuple(refused))
                return

    def tell(self, role: Role, action: Action, chances: Chances) -> None:
        """An answer that was given to an earlier server; it will not be asked for again."""
        self._told.setdefault(role, deque()).append((action, chances))

    def told(self, role: Role) -> tuple[Action, Chances] | None:
        """The next of those answers of a role, if there is one."""
        return self._told[role].popleft() if self._told.get(role) else None

    async def turn_of(self, moment: int) -> None:
        """Wait until this moment of a game without a person may be played."""
        pace = self.pace
        while moment >= pace.allowed:
            wait = pace.last + pace.delay - time.monotonic() if pace.running else None
            if wait is not None and wait <= 0:
                return
            await self.wait(wait)

    def set_pace(self, *, running: bool | None, delay: float | None, step: bool) -> None:
        """Go on, pause, or play one more moment and pause."""
        pace = self.pace
        if step:
            pace.running, pace.allowed = False, max(pace.allowed, len(self.moments)) + 1
        if running is not None:
            pace.running = running
        if delay is not None:
            pace.delay = delay
        self.notify()

    async def wait(self, seconds: float | None) -> None:
        """Until something changes, at most so long."""
        try:
            await asyncio.wait_for(self.changed.wait(), seconds)
        except TimeoutError:
            return

    def notify(self) -> None:
        """Wake whoever waits for news of this game."""
        self.touched = time.monotonic()
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Seat:
    """Whoever sits there, and the table that hears the answer."""

    name: str
    table: Table
    asks: Asks
    written: Callable[[Heard], None]

    async def act(self, observation: Observation) -> Action:
        told = self.table.told(observation.role)
        heard = Heard(observation, *(told or await self.asks(observation)))
        if told is None:
            self.written(heard)
        self.table.hear(heard)
        return heard.action


def _paced(table: Table, backstage: Backstage, player: Agent) -> Asks:
    async def asks(seen: Observation) -> tuple[Action, Chances]:
        if table.setup.person is None:
            await table.turn_of(len(table.moments))
        return await backstage.answer(player, seen)

    return asks

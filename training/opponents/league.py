"""A league: several players learn in one run, some only to find what is wrong with the others.

In each game one player learns in one seat and its opponent has all the others; ``matchmaking.py``
has the rules, which are AlphaStar's. After it was frozen into the pool, a main exploiter begins
anew from the start of the run, and a league exploiter does so with probability 1/4.

Where a main player meets a main player both learn. Games of an exploiter against a main player
train the exploiter only: a main player that also learned from them would adapt to weak exploiters
and give up what works against strong ones.
"""

import random
from collections.abc import Mapping
from typing import Any, get_args

from sparring.agents.core import Agent
from sparring.envs.core import BadInput, Episode, Game, Role
from sparring.training.opponents.core import Opponents, Seating
from sparring.training.opponents.matchmaking import Kind, Matchmaker
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.restart import restart

RESET = 0.25  # how often a league exploiter begins anew


class League(Opponents):
    """``pool`` holds all players, ``kinds`` says what each of them is.

    Every player begins as the first main player is when the run begins (so only that one needs a
    first stage; all have the same kind of model) and has the same share of the games. The pool
    drops the oldest past self first, but never the start, nor the newest of a player.

    Args:
        soonest, latest: updates between two snapshots of a player; AlphaStar's ratio is 1 to 2.
        at_once: so many matches are drawn for each player and step, and its games are dealt among
            them; each game still meets an opponent with the probability of the rules.
        seed: of the league exploiters' luck.

    Raises:
        BadInput: the kinds do not fit the players, none is a main player, or a number is too small.
    """

    def __init__(
        self,
        pool: Pool,
        kinds: Mapping[str, Kind],
        *,
        soonest: int = 10,
        latest: int = 20,
        at_once: int = 4,
        seed: int = 0,
    ):
        if set(kinds) != set(pool.players) or "main" not in kinds.values():
            raise BadInput("a league needs a kind for each player of its pool, and a main player")
        if not set(kinds.values()) <= set(get_args(Kind)):
            raise BadInput(f"the kinds of players of a league are: {', '.join(get_args(Kind))}")
        if not 1 <= soonest <= latest or at_once < 1:
            raise BadInput("soonest, latest and at_once are at least 1, and soonest at most latest")
        self.pool = pool
        self.kinds = dict(kinds)
        self.rules = Matchmaker(pool, self.kinds, soonest, latest)
        self.at_once = at_once
        self.seed = seed
        self.frozen_at = dict.fromkeys(kinds, 0)
        self._seated = 0  # games of this step
        self._matches: dict[str, list[str]] = {}  # the opponents of each player in this step

    def seat(self, game: Game, own: Mapping[Role, Agent], luck: random.Random) -> Seating:
        if not self._matches:
            self._begin_step(luck)
        names = list(self.kinds)
        player = names[self._seated % len(names)]
        self._seated += 1
        opponent = luck.choice(self._matches[player])
        role = luck.choice(game.roles)
        both = opponent in self.kinds and self.kinds[player] == "main"
        return Seating(
            {r: self._agent(player if r == role else opponent, r) for r in game.roles},
            frozenset(game.roles if both else {role}),
            {r: player if r == role else opponent for r in game.roles},
            opponent,
        )

    def _agent(self, name: str, role: Role) -> Agent:
        return self.pool.players[name].agent if name in self.kinds else self.pool.seated(name, role)

    def _begin_step(self, luck: random.Random) -> None:
        if not self.pool.past:
            self._begin()
        self._matches = {
            name: [self.rules.opponent(name, luck) for _ in range(self.at_once)]
            for name in self.kinds
        }

    def _begin(self) -> None:
        first = self.rules.mains[0]
        start, _ = self.pool.add(0, [first])
        for name, player in self.pool.players.items():
            if name != first:
                restart(player, start.copies[first])

    def record(self, seating: Seating, episode: Episode) -> None:
        for role in seating.learning:
            player = seating.owner[role]
            if episode.void is None and player != seating.against:
                self.pool.records.add(player, seating.against, episode, role)

    def forget(self) -> None:
        self.pool.forget()

    def begin(self) -> None:
        self._matches, self._seated = {}, 0

    def updated(self, step: int) -> None:
        self.pool.records.updated()
        luck = random.Random(f"league/{self.seed}/{step}")
        for name, kind in self.kinds.items():
            if self.rules.ready(name, step - self.frozen_at[name]):
                self._freeze(name, step)
                chance = {"main": 0.0, "main_exploiter": 1.0, "league_exploiter": RESET}[kind]
                if luck.random() < chance:
                    self._begin_anew(name)

    def _freeze(self, name: str, step: int) -> None:
        newest = {self.rules.past(player)[-1] for player in self.kinds if self.rules.past(player)}
        self.pool.add(step, [name], keep={self.pool.past[0].name, *newest})
        self.frozen_at[name] = step

    def _begin_anew(self, name: str) -> None:
        restart(self.pool.players[name], next(iter(self.pool.past[0].copies.values())))
        self.pool.records.drop(name)

    def metrics(self) -> dict[str, float]:
        """The size of the pool, and the least win rate of each player against those frozen ones
        that it has met."""
        found = {"pool/members": float(len(self.pool.members))}
        records = self.pool.records
        for player in self.kinds:
            met = [name for name in self.pool.members if records.games(player, name)]
            if met:
                found[f"pool/win_rate_min@{player}"] = min(self.rules.rates(player, met))
        return found

    def state_dict(self) -> dict[str, Any]:
        return {"pool": self.pool.state_dict(), "frozen_at": dict(self.frozen_at)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.pool.load_state_dict(state["pool"])
        self.frozen_at = dict(state["frozen_at"])

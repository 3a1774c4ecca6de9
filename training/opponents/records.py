"""How the learner fares against each opponent, with what is long ago counting less.

For every (game, player, opponent), over the games played k updates ago with weight d^k,

    n = Σ d^k        win rate = Σ d^k·w / n,  w = 1 won, ½ drawn, 0 lost        payoff = Σ d^k·u / n

A win rate is ½ and a payoff 0 where there is no game yet, as in AlphaStar's league, which forgets
with every game (factor 0.99) where this forgets with every update: between two updates the player
is the same, so its games there count the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sparring.envs.core import Episode, Role

Key = tuple[str, str, str]
"""(game, player, opponent)."""

NONE = 1e-9  # a decayed number of games below it counts as none


def score(episode: Episode, role: Role) -> float:
    """1 if ``role`` got more than the others' mean payoff, 0 if less, ½ if as much."""
    others = [payoff for other, payoff in episode.payoffs.items() if other != role]
    own, mean = episode.payoffs[role], sum(others) / max(len(others), 1)
    return 0.5 if own == mean else float(own > mean)


@dataclass(slots=True)
class Tally:
    """Decayed sums: number of games, of wins, of payoffs."""

    games: float = 0.0
    wins: float = 0.0
    payoffs: float = 0.0


@dataclass
class Records:
    """``decay``: d above, in (0, 1]; 1 never forgets."""

    decay: float = 0.9
    tallies: dict[Key, Tally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is above 0 and at most 1, not {self.decay}")

    def add(self, player: str, opponent: str, episode: Episode, role: Role) -> None:
        """One game in which ``player`` sat in ``role``."""
        tally = self.tallies.setdefault((episode.game, player, opponent), Tally())
        tally.games += 1
        tally.wins += score(episode, role)
        tally.payoffs += episode.payoffs[role]

    def updated(self) -> None:
        """The player has changed."""
        for tally in self.tallies.values():
            tally.games *= self.decay
            tally.wins *= self.decay
            tally.payoffs *= self.decay

    def win_rate(self, player: str, opponent: str, game: str | None = None) -> float:
        """In ``game``, or in all games together."""
        some = self._of(player, opponent, game)
        games = sum(t.games for t in some)
        return sum(t.wins for t in some) / games if games > NONE else 0.5

    def payoff(self, player: str, opponent: str, game: str) -> float:
        """The player's mean payoff."""
        some = self._of(player, opponent, game)
        games = sum(t.games for t in some)
        return sum(t.payoffs for t in some) / games if games > NONE else 0.0

    def games(self, player: str, opponent: str, game: str | None = None) -> float:
        """n above."""
        return sum(t.games for t in self._of(player, opponent, game))

    def _of(self, player: str, opponent: str, game: str | None) -> list[Tally]:
        return [
            tally
            for (played, one, other), tally in self.tallies.items()
            if (one, other) == (player, opponent) and game in (None, played)
        ]

    def drop(self, name: str) -> None:
        """Forget all about a player or an opponent."""
        self.tallies = {key: t for key, t in self.tallies.items() if name not in key[1:]}

    def state_dict(self) -> dict[str, Any]:
        return {"tallies": [[*k, t.games, t.wins, t.payoffs] for k, t in self.tallies.items()]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.tallies = {(g, p, o): Tally(*sums) for g, p, o, *sums in state["tallies"]}

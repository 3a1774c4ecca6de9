"""Who plays whom in a league, and when a player has learned enough to be frozen.

The rules are AlphaStar's (Vinyals et al. 2019, Methods, and the pseudocode published with it), with
updates in place of environment steps; x is the player's win rate against an opponent, 1/2 before
they met.

main             1/2   anyone frozen, by f_hard with p = 2
                 0.15  a frozen main exploiter by f_hard, if x < 0.3 against one of them; else, of
                       a main player's past selves that may be ``forgotten``, one by f_hard, if
                       x < 0.7 against one of these; else as in the next line
                 0.35  a main player if x > 0.3, else one of its past selves by f_var
main exploiter   a main player if x > 0.1, else one of its past selves by f_var
league exploiter anyone frozen, by f_capped

A player is frozen once ``soonest`` updates have passed since the last time and its least x is above
0.7 (a main exploiter's against the main players, another's against all that are frozen), and in any
case after ``latest`` updates.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sparring.training.opponents.pfsp import Weighting, capped, hard, prioritised, variance
from sparring.training.opponents.pool import Pool

Kind = Literal["main", "main_exploiter", "league_exploiter"]

HARD = hard()
STRONG = 0.7  # a win rate from which an opponent counts as beaten


@dataclass
class Matchmaker:
    """The rules above for the players of ``pool``; ``kinds`` says what each of them is."""

    pool: Pool
    kinds: Mapping[str, Kind]
    soonest: int
    latest: int

    @property
    def mains(self) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind == "main"]

    def opponent(self, player: str, luck: random.Random) -> str:
        """The name of a member of the pool, or of a main player."""
        if self.kinds[player] == "league_exploiter":
            return self._drawn(player, list(self.pool.members), capped, luck)
        if self.kinds[player] == "main_exploiter":
            return self._main(player, 0.1, luck)
        coin = luck.random()
        if coin < 0.5:
            return self._drawn(player, list(self.pool.members), HARD, luck)
        if coin < 0.65 and (found := self._unsolved(player, luck)):
            return found
        return self._main(player, 0.3, luck)

    def ready(self, player: str, passed: int) -> bool:
        """Whether to freeze a player ``passed`` updates after the last time."""
        if passed < self.soonest or passed >= self.latest:
            return passed >= self.latest
        exploits = self.kinds[player] == "main_exploiter"
        others = self.mains if exploits else list(self.pool.members)
        return min(self.rates(player, others)) > STRONG

    def rates(self, player: str, opponents: Sequence[str]) -> list[float]:
        return [self.pool.records.win_rate(player, name) for name in opponents]

    def past(self, player: str) -> list[str]:
        """Its past selves, oldest first."""
        return [member.name for member in self.pool.past if player in member.copies]

    def _main(self, player: str, enough: float, luck: random.Random) -> str:
        main = luck.choice(self.mains)
        past = self.past(main)
        if main == player or self.rates(player, [main])[0] > enough or not past:
            return main
        return self._drawn(player, past, variance, luck)

    def _unsolved(self, player: str, luck: random.Random) -> str | None:
        """A frozen main exploiter, or a forgotten past self, that the player does not beat."""
        kinds = self.kinds
        exploiters = [n for e in kinds if kinds[e] == "main_exploiter" for n in self.past(e)]
        if min(self.rates(player, exploiters), default=1.0) < 1 - STRONG:
            return self._drawn(player, exploiters, HARD, luck)
        past = self.past(luck.choice(self.mains))
        old = past[: forgotten(self.rates(player, past))]
        if min(self.rates(player, old), default=1.0) < STRONG:
            return self._drawn(player, old, HARD, luck)
        return None

    def _drawn(self, player: str, names: Sequence[str], f: Weighting, luck: random.Random) -> str:
        return luck.choices(names, prioritised(self.rates(player, names), f))[0]


def forgotten(rates: Sequence[float]) -> int:
    """How many of the oldest past selves, given in order of age, may have been forgotten.

    One's past selves grow stronger, so win rates against them fall from the oldest to the newest.
    Such a falling end of the list is as it should be, and is left out.
    """
    for i in range(len(rates) - 1, 0, -1):
        if rates[i - 1] < rates[i]:
            return i + 1
    return 0

"""Against past selves: the newest few, or all of them alike.

*The newest k.* With k = 1 a self-play in which the opponent stands still for ``every`` updates;
with ``mirror=0.8`` four games in five are against the current policy (TiZero's first phase, arXiv
2302.07515, and OpenAI Five play 80 % so).

*All alike* is fictitious self-play: learn a best response to the average of the past policies,
whose average over time is an equilibrium of a two-player zero-sum game in the limit (Brown 1951;
Heinrich, Lanctot & Silver 2015). The average is the result, not the last policy: ``mixture``.
The first policies are the worst, and leave the average slowly; with ``since`` = δ only those of the
steps from δ·t to t count at step t (δ-uniform sampling, Bansal et al. 2018, arXiv 1710.03748).
"""

from collections.abc import Mapping

from sparring.envs.core import BadInput, Game, Role
from sparring.training.opponents.core import Weighted
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.pooled import CURRENT, Pooled, equally


class LastK(Pooled):
    """The newest ``k`` past selves and all fixed agents, with equal probability.

    ``current``: whether the current policy counts as one more; in the others' seats it plays but
    does not learn. For the rest see ``Pooled``.
    """

    def __init__(
        self,
        pool: Pool,
        k: int,
        *,
        every: int,
        current: bool = False,
        mirror: float = 0.0,
        at_once: int = 4,
    ):
        if k < 1:
            raise BadInput(f"the newest k past selves: k is at least 1, not {k}")
        super().__init__(pool, every=every, mirror=mirror, at_once=at_once)
        self.k = k
        self.current = current

    def past(self) -> list[str]:
        """The past selves that count now."""
        return [member.name for member in self.pool.past[-self.k :]]

    def weights(self, game: Game, role: Role) -> Mapping[str, float]:
        names = [member.name for member in self.pool.members.values() if member.fixed]
        names += self.past()
        return dict.fromkeys([*names, CURRENT] if self.current else names, 1.0)


class UniformPast(LastK):
    """All past selves and fixed agents with equal probability: fictitious self-play.

    ``since``: δ above, in [0, 1); 0 counts all of the past. A pool with a ``capacity`` forgets the
    oldest; a larger ``every`` keeps more of the past in it.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        every: int,
        since: float = 0.0,
        current: bool = False,
        mirror: float = 0.0,
        at_once: int = 4,
    ):
        if not 0 <= since < 1:
            raise BadInput(f"the past counts since a part of it in [0, 1), not {since}")
        super().__init__(pool, 1, every=every, current=current, mirror=mirror, at_once=at_once)
        self.since = since

    def past(self) -> list[str]:
        past = self.pool.past
        return [member.name for member in past if member.step >= self.since * past[-1].step]

    def mixture(self, game: Game) -> Weighted:
        """The average of the past policies that count, without the fixed agents."""
        return equally(self.pool, self.past(), game) if self.pool.past else {}

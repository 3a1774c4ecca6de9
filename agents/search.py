"""What an answer is worth with best play from both: alpha-beta search (Knuth & Moore 1975).

For two-player zero-sum games with open information and without luck, one player after the other.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from sparring.envs.core import Game, Role, State

POSITIONS = 50_000
"""So many positions are searched at most for the values of the answers at one moment."""

POSITION: dict[str, Callable[[Any], Hashable]] = {
    "ConnectFour-v0": lambda state: state.cells,
    "Nim-v0": lambda state: (state.piles, state.moved % 2),
    "TicTacToe-v0": lambda state: state.cells,
}
"""What of a state decides its future, in games where many ways lead to one position."""


class TooFar(Exception):
    """The position cannot be searched; the text says why."""


def worth(game: Game, state: State, limit: int = POSITIONS) -> dict[str, float]:
    """The value of each legal answer to the role that acts in ``state``.

    Raises:
        TooFar: there are more than ``limit`` positions to look at, or moves at the same time.
    """
    (role,) = state.to_act
    search = _Search(game, role, limit)
    low, high = game.declares.low, game.declares.high
    return {
        answer: search.at(state.step({role: answer}), low, high)
        for answer in state.observe(role).legal or ()
    }


@dataclass(slots=True)
class _Search:
    """Alpha-beta from the side of ``role``; ``known`` holds (low, high) bounds of positions."""

    game: Game
    role: Role
    limit: int
    known: dict[Hashable, tuple[float, float]] = field(default_factory=dict)
    size: int = 0

    def at(self, state: State, alpha: float, beta: float) -> float:
        """The value if it lies in (alpha, beta), else a bound of it on that side."""
        if not state.to_act:
            return state.payoffs[self.role]
        self.size += 1
        if self.size > self.limit:
            raise TooFar(
                f"the end is more than {self.limit:,} positions away; ask again later in the game"
            )
        if len(state.to_act) > 1:
            raise TooFar("several players answer at the same time later on")
        position = POSITION.get(self.game.name)
        key = position(state) if position else None
        low, high = self.known.get(key, (self.game.declares.low, self.game.declares.high))
        if key is not None and (low >= beta or high <= alpha or low == high):
            return low if low >= beta or low == high else high
        best = self._best(state, alpha, beta)
        if key is not None:
            self.known[key] = (
                best if best > alpha else low,
                best if best < beta else high,
            )
        return best

    def _best(self, state: State, alpha: float, beta: float) -> float:
        (mover,) = state.to_act
        own = mover == self.role
        best = alpha if own else beta  # fail-hard
        for answer in state.observe(mover).legal or ():
            child = state.step({mover: answer})
            if own:
                best = max(best, self.at(child, best, beta))
            else:
                best = min(best, self.at(child, alpha, best))
            if (best >= beta) if own else (best <= alpha):
                break
        return best

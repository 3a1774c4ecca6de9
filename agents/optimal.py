"""Perfect play where it is known: Kuhn poker's equilibria, TicTacToe by minimax.

Each is read from the observation alone, like any other agent.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from sparring.envs.core import Action, BadInput, Observation
from sparring.envs.games.tictactoe import EMPTY, MARKS, ROLES, winner

PolicyFunction = Callable[[Observation], Mapping[str, float]]

TWO_PLAYERS = "Cards J < Q < K,"
"""In the rules of two-player Kuhn poker; with more players there are more cards."""


def kuhn_equilibrium(alpha: float = 1 / 3) -> PolicyFunction:
    """The equilibrium of Kuhn poker with parameter ``alpha`` in [0, 1/3] (Kuhn, 1950).

    First player: bets J with probability alpha, Q never, K with 3 alpha; after check and bet it
    folds J, calls Q with alpha + 1/3, calls K. The second player's strategy is unique: after a
    check it bets J with 1/3, Q never, K always; after a bet it folds J, calls Q with 1/3, calls K.
    All of them are worth -1/18 to the first player.

    Raises:
        BadInput: alpha is outside [0, 1/3].
    """
    if not 0 <= alpha <= 1 / 3:
        raise BadInput(f"alpha is between 0 and 1/3, not {alpha}")
    bold = {  # probability of the bolder answer (bet, call), by what was said in this hand
        (): {"J": alpha, "Q": 0.0, "K": 3 * alpha},
        ("check",): {"J": 1 / 3, "Q": 0.0, "K": 1.0},
        ("bet",): {"J": 0.0, "Q": 1 / 3, "K": 1.0},
        ("check", "bet"): {"J": 0.0, "Q": alpha + 1 / 3, "K": 1.0},
    }

    def policy(observation: Observation) -> Mapping[str, float]:
        if TWO_PLAYERS not in observation.messages[0].text:
            raise BadInput("optimal play of Kuhn poker is known for two players only")
        card = ""
        said: list[str] = []
        for message in observation.messages:
            if message.text.startswith("Your card: "):
                card, said = message.text[-1], []
            elif answer := re.fullmatch(r"player_\d: (\w+)", message.text):
                said.append(answer[1])
        p = bold[tuple(said)][card]
        return {"call": p, "fold": 1 - p} if said[-1:] == ["bet"] else {"bet": p, "check": 1 - p}

    return policy


@cache
def minimax(cells: str) -> int:
    """The value for X (+1, 0, -1) of a TicTacToe board with best play from here on."""
    won = winner(cells)
    if won is not None:
        return 1 - 2 * won
    if EMPTY not in cells:
        return 0
    mark = MARKS[(9 - cells.count(EMPTY)) % 2]
    after = [minimax(cells[:i] + mark + cells[i + 1 :]) for i in range(9) if cells[i] == EMPTY]
    return max(after) if mark == MARKS[0] else min(after)


def tictactoe_optimal(ties: str = "uniform") -> PolicyFunction:
    """Minimax play. Which of several optimal cells it takes matters against weak players:
    ``ties="uniform"`` takes each with equal probability, ``ties="lowest"`` the lowest cell.

    Raises:
        BadInput: another tie-break.
    """
    if ties not in ("uniform", "lowest"):
        raise BadInput(f'ties is "uniform" or "lowest", not {ties!r}')

    def policy(observation: Observation) -> Mapping[str, float]:
        cells = EMPTY * 9
        for message in observation.messages:
            if move := re.match(r"(player_\d): (\d)\b", message.text):
                at = int(move[2]) - 1
                cells = cells[:at] + MARKS[ROLES.index(move[1])] + cells[at + 1 :]
        mark = MARKS[ROLES.index(observation.role)]
        worth = {
            str(i + 1): minimax(cells[:i] + mark + cells[i + 1 :]) * (1 if mark == "X" else -1)
            for i in range(9)
            if cells[i] == EMPTY
        }
        best = [answer for answer, value in worth.items() if value == max(worth.values())]
        chosen = best[:1] if ties == "lowest" else best
        return dict.fromkeys(chosen, 1 / len(chosen))

    return policy


def _kuhn_variant(alpha: str) -> PolicyFunction:
    try:
        return kuhn_equilibrium(float(Fraction(alpha)))
    except (ValueError, ZeroDivisionError) as fault:
        raise BadInput(f"optimal:{alpha} names no equilibrium: alpha is in [0, 1/3]") from fault


SOLUTIONS: dict[str, tuple[Callable[[], PolicyFunction], Callable[[str], PolicyFunction]]] = {
    "KuhnPoker-v0": (kuhn_equilibrium, _kuhn_variant),
    "TicTacToe-v0": (tictactoe_optimal, tictactoe_optimal),
}
"""Perfect play by game: the usual one, and the one that a word of the user's picks."""


@dataclass(frozen=True, slots=True)
class PolicyAgent:
    """Any policy (observation to probabilities of the legal answers) in a seat."""

    name: str
    choose: PolicyFunction

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        return self.choose(observation)

    async def act(self, observation: Observation) -> Action:
        chances = self.choose(observation)
        luck = random.Random(observation.seed)
        return Action(luck.choices(list(chances), list(chances.values()))[0])


def optimal(game: str, variant: str = "") -> PolicyAgent:
    """Perfect play of a registered game.

    ``variant`` picks one of several: alpha for Kuhn poker (default 1/3), the tie-break "uniform"
    (default) or "lowest" for TicTacToe.

    Raises:
        BadInput: no perfect play is known here, or no such variant of it.
    """
    if game not in SOLUTIONS:
        raise BadInput(f"no optimal play is known for {game}; for: {', '.join(SOLUTIONS)}")
    usual, picked = SOLUTIONS[game]
    if not variant:
        return PolicyAgent("optimal", usual())
    return PolicyAgent(f"optimal:{variant}", picked(variant))

"""The TextArena games that were checked here: an allow-list. ``refused.py`` has the others.

A game is admitted once its rules were read, its moves are read from the position (``moves.py``),
and ``sparring.envs.contract.check`` finds nothing on it; ``tests/adapters`` holds all three.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparring.envs.adapters.textarena import moves
from sparring.envs.adapters.textarena.moves import Moves
from sparring.envs.core import Sum

ONE_MOVE = "Answer with exactly one move, alone or in [brackets]."


@dataclass(frozen=True, slots=True)
class Family:
    """What has to be known of a game beside its code.

    ``turns`` bounds the accepted answers, read from a fresh environment. ``note`` says what
    TextArena's prompt leaves out or gets wrong. ``dealt_prompt``: the prompt holds what was dealt.
    """

    moves: Callable[[Any], Moves]
    turns: Callable[[Any], int]
    players: int = 2
    sum: Sum = Sum.ZERO
    low: float = -1.0
    high: float = 1.0
    hidden: bool = False
    free_speech: bool = False  # some moves are too many to list, or are speech
    dealt_prompt: bool = False
    note: str = ""
    answering: str = ONE_MOVE


def puzzle(
    legal: Callable[[Any], Moves], turns: Callable[[Any], int], *, hidden: bool, note: str = ""
) -> Family:
    """A game for one player, which pays from 0 to 1."""
    return Family(legal, turns, 1, Sum.GENERAL, low=0.0, hidden=hidden, note=note)


def _limit(env: Any) -> int:
    """TextArena looks at its limit before it counts the move, so one more is played."""
    return int(env.state.max_turns) + 1


def _rounds(env: Any) -> int:
    return 2 * int(env.num_rounds)


ADMITTED: dict[str, Family] = {}


def _admit(family: Family, *names: str) -> None:
    ADMITTED.update(dict.fromkeys(names, family))


_admit(Family(moves.cells, lambda env: 9), "TicTacToe-v0")
_admit(Family(moves.marked_cells, lambda env: 9), "WildTicTacToe-v0")
_admit(
    Family(
        moves.cells,
        lambda env: 25,
        players=3,
        sum=Sum.GENERAL,
        note="The winner gets 1, the two others -1; a full board pays nothing.",
    ),
    "ThreePlayerTicTacToe-v0",
)
_admit(
    Family(moves.columns, lambda env: int(env.num_rows * env.num_cols)),
    "ConnectFour-v0",
    "ConnectFour-v0-blind",
)
_admit(
    Family(moves.piles, lambda env: int(sum(env.initial_piles))),
    "Nim-v0",
    "Nim-v0-medium",
    "Nim-v0-large",
)
_admit(
    Family(
        moves.chopsticks,
        _limit,
        note="A player wins when both hands of the other are 0; at the turn limit it is a draw.",
    ),
    "Chopsticks-v0",
    "Chopsticks-v0-medium",
    "Chopsticks-v0-long",
)
_admit(
    Family(moves.cells, lambda env: int(env.board_size**2)), "SimpleTak-v0", "SimpleTak-v0-medium"
)
_admit(
    Family(
        moves.othello,
        lambda env: 2 * (int(env.N) ** 2 - 4),
        note="Where you have no valid move, answer [skip].",
    ),
    "Othello-v0-tiny",
    "Othello-v0-small",
    "Othello-v0",
)
_admit(
    Family(
        moves.alquerque,
        lambda env: int(env.MAX_MOVES),
        note="After every move, a player without a legal move or without pieces has lost; at the "
        "move limit the higher capture score wins.",
    ),
    "Alquerque-v0",
)
_admit(Family(moves.crusade, lambda env: int(env.MAX_MOVES)), "Crusade-v0")
_admit(
    Family(
        moves.memory,
        _limit,
        hidden=True,
        note="After a match you move again; at the turn limit the higher score wins.",
    ),
    "MemoryGame-v0",
)
_admit(
    Family(moves.shots, lambda env: 2 * int(env.grid_size) ** 2, hidden=True),
    "Battleship-v0-standard",
)
_admit(Family(moves.whist, lambda env: 52, hidden=True), "GermanWhist-v0")
_admit(
    Family(moves.goofspiel, lambda env: 26, hidden=True, note="The ace A is the lowest card, 1."),
    "GameOfPureStrategy-v0",
)
_admit(
    Family(
        moves.goofspiel,
        lambda env: 39,
        players=3,
        sum=Sum.GENERAL,
        hidden=True,
        note="The ace A is the lowest card, 1. First gets 1, second 0, third -1; of two who are "
        "tied both get what the better place pays if they lead, -1 if they are last; three tied "
        "get 0.",
    ),
    "ThreePlayerGOPS-v0",
)
_admit(
    Family(moves.blotto, _rounds, hidden=True, note="Who wins more rounds wins the game."),
    "ColonelBlotto-v0-small",
    "ColonelBlotto-v0",
)
_admit(
    Family(
        moves.blotto,
        _rounds,
        hidden=True,
        free_speech=True,
        note="Who wins more rounds wins the game.",
    ),
    "ColonelBlotto-v0-large",
)
_admit(Family(moves.pennies, _rounds, hidden=True), "IteratedMatchingPennies-v0")
_admit(Family(moves.throws, _rounds, hidden=True), "IteratedRockPaperScissors-v0")
_admit(
    Family(
        moves.guesses,
        _rounds,
        hidden=True,
        free_speech=True,
        note="Who wins more rounds wins the game.",
    ),
    "IteratedTwoThirdsAverage-v0",
)
_admit(
    Family(
        moves.deception,
        lambda env: int(env.state.max_turns),
        hidden=True,
        free_speech=True,
        dealt_prompt=True,
        note="player_0 is the Deceiver and speaks first, player_1 the Guesser; the last turn is "
        "the guess and counts as one of the turns.",
        answering="What you say is shown to the other player. The guess is exactly one of "
        "[Fact 1] and [Fact 2].",
    ),
    "TruthAndDeception-v0",
    "TruthAndDeception-v0-long",
)

# For one player.
_admit(
    puzzle(
        moves.number,
        lambda env: min(env.max_number - env.min_number + 1, _limit(env)),
        hidden=True,
        note="The number found pays 1; else the last guess pays 1 - distance / range.",
    ),
    "GuessTheNumber-v0",
    "GuessTheNumber-v0-hardcore",
)
_admit(
    puzzle(
        moves.code,
        _limit,
        hidden=True,
        note="The code found pays 1; else the last guess pays 1/4 a black and 1/8 a white peg. "
        "No code may be guessed twice.",
    ),
    "Mastermind-v0",
)
_admit(
    puzzle(
        moves.towers,
        _limit,
        hidden=False,
        note="Solved pays 1; else the share of disks that lie right on tower C.",
    ),
    "TowerOfHanoi-v0",
    "TowerOfHanoi-v0-medium",
)
_admit(
    puzzle(moves.secretary, lambda env: int(env.N), hidden=True),
    "Secretary-v0",
    "Secretary-v0-long",
)
_admit(puzzle(moves.cups, lambda env: 1, hidden=False), "ThreeCardMonte-v0")
_admit(
    puzzle(
        moves.blackjack,
        lambda env: 20 * int(env.num_hands),  # two aces, and a hit adds at least 1
        hidden=True,
        note="Pays the share of hands won; a draw counts nothing.",
    ),
    "Blackjack-v0",
)
_admit(
    puzzle(
        moves.slides,
        lambda env: int(env.board_size) ** 2 * int(env.target_tile) // 4,  # a move adds at least 2
        hidden=True,
        note="Reaching the tile pays 1; else what TextArena makes of score and largest tile.",
    ),
    "2048-v0-ultra-easy",
    "2048-v0-mega-easy",
)

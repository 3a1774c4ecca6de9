"""TicTacToe: player_0 has X and moves first, three in a row wins, a full board is a draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import Declaration, Message, Observation, Payoffs, Role, Sum, View, visible
from sparring.envs.messages import public, rules_first
from sparring.envs.options import flag

ROLES = ("player_0", "player_1")
MARKS = "XO"
EMPTY = "."
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))


def winner(cells: str) -> int | None:
    """The seat with three in a row on a board of nine characters, or ``None``."""
    for a, b, c in LINES:
        if cells[a] != EMPTY and cells[a] == cells[b] == cells[c]:
            return MARKS.index(cells[a])
    return None


@dataclass(frozen=True, slots=True)
class Position:
    """All that follows from a board alone."""

    to_act: tuple[Role, ...]
    legal: tuple[str, ...]
    payoffs: Payoffs
    board: str
    end: tuple[Message, ...]  # how the game ended, once it has


@cache  # 5,478 boards can be reached
def position(cells: str) -> Position:
    won = winner(cells)
    over = won is not None or EMPTY not in cells
    first = 0.0 if won is None else 1.0 - 2.0 * won
    text = "The game is a draw." if won is None else f"{ROLES[won]} wins."
    return Position(
        to_act=() if over else (ROLES[(9 - cells.count(EMPTY)) % 2],),
        legal=tuple(str(i + 1) for i, cell in enumerate(cells) if cell == EMPTY),
        payoffs={ROLES[0]: first, ROLES[1]: -first + 0.0},  # + 0.0: no negative zero
        board="\n".join(" ".join(cells[row : row + 3]) for row in (0, 3, 6)),
        end=(public(text),) if over else (),
    )


@cache
def moved(cells: str, answer: str, drawn: bool) -> tuple[str, View]:
    """The board after a legal answer, and what is said of it; ``drawn`` shows the board."""
    (role,) = position(cells).to_act
    at = int(answer) - 1
    after = cells[:at] + MARKS[ROLES.index(role)] + cells[at + 1 :]
    then = position(after)
    told = f"{role}: {answer}\n{then.board}" if drawn else f"{role}: {answer}"
    return after, (public(told), *then.end)


@dataclass(frozen=True, slots=True)
class TicTacToeState:
    log: View
    cells: str = EMPTY * 9
    drawn: bool = True  # show the board after every move

    @property
    def to_act(self) -> tuple[Role, ...]:
        return position(self.cells).to_act

    @property
    def legal(self) -> tuple[str, ...]:
        return position(self.cells).legal

    @property
    def payoffs(self) -> Payoffs:
        return dict(position(self.cells).payoffs)

    def observe(self, role: Role) -> Observation:
        now = position(self.cells)
        return Observation(role, visible(self.log, role), now.legal if role in now.to_act else ())

    def step(self, answers: Mapping[Role, str]) -> "TicTacToeState":
        now = position(self.cells)
        answer = choose(answers, now.to_act[0], now.legal)
        cells, said = moved(self.cells, answer, self.drawn)
        return TicTacToeState(self.log + said, cells, self.drawn)


@dataclass(frozen=True)
class TicTacToe:
    """TicTacToe on three by three cells."""

    board: Annotated[bool, "draw the board after every move; else only the moves are told"] = True

    name = "TicTacToe-v0"
    roles = ROLES
    declares = Declaration(sum=Sum.ZERO, hidden_information=False, max_turns=9, low=-1.0, high=1.0)

    def __post_init__(self) -> None:
        flag("board", self.board)

    def rules(self, role: Role) -> str:
        mark = MARKS[ROLES.index(role)]
        return (
            f"TicTacToe. You are {role} and play {mark}; X moves first. Three in a row wins. "
            "Cells are 1 2 3, 4 5 6, 7 8 9 from the top row down. Reply with a free cell's number."
        )

    def start(self, seed: int) -> TicTacToeState:
        """The empty board; TicTacToe has no chance, so ``seed`` changes nothing."""
        return opening(self)

    def openings(self) -> list[tuple[float, TicTacToeState]]:
        return [(1.0, self.start(0))]


@cache
def opening(game: TicTacToe) -> TicTacToeState:
    """The empty board; a value, so all games can start from the same one."""
    return TicTacToeState(rules_first(game), drawn=game.board)

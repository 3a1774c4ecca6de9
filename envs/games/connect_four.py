"""Connect Four: stones drop to the lowest free cell of a column, four in a line win.

The board is one string, rows from the top down with a line break between them. So every line of
cells is a slice of it: right, down and along both diagonals are steps of fixed length, and a line
that leaves the board at a side runs into a line break.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from sparring.envs.answers import choose
from sparring.envs.core import Declaration, Observation, Payoffs, Role, Sum, View, visible
from sparring.envs.messages import public, rules_first
from sparring.envs.options import flag, whole

ROLES = ("player_0", "player_1")
MARKS = "XO"
EMPTY = "."
NUMBERS = "123456789"


def drop(cells: str, column: int, mark: str) -> tuple[str, int]:
    """The board after ``mark`` falls into ``column`` (from 0, not full), and where it lies."""
    pitch = cells.find("\n") + 1 or len(cells) + 1
    at = cells[column::pitch].rfind(EMPTY) * pitch + column
    return cells[:at] + mark + cells[at + 1 :], at


def connects(cells: str, at: int, length: int) -> bool:
    """Whether the stone at ``at``, the last to fall, completes ``length`` in a line."""
    pitch = cells.find("\n") + 1 or len(cells) + 1
    line = cells[at] * length
    return line in cells or any(
        line in cells[at % step :: step] for step in (pitch, pitch + 1, pitch - 1)
    )


@dataclass(frozen=True, slots=True)
class ConnectFourState:
    game: "ConnectFour"
    log: View
    cells: str
    moved: int = 0
    won: int | None = None  # the seat

    @property
    def to_act(self) -> tuple[Role, ...]:
        over = self.won is not None or EMPTY not in self.cells
        return () if over else (ROLES[self.moved % 2],)

    @property
    def legal(self) -> tuple[str, ...]:
        top = zip(NUMBERS, self.cells[: self.game.columns], strict=False)
        return tuple([number for number, cell in top if cell == EMPTY])

    @property
    def payoffs(self) -> Payoffs:
        first = 0.0 if self.won is None else 1.0 - 2.0 * self.won
        return {ROLES[0]: first, ROLES[1]: -first + 0.0}  # + 0.0: no negative zero

    def observe(self, role: Role) -> Observation:
        legal = self.legal if role in self.to_act else ()
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "ConnectFourState":
        (role,) = self.to_act
        answer = choose(answers, role, self.legal)
        seat = self.moved % 2
        cells, at = drop(self.cells, int(answer) - 1, MARKS[seat])
        won = seat if connects(cells, at, self.game.connect) else None
        drawn = self.game.draw(cells) if self.game.board else ""
        log = (*self.log, public(f"{role}: {answer}{drawn}"))
        if won is not None:
            log = (*log, public(f"{role} wins."))
        elif EMPTY not in cells:
            log = (*log, public("The game is a draw."))
        return ConnectFourState(self.game, log, cells, self.moved + 1, won)


@dataclass(frozen=True)
class ConnectFour:
    """Connect Four on a board of any size up to nine by nine."""

    rows: Annotated[int, "rows of the board, 1 to 9"] = 6
    columns: Annotated[int, "columns of the board, 1 to 9"] = 7
    connect: Annotated[int, "so many in a line win"] = 4
    board: Annotated[bool, "draw the board after every move; else only the moves are told"] = True

    name = "ConnectFour-v0"
    roles = ROLES

    def __post_init__(self) -> None:
        whole("rows", self.rows, 1, 9)
        whole("columns", self.columns, 1, 9)
        whole("connect", self.connect, 2, max(self.rows, self.columns, 2))
        flag("board", self.board)

    @property
    def declares(self) -> Declaration:
        cells = self.rows * self.columns
        return Declaration(
            sum=Sum.ZERO, hidden_information=False, max_turns=cells, low=-1.0, high=1.0
        )

    def rules(self, role: Role) -> str:
        mark = MARKS[ROLES.index(role)]
        return (
            f"Connect Four. You are {role} and play {mark}; X moves first. {self.rows} rows, "
            f"{self.columns} columns, numbered from the left. A stone falls to the lowest free "
            f"cell of its column. {self.connect} in a line wins: across, down or diagonally. A "
            "full board is a draw. Reply with the number of a column that is not full."
        )

    def draw(self, cells: str) -> str:
        """The board on new lines, the columns' numbers below it."""
        rows = " ".join(cells).replace(" \n ", "\n")
        return f"\n{rows}\n{' '.join(NUMBERS[: self.columns])}"

    def start(self, seed: int) -> ConnectFourState:
        """The empty board; there is no chance, so ``seed`` changes nothing."""
        cells = "\n".join([EMPTY * self.columns] * self.rows)
        return ConnectFourState(self, rules_first(self), cells)

    def openings(self) -> list[tuple[float, ConnectFourState]]:
        return [(1.0, self.start(0))]

"""A game for any table of payoffs, shared by the tests of the solver, the referee and the env."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from sparring.envs.answers import choose, each
from sparring.envs.core import (
    Declaration,
    Message,
    Observation,
    Payoffs,
    Role,
    State,
    Sum,
    View,
    visible,
)

Cells = Mapping[tuple[str, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Matrix:
    """All roles answer at once; ``cells`` says what each gets. Not told until all have answered."""

    cells: Cells
    sum: Sum = Sum.ZERO
    total: float = 0.0
    paid_at_start: float = 0.0

    name = "Matrix-v0"

    @property
    def roles(self) -> tuple[Role, ...]:
        return tuple(f"player_{i}" for i in range(len(next(iter(self.cells)))))

    @property
    def declares(self) -> Declaration:
        paid = [payoff for cell in self.cells.values() for payoff in cell]
        return Declaration(
            sum=self.sum,
            total=self.total,
            hidden_information=False,
            max_turns=len(self.roles),
            low=min(paid),
            high=max(paid),
        )

    def legal(self, role: Role) -> tuple[str, ...]:
        seat = self.roles.index(role)
        return tuple(dict.fromkeys(answers[seat] for answers in self.cells))

    def rules(self, role: Role) -> str:
        return f"You are {role}. Answer {' or '.join(self.legal(role))}."

    def start(self, seed: int) -> "MatrixState":
        log = tuple(Message("game", self.rules(r), frozenset({r})) for r in self.roles)
        return MatrixState(self, log)

    def openings(self) -> Sequence[tuple[float, State]]:
        return [(1.0, self.start(0))]


@dataclass(frozen=True)
class MatrixState:
    game: Matrix
    log: View
    said: tuple[str, ...] = ()

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.said else self.game.roles

    @property
    def payoffs(self) -> Payoffs:
        start = (self.game.paid_at_start,) * len(self.game.roles)
        return dict(zip(self.game.roles, self.game.cells.get(self.said, start), strict=True))

    def observe(self, role: Role) -> Observation:
        legal = () if self.said else self.game.legal(role)
        return Observation(role, visible(self.log, role), legal)

    def step(self, answers: Mapping[Role, str]) -> "MatrixState":
        read = each(self.game.roles, lambda role: choose(answers, role, self.game.legal(role)))
        said = tuple(read.values())
        return replace(self, said=said, log=(*self.log, Message("game", ", ".join(said))))


def two_player(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[float]]
) -> Cells:
    """A zero-sum table from the payoffs of the player who chooses the row."""
    return {
        (row, column): (float(payoff), -float(payoff))
        for row, line in zip(rows, cells, strict=True)
        for column, payoff in zip(columns, line, strict=True)
    }


class Toys:
    """What the fixture ``toys`` gives."""

    Matrix = Matrix
    two_player = staticmethod(two_player)

    pennies = Matrix(two_player("ht", "ht", ((1, -1), (-1, 1))))
    throws = Matrix(
        two_player(
            ("rock", "paper", "scissors"),
            ("rock", "paper", "scissors"),
            ((0, -1, 1), (1, 0, -1), (-1, 1, 0)),
        )
    )
    dilemma = Matrix(
        {("c", "c"): (5, 5), ("c", "d"): (0, 10), ("d", "c"): (10, 0), ("d", "d"): (1, 1)},
        Sum.GENERAL,
    )
    three = Matrix(  # one of three is odd and pays 2; nobody is odd: nothing
        {
            (a, b, c): tuple(
                0.0 if a == b == c else -2.0 if (a, b, c).count(x) == 1 else 1.0 for x in (a, b, c)
            )
            for a in "ht"
            for b in "ht"
            for c in "ht"
        }
    )


@pytest.fixture(scope="session")
def toys() -> type[Toys]:
    return Toys

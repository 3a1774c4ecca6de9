"""Connect Four against known counts of positions, solved small boards and OpenSpiel."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput
from sparring.envs.games.connect_four import (
    EMPTY,
    MARKS,
    ConnectFour,
    ConnectFourState,
    connects,
    drop,
)


def play(game: ConnectFour, columns: str) -> ConnectFourState:
    """A game in which the stones fall into these columns."""
    state = game.start(0)
    for column in columns:
        state = state.step({state.to_act[0]: column})
    return state


def after(cells: str, ply: int, length: int) -> dict[str, bool]:
    """Every next board, and whether its last stone wins."""
    boards = {}
    for column in range((cells + "\n").index("\n")):
        if cells[column] == EMPTY:
            board, at = drop(cells, column, MARKS[ply % 2])
            boards[board] = connects(board, at, length)
    return boards


def positions(game: ConnectFour, plies: int) -> list[int]:
    """How many different positions there are after 0, 1, 2... plies; none follow a win."""
    layer, counts = {game.start(0).cells}, [1]
    for ply in range(plies):
        boards: dict[str, bool] = {}
        for cells in layer:
            boards.update(after(cells, ply, game.connect))
        counts.append(len(boards))
        layer = {board for board, won in boards.items() if not won}
    return counts


def value(game: ConnectFour) -> int:
    """+1, 0 or -1: who wins for the first player, by search to the end."""
    known: dict[str, int] = {}

    def best(cells: str, ply: int) -> int:
        if cells not in known:
            boards = after(cells, ply, game.connect)
            if any(boards.values()):
                known[cells] = 1
            else:
                known[cells] = max((-best(board, ply + 1) for board in boards), default=0)
        return known[cells]

    return best(game.start(0).cells, 0)


# --- exact numbers


def test_positions_of_the_usual_board() -> None:
    """OEIS A212693, by J. Tromp."""
    expected = [1, 7, 49, 238, 1120, 4263, 16422, 54859]
    assert positions(ConnectFour(), 7) == expected


@pytest.mark.slow
def test_more_positions_of_the_usual_board() -> None:
    assert positions(ConnectFour(), 9)[8:] == [184275, 558186]


def test_positions_of_four_by_four() -> None:
    """Tromp's count of all legal positions."""
    assert sum(positions(ConnectFour(rows=4, columns=4), 16)) == 161_029


@pytest.mark.parametrize(
    ("rows", "columns", "connect", "expected"),
    [
        (3, 3, 3, 0),
        (3, 4, 3, 1),
        (4, 3, 3, 0),
        (4, 4, 3, 1),
        (5, 3, 3, 0),
        (3, 5, 3, 1),
        (2, 4, 2, 1),
        (1, 7, 3, 0),
        (3, 4, 4, 0),
        (4, 4, 4, 0),
        (3, 5, 4, 0),
    ],
)
def test_value_of_small_boards(rows: int, columns: int, connect: int, expected: int) -> None:
    """OpenSpiel's alpha-beta search finds the same on those with three and four columns."""
    assert value(ConnectFour(rows, columns, connect)) == expected


# --- the rules


@pytest.mark.parametrize(
    ("columns", "winner"),
    [
        ("1213141", 0),  # a column
        ("1122334", 0),  # a row
        ("7766554", 0),
        ("12233434474", 0),  # a diagonal, up to the right
        ("76655454414", 0),  # up to the left
        ("71726374", 1),
        ("1122337", None),  # three are not enough
        ("11223364", None),  # nor four of both players
        ("1122335566", None),  # nor a gap
    ],
)
def test_four_in_a_line(columns: str, winner: int | None) -> None:
    state = play(ConnectFour(), columns)
    assert state.won == winner
    if winner is None:
        assert state.to_act != ()
        assert state.payoffs == {"player_0": 0.0, "player_1": 0.0}
    else:
        assert state.to_act == ()
        assert state.payoffs == {f"player_{winner}": 1.0, f"player_{1 - winner}": -1.0}
        assert state.log[-1].text == f"player_{winner} wins."


def in_line(cells: str, mark: str, length: int) -> bool:
    """The plain definition: so many cells in one direction, all within the board."""
    rows = cells.split("\n")
    at = {(r, c): cell for r, row in enumerate(rows) for c, cell in enumerate(row)}
    return any(
        all(at.get((r + i * down, c + i * right)) == mark for i in range(length))
        for r, c in at
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1))
    )


@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 5), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_lines_are_found_on_every_board(rows: int, columns: int, connect: int, seed: int) -> None:
    """Random games: the winner's line is one by its plain definition, and none was missed."""
    game, rng = ConnectFour(rows, columns, min(connect, max(rows, columns, 2))), random.Random(seed)
    state = game.start(0)
    while state.to_act:
        assert not any(in_line(state.cells, mark, game.connect) for mark in MARKS)
        state = state.step({state.to_act[0]: rng.choice(state.legal)})
    found = [seat for seat, mark in enumerate(MARKS) if in_line(state.cells, mark, game.connect)]
    assert found == ([] if state.won is None else [state.won])


def test_full_columns_are_not_legal() -> None:
    state = play(ConnectFour(), "444444")
    assert state.legal == ("1", "2", "3", "5", "6", "7")
    assert state.observe("player_0").legal == state.legal
    assert state.observe("player_1").legal == ()


def test_a_full_board_is_a_draw() -> None:
    state = play(ConnectFour(rows=1, columns=4, connect=4), "1234")
    assert state.to_act == ()
    assert state.payoffs == {"player_0": 0.0, "player_1": 0.0}
    assert state.log[-1].text == "The game is a draw."


def test_words() -> None:
    state = play(ConnectFour(rows=3, columns=4, connect=3), "22")
    assert state.log[-1].text == "player_1: 2\n. . . .\n. O . .\n. X . .\n1 2 3 4"
    bare = play(ConnectFour(rows=3, columns=4, connect=3, board=False), "22")
    assert bare.log[-1].text == "player_1: 2"


@pytest.mark.parametrize(("rows", "columns", "connect"), [(6, 7, 4), (4, 5, 3), (3, 8, 4)])
def test_plays_like_openspiel(rows: int, columns: int, connect: int) -> None:
    """Random games: same roles, answers and payoffs."""
    pyspiel = pytest.importorskip("pyspiel")
    theirs = pyspiel.load_game(f"connect_four(rows={rows},columns={columns},x_in_row={connect})")
    rng = random.Random(rows)
    for _ in range(100):
        ours, other = ConnectFour(rows, columns, connect).start(0), theirs.new_initial_state()
        while not other.is_terminal():
            assert ours.to_act == (f"player_{other.current_player()}",)
            assert [int(answer) - 1 for answer in ours.legal] == other.legal_actions()
            action = rng.choice(other.legal_actions())
            other.apply_action(action)
            ours = ours.step({ours.to_act[0]: str(action + 1)})
        assert ours.to_act == ()
        assert list(ours.payoffs.values()) == other.returns()


# --- options


@pytest.mark.parametrize(
    "game", [ConnectFour(rows=3, columns=3, connect=3), ConnectFour(4, 3, 3, board=False)], ids=str
)
def test_contract(game: ConnectFour) -> None:
    assert check(game) == []


def test_rules_say_the_options() -> None:
    rules = ConnectFour(rows=4, columns=5, connect=3).rules("player_1")
    assert "play O" in rules
    assert "4 rows, 5 columns" in rules
    assert "3 in a line" in rules
    assert ConnectFour(rows=4, columns=5).declares.max_turns == 20


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"rows": 0}, "rows must be a whole number from 1 to 9, not 0"),
        ({"columns": 10}, "columns must be a whole number from 1 to 9, not 10"),
        ({"connect": 1}, "connect must be a whole number from 2 to 7, not 1"),
        ({"rows": 3, "columns": 3, "connect": 4}, "connect must be a whole number from 2 to 3"),
        ({"board": None}, "board must be True or False, not None"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        ConnectFour(**options)

"""TicTacToe against known counts and values, all through the game's own ``step``.

Positions are memoised by the board, which holds all that the rest of the game depends on.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction as F
from functools import cache

import pytest

from sparring.envs.core import IllegalAction
from sparring.envs.games.tictactoe import LINES, TicTacToe, TicTacToeState, winner

GAME = TicTacToe(board=False)
START = "." * 9


@cache
def state_at(cells: str) -> TicTacToeState:
    return TicTacToeState((), cells, drawn=False)


@cache
def after(cells: str) -> Mapping[str, str]:
    """The board after each legal answer; empty at an end."""
    state = state_at(cells)
    if not state.to_act:
        return {}
    (role,) = state.to_act
    return {answer: state.step({role: answer}).cells for answer in state.legal}


def x_wins(cells: str) -> F:
    return F(state_at(cells).payoffs["player_0"])


@pytest.fixture(scope="module")
def boards() -> list[str]:
    """All boards that can be reached, in order of moves."""
    found = dict.fromkeys([START])
    queue = [START]
    for cells in queue:
        for board in after(cells).values():
            if board not in found:
                found[board] = None
                queue.append(board)
    return queue


def solve(pick: Callable[[str, list[F]], F]) -> F:
    """The value of the start for X, where ``pick`` says what the mover makes of the replies."""

    @cache
    def at(cells: str) -> F:
        replies = [at(board) for board in after(cells).values()]
        return pick(cells, replies) if replies else x_wins(cells)

    return at(START)


def x_to_move(cells: str) -> bool:
    return cells.count("X") == cells.count("O")


def mean(replies: list[F]) -> F:
    return sum(replies, F(0)) / len(replies)


@cache
def minimax(cells: str) -> F:
    best = max if x_to_move(cells) else min
    return best((minimax(board) for board in after(cells).values()), default=x_wins(cells))


def test_reachable_positions(boards: list[str]) -> None:
    ends = [cells for cells in boards if not state_at(cells).to_act]
    assert len(boards) == 5_478
    assert Counter(x_wins(cells) for cells in ends) == {1: 626, -1: 316, 0: 16}
    assert len(ends) == 958
    moved = Counter(9 - cells.count(".") for cells in boards)
    assert [moved[n] for n in range(10)] == [1, 9, 72, 252, 756, 1260, 1520, 1140, 390, 78]
    live = [cells for cells in boards if state_at(cells).to_act]
    assert Counter(state_at(cells).to_act for cells in live) == {
        ("player_0",): 2423,
        ("player_1",): 2097,
    }


def test_whose_turn_it_is(boards: list[str]) -> None:
    for cells in boards:
        expected = ("player_0",) if x_to_move(cells) else ("player_1",)
        assert state_at(cells).to_act in (expected, ())


def test_number_of_games() -> None:
    @cache
    def games(cells: str) -> Counter[F]:
        replies = [games(board) for board in after(cells).values()]
        return sum(replies, Counter()) if replies else Counter([x_wins(cells)])

    assert games(START) == {1: 131_184, -1: 77_904, 0: 46_080}
    assert games(START).total() == 255_168


def test_value_is_a_draw() -> None:
    assert minimax(START) == 0


@pytest.mark.parametrize(
    ("opening", "safe"),
    [(1, {5}), (3, {5}), (7, {5}), (9, {5}), (5, {1, 3, 7, 9}), (2, {1, 3, 5, 8})],
)
def test_safe_replies(opening: int, safe: set[int]) -> None:
    """A corner is answered by the centre only, the centre by a corner, an edge by one of four."""
    board = after(START)[str(opening)]
    assert {int(a) for a, cells in after(board).items() if minimax(cells) == 0} == safe


def test_random_against_random() -> None:
    @cache
    def ends(cells: str) -> dict[tuple[F, int], F]:
        replies = after(cells).values()
        if not replies:
            return {(x_wins(cells), 9 - cells.count(".")): F(1)}
        total: Counter[tuple[F, int]] = Counter()
        for board in replies:
            for end, p in ends(board).items():
                total[end] += p / len(replies)  # type: ignore[assignment]  # fractions count too
        return total  # type: ignore[return-value]

    found = ends(START)
    won = {score: sum(p for (s, _), p in found.items() if s == score) for score in (1, 0, -1)}
    assert won == {1: F(737, 1260), 0: F(8, 63), -1: F(121, 420)}
    length = {n: sum(p for (_, m), p in found.items() if m == n) for n in range(5, 10)}
    assert length == {5: F(2, 21), 6: F(37, 420), 7: F(37, 140), 8: F(1, 5), 9: F(37, 105)}
    assert sum(n * p for n, p in length.items()) == F(3203, 420)
    assert solve(lambda cells, replies: mean(replies)) == F(187, 630)


def test_best_play_against_random() -> None:
    x = solve(lambda cells, replies: max(replies) if x_to_move(cells) else mean(replies))
    o = solve(lambda cells, replies: mean(replies) if x_to_move(cells) else min(replies))
    assert (x, -o) == (F(191, 192), F(874, 945))
    assert x - o == F(116_101, 60_480)  # NashConv of uniform play


def test_every_line_wins() -> None:
    for line in LINES:
        for seat, mark in enumerate("XO"):
            assert winner("".join(mark if i in line else "." for i in range(9))) == seat
    assert len(set(LINES)) == 8
    assert winner(START) is None


def play(game: TicTacToe, *answers: str) -> TicTacToeState:
    state = game.start(0)
    for answer in answers:
        state = state.step({state.to_act[0]: answer})
    return state


def test_what_is_told() -> None:
    state = play(TicTacToe(), "1", "4", "2", "5", "3")
    assert [m.text for m in state.observe("player_1").messages[-2:]] == [
        "player_0: 3\nX X X\nO O .\n. . .",
        "player_0 wins.",
    ]
    assert [m.text for m in play(GAME, "1", "4").observe("player_1").messages[1:]] == [
        "player_0: 1",
        "player_1: 4",
    ]


def test_ends() -> None:
    second = play(GAME, "1", "4", "2", "5", "9", "6")
    assert second.payoffs == {"player_0": -1.0, "player_1": 1.0}
    draw = play(GAME, *"513746829")
    assert draw.payoffs == {"player_0": 0.0, "player_1": 0.0}
    assert draw.observe("player_0").messages[-1].text == "The game is a draw."
    assert (second.to_act, draw.to_act) == ((), ())
    declared = TicTacToe().declares
    assert (declared.max_turns, declared.low, declared.high) == (9, -1.0, 1.0)


def test_no_negative_zero() -> None:
    """It would be printed as -0."""
    assert str(play(GAME).payoffs["player_1"]) == "0.0"


@pytest.mark.parametrize("answer", ["1", "0", "10", "X", "1.0", "one", "2 3", "-2"])
def test_no_such_cell(answer: str) -> None:
    with pytest.raises(IllegalAction):
        play(GAME, "1").step({"player_1": answer})


def test_the_board_changes_only_the_words() -> None:
    for answers in ("15", "1524", "513746829"):
        drawn, told = play(TicTacToe(), *answers), play(GAME, *answers)
        assert drawn.cells == told.cells
        assert (drawn.to_act, drawn.legal, drawn.payoffs) == (told.to_act, told.legal, told.payoffs)

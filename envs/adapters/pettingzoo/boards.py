"""PettingZoo's board games, and rock-paper-scissors, in words."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from sparring.envs.adapters.pettingzoo.game import Kind
from sparring.envs.core import BadInput, Declaration, Role, Sum
from sparring.envs.options import number, whole

MARKS = ".XO"
STONES = ".XO"  # go: empty, black, white (-1)
THROWS = ("rock", "paper", "scissors", "spock", "lizard")
FILES = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # go: without I

_GO = threading.RLock()
_GO_GLOBALS = ("N", "ALL_COORDS", "EMPTY_BOARD", "NEIGHBORS", "DIAGONALS")


def _duel(turns: int, *, hidden: bool = False, most: float = 1.0) -> Declaration:
    return Declaration(
        sum=Sum.ZERO, hidden_information=hidden, max_turns=turns, low=-most, high=most
    )


def _tictactoe_rules(env: Any, role: Role) -> str:
    mark = MARKS[env.possible_agents.index(role) + 1]
    return (
        f"TicTacToe. You are {role} and play {mark}; X moves first. Three in a row wins 1, a full "
        "board pays nothing. Cells are numbered in columns: 0 1 2 down the left one, 3 4 5 down "
        "the middle, 6 7 8 down the right. Reply with a free cell, like: cell 4"
    )


def _tictactoe_board(env: Any) -> str:
    """PettingZoo numbers the cells column by column."""
    squares = env.board.squares
    return "\n".join(" ".join(MARKS[squares[3 * c + r]] for c in range(3)) for r in range(3))


def _connect_four_rules(env: Any, role: Role) -> str:
    mark = MARKS[env.possible_agents.index(role) + 1]
    return (
        f"Connect Four on 6 rows and 7 columns. You are {role} and play {mark}; X moves first. A "
        "piece falls to the lowest free row of its column. Four in a row, across, up or "
        "diagonally, win 1; a full board pays nothing. Reply with a column from 0, the left one, "
        "to 6, like: column 3"
    )


def _connect_four_board(env: Any) -> str:
    rows = [" ".join(MARKS[cell] for cell in env.board[7 * r : 7 * r + 7]) for r in range(6)]
    return "\n".join(["0 1 2 3 4 5 6", *rows])


def _chess_rules(env: Any, role: Role) -> str:
    side = ("white", "black")[env.possible_agents.index(role)]
    return (
        f"Chess. You are {role} and play {side}; white moves first and has the capitals. Reply "
        "with a move from square to square, like e2e4 (castling moves the king: e1g1; a promotion "
        "names the piece: e7e8q). Checkmate wins 1. A stalemate is a draw. So is a position in "
        "which nobody can win, or in which a draw may be claimed: by fifty moves, or by threefold "
        "repetition, also by a move that could follow."
    )


def _chess_label(env: Any, action: int) -> str:
    player = env.possible_agents.index(env.agent_selection)
    utils = import_module("pettingzoo.classic.chess.chess_utils")
    return str(utils.action_to_move(env.board, action, player).uci())


def _chess_board(env: Any) -> str:
    ranks = str(env.board).splitlines()
    return "\n".join([*(f"{8 - i} {rank}" for i, rank in enumerate(ranks)), "  a b c d e f g h"])


def _go_rules(env: Any, role: Role) -> str:
    black = env.possible_agents.index(role) == 0
    n, last = env._N, FILES[env._N - 1]
    return (
        f"Go on {n} x {n} points. You are {role} and play {'X (black)' if black else 'O (white)'}; "
        f"black moves first. Suicide and retaking a ko at once are illegal. Two passes end the "
        f"game, and after {_go_limit(env)} turns all pass. Stones and enclosed points are counted; "
        f"white gets {env._komi:g} more; the higher count wins 1. Reply with a point, columns A to "
        f"{last} (no I), rows 1 to {n} from the bottom, like C3, or with: pass"
    )


def _go_limit(env: Any) -> int:
    """The library knows only a simple ko, so stones can be taken in turn for ever."""
    return 4 * int(env._N) ** 2


def _go_label(env: Any, action: int) -> str:
    row, column = divmod(action, env._N)
    return "pass" if row == env._N else f"{FILES[column]}{env._N - row}"


def _go_board(env: Any) -> str:
    n = env._N
    rows = [" ".join(STONES[int(stone)] for stone in row) for row in env._go.board]
    ranks = [f"{n - i:2} {row}" for i, row in enumerate(rows)]
    return "\n".join([*ranks, "   " + " ".join(FILES[:n])])


def _go_cut(env: Any, turns: int) -> int | None:
    return int(env._N) ** 2 if turns >= _go_limit(env) else None


@contextmanager
def _go_alone(env: Any) -> Iterator[None]:
    """The board size is a global of the library: set it to this game's, then back."""
    base = import_module("pettingzoo.classic.go.go_base")
    with _GO:
        outside = {name: getattr(base, name) for name in _GO_GLOBALS}
        try:
            if env is not None:
                env._overwrite_go_global_variables(env._N)
            yield
        finally:
            for name, value in outside.items():
                setattr(base, name, value)


def _go_checks(board_size: Any, komi: Any) -> None:
    whole("board_size", board_size, 2, 19)
    number("komi", komi, -361, 361)
    if komi % 1 != 0.5:
        raise BadInput(f"komi must end in .5, not {komi!r}: the library pays a drawn game to white")


def _rps_rules(env: Any, role: Role) -> str:
    names = [_rps_label(env, action) for action in range(env._none)]
    ways = ", ".join(
        f"{one} beats {' and '.join(losers)}"
        for one in names
        if (losers := [two for two in names if _rps_beats(names.index(one), names.index(two))])
    )
    return (
        f"Rock, paper, scissors, {env.max_cycles} rounds. You are {role}. Both throw at once: "
        f"{ways}. A round won pays 1, a round lost -1. Reply with one throw."
    )


def _rps_beats(one: int, two: int) -> bool:
    """Of throws as near as their numbers are even the lower wins, else the higher."""
    return one != two and (one < two) == ((one + two) % 2 == 0)


def _rps_label(env: Any, action: int) -> str:
    return THROWS[action] if action < len(THROWS) else f"throw {action + 1}"


def _rps_checks(num_actions: Any, max_cycles: Any) -> None:
    whole("num_actions", num_actions, 3, 99)
    whole("max_cycles", max_cycles, 1, 10_000)
    if num_actions % 2 == 0:
        raise BadInput(f"num_actions must be odd, not {num_actions}")


BOARDS = {
    "tictactoe_v3": Kind(
        module="tictactoe.tictactoe",
        rules=_tictactoe_rules,
        label=lambda env, action: f"cell {action}",
        declares=lambda env: _duel(9),
        board=_tictactoe_board,
    ),
    "connect_four_v3": Kind(
        module="connect_four.connect_four",
        rules=_connect_four_rules,
        label=lambda env, action: f"column {action}",
        declares=lambda env: _duel(42),
        board=_connect_four_board,
    ),
    "chess_v6": Kind(
        module="chess.chess",
        rules=_chess_rules,
        label=_chess_label,
        # At most 96 pawn moves and 30 captures, and fewer than 100 moves of others between them.
        declares=lambda env: _duel(100 * 127),
        board=_chess_board,
    ),
    "go_v5": Kind(
        module="go.go",
        rules=_go_rules,
        label=_go_label,
        declares=lambda env: _duel(_go_limit(env)),
        board=_go_board,
        cut=_go_cut,
        alone=_go_alone,
        options={"board_size": 19, "komi": 7.5},
        checks=_go_checks,
    ),
    "rps_v2": Kind(
        module="rps.rps",
        rules=_rps_rules,
        label=_rps_label,
        declares=lambda env: _duel(2 * env.max_cycles, hidden=True, most=float(env.max_cycles)),
        simultaneous=True,
        options={"num_actions": 3, "max_cycles": 15},
        checks=_rps_checks,
    ),
}

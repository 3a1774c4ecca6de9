"""Games on a board or with dice, in the open or half hidden."""

import re

from sparring.envs.adapters.openspiel.render.base import Parameters, Renderer
from sparring.envs.adapters.openspiel.render.words import cell, lower, raw, spaced, swap, without

THREE = "Cells are 1 2 3, 4 5 6, 7 8 9 from the top row down. Answer with the number of a cell."


def _mark(seat: int) -> str:
    return "x" if seat == 0 else "o"


def _tic_tac_toe(known: Parameters, seat: int) -> str:
    return f"You play {_mark(seat)}; x moves first. Three in a row wins. {THREE}"


def _phantom(known: Parameters, seat: int) -> str:
    again = "you move again" if known["gameversion"] == "classical" else "your turn is lost"
    return (
        f"TicTacToe in which you do not see the other's marks. You play {_mark(seat)}; x moves "
        f"first. Three in a row wins. If the cell is taken by the other, you see that and {again}. "
        f"{THREE}"
    )


def _nim(known: Parameters, seat: int) -> str:
    last = "loses" if known["is_misere"] else "wins"
    return f"In turn take any number of objects from one pile. Whoever takes the last one {last}."


def _piles(text: str, _: Parameters) -> str:
    return f"Piles 1, 2, ...: {text.partition(':')[2].strip()}"


def _dark_hex(known: Parameters, seat: int) -> str:
    again = "you move again" if known["gameversion"] == "cdh" else "your turn is lost"
    goal = "the top and the bottom row" if seat == 0 else "the left and the right column"
    return (
        "Hex in which you do not see the other's stones. player_0 has x and moves first, player_1 "
        f"has o. You win by a chain of your own stones that joins {goal}. A cell a1 touches its "
        "neighbours in its row and column, and those one up and right or one down and left. If the "
        f"other has a stone there already, you see that and {again}."
    )


def _hex_board(text: str, known: Parameters) -> str:
    """Columns are letters, rows numbers; each row lies half a cell right of the one above."""
    rows = text.splitlines()
    board, rest = rows[: known["num_rows"]], rows[known["num_rows"] :]
    letters = "  " + " ".join("abcdefghijklmnopqrstuvwxyz"[: known["num_cols"]])
    drawn = [f"{' ' * i}{i + 1} {' '.join(row)}" for i, row in enumerate(board)]
    return "\n".join([letters, *drawn, *rest])


def _battleship(known: Parameters, seat: int) -> str:
    again = "may" if known["allow_repeated_shots"] else "may not"
    return (
        f"A board of {known['board_height']} rows and {known['board_width']} columns each, (row, "
        f"column) from 0. Each first places ships of lengths {known['ship_sizes']}, worth "
        f"{known['ship_values']}, unseen by the other; then in turn each has "
        f"{known['num_shots']} shots and {again} shoot at a place again. You get the worth of the "
        f"ships that you sink, less {known['loss_multiplier']:g} times the worth of your own that "
        "are sunk. On your board letters are your ships, in capitals where hit, * a shot into the "
        "water; among your shots # is a hit, @ a miss."
    )


def _connect_four(known: Parameters, seat: int) -> str:
    return (
        f"You play {_mark(seat)}; x moves first. Drop a piece into a column; "
        f"{known['x_in_row']} in a row, column or diagonal win. Answer with the number of a column."
    )


def _columns(text: str, known: Parameters) -> str:
    return f"{' '.join(str(i + 1) for i in range(known['columns']))}\n{spaced(text)}"


def _column(name: str) -> str:
    return str(int(name[1:]) + 1) if name[1:].isdigit() else name


def _ultimate(known: Parameters, seat: int) -> str:
    return (
        f"Nine small boards on a large one. You play {_mark(seat)}; x moves first. Three in a row "
        "win a small board, three small boards in a row the game. The cell that you take is the "
        f"board on which the other must move; if that is decided, it first names a board. {THREE} "
        "Boards are numbered likewise."
    )


def _ultimate_board(text: str, _: Parameters) -> str:
    kept = without("Current player")(text, {})
    return re.sub(r"Forced board: (\d)", lambda m: f"Board to play: {int(m[1]) + 1}", kept).replace(
        "Forced board: any", "Board to play: any"
    )


def _ultimate_cell(name: str) -> str:
    board = re.search(r"board (\d)", name)
    at = f"board {int(board[1]) + 1}" if board else name
    return f"{at} cell {cell(name)}" if "(" in name else at


def _dots(known: Parameters, seat: int) -> str:
    paid = (
        "the boxes you have more" if known["utility_margin"] else "1 for more boxes, -1 for fewer"
    )
    return (
        f"{known['num_rows']} by {known['num_cols']} boxes. In turn draw a line between two dots; "
        "who closes a box owns it and draws again. h 0 1 is the horizontal line in row 0 of dots, "
        "second from the left; v 0 1 the vertical line in row 0 of boxes, second. Boxes of "
        f"player_0 are marked 1, those of player_1 2. You get {paid}."
    )


def _mancala(known: Parameters, seat: int) -> str:
    side = "1 to 6 below, your store is on the right"
    if seat == 1:
        side = "8 to 13 above, from right to left, your store is on the left"
    return (
        f"Kalah. Your pits are {side}. Answer with a pit: its seeds are sown one by one "
        "counterclockwise, into your store too, not the other's. The last seed in your store: you "
        "move again. The last seed in an empty pit of yours, with seeds opposite: it and those go "
        "to your store. When a side is empty, the other gets its own seeds; most seeds win."
    )


def _breakthrough(known: Parameters, seat: int) -> str:
    mine = "b, on top, and move down" if seat == 0 else "w, at the bottom, and move up"
    return (
        f"You have {mine}; player_0 (b) moves first. A piece moves one step straight or diagonally "
        "forward, and takes diagonally only. Who reaches the far row or takes all wins. a7b6 moves "
        "from a7 to b6; a star marks a capture."
    )


def _othello(known: Parameters, seat: int) -> str:
    return (
        f"You play {_mark(seat)}; x moves first. Place a disc so that discs of the other lie in a "
        "line between it and another of yours: those turn over. No such move: pass. Most discs at "
        "the end win."
    )


def _pig(known: Parameters, seat: int) -> str:
    return (
        f"In your turn roll a die with {known['diceoutcomes']} sides as often as you like; the "
        "points add up, but a 1 loses all points of the turn and ends it. stop keeps them. The "
        f"first to {known['winscore']} wins 1, the others lose; after {known['horizon']} answers "
        "nobody has won."
    )


YACHT = (
    "Five dice, up to three rolls a turn: choose which dice to reroll (places from 0), then score "
    "in one free category. Each category once; when all are full, the highest total wins."
)
HANGMAN = (
    "Guess the letters of a hidden word. A right letter gains 1 and is shown, a wrong one loses 1; "
    "the whole word gains 100, too many wrong letters lose 100."
)

BOARDS = {
    "tic_tac_toe": Renderer(_tic_tac_toe, lambda text, _: spaced(text), cell),
    "phantom_ttt": Renderer(_phantom, lambda text, _: spaced(text), cell),
    "nim": Renderer(_nim, _piles, swap({r"pile:(\d+), take:(\d+)": r"take \2 from pile \1"})),
    "dark_hex": Renderer(_dark_hex, _hex_board),
    "battleship": Renderer(_battleship, raw, swap({r"^Pl\d: ": "", " with top-left corner": ""})),
    "connect_four": Renderer(_connect_four, _columns, _column),
    "ultimate_tic_tac_toe": Renderer(_ultimate, _ultimate_board, _ultimate_cell),
    "dots_and_boxes": Renderer(_dots, raw, swap({r"P\d\((\w),(\d+),(\d+)\)": r"\1 \2 \3"})),
    "mancala": Renderer(_mancala, without("Current player", "Move number")),
    "breakthrough": Renderer(_breakthrough, lambda text, _: spaced(text)),
    "othello": Renderer(_othello, without("Terminal"), lower),
    "pig": Renderer(_pig, without("Current player"), chance=True),
    "yacht": Renderer(YACHT, raw),
    "python_hangman": Renderer(
        HANGMAN, without("Num guesses"), swap({"Guess letter ": ""}), hidden=True
    ),
}

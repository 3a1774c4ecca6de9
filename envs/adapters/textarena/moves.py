"""What may be answered in TextArena's games: read from the position of a game that was checked.

Each function looks at an environment and answers with the exact legal moves as TextArena writes
them between its brackets, or with ``Open`` where they are too many to list, or with ``Speech``.
``tests/adapters`` holds the lists against TextArena: what is listed it accepts, what is not it
refuses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, product
from typing import Any

MANY = 400
"""More moves than this are not listed."""


@dataclass(frozen=True, slots=True)
class Open:
    """Too many to list: answers of one form, with a few examples."""

    form: re.Pattern[str]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speech:
    """The player says what it likes."""

    examples: tuple[str, ...]


Moves = tuple[str, ...] | Open | Speech


def _board(env: Any) -> Any:
    return env.state.game_state["board"]


def cells(env: Any) -> Moves:
    """The numbers of the empty cells, row by row."""
    board = _board(env)
    size = len(board)
    return tuple(str(r * size + c) for r in range(size) for c in range(size) if not board[r][c])


def marked_cells(env: Any) -> Moves:
    """Either mark in any empty cell."""
    return tuple(f"{mark} {cell}" for cell in cells(env) for mark in "XO")  # type: ignore[union-attr]


def columns(env: Any) -> Moves:
    return tuple(f"col {c}" for c, top in enumerate(_board(env)[0]) if top == ".")


def piles(env: Any) -> Moves:
    """Any number from any pile."""
    all_piles = enumerate(env.state.game_state["piles"])
    return tuple(f"{i} {take}" for i, pile in all_piles for take in range(1, pile + 1))


def chopsticks(env: Any) -> Moves:
    """Attacks between living hands, and every other split of one's own fingers."""
    mine = env.state.game_state["hands"][env.state.current_player_id]
    theirs = env.state.game_state["hands"][1 - env.state.current_player_id]
    attacks = [f"attack {m} {o}" for m, o in product((0, 1), (0, 1)) if mine[m] and theirs[o]]
    total = sum(mine)
    splits = [f"split {n} {total - n}" for n in range(total + 1) if n != mine[0]]
    return (*attacks, *splits)


def othello(env: Any) -> Moves:
    piece = "WB"[env.state.current_player_id == 0]
    return tuple(f"{r}, {c}" for r, c in env._valid_moves(piece)) or ("skip",)


def alquerque(env: Any) -> Moves:
    """One step forward, or a jump over a neighbour in any direction."""
    return tuple(_alquerque(env, env.state.current_player_id))


def _alquerque(env: Any, player: int) -> Iterator[str]:
    board, size = _board(env), len(_board(env))
    mine, theirs = ("R", "B") if player == 0 else ("B", "R")
    steps = [(dr, dc, False) for dr, dc in env.forward_dirs[player]]
    jumps = [(2 * dr, 2 * dc, True) for dr, dc in env.neighbours]
    for r, c in product(range(size), range(size)):
        for dr, dc, jump in (*steps, *jumps) if board[r][c] == mine else ():
            to_r, to_c = r + dr, c + dc
            if not (0 <= to_r < size and 0 <= to_c < size) or board[to_r][to_c]:
                continue
            if not jump or board[r + dr // 2][c + dc // 2] == theirs:
                yield f"{'abcde'[c]}{size - r} {'abcde'[to_c]}{size - to_r}"


def crusade(env: Any) -> Moves:
    written = env._legal_moves_for_player(env.state.current_player_id)
    return tuple(move.strip("[]") for move in written)


def memory(env: Any) -> Moves:
    """Any two cards that are still face down, in either order."""
    size, gone = env.grid_size, env.state.game_state["matched_positions"]
    down = [cell for cell in product(range(size), range(size)) if cell not in gone]
    return tuple(f"{a} {b} {c} {d}" for (a, b), (c, d) in permutations(down, 2))


def shots(env: Any) -> Moves:
    """Every square that this player has not fired at."""
    tracked = env.state.game_state["tracking_board"][env.state.current_player_id]
    size = range(len(tracked))
    return tuple(f"{chr(65 + r)}{c}" for r, c in product(size, size) if tracked[r][c] == "~")


def whist(env: Any) -> Moves:
    player = env.state.current_player_id
    hand = env.state.game_state["players"][player]["hand"]
    fits = (env._is_valid_play(player, card) for card in hand)
    return tuple(f"play {i}" for i, fit in enumerate(fits, start=1) if fit)


def goofspiel(env: Any) -> Moves:
    hand = env.state.game_state["player_hands"][env.state.current_player_id]
    return tuple(env._val_to_face(card) for card in hand)


def blotto(env: Any) -> Moves:
    """Every division of the units over the fields, where they are few."""
    fields, units = env.field_names, env.num_total_units
    whole = tuple(_divisions(fields, units)) if len(fields) <= 3 and units <= 20 else ()
    if 0 < len(whole) <= MANY:
        return whole
    even = [units // len(fields)] * len(fields)
    even[0] += units % len(fields)
    first = [units] + [0] * (len(fields) - 1)
    examples = tuple(_allocation(fields, each) for each in (even, first, first[::-1]))
    more = len(fields) - 1
    form = re.compile(rf"[a-zA-Z]\d{{1,3}}(?: [a-zA-Z]\d{{1,3}}){{0,{more}}}")
    return Open(form, examples)


def _divisions(fields: list[str], units: int) -> Iterator[str]:
    places = units + len(fields) - 1
    for bars in combinations(range(places), len(fields) - 1):
        edges = (-1, *bars, places)
        yield _allocation(fields, [b - a - 1 for a, b in pairwise(edges)])


def _allocation(fields: list[str], units: list[int]) -> str:
    return " ".join(f"{field}{n}" for field, n in zip(fields, units, strict=True))


def pennies(env: Any) -> Moves:
    return ("heads", "tails")


def throws(env: Any) -> Moves:
    return ("rock", "paper", "scissors")


def guesses(env: Any) -> Moves:
    """A number from 0 to 100, with decimals."""
    return Open(re.compile(r"[0-9]{1,3}(?:\.[0-9]{0,6})?"), ("0", "20", "33.3", "50"))


def deception(env: Any) -> Moves:
    """Talk, and at the last turn the guess, which is the listener's."""
    if env.state.turn == env.state.max_turns - 1:
        return ("Fact 1", "Fact 2")
    return Speech(("Fact 1 is the correct one.", "I am not so sure.", "Tell me more about Fact 2."))


def number(env: Any) -> Moves:
    numbers = range(env.min_number, env.max_number + 1)
    return tuple(str(n) for n in numbers if n not in env.guessed_numbers)


def code(env: Any) -> Moves:
    """Every code of different digits that was not tried yet."""
    tried = [entry["guess"] for entry in env.state.game_state["history"]]
    codes = permutations(range(1, env.num_numbers + 1), env.code_length)
    return tuple(" ".join(map(str, each)) for each in codes if list(each) not in tried)


def towers(env: Any) -> Moves:
    tower = env.state.game_state["towers"]
    pairs = [(a, b) for a, b in permutations("ABC", 2) if tower[a]]
    return tuple(f"{a} {b}" for a, b in pairs if not tower[b] or tower[b][-1] > tower[a][-1])


def secretary(env: Any) -> Moves:
    return ("accept", "continue")


def cups(env: Any) -> Moves:
    return tuple(str(cup) for cup in range(env.num_cups))


def blackjack(env: Any) -> Moves:
    return ("hit", "stand")


def slides(env: Any) -> Moves:
    """The directions in which a tile of 2048 moves or merges."""
    board = _board(env)
    lines = {
        "up": [list(column) for column in zip(*board, strict=True)],
        "down": [list(column)[::-1] for column in zip(*board, strict=True)],
        "left": [list(row) for row in board],
        "right": [list(row)[::-1] for row in board],
    }
    return tuple(way for way, each in lines.items() if any(map(_slides, each)))


def _slides(line: list[int]) -> bool:
    tiles = [tile for tile in line if tile]
    gap = line[: len(tiles)] != tiles
    return gap or any(a == b for a, b in pairwise(tiles))

"""Games a CPU-second with random legal agents: our core and our PettingZoo view against peers.

    pip install -e '.[textarena,openspiel,classic]'
    python benchmarks/envs.py             prints the table; leaves out peers that are not there
    python benchmarks/envs.py --check     exits 1 if a goal is missed (all peers must be there)

Everybody plays the same way: read what the player to move may see, choose a legal answer at random,
step, to the end; then read the rewards. Contestants take turns, so that a busy machine slows all of
them alike, and each is the median of its rounds. Goals: core at least 3 times TextArena raw and 0.8
times the hand-written class; PettingZoo view at least 5 times PettingZoo's own wrapped TicTacToe
and faster than TextArena raw.
"""

import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from sparring.envs import game, make

Play = Callable[[random.Random], object]
"""Plays one whole game with this luck."""

GAMES = ("TicTacToe-v0", "KuhnPoker-v0(hands=3)", "SimpleNegotiation-v0")
"""As long as the peers' games of these names: TextArena's Kuhn poker is three hands."""

GOALS = (
    # (whose, at least so many times, whom, in which games)
    ("core", 3.0, "TextArena raw", GAMES),
    ("core", 0.8, "hand-written class", GAMES[:1]),
    ("PettingZoo view", 5.0, "PettingZoo wrapped", GAMES[:1]),
    ("PettingZoo view", 1.0, "TextArena raw", GAMES),
)


@dataclass(frozen=True)
class Options:
    """Measure games a CPU-second."""

    seconds: float = 0.5
    """CPU time of one round of one contestant."""
    rounds: int = 7
    """Rounds; the median counts."""
    check: bool = False
    """Exit with 1 if a goal is missed or a peer is not installed."""


def core(name: str) -> Play:
    """Our bare game: text views, legal answers, one step an answer."""
    rules = game(name)

    def play(luck: random.Random) -> object:
        state = rules.start(luck.getrandbits(32))
        while to_act := state.to_act:
            answers = {}
            for role in to_act:
                seen = state.observe(role)
                answers[role] = luck.choice(seen.legal or seen.examples)
            state = state.step(answers)
        return state.payoffs

    return play


def view(name: str) -> Play:
    """The same game as a PettingZoo environment."""
    env = make(name)

    def play(luck: random.Random) -> object:
        env.reset(seed=luck.getrandbits(32))
        for _ in env.agent_iter():
            _, _, over, cut, info = env.last()
            legal = info["legal_actions"] or info.get("examples")
            env.step(None if over or cut else luck.choice(legal))
        return None

    return play


class HandWritten:
    """TicTacToe as one would write it by hand for a language model: a prompt and a legal list each
    move, and each move read from its text. The limit for a suite in Python."""

    LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))

    def reset(self) -> None:
        self.board = ["."] * 9
        self.player = 0
        self.winner: int | None = None
        self.over = False

    def observe(self) -> tuple[str, list[str]]:
        b = self.board
        rows = f"{b[0]} {b[1]} {b[2]}\n{b[3]} {b[4]} {b[5]}\n{b[6]} {b[7]} {b[8]}"
        legal = [str(i + 1) for i, cell in enumerate(b) if cell == "."]
        prompt = f"You are {'XO'[self.player]}.\n{rows}\nLegal: {', '.join(legal)}"
        return prompt, legal

    def step(self, text: str) -> None:
        cell = int(text.strip()) - 1
        if not 0 <= cell < 9 or self.board[cell] != ".":
            raise ValueError("illegal")
        mark = "XO"[self.player]
        self.board[cell] = mark
        if any(all(self.board[i] == mark for i in line) for line in self.LINES):
            self.winner, self.over = self.player, True
        elif "." not in self.board:
            self.over = True
        self.player = 1 - self.player


def hand_written(name: str) -> Play:
    env = HandWritten()

    def play(luck: random.Random) -> object:
        env.reset()
        while not env.over:
            _, legal = env.observe()
            env.step(luck.choice(legal))
        return env.winner

    return play


def textarena(name: str, suffix: str) -> Play:
    """TextArena with ``suffix`` of its ids; a fresh environment a game where its wrappers keep the
    last game's text."""
    import textarena as ta

    full = name.partition("(")[0] + suffix
    answers = _textarena_answers(name)
    held = ta.make(full) if suffix == "-raw" else None

    def play(luck: random.Random) -> object:
        env = held or ta.make(full)
        env.reset(num_players=2, seed=luck.getrandbits(32))
        over = False
        while not over:
            _, seen = env.get_observation()
            over, _ = env.step(answers(env, seen, luck))
        return env.close()

    return play


def _textarena_answers(name: str) -> Callable[[Any, Any, random.Random], str]:
    """Legal answers from the state itself: reading them out of its text would only slow it."""

    def tictactoe(env: Any, seen: Any, luck: random.Random) -> str:
        board = env.state.game_state["board"]
        free = [3 * r + c for r in range(3) for c in range(3) if board[r][c] == ""]
        return f"[{luck.choice(free)}]"

    def kuhn(env: Any, seen: Any, luck: random.Random) -> str:
        moves = env.state.game_state["current_legal_action_tree"]
        return f"[{luck.choice(list(moves))}]"

    def negotiation(env: Any, seen: Any, luck: random.Random) -> str:
        state = env.state
        player = state.current_player_id
        own = state.game_state["player_resources"][player]
        if state.game_state.get("current_offer") and luck.random() < 0.25:
            return "[Deny]"
        held = [kind for kind, amount in own.items() if amount > 0]
        return f"[Offer: 1 {luck.choice(held)} -> 1 {luck.choice(list(own))}]"

    return dict(zip(GAMES, (tictactoe, kuhn, negotiation), strict=True))[name]


def pettingzoo(name: str, raw: bool) -> Play:
    from pettingzoo.classic import tictactoe_v3

    env = tictactoe_v3.raw_env() if raw else tictactoe_v3.env()

    def play(luck: random.Random) -> object:
        env.reset(seed=luck.getrandbits(31))
        for _ in env.agent_iter():
            seen, _, over, cut, _ = env.last()
            if over or cut:
                env.step(None)
            else:
                mask = seen["action_mask"]
                env.step(luck.choice([i for i in range(9) if mask[i]]))
        return None

    return play


def openspiel(name: str) -> Play:
    """OpenSpiel from Python, with the observation string and the string of every legal action."""
    import pyspiel

    rules = pyspiel.load_game("tic_tac_toe" if name == GAMES[0] else "kuhn_poker")
    hands = 1 if name == GAMES[0] else 3

    def play(luck: random.Random) -> object:
        for _ in range(hands):
            state = rules.new_initial_state()
            while not state.is_terminal():
                if state.is_chance_node():
                    outcomes = [action for action, _ in state.chance_outcomes()]
                    state.apply_action(luck.choice(outcomes))
                    continue
                player = state.current_player()
                state.information_state_string(player)
                legal = state.legal_actions(player)
                for action in legal:
                    state.action_to_string(player, action)
                state.apply_action(luck.choice(legal))
        return state.returns()

    return play


PEERS: dict[str, tuple[Callable[[str], Play], tuple[str, ...]]] = {
    "core": (core, GAMES),
    "PettingZoo view": (view, GAMES),
    "hand-written class": (hand_written, GAMES[:1]),
    "OpenSpiel with strings": (openspiel, GAMES[:2]),
    "TextArena raw": (lambda name: textarena(name, "-raw"), GAMES),
    "TextArena default": (lambda name: textarena(name, ""), GAMES),
    "PettingZoo raw": (lambda name: pettingzoo(name, raw=True), GAMES[:1]),
    "PettingZoo wrapped": (lambda name: pettingzoo(name, raw=False), GAMES[:1]),
}
"""Contestant to what makes it play a game, and the games that it has."""


def speed(play: Play, seconds: float, seed: int) -> float:
    """Games a second of this process's CPU time."""
    luck, done = random.Random(seed), 0
    began = now = time.process_time()
    while now - began < seconds:
        for _ in range(10):
            play(luck)
        done += 10
        now = time.process_time()
    return done / (now - began)


def measure(options: Options, console: Console) -> dict[tuple[str, str], float]:
    """Median games a CPU-second of every contestant that is installed, by (contestant, game)."""
    plays: dict[tuple[str, str], Play] = {}
    for peer, (maker, names) in PEERS.items():
        for name in names:
            try:
                plays[peer, name] = maker(name)
            except ImportError as fault:
                console.print(f"left out: {peer} ({fault})")
                break
    found: dict[tuple[str, str], list[float]] = {key: [] for key in plays}
    for turn in range(options.rounds):
        for key, play in plays.items():
            found[key].append(speed(play, options.seconds, turn))
    return {key: statistics.median(speeds) for key, speeds in found.items()}


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    console = Console(highlight=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = measure(options, console)
    table = Table(title="games a CPU-second, as a ratio to our core", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in GAMES:
        table.add_column(name.replace("-v0", "").replace("(", "\n("), justify="right")
    for peer in PEERS:
        cells = [
            f"{found[peer, name] / found['core', name]:.2f}" if (peer, name) in found else ""
            for name in GAMES
        ]
        table.add_row(peer, *cells)
    console.print(table)
    per_game = ", ".join(f"{name} {found['core', name]:,.0f}" for name in GAMES)
    console.print(f"our core, games a CPU-second: {per_game}")
    missed = 0
    for whose, least, whom, names in GOALS:
        for name in names:
            if (whom, name) in found:
                ratio = found[whose, name] / found[whom, name]
                missed += ratio < least
                verdict = "met" if ratio >= least else "MISSED"
                console.print(f"{name}: {whose} / {whom} = {ratio:.2f}, goal {least:g}: {verdict}")
            else:
                missed += 1
                console.print(f"{name}: {whose} / {whom}: {whom} is not installed")
    return int(options.check and missed > 0)


if __name__ == "__main__":
    sys.exit(main())

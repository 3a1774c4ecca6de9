"""PettingZoo's classic games through the adapter, against the library itself."""

import random
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from sparring.envs import contract
from sparring.envs.adapters import pettingzoo as adapter
from sparring.envs.adapters.pettingzoo import held
from sparring.envs.contract import CHECKS, positions, views
from sparring.envs.core import BadInput, Game, Role
from sparring.envs.referee import Refereed

pygame = pytest.importorskip("pygame", reason="needs pip install 'sparring[classic]'")
pytest.importorskip("rlcard", reason="needs pip install 'sparring[classic]'")
pytest.importorskip("chess", reason="needs pip install 'sparring[classic]'")

SMALL: dict[str, Mapping[str, Any]] = {
    "tictactoe_v3": {},
    "connect_four_v3": {},
    "leduc_holdem_v4": {},
    "texas_holdem_v4": {},
    "texas_holdem_no_limit_v6": {},
    "rps_v2": {"num_actions": 5, "max_cycles": 4},
    "go_v5": {"board_size": 3, "komi": 0.5},
}
ONE_GAME = (
    "the declaration makes sense",
    "the same seed gives the same game",
    "views only grow",
)
CARD_GAMES = ("leduc_holdem_v4", "texas_holdem_v4", "texas_holdem_no_limit_v6")


def random_game(game: Game, seed: int) -> tuple[Any, list[dict[Role, str]]]:
    """The end of a random game, and the answers that led there."""
    state, rng, moves = game.start(seed), random.Random(f"player {seed}"), []
    while state.to_act:
        moves.append({role: rng.choice(state.observe(role).legal or ()) for role in state.to_act})
        state = state.step(moves[-1])
    return state, moves


@pytest.mark.parametrize("name", SMALL)
def test_contract(name: str, few: None) -> None:
    game = adapter.load(name, **SMALL[name])
    for promise, look in CHECKS.items():
        assert look(game), promise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"), [("chess_v6", {}), ("go_v5", {"board_size": 5, "komi": 0.5})]
)
def test_long_games_keep_what_a_few_games_can_show(
    name: str, options: Mapping[str, Any], few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the contract takes minutes; it was kept when these games were added."""
    for module in (contract, positions, views):
        monkeypatch.setattr(module, "SEEDS", range(1))
    game = adapter.load(name, **options)
    for promise in ONE_GAME:
        assert CHECKS[promise](game)


def test_a_chess_position_is_a_value() -> None:
    state = _played(adapter.load("chess_v6").start(0), "e2e4 e7e5 g1f3")
    before = state.observe("player_1")
    once, again = _played(state, "b8c6"), _played(state, "b8c6")
    assert _played(state, "d7d6").observe("player_0") != once.observe("player_0")
    assert once.observe("player_0") == again.observe("player_0")
    assert state.observe("player_1") == before


@pytest.mark.parametrize("name", [*SMALL, "chess_v6"])
def test_the_library_pays_the_same(name: str) -> None:
    """The same seed and actions in PettingZoo's own, wrapped environment: the same rewards."""
    import pettingzoo

    options = dict(SMALL.get(name, {}))
    game = adapter.load(name, **options)
    for seed in range(2 if name == "chess_v6" else 30):
        end, moves = random_game(game, seed)
        state, env = game.start(seed), pettingzoo.make("aec", f"classic/{name}", **options)
        env.reset(seed=seed)
        got = dict.fromkeys(game.roles, 0.0)
        waiting: list[tuple[Role, int]] = []
        for agent in env.agent_iter():
            _, reward, over, cut, _ = env.last()
            got[agent] += reward
            if over or cut:
                env.step(None)
                continue
            if not waiting:
                if not moves:  # our limit: all pass
                    env.step(options["board_size"] ** 2)
                    continue
                answers = moves.pop(0)
                waiting = [(r, state.legal[r][label]) for r, label in answers.items()]
                state = state.step(answers)
            role, action = waiting.pop(0)
            assert role == agent
            env.step(action)
        assert not moves
        assert got == pytest.approx(end.payoffs)
        assert sum(got.values()) == pytest.approx(0.0)


@pytest.mark.parametrize("name", CARD_GAMES)
def test_nobody_sees_the_other_hand(name: str) -> None:
    """The cards in a role's view are its own and the public ones, all of them."""
    game = adapter.load(name)
    for seed in range(40):
        end, _ = random_game(game, seed)
        cards = held.release(end.held).env.game
        for i, role in enumerate(game.roles):
            text = "\n".join(m.text for m in end.observe(role).messages[1:])
            if name == "leduc_holdem_v4":
                assert set(re.findall(r"Your card: (.)", text)) == {cards.players[i].hand.rank}
                continue
            seen = set(re.findall(r"\b[2-9TJQKA][shdc]\b", text))
            assert seen == _written([*cards.players[i].hand, *cards.public_cards])


def _written(cards: list[Any]) -> set[str]:
    return {f"{card.rank}{card.suit.lower()}" for card in cards}


def test_leduc_says_what_rlcard_deals() -> None:
    game = adapter.load("leduc_holdem_v4")
    for seed in range(20):
        state = game.start(seed)
        (first,) = state.to_act
        (other,) = set(game.roles) - {first}
        assert state.legal[first] == {"call": 0, "raise": 1, "fold": 2}
        end = state.step({first: "fold"})
        assert end.payoffs == {first: -0.5, other: 0.5}  # the small blind, in big blinds


def test_tictactoe_and_connect_four_by_hand() -> None:
    """Both number what they show as their rules say: the left column of TicTacToe is 0 1 2."""
    columns = ("cell 0", "cell 3", "cell 1", "cell 7", "cell 2")
    end = _answered(adapter.load("tictactoe_v3").start(0), columns)
    assert end.payoffs == {"player_1": 1.0, "player_2": -1.0}
    assert end.observe("player_1").messages[-2].text == "X O .\nX . O\nX . ."
    drops = ("column 0", "column 6", "column 0", "column 6", "column 0", "column 6", "column 0")
    end = _answered(adapter.load("connect_four_v3").start(0), drops)
    assert end.payoffs == {"player_0": 1.0, "player_1": -1.0}
    rows = end.observe("player_0").messages[-2].text.splitlines()
    assert rows[0] == "0 1 2 3 4 5 6"
    assert rows[3:] == ["X . . . . . .", *["X . . . . . O"] * 3]


def _answered(state: Any, answers: tuple[str, ...]) -> Any:
    for answer in answers:
        (role,) = state.to_act
        state = state.step({role: answer})
    return state


def test_leduc_by_hand() -> None:
    """Both raise all they can: 7 big blinds change hands, or none."""
    state = adapter.load("leduc_holdem_v4").start(0)
    state = _answered(state, ("raise", "raise", "call") * 2)
    assert state.to_act == ()
    assert set(map(abs, state.payoffs.values())) in ({7.0}, {0.0})


def test_the_longest_poker_hands_are_within_the_declared_length() -> None:
    for name in CARD_GAMES:
        game = adapter.load(name)
        slow = ("check", "raise half the pot", "raise", "raise the pot", "check or call", "call")
        for seed in range(30):
            state, rng = game.start(seed), random.Random(seed)
            turns = 0
            while state.to_act:
                (role,) = state.to_act
                open_ones = [a for a in slow if a in state.legal[role]]
                pick = open_ones[0] if rng.random() < 0.8 else rng.choice(open_ones)
                state, turns = state.step({role: pick}), turns + 1
            assert turns <= game.declares.max_turns


def test_chess_counts_and_mates() -> None:
    game = adapter.load("chess_v6")
    state = game.start(0)
    moves = state.observe("player_0").legal or ()
    assert len(moves) == 20
    replies = sum(len(state.step({"player_0": move}).legal["player_1"]) for move in moves)
    assert replies == 400
    end = _played(state, "f2f3 e7e5 g2g4 d8h4")
    assert end.to_act == ()
    assert end.payoffs == {"player_0": -1.0, "player_1": 1.0}
    assert "8 r n b . k b n r" in end.observe("player_0").messages[-2].text


def test_chess_names_promotions_castling_and_the_side_of_black() -> None:
    start = adapter.load("chess_v6").start(0)
    white = _played(start, "a2a4 b7b5 a4b5 a7a6 b5a6 h7h5 a6a7 h5h4")
    assert {"a7b8q", "a7b8n", "a7b8r", "a7b8b"} <= set(white.legal["player_0"])
    knight = _played(white, "a7b8n")
    assert "8 r N b q k b n r" in knight.observe("player_1").messages[-1].text
    castled = _played(start, "e2e4 e7e5 g1f3 g8f6 f1c4 f8c5 e1g1 e8g8")
    assert "1 R N B Q . R K ." in castled.observe("player_0").messages[-1].text
    assert "8 r n b q . r k ." in castled.observe("player_0").messages[-1].text


def _played(state: Any, moves: str) -> Any:
    return _answered(state, tuple(moves.split()))


def test_go_boards_of_two_sizes_beside_each_other() -> None:
    base = import_module("pettingzoo.classic.go.go_base")
    outside = base.N
    small, large = (adapter.load("go_v5", board_size=n, komi=0.5) for n in (3, 5))
    one, two = small.start(0), large.start(0)
    for move in ("A1", "C3", "B2"):
        one, two = _played(one, move), _played(two, move)
    assert len(one.legal["white_0"]) == 7
    assert len(two.legal["white_0"]) == 23
    assert outside == base.N


def test_go_counts_by_hand_and_ends_by_passes() -> None:
    state = adapter.load("go_v5", board_size=3, komi=0.5).start(0)
    assert _played(state, "B2 pass pass").payoffs == {"black_0": 1.0, "white_0": -1.0}
    assert _played(state, "pass pass").payoffs == {"black_0": -1.0, "white_0": 1.0}  # komi
    corner = _played(state, "B1 A1 A2")
    assert corner.observe("white_0").messages[-1].text == " 3 . . .\n 2 X . .\n 1 . X .\n   A B C"


def test_go_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from sparring.envs.adapters.pettingzoo import boards

    monkeypatch.setattr(boards, "_go_limit", lambda env: 3)
    state = _played(adapter.load("go_v5", board_size=3, komi=0.5).start(0), "B2 A1 C3")
    assert state.to_act == ()
    assert state.payoffs == {"black_0": 1.0, "white_0": -1.0}


def test_rock_paper_scissors_is_simultaneous_and_its_rules_are_the_library() -> None:
    game = adapter.load("rps_v2", num_actions=5, max_cycles=1)
    throws = game.start(0).observe("player_0").legal or ()
    assert throws == ("rock", "paper", "scissors", "spock", "lizard")
    rules = game.rules("player_0")
    for one in throws:
        for two in throws:
            end = game.start(0).step({"player_0": one, "player_1": two})
            wins = {
                a.split(" beats ")[0]: a.split(" beats ")[1].split(" and ")
                for a in rules.split("at once: ")[1].split(". ")[0].split(", ")
            }
            expected = 1.0 if two in wins[one] else -1.0 if one in wins[two] else 0.0
            assert end.payoffs["player_0"] == expected
            assert end.to_act == ()


def test_illegal_answers_never_reach_the_library() -> None:
    game = Refereed(adapter.load("connect_four_v3"), retries=0)
    end = game.start(0).step({"player_0": "column 9"})
    assert end.payoffs == {"player_0": -1.0, "player_1": 1.0}
    assert end.forfeits == ("player_0",)


def test_a_game_leaves_numpys_luck_alone() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    random_game(adapter.load("texas_holdem_v4"), 5)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index, union-attr]


def test_names() -> None:
    forms = ("classic/chess_v6", "classic/chess-v6", "chess_v6", "chess-v6")
    assert {adapter.load(form).name for form in forms} == {"pettingzoo:classic/chess_v6"}
    go = adapter.load("go_v5", board_size=5, komi=7.5)
    assert go.name == "pettingzoo:classic/go_v5(board_size=5)"
    assert {name.partition("/")[2] for name in adapter.available()} == {*SMALL, "chess_v6"}


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("chess_v5", {}, "did you mean classic/chess_v6"),
        ("gin_rummy_v4", {}, "there are: classic/chess_v6"),
        ("classic/hanabi-v5", {}, "use openspiel:hanabi"),
        ("chess_v6", {"render_mode": "human"}, "it has none"),
        ("go_v5", {"size": 5}, "its options: board_size, komi"),
        ("go_v5", {"board_size": 20}, "board_size must be a whole number from 2 to 19"),
        ("go_v5", {"komi": 7}, "komi must end in .5"),
        ("go_v5", {"komi": "a"}, "komi must be a number"),
        ("rps_v2", {"num_actions": 4}, "num_actions must be odd"),
        ("rps_v2", {"max_cycles": 0}, "max_cycles must be a whole number"),
    ],
)
def test_bad_input(name: str, options: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput, match=line.replace("(", r"\(")) as fault:
        adapter.load(name, **options)
    assert "\n" not in str(fault.value)


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'rlcard'", name="rlcard")

    monkeypatch.setattr(held, "import_module", missing)
    with pytest.raises(BadInput, match=r"pip install 'sparring\[classic\]'"):
        adapter.load("leduc_holdem_v4")

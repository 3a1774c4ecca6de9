"""TextArena's games through the adapter, against the library itself."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sparring.envs.adapters import textarena as adapter
from sparring.envs.adapters.textarena import held
from sparring.envs.adapters.textarena.catalogue import ADMITTED
from sparring.envs.adapters.textarena.game import TextArenaGame, TextArenaState
from sparring.envs.adapters.textarena.moves import Speech
from sparring.envs.adapters.textarena.refused import REFUSED, why_refused
from sparring.envs.contract import CHECKS
from sparring.envs.core import BadInput, IllegalAction
from sparring.envs.referee import Refereed

textarena = pytest.importorskip("textarena", reason="needs pip install 'sparring[textarena]'")

PAGE = Path(__file__).parents[2] / "docs" / "adapters" / "textarena.md"

BIG = {  # many legal moves at many turns: what tries them all takes minutes
    "Battleship-v0-standard",
    "ColonelBlotto-v0",
    "ColonelBlotto-v0-small",
    "Crusade-v0",
    "Mastermind-v0",
    "MemoryGame-v0",
    "Othello-v0",
}
TRIES_ALL = ("legal answers are understood", "no text does harm", "views only grow")


def random_game(game: TextArenaGame, seed: int) -> Iterator[tuple[TextArenaState, str]]:
    """The positions of a random game, each with the answer that was given to come there."""
    state, rng, answer = game.start(seed), random.Random(f"player {seed}"), ""
    yield state, answer
    while state.to_act:
        (role,) = state.to_act
        seen = state.observe(role)
        answer = rng.choice(seen.legal or seen.examples)
        state = state.step({role: answer})
        yield state, answer


@pytest.mark.parametrize("name", adapter.available())
def test_contract(name: str, few: None) -> None:
    game = adapter.load(name)
    for promise, look in CHECKS.items():
        if name not in BIG or promise not in TRIES_ALL:
            assert look(game), promise


@pytest.mark.parametrize("name", adapter.available())
def test_the_library_plays_the_same_game(name: str) -> None:
    """The same seed and moves in TextArena's own raw environment: the same rewards and words."""
    game = adapter.load(name)
    for seed in range(3):
        played = list(random_game(game, seed))
        end = played[-1][0]
        luck = random.getstate()
        env = textarena.make(f"{name}-raw")
        env.reset(num_players=len(game.roles), seed=held.own_seed(seed))
        for (before, _), (_, answer) in pairwise(played):
            assert not env.state.done
            assert game.roles[env.state.current_player_id] == before.actor
            env.step(answer if isinstance(before.moves, Speech) else f"[{answer}]")
        random.setstate(luck)
        assert env.state.done
        rewards, _ = env.close()
        assert end.payoffs == {role: rewards[i] for i, role in enumerate(game.roles)}
        for i, role in enumerate(game.roles):
            skip = () if game.family.dealt_prompt else ("PROMPT",)
            told = [
                text.strip("\n")
                for _, text, kind in env.state.observations[i]
                if kind.name not in (*skip, "PLAYER_ACTION")
            ]
            ours = [m.text for m in end.observe(role).messages[1:-1] if m.sender == "game"]
            assert sorted(ours) == sorted(told)  # all that TextArena tells it, and nothing else


@pytest.mark.parametrize("name", adapter.available())
def test_exactly_the_listed_moves_are_taken(name: str) -> None:
    """What is listed TextArena accepts; moves listed elsewhere in the game, but not here, not."""
    game, rng = adapter.load(name), random.Random(0)
    states = [s for seed in range(4) for s, _ in random_game(game, seed) if s.to_act]
    listing = [s for s in states if isinstance(s.moves, tuple)]
    states = [s for s in listing if s.moves != ("skip",)]  # where Othello takes any word
    pool = sorted({move for s in states for move in s.moves})
    for state in rng.sample(states, min(len(states), 40)):
        for move in rng.sample(state.moves, min(len(state.moves), 8)):
            held.move(state.held, f"[{move}]")
        others = [move for move in pool if move not in state.moves]
        for move in rng.sample(others, min(len(others), 8)):
            with pytest.raises(held.Refused):
                held.move(state.held, f"[{move}]")


@pytest.mark.parametrize("name", adapter.available())
def test_the_prompt_is_the_same_in_every_deal(name: str) -> None:
    """Else it would not be in the rules, which do not know the deal."""
    prompts = set()
    for seed in range(12):
        _, said, _ = held.open_game(name, ADMITTED[name].players, seed)
        prompts.add(tuple((s.text, s.to) for s in said if s.kind == "PROMPT"))
    assert (len(prompts) > 1) == ADMITTED[name].dealt_prompt


def digest() -> str:
    """Of all words and payoffs of a few games of every kind."""
    seen = hashlib.sha256()
    for name in adapter.available():
        for seed in (0, 7):
            *_, (end, _) = random_game(adapter.load(name), seed)
            views = [m.text for role in end.game.roles for m in end.observe(role).messages]
            seen.update(repr((name, views, end.payoffs)).encode())
    return seen.hexdigest()


@pytest.mark.slow
def test_games_are_the_same_in_any_process() -> None:
    """Whatever the order of sets, which Python draws anew for every process."""
    script = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    found = {digest()}
    for order in ("0", "12345"):
        env = {**os.environ, "PYTHONHASHSEED": order}
        run = subprocess.run(
            [sys.executable, "-c", script], env=env, check=True, capture_output=True, text=True
        )
        found.add(run.stdout.strip())
    assert len(found) == 1


def test_a_draw_of_the_game_is_not_a_draw_of_the_player() -> None:
    """A player with ``random.Random(seed)`` does not find the number of game ``seed`` at once."""
    hits = 0
    for seed in range(60):
        state = adapter.load("GuessTheNumber-v0").start(seed)
        guess = str(random.Random(seed).randint(1, 20))
        hits += not state.step({"player_0": guess}).to_act
    assert hits <= 12  # 3 expected


def test_the_callers_luck_is_left_alone_and_does_not_matter() -> None:
    game = adapter.load("Blackjack-v0")
    lines = []
    for luck in (1, 2):
        random.seed(luck)
        state = game.start(5)
        before = random.getstate()
        while state.to_act:
            random.random()
            state = state.step({"player_0": "hit"})
        random.setstate(before)
        assert random.getstate() == before
        lines.append(state.observe("player_0").messages)
    assert lines[0] == lines[1]


def test_an_invalid_move_is_never_counted() -> None:
    """TextArena would give one more try, then end the game: ours is the referee."""
    game = adapter.load("ColonelBlotto-v0-large")
    state = game.start(0)
    for _ in range(3):
        with pytest.raises(IllegalAction, match="TextArena refuses this: You have to allocate"):
            state.step({"player_0": "[A1 B2 C3]"})
    after = state.step({"player_0": "A10 B10 C10 D10 E10"})
    assert after.to_act == ("player_1",)
    refereed = Refereed(game, retries=1).start(0)
    for text in ("junk", "A1"):
        refereed = refereed.step({"player_0": text})
    assert refereed.forfeits == ("player_0",)
    assert refereed.payoffs == {"player_0": -1.0, "player_1": 1.0}


@pytest.mark.parametrize("text", ["[A50] [B50]", "A50 [junk] [C50] [D50]", "50", "", "[]"])
def test_an_open_answer_has_one_reading_or_none(text: str) -> None:
    with pytest.raises(IllegalAction, match="Reply with one move like"):
        adapter.load("ColonelBlotto-v0-large").start(0).step({"player_0": text})


def test_an_open_answer_may_be_marked_in_a_sentence() -> None:
    state = adapter.load("IteratedTwoThirdsAverage-v0").start(0)
    state = state.step({"player_0": "I say [ 20 ]!"}).step({"player_1": "30."})
    assert "Player 0 wins the round" in state.observe("player_1").messages[-1].text


def test_speech_is_shown_as_it_was_said() -> None:
    """TextArena takes ``[Deceiver]`` out of what a player says, and its wrappers clip the rest."""
    state = adapter.load("TruthAndDeception-v0").start(0)
    words = "[Deceiver] says [GAME] [Player 1]: " + "x" * 2000
    state = state.step({"player_0": f" {words}\n"})
    message = state.observe("player_1").messages[-1]
    assert (message.sender, message.text) == ("player_0", words)


def test_a_guess_of_both_facts_is_no_guess() -> None:
    """TextArena pays it as right."""
    state = adapter.load("TruthAndDeception-v0").start(0)
    for _ in range(5):
        state = state.step({state.actor: "Hm."})
    assert state.observe("player_1").legal == ("Fact 1", "Fact 2")
    with pytest.raises(IllegalAction, match="names several"):
        state.step({"player_1": "[Fact 1] or [Fact 2]"})
    ends = [state.step({"player_1": fact}).payoffs["player_1"] for fact in ("Fact 1", "Fact 2")]
    assert sorted(ends) == [-1.0, 1.0]


def test_only_the_deceiver_reads_which_fact_is_right() -> None:
    state = adapter.load("TruthAndDeception-v0").start(0)
    told = {r: state.observe(r).messages[1].text for r in ("player_0", "player_1")}
    assert "(correct)" in told["player_0"]
    assert "(correct)" not in told["player_1"]


def test_payoffs_by_hand() -> None:
    state = adapter.load("TicTacToe-v0").start(0)
    for answer in ("0", "3", "[1]", "I take [ 4 ]"):
        state = state.step({state.actor: answer})
    end = state.step({"player_0": "2"})
    assert end.payoffs == {"player_0": 1.0, "player_1": -1.0}
    line = "The game is over. Rewards: player_0 +1, player_1 -1. Player 0 has won!"
    assert end.observe("player_1").messages[-1].text == line
    nim = adapter.load("Nim-v0").start(0)
    for answer in ("0 3", "1 4", "2 5"):
        nim = nim.step({nim.actor: answer})
    assert nim.payoffs == {"player_0": 1.0, "player_1": -1.0}


def test_a_failure_of_the_library_is_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    game = Refereed(adapter.load("Nim-v0"))
    monkeypatch.setattr("textarena.envs.Nim.env.NimEnv._check_game_over", None)
    state = game.start(0).step({"player_0": "0 1"})
    assert state.to_act == ()
    assert state.void == "TextArena fails: TypeError(\"'NoneType' object is not callable\")"


def test_every_id_is_admitted_or_refused_with_a_reason() -> None:
    ids = [
        i for i in textarena.envs.registration.ENV_REGISTRY if not i.endswith(("-raw", "-train"))
    ]
    assert len(ids) > 200
    for name in ids:
        if name in ADMITTED:
            assert why_refused(name) is None
            continue
        with pytest.raises(BadInput, match=f"textarena:{name} is refused: ") as fault:
            adapter.load(name)
        assert "\n" not in str(fault.value)
    names = {*ids, *(name.partition("-v0")[0] for name in ids)}
    assert set(REFUSED) <= names
    assert set(ADMITTED) <= names


def test_the_page_says_what_is_admitted_and_what_is_refused() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in ADMITTED:
        assert f"`{name}`" in page
    for name, reason in REFUSED.items():
        assert f"| `{name}` | {reason} |" in page


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("KuhnPoker-v0-long", {}, "use KuhnPoker-v0$"),
        ("Battleship-v0", {}, "use textarena:Battleship-v0-standard"),
        ("TicTacToe-v0-raw", {}, "write textarena:TicTacToe-v0, not"),
        ("TicTacToe-v0-train", {}, "write textarena:TicTacToe-v0, not"),
        ("Snake-v0", {}, "not checked here yet"),
        ("TicTacTo-v0", {}, "did you mean TicTacToe-v0"),
        ("x", {}, "TextArena has no game 'x'; there are: 2048"),
        ("Nim-v0", {"piles": [1]}, "has no option 'piles'"),
    ],
)
def test_bad_input(name: str, options: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput, match=line) as fault:
        adapter.load(name, **options)
    assert "\n" not in str(fault.value)


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'textarena'", name="textarena")

    monkeypatch.setattr(held, "import_module", missing)
    with pytest.raises(BadInput, match=r"pip install 'sparring\[textarena\]'"):
        adapter.load("Nim-v0")
    with pytest.raises(BadInput, match="not Kuhn poker"):  # said without the library too
        adapter.load("KuhnPoker-v0")


# Some of the defects for which games are refused, shown. Where one of these fails the defect is
# gone: read the game again.


def fresh(name: str, players: int = 2) -> Any:
    env = textarena.make(f"{name}-raw")
    luck = random.getstate()
    env.reset(num_players=players, seed=0)
    random.setstate(luck)
    return env


def test_kuhn_poker_of_textarena_has_a_pot_of_two() -> None:
    env = fresh("KuhnPoker-v0")
    env.step("[bet]")
    assert env.state.game_state["pot"] == 2


def test_indian_poker_of_textarena_ends_a_hand_after_one_check() -> None:
    env = fresh("IndianPoker-v0")
    rounds = []
    for _ in range(3):
        env.step("[check]")
        rounds.append(env.state.game_state["current_round"])
    assert rounds == [1, 2, 3]


def test_a_blind_auction_of_textarena_takes_losing_bids() -> None:
    env = fresh("SimpleBlindAuction-v0-quick")
    for action in ("hello", "hello", "[Bid on Item 0: 300]", "[Bid on Item 0: 301]"):
        env.step(action)
    assert env.state.game_state["remaining_capital"] == {0: 450, 1: 449}


def test_high_society_of_textarena_may_be_tied_for_ever() -> None:
    env = fresh("HighSociety-v0")
    for _ in range(200):
        env.step("[5]")
    assert env.state.game_state["round"] == 1


def test_iterated_ultimatums_of_textarena_pay_two_who_accept_all_nothing() -> None:
    env = fresh("IteratedUltimatumGame-v0")
    while not env.state.done:
        env.step("[Offer: $25]")
        env.step("[Accept]")
    assert env.close()[0] == {0: 0, 1: 0}

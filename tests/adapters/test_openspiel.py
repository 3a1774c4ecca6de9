"""OpenSpiel's games through the adapter, against the library itself."""

import pickle
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparring.envs.adapters import openspiel as adapter
from sparring.envs.adapters.openspiel import library, state
from sparring.envs.adapters.openspiel.deals import deals
from sparring.envs.adapters.openspiel.game import OpenSpielGame
from sparring.envs.adapters.openspiel.render import RENDERERS
from sparring.envs.adapters.openspiel.text import clean, label, number
from sparring.envs.aec import TextEnv
from sparring.envs.contract import CHECKS
from sparring.envs.contract.positions import junk
from sparring.envs.core import BadInput, Observation
from sparring.envs.equilibrium import equilibrium
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.leduc import LeducPoker
from sparring.envs.referee import Refereed
from sparring.envs.registry import game
from sparring.envs.solve import Tree, nash_conv, values, walk
from sparring.envs.specs import parse

pyspiel = pytest.importorskip("pyspiel", reason="needs pip install 'sparring[openspiel]'")

EVERY = (*adapter.available(), *library.NEED_OPTIONS.values())
READABLE = (
    "kuhn_poker",
    "leduc_poker",
    "liars_dice",
    "tic_tac_toe",
    "nim",
    "goofspiel",
    "first_sealed_auction",
    "blotto",
    "matrix_pd",
    "matrix_sh",
    "matrix_bos",
    "repeated_game",
    "tiny_hanabi",
    "lewis_signaling",
    "trade_comm",
    "sheriff",
    "matching_pennies_3p",
    "dark_hex",
    "phantom_ttt",
    "battleship",
    "bargaining",
    "negotiation",
    "colored_trails",
    "social_deduction",
    "python_liars_poker",
    "go_fish",
    "hanabi",
    "universal_poker",
    "gin_rummy",
    "hearts",
    "spades",
    "oh_hell",
    "euchre",
    "crazy_eights",
    "blackjack",
    "connect_four",
    "ultimate_tic_tac_toe",
    "dots_and_boxes",
    "mancala",
    "breakthrough",
    "othello",
    "pig",
    "yacht",
    "python_hangman",
)
CONTRACT = (
    "kuhn_poker",
    "leduc_poker",
    "leduc_poker(players=3)",
    "liars_dice(dice_sides=3)",
    "tic_tac_toe",
    "nim(pile_sizes='1;2;3')",
    "goofspiel(num_cards=4)",
    "goofspiel(num_cards=3, imp_info=True, points_order='descending')",
    "matrix_pd",
    "matrix_shapleys_game",
    "matching_pennies_3p",
    "repeated_game(stage_game='matrix_rps()', num_repetitions=3)",
    "misere(game='kuhn_poker()')",
    "turn_based_simultaneous_game(game='matrix_pd()')",
    "python_iterated_prisoners_dilemma(max_game_length=4)",
    "sheriff(num_rounds=1)",
    "first_sealed_auction(max_value=3)",
    "tiny_hanabi",
    "lewis_signaling",
    "dark_hex(board_size=2)",
    "phantom_ttt",
    "battleship(board_width=2, board_height=2, ship_sizes='[1]', ship_values='[1]', num_shots=2)",
    "bargaining(max_turns=3)",
    "hanabi(players=3)",
    "universal_poker",
    "coordinated_mp",
    "blackjack",
    "python_hangman",
)
SLOW_CONTRACT = (
    "negotiation",
    "go_fish(players=3, ranks=7)",
    "social_deduction(players=4)",
    "colored_trails",
    "trade_comm(num_items=3)",
    "tarok",
    "crazy_eights(players=3, max_turns=8)",
    "morpion_solitaire",
)


def play(state: Any, seed: int = 0) -> Any:
    """The end of a random game."""
    rng = random.Random(seed)
    while state.to_act:
        state = state.step({r: rng.choice(state.observe(r).legal) for r in state.to_act})
    return state


def said(state: Any, *answers: str) -> Any:
    """One answer after the other; ``a + b`` is what all say at once, in order of the seats."""
    for answer in answers:
        state = state.step(dict(zip(state.to_act, answer.split(" + "), strict=True)))
    return state


def texts(state: Any, role: str) -> list[str]:
    return [m.text for m in state.observe(role).messages]


def replayed(played: OpenSpielGame, moves: tuple[tuple[int, ...], ...], seed: int) -> Any:
    """The library's own state after these moves, each of them legal; nothing of ours."""
    given = dict(played.options)
    if "rng_seed" in pyspiel.load_game(played.short_name, given).get_parameters():
        given["rng_seed"] = seed
    at = pyspiel.load_game(played.short_name, given).new_initial_state()
    for move in moves:
        if at.is_simultaneous_node():
            assert all(a in (at.legal_actions(p) or [0]) for p, a in enumerate(move))
            at.apply_actions(list(move))
        else:
            assert move[0] in at.legal_actions()
            at.apply_action(move[0])
    return at


def test_more_than_a_hundred_and_ten() -> None:
    assert len(adapter.available()) >= 110
    assert len(EVERY) == len(set(EVERY)) == 118


@pytest.mark.parametrize("spec", EVERY)
def test_rewards_are_the_returns_and_the_game_is_over(spec: str) -> None:
    """As a PettingZoo environment, and the same moves in the library alone."""
    played = game(f"openspiel:{spec}")
    assert isinstance(played, OpenSpielGame)
    env, rng = TextEnv(played), random.Random(1)
    env.reset(seed=1)
    got, left = dict.fromkeys(played.roles, 0.0), set(played.roles)
    for agent in env.agent_iter(len(played.roles) * (played.declares.max_turns + 2)):
        _, reward, over, cut, info = env.last()
        got[agent] += reward
        assert not cut
        left -= {agent} if over else set()
        env.step(None if over else rng.choice(info["legal_actions"]))
    assert not left
    end = env.state_of_play.inner
    seed = end.record.luck.for_library
    plain = spec in adapter.available()
    at = replayed(played, end.record.moves, seed) if plain else end.record.replay()
    assert at.is_terminal()
    assert list(got.values()) == pytest.approx(list(at.returns()))
    assert list(end.payoffs.values()) == pytest.approx(list(at.returns()))


def test_every_registered_game_is_played_or_refused_with_a_reason() -> None:
    """A new release of OpenSpiel has to be looked at."""
    kinds = library.kinds()
    known = {*adapter.available(), *library.NEED_OPTIONS, *library.REFUSED}
    assert {name for name, kind in kinds.items() if not library.mean_field(kind)} == known
    for name in library.REFUSED:
        with pytest.raises(BadInput, match=f"openspiel:{name} is refused: "):
            adapter.load(name)


@pytest.mark.parametrize("spec", CONTRACT)
def test_contract(spec: str, few: None) -> None:
    for promise, look in CHECKS.items():
        assert look(game(f"openspiel:{spec}")), promise


@pytest.mark.slow
@pytest.mark.parametrize("spec", SLOW_CONTRACT)
def test_contract_of_long_games(spec: str, few: None) -> None:
    for promise, look in CHECKS.items():
        assert look(game(f"openspiel:{spec}")), promise


def uniform(seen: Observation) -> dict[str, float]:
    legal = seen.legal or ()
    return dict.fromkeys(legal, 1 / len(legal))


def numbers(tree: Tree) -> tuple[float, float, float]:
    """Value for the first seat; its expectation and NashConv where all play uniformly."""
    strategy = tree.table(uniform)
    return (
        equilibrium(tree).value,
        values(tree, strategy)["player_0"],
        nash_conv(tree, strategy),
    )


def test_kuhn_is_our_kuhn() -> None:
    theirs, ours = walk(adapter.load("kuhn_poker")), walk(KuhnPoker())
    assert len(theirs.sets) == len(ours.sets) == 12
    assert numbers(theirs) == pytest.approx((-1 / 18, 1 / 8, 11 / 12))
    assert numbers(theirs) == pytest.approx(numbers(ours))


def test_kuhn_for_three_is_ours() -> None:
    for tree in (walk(adapter.load("kuhn_poker", players=3)), walk(KuhnPoker(players=3))):
        strategy = tree.table(uniform)
        expected = (0.234375, -0.046875, -0.1875)
        assert tuple(values(tree, strategy).values()) == pytest.approx(expected)
        assert nash_conv(tree, strategy) == pytest.approx(2.0625)
        assert len(tree.sets) == 48


def test_leduc_is_our_leduc() -> None:
    """With and without the suits told apart: 936 and 288 information sets, the same numbers."""
    ours = numbers(walk(LeducPoker()))
    for suits, sets in ((False, 288), (True, 936)):
        theirs = walk(adapter.load("leduc_poker", suit_isomorphism=not suits))
        assert len(theirs.sets) == sets
        found = numbers(theirs) if not suits else (ours[0], *_uniform_only(theirs))
        assert found == pytest.approx((-0.085606424, -0.078125, 4.747222222), abs=5e-10)
        assert found == pytest.approx(ours, abs=1e-9)


def _uniform_only(tree: Tree) -> tuple[float, float]:
    strategy = tree.table(uniform)
    return values(tree, strategy)["player_0"], nash_conv(tree, strategy)


@pytest.mark.parametrize(
    ("spec", "sets", "expected", "conv"),
    [
        ("liars_dice(dice_sides=2)", 32, 0.125, 1.125),
        ("liars_dice(dice_sides=3)", 192, 0.0185185, 1.111111),
        ("goofspiel(num_cards=4, points_order='descending', imp_info=True)", 162, 0, 17 / 12),
        ("dark_hex(board_size=2, obstype='reveal-numturns')", 134, 0, 1.25),
        ("nim(pile_sizes='1;2')", 7, 0, 4 / 3),
        ("matrix_pd", 2, 4, 3),
        ("matrix_bos", 2, 1.25, 0.5),
        ("tiny_hanabi", 8, 3.722222, 3.888889),
        ("sheriff(max_items=3, max_bribe=3, num_rounds=1)", 9, -1.125, 3.1875),
        ("blotto(coins=5)", 2, 0, 4 / 7),
    ],
)
def test_numbers_of_the_library(spec: str, sets: int, expected: float, conv: float) -> None:
    """OpenSpiel's own NashConv of uniform play: our views are its information sets."""
    tree = walk(game(f"openspiel:{spec}"))
    strategy = tree.table(uniform)
    assert values(tree, strategy)["player_0"] == pytest.approx(expected, abs=5e-7)
    assert nash_conv(tree, strategy) == pytest.approx(conv, abs=5e-7)
    assert len(tree.sets) == sets


def test_illegal_actions_never_reach_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Players that talk junk, in games that OpenSpiel lets run on or crash."""
    applied = 0

    def checked(at: Any, move: tuple[int, ...]) -> None:
        nonlocal applied
        together = at.is_simultaneous_node()
        legal = [at.legal_actions(p) for p in range(len(move))] if together else None
        assert all(a in (legal[p] if legal else at.legal_actions()) for p, a in enumerate(move))
        applied += 1
        apply(at, move)

    apply = state._apply
    monkeypatch.setattr(state, "_apply", checked)
    forfeits = 0
    for name in ("go_fish", "leduc_poker", "bargaining", "trade_comm", "euchre", "goofspiel"):
        for seed in range(12):
            played, rng = Refereed(adapter.load(name)), random.Random(seed)
            at = played.start(seed)
            while at.to_act:
                seen = {role: at.observe(role) for role in at.to_act}
                wild = {role: rng.random() < 0.3 for role in seen}
                answers = {
                    role: rng.choice(junk(played, s) if wild[role] else s.legal)
                    for role, s in seen.items()
                }
                at = at.step(answers)
            forfeits += bool(at.forfeits)
    assert applied > 100
    assert forfeits > 20


def test_a_number_is_no_answer() -> None:
    """OpenSpiel's action ids are not words of ours, unless they are what an answer says."""
    at = Refereed(adapter.load("go_fish"), retries=0).start(0)
    assert at.step({at.to_act[0]: "999"}).forfeits == ("player_0",)


@pytest.mark.parametrize(
    "name",
    [
        "kuhn_poker",
        "leduc_poker",
        "liars_dice",
        "universal_poker",
        "go_fish",
        "dark_hex",
        "phantom_ttt",
        "tiny_bridge_4p",
        "social_deduction",
        "repeated_leduc_poker",
        "euchre",
        "hearts",
        "first_sealed_auction",
        "sheriff",
    ],
)
def test_a_view_tells_no_more_than_the_information_state(name: str) -> None:
    """Change what chance dealt or another did: who cannot tell by OpenSpiel, cannot by ours."""
    known = adapter.load(name).facts
    rng, alike = random.Random(3), 0
    for moves in _pairs(known.raw, rng):
        one, two = (_after(known.raw, each) for each in moves)
        if two is None or one is None or one.is_chance_node() or two.is_chance_node():
            continue
        for seat in range(len(known.roles)):
            if one.information_state_string(seat) == two.information_state_string(seat):
                alike += 1
                assert state._seen(known, one, seat) == state._seen(known, two, seat)
    assert alike >= 10


def _pairs(raw: Any, rng: random.Random) -> Iterator[tuple[list[int], list[int]]]:
    """Moves of random games broken off somewhere, and the same with one or two of them changed."""
    for _ in range(150):
        at, moves = raw.new_initial_state(), list[int]()
        while not at.is_terminal() and len(moves) < 80:
            moves.append(rng.choice(at.legal_actions()))
            at.apply_action(moves[-1])
        moves = moves[: rng.randrange(1, len(moves))]
        for _ in range(12):
            other, i, j = list(moves), rng.randrange(len(moves)), rng.randrange(len(moves))
            other[i], other[j] = other[j], other[i]
            if rng.random() < 0.3:
                other[i] = rng.randrange(max(raw.num_distinct_actions(), 2))
            if other != moves:
                yield moves, other


def _after(raw: Any, moves: list[int]) -> Any | None:
    at = raw.new_initial_state()
    for move in moves:
        if at.is_terminal() or move not in at.legal_actions():
            return None
        at.apply_action(move)
    return None if at.is_terminal() else at


def test_openings() -> None:
    assert len(adapter.load("kuhn_poker").openings()) == 6
    each = adapter.load("leduc_poker").openings()
    assert len(each) == 120
    assert sum(p for p, _ in each) == pytest.approx(1)
    assert all(adapter.load("leduc_poker").start(seed) in [o for _, o in each] for seed in range(9))
    assert len(adapter.load("chess").openings()) == 1


@pytest.mark.parametrize(
    "spec",
    [
        "pig",  # too many
        "first_sealed_auction",  # play changes them: only ties are broken by lot
        "leduc_poker(players=3)",  # draws more often than OpenSpiel says
        "negotiation",  # the library draws
    ],
)
def test_games_whose_deals_cannot_be_listed(spec: str) -> None:
    played = game(f"openspiel:{spec}")
    assert not hasattr(played, "openings")
    with pytest.raises(BadInput, match="does not list its openings"):
        walk(played)


def test_deals_add_up() -> None:
    for name in ("kuhn_poker", "leduc_poker", "tiny_hanabi", "liars_dice"):
        listed = deals(library.raw(name, ()))
        assert listed is not None
        assert sum(p for p, _ in listed) == pytest.approx(1)
        assert len({deal for _, deal in listed}) == len(listed)


@pytest.mark.parametrize(
    "name", ["leduc_poker", "negotiation", "hanabi", "backgammon", "morpion_solitaire", "tarok"]
)
def test_a_position_may_be_pickled_anywhere(name: str) -> None:
    at = adapter.load(name).start(5)
    for _ in range(3):
        kept = pickle.loads(pickle.dumps(at))
        assert kept == at
        ends = [play(one, 4) for one in (at, kept)]
        assert ends[0].payoffs == ends[1].payoffs
        assert texts(ends[0], "player_0") == texts(ends[1], "player_0")
        at = at.step({role: (at.observe(role).legal or ())[-1] for role in at.to_act})


def test_a_seed_is_one_game_in_any_process() -> None:
    script = (
        "from sparring.envs.adapters.openspiel import load\n"
        "for name in ('negotiation', 'go_fish', 'kuhn_poker', 'hanabi'):\n"
        "    at = load(name).start(7)\n"
        "    print(repr(at.observe(at.to_act[0]).messages[1:]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here = []
    for name in ("negotiation", "go_fish", "kuhn_poker", "hanabi"):
        at = adapter.load(name).start(7)
        here.append(repr(at.observe(at.to_act[0]).messages[1:]))
    assert done.stdout.splitlines() == here


def test_seeds_differ() -> None:
    for name in ("kuhn_poker", "negotiation", "go_fish", "backgammon"):
        played = adapter.load(name)
        starts = [texts(played.start(seed), "player_0")[1:] for seed in range(12)]
        assert any(start != starts[0] for start in starts)


def test_the_games_of_the_list_are_readable() -> None:
    """Rules for every seat, never OpenSpiel's bookkeeping, answers in short words."""
    assert set(READABLE) <= set(RENDERERS)
    for name in READABLE:
        played = game(f"openspiel:{library.NEED_OPTIONS.get(name, name)}")
        for role in played.roles:
            rules = played.rules(role)
            assert "A game of OpenSpiel" not in rules
            assert f"You are {role}." in rules
            assert rules.endswith("Reply with exactly one legal answer.")
            assert 130 < len(rules) < 1100
        end = play(played.start(3))
        shown = "\n".join(texts(end, played.roles[0]))
        for word in ("Terminal", "History", "Current player: -", "-10000", "\x1b", "None"):
            assert word not in shown, name
        assert shown.splitlines()[-1].startswith("The game is over. Payoffs: player_0 ")


def test_rules_follow_the_options() -> None:
    said = {
        "kuhn_poker(players=3)": "T < J < Q < K",
        "nim(is_misere=False)": "last one wins",
        "goofspiel(imp_info=True)": "Bids are not shown",
        "connect_four(x_in_row=3)": "3 in a row",
        "blotto(coins=5)": "5 coins",
        "bargaining(discount=0.5)": "leaves 0.5",
        "repeated_game(stage_game='matrix_cd()', num_repetitions=4)": "Played 4 times",
        "repeated_game(stage_game='blotto(coins=4)', num_repetitions=2)": "4 coins",
        "zerosum(game='matrix_pd()')": "cooperate - defect: -5, 5",
        "liars_dice(dice_sides=3)": "3 sides",
        "dark_hex(gameversion='adh')": "your turn is lost",
    }
    for spec, words in said.items():
        assert words in game(f"openspiel:{spec}").rules("player_0"), spec


def test_a_game_without_a_renderer_shows_the_strings_of_the_library() -> None:
    start = adapter.load("clobber").start(0)
    assert "A game of OpenSpiel for 2 players, payoffs zero-sum" in texts(start, "player_0")[0]
    board = clean(str(library.raw("clobber", ()).new_initial_state().observation_string(0)))
    assert texts(start, "player_1")[1] == board
    shown = texts(play(adapter.load("twixt").start(0)), "player_0")
    assert "\x1b" not in "".join(shown)


def test_games_by_hand() -> None:
    end = said(adapter.load("tic_tac_toe").start(0), "1", "5", "2", "9", "3")
    assert end.payoffs == {"player_0": 1.0, "player_1": -1.0}
    assert texts(end, "player_1")[-2] == "x x x\n. o .\n. . o"
    end = said(adapter.load("matrix_pd").start(0), "defect + cooperate")
    assert end.payoffs == {"player_0": 10.0, "player_1": 0.0}
    end = said(adapter.load("sheriff", num_rounds=1).start(0), "load 2", "bribe 1", "not inspect")
    assert end.payoffs == {"player_0": 1.0, "player_1": 1.0}
    end = said(adapter.load("sheriff", num_rounds=1).start(0), "load 2", "bribe 1", "inspect")
    assert end.payoffs == {"player_0": -4.0, "player_1": 4.0}
    end = said(
        adapter.load("nim", pile_sizes="1;2").start(0), "take 1 from pile 1", "take 1 from pile 2"
    )
    assert said(end, "take 1 from pile 2").payoffs == {"player_0": -1.0, "player_1": 1.0}
    columns = ("1", "7", "1", "7", "1", "7", "1")
    end = said(adapter.load("connect_four").start(0), *columns)
    assert end.payoffs["player_0"] == 1.0
    assert texts(end, "player_0")[-2].splitlines()[-1] == "x . . . . . o"


def test_an_offer_says_what_the_proposer_keeps() -> None:
    start = adapter.load("bargaining").start(0)
    end = said(start, "keep 0 book, 0 hat, 0 basketball", "agree")
    assert end.payoffs == {"player_0": 0.0, "player_1": 10.0}


def test_goofspiel_is_simultaneous() -> None:
    at = adapter.load("goofspiel", num_cards=3, points_order="descending").start(0)
    assert at.to_act == ("player_0", "player_1")
    end = said(at, "3 + 1", "2 + 2")
    assert end.payoffs == {"player_0": 1.0, "player_1": -1.0}


def test_what_only_another_learns_is_not_shown_at_all() -> None:
    """Neither its move nor that it made one: a try at a taken cell in phantom TicTacToe."""
    one = said(adapter.load("phantom_ttt").start(0), "5")
    two = said(one, "5")
    assert two.observe("player_0") == one.observe("player_0")
    assert texts(two, "player_1")[-2:] == ["player_1: 5", ". . .\n. x .\n. . ."]
    assert two.to_act == ("player_1",)


def test_kuhn_shows_a_card_and_the_bets() -> None:
    start = adapter.load("kuhn_poker").start(0)
    cards = {role: texts(start, role)[1] for role in start.record.game.roles}
    assert all(text in {"Your card: J", "Your card: Q", "Your card: K"} for text in cards.values())
    assert cards["player_0"] != cards["player_1"]
    end = said(start, "bet", "pass")
    assert texts(end, "player_1")[2:] == [
        "player_0: bet",
        "player_1: pass",
        "The game is over. Payoffs: player_0 1, player_1 -1.",
    ]


def test_a_failure_of_the_library_voids_the_game(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(at: Any, move: tuple[int, ...]) -> None:
        raise pyspiel.SpielError("/a/b.cc:12 CHECK failed")

    monkeypatch.setattr(state, "_apply", fails)
    end = Refereed(adapter.load("tic_tac_toe")).start(0).step({"player_0": "1"})
    assert end.void == "OpenSpiel failed: CHECK failed"
    assert set(end.payoffs.values()) == {0.0}


def test_a_refusal_lists_legal_answers_if_they_are_few() -> None:
    played = Refereed(adapter.load("blotto"))
    at = played.start(0).step({"player_0": "all", "player_1": "0,0,10"})
    told = at.observe("player_0").messages[-1].text
    assert "Reply with one, like: 0,0,10." in told
    assert len(told) < 200


def test_answers_are_distinct_whatever_the_library_calls_them() -> None:
    assert label([3, 5], ["A [x],", "b\n c"], None) == {"A (x)": 3, "b c": 5}
    assert label([3, 5], ["go", "Go"], None) == {"go (id 3)": 3, "Go (id 5)": 5}
    assert label([3, 5], ["", "x"], None) == {"(id 3)": 3, "x": 5}
    assert label([3, 5, 7], ["go", "go", "go (id 3)"], None) == {"id 3": 3, "id 5": 5, "id 7": 7}
    assert label([1], ["Bet"], str.lower) == {"bet": 1}


def test_text_is_cleaned() -> None:
    assert clean("\x1b[31ma\x1b[0m \t\n\n\u202eb  \n") == "a\n\nb"
    assert (number(-0.0), number(2.0), number(1 / 3)) == ("0", "2", "0.333333")


def test_names() -> None:
    for spec, name in (
        ("kuhn_poker(players=2)", "openspiel:kuhn_poker"),
        ("kuhn_poker(players=3)", "openspiel:kuhn_poker(players=3)"),
        ("bargaining(prob_end=0, discount=1)", "openspiel:bargaining"),
        ("zerosum(game='matrix_pd()')", "openspiel:zerosum(game='matrix_pd()')"),
    ):
        made = game(f"openspiel:{spec}")
        assert made.name == name
        assert game(made.name) == made


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("kun_poker", "OpenSpiel has no game 'kun_poker'; did you mean kuhn_poker?"),
        ("q", "OpenSpiel has no game 'q'; there are: 2048, amazons"),
        ("kuhn_poker(hands=2)", "no option 'hands'; its options: players"),
        ("tic_tac_toe(size=4)", "no option 'size'; it has none"),
        ("kuhn_poker(players=11)", "players of openspiel:kuhn_poker is 2 to 10, not 11"),
        ("kuhn_poker(players='3')", "players of openspiel:kuhn_poker is given like 2, not '3'"),
        ("python_liars_poker(players=3)", "always played by 2"),
        ("negotiation(rng_seed=3)", "a game's seed is given when it starts"),
        ("bargaining(instances_file='nowhere.txt')", "no file nowhere.txt"),
        ("repeated_game", "needs options: openspiel:repeated_game(stage_game='matrix_pd()'"),
        ("misere(game='nosuch()')", "OpenSpiel has no game 'nosuch'"),
        ("misere(game='(((')", "cannot read the game '((('"),
        ("misere(game='hanabi(colors=9)')", "colors of openspiel:hanabi is 1 to 5, not 9"),
        ("misere(game='quoridor()')", "openspiel:quoridor is refused"),
        ("misere(game=3)", "game of openspiel:misere is given like 'matrix_pd()', not 3"),
        ("mfg_crowd_modelling", "refused: a mean-field game has no players to seat"),
        ("chat_game", "refused: it needs a language model of its own"),
        ("havannah(board_size=-1)", "board_size of openspiel:havannah is at least 0, not -1"),
        ("goofspiel(points_order='up')", "OpenSpiel cannot play goofspiel with these options"),
        ("universal_poker(blind='100')", "blind of openspiel:universal_poker is 2 numbers"),
        ("universal_poker(numRanks=2, numSuits=1)", "needs 3 cards with these options, not 2"),
        ("go_fish(ranks=4)", "needs 26 cards with these options, not 16"),
        ("dark_chess(fen='x')", "fen is not an option here"),
    ],
)
def test_bad_input(spec: str, line: str) -> None:
    with pytest.raises(BadInput) as fault:
        game(f"openspiel:{spec}")
    assert line in str(fault.value)
    assert "\n" not in str(fault.value)


def test_options_that_crash_the_library_never_reach_it() -> None:
    """Each of these ends or hangs a process in which OpenSpiel 2.0.2 alone gets it."""
    for spec in (
        "connect_four(rows=0)",
        "hanabi(colors=9)",
        "hanabi(hand_size=100)",
        "go_fish(initial_cards=0)",
        "bridge(dealer=100)",
        "y(board_size=-1)",
        "bargaining(max_turns=-1)",
        "universal_poker(numRanks=0)",
        "universal_poker(numSuits=5)",
        "kriegspiel(fen='x')",
        "negotiation(num_items=100)",
    ):
        with pytest.raises(BadInput):
            adapter.load(parse(spec)[0], **parse(spec)[1])


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'pyspiel'", name="pyspiel")

    monkeypatch.setattr(library, "import_module", missing)
    for memory in (library.pyspiel, library.kinds, library.names):
        memory.cache_clear()
    try:
        with pytest.raises(BadInput, match=r"pip install 'sparring\[openspiel\]'"):
            adapter.load("kuhn_poker")
        with pytest.raises(BadInput, match=r"pip install 'sparring\[openspiel\]'"):
            adapter.available()
    finally:
        for memory in (library.pyspiel, library.kinds, library.names):
            memory.cache_clear()


def test_the_page_names_every_game() -> None:
    page = (Path(__file__).parents[2] / "docs/adapters/openspiel.md").read_text()
    for name in (*adapter.available(), *library.NEED_OPTIONS):
        shown = f"`{name}`" in page or f"`{name}(" in page
        assert shown or library.raw(name, ()).max_game_length() == 1, name  # a table of payoffs
    for name, reason in library.REFUSED.items():
        assert f"| `{name}` | {reason} |" in page

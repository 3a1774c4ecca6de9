"""Perfect play against numbers that were worked out exactly."""

import asyncio
from fractions import Fraction
from functools import cache

import pytest

from sparring.agents.exploitability.exact import measure
from sparring.agents.optimal import (
    PolicyAgent,
    PolicyFunction,
    kuhn_equilibrium,
    minimax,
    optimal,
    tictactoe_optimal,
)
from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput, Observation
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe, TicTacToeState
from sparring.envs.solve import uniform, walk

TICTACTOE = TicTacToe(board=False)
X, O = TICTACTOE.roles  # noqa: E741


# -- Kuhn poker -------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.2, 1 / 3])
def test_every_member_of_the_family_is_an_equilibrium(alpha: float) -> None:
    agent = PolicyAgent("equilibrium", kuhn_equilibrium(alpha))
    report = asyncio.run(measure(agent, walk(KuhnPoker())))
    assert report.nash_conv == pytest.approx(0, abs=1e-12)
    assert report.exploitability == report.nash_conv / 2
    assert report.values == pytest.approx({"player_0": -1 / 18, "player_1": 1 / 18}, abs=1e-12)
    assert report.best_responses == pytest.approx(report.values, abs=1e-12)


def test_the_equilibrium_is_read_hand_by_hand() -> None:
    report = asyncio.run(measure(optimal("KuhnPoker-v0"), walk(KuhnPoker(hands=2))))
    assert report.nash_conv == pytest.approx(0, abs=1e-12)
    assert report.values["player_0"] == pytest.approx(0, abs=1e-12), "each seat is first once"


@pytest.mark.parametrize("alpha", [-0.01, 0.34, 2.0, float("nan")])
def test_no_equilibrium_outside_the_family(alpha: float) -> None:
    with pytest.raises(BadInput, match="alpha"):
        kuhn_equilibrium(alpha)


def test_measuring_uniform_play_gives_eleven_twelfths() -> None:
    report = asyncio.run(measure(RandomAgent(), walk(KuhnPoker())))
    assert report.nash_conv == pytest.approx(11 / 12, abs=1e-12)
    assert report.exploitability == pytest.approx(11 / 24, abs=1e-12)
    assert report.best_responses == pytest.approx({"player_0": 1 / 2, "player_1": 5 / 12})
    assert report.values == pytest.approx({"player_0": 1 / 8, "player_1": -1 / 8})
    assert set(report.strategy) == set(walk(KuhnPoker()).sets)


def test_a_policy_agent_answers_by_its_probabilities() -> None:
    agent = PolicyAgent("three to one", lambda observation: {"a": 0.75, "b": 0.25})
    said = [
        asyncio.run(agent.act(Observation("r", (), ("a", "b"), seed=seed))).text
        for seed in range(2000)
    ]
    assert 1420 < said.count("a") < 1580
    assert asyncio.run(agent.policy(Observation("r", ()))) == {"a": 0.75, "b": 0.25}


# -- TicTacToe --------------------------------------------------------------------------------


def outcomes(x: PolicyFunction, o: PolicyFunction) -> tuple[Fraction, Fraction, Fraction]:
    """Exact chances that X wins, that it is a draw, that O wins."""

    @cache
    def at(state: TicTacToeState) -> tuple[Fraction, ...]:
        if not state.to_act:
            return tuple(Fraction(state.payoffs[X] == p) for p in (1, 0, -1))
        (role,) = state.to_act
        chances = (x if role == X else o)(state.observe(role))
        n = len(chances)
        assert all(p == 1 / n for p in chances.values())
        after = [at(reduced(state.step({role: answer}))) for answer in chances]
        return tuple(sum((a[i] for a in after), Fraction(0)) / n for i in range(3))

    won, drawn, lost = at(TICTACTOE.start(0))
    return won, drawn, lost


def reduced(state: TicTacToeState) -> TicTacToeState:
    """One state for all ways to the same board: moves told in the order of their cells."""
    start = TICTACTOE.start(0)
    todo = {mark: [i for i, cell in enumerate(state.cells) if cell == mark] for mark in "XO"}
    while any(todo.values()):
        (role,) = start.to_act or (None,)
        if role is None:
            return state
        start = start.step({role: str(todo["X" if role == X else "O"].pop(0) + 1)})
    return start if start.to_act == state.to_act else state


LOWEST, ANY = tictactoe_optimal("lowest"), tictactoe_optimal()


@pytest.mark.parametrize(
    ("x", "o", "expected"),
    [
        (uniform, uniform, ("737/1260", "8/63", "121/420")),
        (LOWEST, uniform, ("191/192", "1/192", "0")),
        (ANY, uniform, ("75257/77760", "2503/77760", "0")),
        (uniform, LOWEST, ("0", "61/315", "254/315")),
        (uniform, ANY, ("0", "757/3402", "2645/3402")),
        (LOWEST, ANY, ("0", "1", "0")),
        (ANY, LOWEST, ("0", "1", "0")),
    ],
    ids=["random", "X lowest", "X any", "O lowest", "O any", "both", "both too"],
)
def test_exact_chances_of_perfect_play(
    x: PolicyFunction, o: PolicyFunction, expected: tuple[str, str, str]
) -> None:
    assert outcomes(x, o) == tuple(map(Fraction, expected))


def test_perfect_play_never_loses_to_random_play() -> None:
    best, weak = optimal("TicTacToe-v0"), RandomAgent()
    for role in TICTACTOE.roles:
        seats = {r: best if r == role else weak for r in TICTACTOE.roles}
        for board in (True, False):
            game = TicTacToe(board=board)
            matches = [Match(game, seats, 0, luck) for luck in range(100)]
            payoffs = [e.payoffs[role] for e in asyncio.run(play_all(matches))]
            assert min(payoffs) >= 0
            assert sum(payoffs) > 60


def test_minimax_values() -> None:
    assert minimax("." * 9) == 0
    assert minimax("XX.OO....") == 1  # X to move completes its row
    assert minimax("XX.OO.X..") == -1  # O to move completes its own
    assert minimax("X...O...X") == 0
    assert minimax("XO.......") == 1  # the answer to a corner on its edge loses
    assert minimax("XXXOO....") == 1
    assert minimax("XOXXOOOXX") == 0


def test_tie_breaks() -> None:
    start = TICTACTOE.start(0).observe(X)
    assert LOWEST(start) == {"1": 1.0}
    assert ANY(start) == pytest.approx(dict.fromkeys("123456789", 1 / 9))
    with pytest.raises(BadInput, match="highest"):
        tictactoe_optimal("highest")


def test_an_unknown_game_has_no_perfect_player() -> None:
    with pytest.raises(BadInput, match="KuhnPoker-v0, TicTacToe-v0"):
        optimal("Chess-v0")

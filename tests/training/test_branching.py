"""Games that go on from the middle of another."""

import asyncio
import random
from dataclasses import replace

import pytest

from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.rock_paper_scissors import RockPaperScissors
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.branching import comb
from sparring.training.opponents.core import Seating

TTT = TicTacToe()
SEATS = dict.fromkeys(TTT.roles, RandomAgent())


def test_a_game_goes_on_from_what_was_played() -> None:
    match = Match(TTT, SEATS, seed=1, luck=1)
    trunk = asyncio.run(play(match))
    assert asyncio.run(play(replace(match, played=trunk.turns))) == trunk
    other = asyncio.run(play(replace(match, played=trunk.turns[:3], luck=2)))
    assert other.turns[:3] == trunk.turns[:3]
    assert other.turns[3].observation.messages == trunk.turns[3].observation.messages
    assert [t.action.text for t in other.turns] != [t.action.text for t in trunk.turns]


def test_who_answers_at_once_may_be_played_again_in_part() -> None:
    game = RockPaperScissors()
    match = Match(game, dict.fromkeys(game.roles, RandomAgent()), seed=1, luck=1)
    trunk = asyncio.run(play(match))
    again = [
        asyncio.run(play(replace(match, played=trunk.turns[:1], luck=luck))) for luck in range(20)
    ]
    assert {e.turns[0].action.text for e in again} == {trunk.turns[0].action.text}
    assert len({e.turns[1].action.text for e in again}) == 3


def test_a_game_cannot_begin_as_another_did() -> None:
    trunk = asyncio.run(play(Match(TTT, SEATS, seed=1, luck=1)))
    wrong = Match(TTT, SEATS, 1, 1, played=trunk.turns[1:])
    with pytest.raises(ValueError, match="asks player_0, but player_1 spoke next"):
        asyncio.run(play(wrong))


@pytest.mark.parametrize("others", [1, 3])
def test_a_comb_has_teeth_at_every_turn_of_a_learning_role(others: int) -> None:
    kuhn = KuhnPoker(hands=2)
    match = Match(kuhn, dict.fromkeys(kuhn.roles, RandomAgent()), seed=3, luck=3)
    trunk = asyncio.run(play(match))
    seating = Seating(match.seats, frozenset({"player_1"}))
    teeth = comb(others)(match, seating, trunk, random.Random(0))
    cuts = [k for k, turn in enumerate(trunk.turns) if turn.role == "player_1"]
    assert [len(tooth.played) for tooth in teeth] == [k for k in cuts for _ in range(others)]
    assert len({tooth.luck for tooth in teeth}) == len(teeth)
    for tooth in teeth:
        episode = asyncio.run(play(tooth))
        k = len(tooth.played)
        assert episode.turns[:k] == trunk.turns[:k]
        assert episode.turns[k].observation.messages == trunk.turns[k].observation.messages


def test_a_comb_needs_teeth() -> None:
    with pytest.raises(ValueError, match="at least one other answer"):
        comb(0)

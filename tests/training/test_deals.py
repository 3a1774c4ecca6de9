"""Balanced deals: every opening as often as its probability says, in every batch."""

import random
from collections import Counter

import pytest

from sparring.envs.core import BadInput, Game
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.deals import balanced, independent


@pytest.mark.parametrize("games", [6, 60, 100, 2048])
def test_each_opening_comes_as_often_as_it_should(games: int) -> None:
    kuhn = KuhnPoker()
    seeds = balanced(kuhn)(random.Random(1), games)
    assert len(seeds) == games
    dealt = Counter(kuhn.start(seed).deals for seed in seeds)
    assert len(dealt) == 6
    assert all(abs(n - games / 6) < 1 for n in dealt.values())


def test_the_remainder_is_fair() -> None:
    kuhn = KuhnPoker()
    deal = balanced(kuhn)
    dealt = Counter(kuhn.start(deal(random.Random(i), 1)[0]).deals for i in range(3000))
    # one game a batch: each of six openings in 500 of 3000, standard deviation 20
    assert all(abs(n - 500) < 100 for n in dealt.values())


def test_the_order_is_mixed() -> None:
    seeds = balanced(KuhnPoker())(random.Random(0), 60)
    assert seeds != sorted(seeds)
    assert seeds == balanced(KuhnPoker())(random.Random(0), 60)


def test_a_game_without_chance_has_one_opening() -> None:
    assert len(set(balanced(TicTacToe())(random.Random(0), 10))) == 1


def test_a_game_that_lists_nothing_cannot_be_balanced() -> None:
    class Unlisted:
        name = "Unlisted-v0"

    game: Game = Unlisted()  # type: ignore[assignment]
    for each in (game, KuhnPoker(hands=9), KuhnPoker(hands=4)):  # none, too many, rather many
        with pytest.raises(BadInput, match=f"{each.name} .*use --deals independent"):
            balanced(each)


def test_independent_deals_differ() -> None:
    assert len(set(independent(random.Random(0), 100))) == 100

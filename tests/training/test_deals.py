"""Balanced deals: every opening as often as its probability says, in every batch."""

import random
from collections import Counter

import pytest

from sparring.envs.core import BadInput, Game
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.deals import balanced, independent, repeated


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


def test_a_deal_is_repeated_in_a_row() -> None:
    seeds = repeated(4)(random.Random(0), 12)
    first = independent(random.Random(0), 3)
    assert seeds == [first[0]] * 4 + [first[1]] * 4 + [first[2]] * 4
    assert len(set(seeds)) == 3


def test_balanced_deals_can_be_repeated() -> None:
    kuhn = KuhnPoker()
    seeds = repeated(5, balanced(kuhn))(random.Random(3), 60)
    assert len(seeds) == 60
    dealt = Counter(kuhn.start(seed).deals for seed in seeds)
    assert set(dealt.values()) == {10}  # twelve groups of five over six openings
    assert all(len(set(seeds[i : i + 5])) == 1 for i in range(0, 60, 5))


def test_games_must_divide_into_groups() -> None:
    with pytest.raises(BadInput, match=r"10 games .* groups of 4; play 8 or 12"):
        repeated(4)(random.Random(0), 10)
    with pytest.raises(BadInput, match=r"3 games .* groups of 4; play 4$"):
        repeated(4)(random.Random(0), 3)
    with pytest.raises(BadInput, match="at least 1 game, not 0"):
        repeated(0)

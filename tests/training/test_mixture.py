"""Several games in one run: how many of each."""

import random

import pytest

from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training.curriculum.bandit import Bandit
from sparring.training.curriculum.core import Fixed
from sparring.training.mixture import Entry, Mixture

ENTRIES = [Entry(KuhnPoker()), Entry(KuhnPoker(hands=2)), Entry(TicTacToe())]
NAMES = [entry.name for entry in ENTRIES]


def test_names_are_specs() -> None:
    assert NAMES == ["KuhnPoker-v0", "KuhnPoker-v0(hands=2)", "TicTacToe-v0"]
    assert [type(game) for game in Mixture(ENTRIES).games] == [KuhnPoker, KuhnPoker, TicTacToe]


@pytest.mark.parametrize("number", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 2, 5), (1e-9, 1, 1), (0.1, 0.2, 0.7)])
def test_counts_add_up_and_keep_to_the_shares(number: int, weights: tuple[float, ...]) -> None:
    mixture = Mixture(ENTRIES, Fixed(dict(zip(NAMES, weights, strict=True))))
    for seed in range(50):
        counts = mixture.counts(random.Random(seed), number)
        assert sum(counts) == number
        for count, weight in zip(counts, weights, strict=True):
            assert count >= 0
            assert abs(count - number * weight / sum(weights)) < 1 + 1e-6


def test_the_expected_count_is_the_share() -> None:
    """Weights 1, 2, 5 of 3 games: 0.375, 0.75 and 1.875. Over luck spread evenly, to 1/1000."""

    class Even(random.Random):
        def __init__(self, u: float):
            super().__init__()
            self.u = u

        def random(self) -> float:
            return self.u

    mixture = Mixture(ENTRIES, Fixed(dict(zip(NAMES, (1, 2, 5), strict=True))))
    drawn = [mixture.counts(Even((i + 0.5) / 1000), 3) for i in range(1000)]
    means = [sum(counts) / 1000 for counts in zip(*drawn, strict=True)]
    assert means == pytest.approx([0.375, 0.75, 1.875], abs=2e-3)


def test_a_single_game_draws_no_luck() -> None:
    """So a run of one game goes as it did before there were mixtures."""
    luck = random.Random(7)
    assert Mixture(ENTRIES[:1]).counts(luck, 12) == [12]
    assert luck.getstate() == random.Random(7).getstate()
    assert Mixture(ENTRIES[:1]).metrics() == {}
    Mixture(ENTRIES).counts(luck, 12)
    assert luck.getstate() != random.Random(7).getstate()


def test_the_curriculum_hears_and_is_saved() -> None:
    mixture = Mixture(ENTRIES, Bandit(NAMES, rate=1.0, floor=0.0))
    assert mixture.metrics() == pytest.approx({f"share/{name}": 1 / 3 for name in NAMES})
    mixture.learned({f"advantage_size/{NAMES[1]}": 100.0})
    assert mixture.counts(random.Random(0), 9) == [0, 9, 0]
    other = Mixture(ENTRIES, Bandit(NAMES, rate=1.0, floor=0.0))
    other.load_state_dict(mixture.state_dict())
    assert other.metrics() == mixture.metrics()


def test_games_are_checked() -> None:
    for entries in ([], [ENTRIES[0], ENTRIES[2], Entry(KuhnPoker())]):
        with pytest.raises(BadInput, match="each of its games once"):
            Mixture(entries)


def test_counts_come_in_whole_groups() -> None:
    mixture = Mixture([Entry(KuhnPoker()), Entry(TicTacToe())], group=8)
    for seed in range(20):
        counts = mixture.counts(random.Random(seed), 24)
        assert sum(counts) == 24
        assert sorted(counts) == [8, 16]
    with pytest.raises(BadInput, match="20 games a step are no whole groups of 8"):
        mixture.counts(random.Random(0), 20)

"""Whitening by cell against numbers worked out by hand."""

from collections.abc import Callable

import pytest

from sparring.envs.core import BadInput
from sparring.training.advantages.keys import game
from sparring.training.advantages.whitening import Whitening
from sparring.training.core import Sample
from sparring.training.credit import last

New = Callable[..., Sample]


def test_every_cell_is_centred_and_scaled_by_itself(sample: New) -> None:
    """1, 3 has mean 2 and deviation 1; 0, 0, 30 has mean 10 and variance (2·100 + 400)/3 = 200."""
    batch = [
        *(sample(r, role="proposer") for r in (1, 3)),
        *(sample(r, role="solver") for r in (0, 0, 30)),
    ]
    found = [a for (a,) in Whitening()(batch)]
    low, high = -10 / 200**0.5, 20 / 200**0.5
    assert found == pytest.approx([-1, 1, low, low, high])


def test_zero_mean_and_unit_variance_in_each_cell_not_only_globally(sample: New) -> None:
    """TRR++: six (role, task) cells, with rewards of different levels and sizes."""
    cells = [(role, task) for role in ("propose", "solve") for task in ("A", "B", "C")]
    batch = [
        sample(level + (level + 1) * x, role=role, game=task)
        for level, (role, task) in enumerate(cells)
        for x in (0.0, 0.3, 1.0, 0.2)
    ]
    found = [a for (a,) in Whitening()(batch)]
    for i in range(6):
        cell = found[4 * i : 4 * i + 4]
        assert sum(cell) == pytest.approx(0, abs=1e-9)
        assert sum(a * a for a in cell) / 4 == pytest.approx(1)
    whole = [a for (a,) in Whitening(key=lambda s: ())(batch)]  # globally: the cells are off
    assert sum(whole) == pytest.approx(0, abs=1e-9)
    assert abs(sum(whole[:4]) / 4) > 0.5


def test_a_cell_that_agrees_or_stands_alone_is_zero(sample: New) -> None:
    batch = [sample(0.1), sample(0.1), sample(0.1), sample(7, role="player_1")]
    whitening = Whitening()
    assert whitening(batch) == [(0.0,)] * 4
    assert whitening.alone == 1
    with pytest.raises(BadInput, match="share a key"):
        whitening(batch[2:])


def test_rounding_is_not_blown_up_to_advantages(sample: New) -> None:
    """0.1 + 0.2 and 0.3 differ by 6e-17, which is no difference."""
    found = Whitening()([sample(0.1 + 0.2), sample(0.3)])
    assert [a for (a,) in found] == pytest.approx([0, 0], abs=1e-9)


def test_another_key_and_credit(sample: New) -> None:
    batch = [sample(1, role="a", turns=2, credit=last), sample(-1, role="b")]
    (first, second) = Whitening(key=game)(batch)
    assert first == pytest.approx((0, 1))
    assert second == pytest.approx((-1,))

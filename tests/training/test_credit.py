"""How an advantage is given to turns, by hand."""

import pytest

from sparring.training.credit import discounted, equal, geometric, last, whole


def test_splits_by_hand() -> None:
    assert whole(3) == (1, 1, 1)
    assert last(3) == (0, 0, 1)
    assert equal(4) == (0.25, 0.25, 0.25, 0.25)
    assert discounted(0.5)(3) == (0.25, 0.5, 1)
    assert discounted(1.0)(3) == (1, 1, 1)
    # 1/4, 1/2, 1 over their sum 7/4
    assert geometric(0.5)(3) == pytest.approx((1 / 7, 2 / 7, 4 / 7))


def test_the_credit_of_spag_by_hand() -> None:
    """0.8 backwards from the end over five turns: 0.4096, 0.512, 0.64, 0.8, 1; sum 3.3616."""
    found = geometric(0.8)(5)
    raw = (0.4096, 0.512, 0.64, 0.8, 1.0)
    assert found == pytest.approx([w / 3.3616 for w in raw])


@pytest.mark.parametrize("turns", [1, 2, 5, 60])
def test_the_credit_of_spag_sums_to_one_and_grows(turns: int) -> None:
    found = geometric(0.8)(turns)
    assert sum(found) == pytest.approx(1)
    assert list(found) == sorted(found)
    assert max(found) == found[-1]
    assert found.count(found[-1]) == 1


@pytest.mark.parametrize("split", [last, equal, geometric(0.8)])
def test_what_divides_an_advantage_sums_to_one(split: object) -> None:
    assert callable(split)
    assert all(sum(split(turns)) == pytest.approx(1) for turns in range(1, 20))
    assert len(split(7)) == 7


def test_a_role_without_a_turn_gets_none() -> None:
    for split in (whole, last, equal, geometric(0.8), discounted(0.9)):
        assert split(0) == ()


def test_a_discount_is_checked_at_once() -> None:
    for bad in (0.0, 1.1, -0.5):
        with pytest.raises(ValueError, match="discount"):
            discounted(bad)
        with pytest.raises(ValueError, match="discount"):
            geometric(bad)

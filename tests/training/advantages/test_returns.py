"""Returns-to-go against sums done by hand."""

import json
from collections.abc import Callable

import pytest

from sparring.envs.core import BadInput
from sparring.training.advantages.rae import RAE
from sparring.training.advantages.returns import ReturnToGo
from sparring.training.core import Sample
from sparring.training.credit import discounted, equal, geometric, last, whole

New = Callable[..., Sample]


def test_a_reward_at_the_end_is_discounted_backwards(sample: New) -> None:
    """γ = 0.5, T = 3, R = 4: 4·0.25, 4·0.5, 4."""
    (found,) = ReturnToGo(0.5)([sample(4, turns=3, credit=last)])
    assert found == (1.0, 2.0, 4.0)
    assert found == tuple(4 * w for w in discounted(0.5)(3))  # the same as that split


def test_a_reward_that_is_split_adds_up_again(sample: New) -> None:
    """R = 3 as 1, 1, 1. γ = 1: 3, 2, 1. γ = 0.5: 1 + 0.5·1.5 = 1.75, 1 + 0.5·1 = 1.5, 1."""
    one = sample(3, turns=3, credit=equal)
    assert ReturnToGo()([one]) == [pytest.approx((3, 2, 1))]
    assert ReturnToGo(0.5)([one]) == [pytest.approx((1.75, 1.5, 1))]
    assert ReturnToGo(0.0)([one]) == [pytest.approx((1, 1, 1))]


def test_without_discount_every_turn_gets_what_the_estimator_gives_a_game(sample: New) -> None:
    """RAE with d = 0.5: b = 0 for the first game, 0.5·1 for the second, whose A is 3 − 0.5."""
    to_go = ReturnToGo(1.0, RAE(decay=0.5))
    batch = [sample(1, turns=2, credit=last), sample(3, turns=2, credit=last)]
    assert to_go(batch) == [(1.0, 1.0), (2.5, 2.5)]
    loaded = ReturnToGo(1.0, RAE(decay=0.5))
    loaded.load_state_dict(json.loads(json.dumps(to_go.state_dict())))
    assert loaded == to_go


def test_credit_that_does_not_divide_the_reward_is_refused(sample: New) -> None:
    for split, total in ((whole, "3"), (discounted(0.5), "1.75")):
        with pytest.raises(BadInput, match=f"adds up to 1, not {total}: split it with credit.last"):
            ReturnToGo()([sample(1, turns=3, credit=split)])
    for split in (last, equal, geometric(0.8)):
        ReturnToGo()([sample(1, turns=3, credit=split)])


def test_normalised_over_all_turns_of_the_batch(sample: New) -> None:
    """Returns 2, 2 and −2, −2: mean 0, deviation 2. Then 4, 0, 2 (two games): variance 8/3."""
    to_go = ReturnToGo(normalise=True)
    two = [sample(2, turns=2, credit=last), sample(-2, turns=2, credit=last)]
    assert to_go(two) == [pytest.approx((1, 1)), pytest.approx((-1, -1))]
    odd = to_go([sample(4, credit=last), sample(0, credit=last), sample(2, credit=last)])
    assert [a for (a,) in odd] == pytest.approx([2 / (8 / 3) ** 0.5, -2 / (8 / 3) ** 0.5, 0])
    assert to_go([sample(0.1, turns=3, credit=last)]) == [(0.0, 0.0, 0.0)]


def test_a_discount_is_a_share() -> None:
    with pytest.raises(BadInput, match=r"in \[0, 1\], not 1\.5"):
        ReturnToGo(1.5)

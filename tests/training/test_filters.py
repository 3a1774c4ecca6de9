"""Filters: what is kept, with which weight, and why the rest was dropped."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp

import pytest

from sparring.envs.core import Action, Episode, Observation, Turn
from sparring.training.advantages import keys
from sparring.training.core import Sample
from sparring.training.filters.answers import complete, legal_only
from sparring.training.filters.core import Filters, each
from sparring.training.filters.groups import best, difficulty, signal
from sparring.training.filters.outcome import above_mean, at_least, no_forfeits, nonzero, winners
from sparring.training.filters.weights import even_roles, shorter

END = 3


def turn(role: str, *tokens: int, accepted: bool = True) -> Turn:
    action = Action("x", prompt=(1,), tokens=tokens, logprobs=(-1.0,) * len(tokens))
    return Turn(Observation(role, ()), action, accepted)


def sample(
    reward: float = 0.0,
    role: str = "a",
    *,
    payoffs: dict[str, float] | None = None,
    seed: int = 0,
    game: str = "g",
    turns: Sequence[Turn] = (),
    forfeits: tuple[str, ...] = (),
    parts: dict[str, str] | None = None,
) -> Sample:
    paid = payoffs or {"a": reward, "b": -reward}
    views = dict.fromkeys(paid, ())
    e = Episode(game, seed, tuple(turns), paid, {}, views, forfeits, parts=parts or {})
    return Sample(e, role, reward, (1.0,) * len(turns))


def rewards(samples: Sequence[Sample]) -> list[float]:
    return [s.reward for s in samples]


# -- the chain --------------------------------------------------------------------------------


def test_a_chain_counts_what_each_rule_dropped() -> None:
    won, lost, tied = sample(1.0), sample(-1.0), sample(0.0)
    gone = sample(1.0, forfeits=("b",))
    chain = Filters(no_forfeits, winners)
    assert chain([won, lost, gone, tied, won, tied]) == [won, won]
    assert chain.dropped == {"forfeit": 1, "lost": 1, "tie": 2}
    assert chain.metrics() == {"dropped/forfeit": 1.0, "dropped/lost": 1.0, "dropped/tie": 2.0}
    assert chain([won]) == [won]
    assert chain.dropped == {}, "of the last batch only"
    assert chain([]) == []


def test_each_rule_sees_what_is_left() -> None:
    """The mean of 3 and 1 is 2; that of 3, 1 and the dropped −7 is −1."""
    some = [sample(3.0), sample(1.0), sample(-7.0)]
    assert rewards(Filters(at_least(0.0), above_mean())(some)) == [3.0]
    assert rewards(Filters(above_mean(), at_least(0.0))(some)) == [3.0, 1.0]


def test_a_rule_that_loses_samples_is_found_out() -> None:
    with pytest.raises(ValueError, match="0 verdicts on 1 samples"):
        Filters(lambda samples: [])([sample()])


def test_rules_change_nothing_else() -> None:
    some = [sample(1.0, turns=[turn("a", 5, END)]), sample(2.0, turns=[turn("a", 5, END)])]
    before = [replace(s) for s in some]
    rules = (winners, no_forfeits, nonzero, legal_only, complete(END), even_roles, shorter(0.1))
    kept = Filters(*rules)(some)
    assert some == before
    assert [replace(s, weight=1.0) for s in kept] == some


def test_a_rule_of_one_sample() -> None:
    """It keeps its words."""

    @each
    def odd(sample: Sample) -> str | None:
        """Drop odd seeds."""
        return "odd" if sample.episode.seed % 2 else None

    assert odd.__doc__ == "Drop odd seeds."
    assert Filters(odd)([sample(seed=1), sample(seed=2)]) == [sample(seed=2)]


# -- how it ended -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payoffs", "verdicts"),
    [
        ({"a": 1.0, "b": -1.0}, {"b": "lost"}),
        ({"a": 0.0, "b": 0.0}, {"a": "tie", "b": "tie"}),
        ({"a": 3.0, "b": 3.0, "c": 1.0}, {"c": "lost"}),
        ({"a": -1.0, "b": -1.0, "c": -5.0}, {"c": "lost"}),
    ],
)
def test_winners(payoffs: dict[str, float], verdicts: dict[str, str]) -> None:
    for role in payoffs:
        one = sample(0.0, role, payoffs=payoffs)
        assert winners([one]) == [verdicts.get(role, one)]


def test_winning_is_about_the_payoff_not_the_reward() -> None:
    one = replace(sample(1.0), reward=-5.0)
    assert winners([one]) == [one]


def test_above_the_mean_of_all() -> None:
    """Both roles and all games pooled: mean 2; a mean for each game: 1 and 5."""
    some = [sample(r, game=g) for r, g in ((0.0, "g"), (2.0, "g"), (4.0, "h"), (6.0, "h"))]
    some = [replace(s, reward=s.reward - 1) for s in some]  # -1, 1, 3, 5: the mean is 2
    assert rewards(Filters(above_mean())(some)) == [3.0, 5.0]
    assert rewards(Filters(above_mean(keys.game))(some)) == [1.0, 5.0]
    same = [sample(1.0), sample(1.0)]
    assert above_mean()(same) == ["below_mean"] * 2, "strictly above"


def test_thresholds() -> None:
    some = [sample(r) for r in (-0.5, 0.0, 0.7)]
    assert nonzero(some) == [some[0], "zero", some[2]]
    assert at_least(0.0)(some) == ["low_reward", some[1], some[2]]


def test_forfeits_are_dropped_on_all_sides() -> None:
    some = [sample(1.0, role, forfeits=("b",)) for role in ("a", "b")]
    assert no_forfeits(some) == ["forfeit", "forfeit"]


# -- what was said ----------------------------------------------------------------------------


def test_legal_answers_only() -> None:
    retried = [turn("a", 5, accepted=False), turn("a", 6)]
    theirs = [turn("b", 5, accepted=False), turn("a", 6)]
    some = [sample(turns=retried), sample(turns=theirs)]
    assert legal_only(some) == ["illegal", some[1]]


def test_cut_off_answers() -> None:
    whole, cut = turn("a", 5, END), turn("a", 5)
    some = [sample(turns=t) for t in ([whole, whole], [whole, cut], [whole, turn("b", 5)])]
    assert complete(END)(some) == [some[0], "cut_off", some[2]]


# -- groups -----------------------------------------------------------------------------------


def test_no_signal_where_all_rewards_of_a_group_are_equal() -> None:
    some = [sample(r, seed=seed) for r, seed in ((1, 0), (1, 0), (1, 1), (-1, 1), (1, 2))]
    gone = "no_signal"
    assert signal()(some) == [gone, gone, some[2], some[3], gone]
    assert signal(keys.game)(some) == some


def test_the_window_of_difficulty() -> None:
    """Means 0, 1/4, 1/2 and 1 over four games each."""
    means = {0: 0, 1: 1, 2: 2, 3: 4}
    some = [sample(float(i < n), seed=seed) for seed, n in means.items() for i in range(4)]

    def kept(low: float, high: float, ends: bool) -> list[int]:
        return sorted({s.episode.seed for s in Filters(difficulty(low, high, ends=ends))(some)})

    assert kept(0.25, 0.5, True) == [1, 2]
    assert kept(0.25, 0.5, False) == []
    assert kept(0.0, 0.5, False) == [1]
    chain = Filters(difficulty(0.2, 0.8))
    assert len(chain(some)) == 8
    assert chain.dropped == {"too_hard": 4, "too_easy": 4}


def test_the_best_of_each_group() -> None:
    some = [sample(r, seed=seed) for r, seed in ((1, 0), (3, 0), (3, 0), (-5, 1))]
    assert best()(some) == ["not_best", some[1], "not_best", some[3]]
    assert best(2)(some) == ["not_best", *some[1:]]


# -- weights ----------------------------------------------------------------------------------


def test_roles_are_evened_as_in_spag() -> None:
    """4 decided games, 3 won by a: N/(2·N_role) = 2/3 and 2; each role's weights add up to 2."""
    some = [sample(1.0, "a")] * 3 + [sample(1.0, "b")]
    kept = Filters(even_roles)(some)
    assert [s.weight for s in kept] == pytest.approx([2 / 3] * 3 + [2.0])
    doubled = [replace(s, weight=2.0) for s in some]
    assert [s.weight for s in Filters(even_roles)(doubled)] == pytest.approx([4 / 3] * 3 + [4.0])
    alone = Filters(even_roles)([sample(1.0, "a")] * 5)
    assert [s.weight for s in alone] == [0.5] * 5, "the other role's half is not used"


def test_roles_are_evened_within_each_game_and_by_hidden_part() -> None:
    parts = {"a": "spy", "b": "civilian", "c": "civilian"}
    paid = {"a": 1.0, "b": 0.0, "c": 0.0}
    three = [sample(0.0, r, payoffs=paid, parts=parts, game="spies") for r in ("a", "b", "c")]
    two = [sample(1.0, "a"), sample(1.0, "a"), sample(-1.0, "b"), sample(-1.0, "b")]
    kept = Filters(even_roles)([*three, *two])
    assert [s.weight for s in kept] == pytest.approx([1.5, 0.75, 0.75, 1, 1, 1, 1])
    seats = [sample(0.0, r, payoffs=paid, game="seats") for r in ("a", "b", "b", "c")]
    weights = [s.weight for s in Filters(even_roles)(seats)]
    assert weights == pytest.approx([4 / 3, 2 / 3, 2 / 3, 4 / 3]), "a third each"


def test_shorter_games_count_more() -> None:
    some = [sample(turns=[turn("a", 5, 6), turn("b", 7), turn("a", 8)]), sample()]
    assert [s.weight for s in Filters(shorter(0.1))(some)] == pytest.approx([exp(-0.3), 1.0])

"""Who is the spy: its rewards with fractions, who knows what, and what a clue may not say."""

from collections import Counter
from fractions import Fraction as F
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Sum
from sparring.envs.games.who_is_the_spy import (
    CLUES,
    NOBODY,
    SpyState,
    Votes,
    WhoIsTheSpy,
    caught,
    clue_bounds,
    clue_rewards,
    counts,
    outcome,
    word_pairs,
)
from sparring.envs.referee import Refereed, forfeit_payoffs
from sparring.envs.words import says

TEA = [("tea", "coffee")]


def new(seed: int = 0, **options: Any) -> SpyState:
    return WhoIsTheSpy(**{"pairs": TEA, **options}).start(seed)


def talked(state: Any, clue: str = "I like it.") -> Any:
    """All clues given: the vote is next."""
    while None in (legal := [state.observe(role).legal for role in state.to_act]):
        assert set(legal) == {None}
        state = state.step(dict.fromkeys(state.to_act, clue))
    return state


def voted(state: Any, *votes: str) -> Any:
    """The end, for the votes in seat order: a seat's number, or n/a."""
    names = [vote if vote == NOBODY else f"player_{vote}" for vote in votes]
    return state.step(dict(zip(state.to_act, names, strict=True)))


def told(state: Any, role: str) -> list[str]:
    return [m.text for m in state.observe(role).messages[1:]]


# --- the words


def test_word_pairs() -> None:
    pairs = word_pairs()
    words = [word for pair in pairs for word in pair]
    assert len(pairs) >= 100
    assert len(set(words)) == len(words)
    for one, other in product(words, words):
        assert one == other or not says(one, other)
    for word in words:
        assert word == word.lower().strip()
        assert not any(says(clue, word) for clue in CLUES)


def test_dealing() -> None:
    game = WhoIsTheSpy(players=4, pairs=[("tea", "coffee"), ("dog", "wolf")])
    n = 1600
    dealt = Counter((s.spy, s.words) for s in map(game.start, range(n)))
    assert len(dealt) == 4 * 2 * 2
    assert all(abs(count - 100) < 60 for count in dealt.values())  # six standard deviations
    assert {WhoIsTheSpy().start(seed).words[0] for seed in range(400)} <= {
        word for pair in word_pairs() for word in pair
    }


@pytest.mark.parametrize("seed", range(5))
def test_who_is_told_what(seed: int) -> None:
    state = new(seed)
    spy = f"player_{state.spy}"
    assert set(state.words) == {"tea", "coffee"}
    for role in state.game.roles:
        word = state.words[role == spy]
        assert told(state, role) == [f"Your word: {word}.", "Clues, round 1."]
        assert state.parts[role] == ("spy" if role == spy else "civilian")
    assert list(state.parts.values()).count("spy") == 1


def test_nobody_can_tell_whether_it_is_the_spy() -> None:
    """Same word, same view: whether all others have it too or the other one."""
    views: dict[tuple[str, str], set[Any]] = {}
    for seed in range(60):
        state = new(seed)
        for seat, role in enumerate(state.game.roles):
            view = state.observe(role)
            views.setdefault((role, state.words[seat == state.spy] or ""), set()).add(view.messages)
    assert len(views) == 10
    assert {len(seen) for seen in views.values()} == {1}


def test_a_blank_spy_knows() -> None:
    state = new(spy="blank")
    for seat, role in enumerate(state.game.roles):
        if seat == state.spy:
            assert told(state, role)[0] == "You are the spy: you have no word."
        else:
            assert told(state, role)[0] == f"Your word: {state.words[0]}."
    assert state.words[1] is None


# --- clues


def test_clues_go_seat_by_seat_and_all_hear_them() -> None:
    state = new(players=3, rounds=2)
    order = []
    while len(state.to_act) == 1:
        (role,) = state.to_act
        order.append(role)
        state = state.step({role: f" clue {len(order)}\n"})
    assert order == ["player_0", "player_1", "player_2"] * 2
    said = [(m.sender, m.text) for m in state.observe("player_1").messages[2:]]
    assert said == [
        ("game", "Clues, round 1."),
        ("player_0", "clue 1"),
        ("player_1", "clue 2"),
        ("player_2", "clue 3"),
        ("game", "Clues, round 2."),
        ("player_0", "clue 4"),
        ("player_1", "clue 5"),
        ("player_2", "clue 6"),
        ("game", "Now vote in secret: who is the spy?"),
    ]
    assert state.to_act == state.game.roles


def test_simultaneous_clues_are_not_heard_before_all_are_given() -> None:
    start = Refereed(WhoIsTheSpy(players=3, simultaneous=True, pairs=TEA)).start(0)
    views = []
    for clue in ("hot", "cold"):
        waiting = start.step({"player_0": clue, "player_1": "  ", "player_2": "wet"})
        assert waiting.rejected == ("player_1",)
        assert waiting.observe("player_0").messages == start.observe("player_0").messages
        views.append((waiting.observe("player_1"), waiting.observe("player_2")))
    assert views[0] == views[1]
    heard = told(waiting.step({"player_1": "strong"}), "player_0")
    assert heard[1:] == ["Clues, round 1, all at once.", "cold", "strong", "wet", *heard[5:]]


@pytest.mark.parametrize(
    "clue", ["tea", "It is TEA.", "Two teas, please", "iced-tea", "t e a", "'Tea' is a drink"]
)
def test_a_clue_that_says_the_own_word_is_refused(clue: str) -> None:
    state, who = holder("tea")
    after = state.step({who: clue})
    assert after.rejected == (who,)
    reason = after.observe(who).messages[-1].text
    assert reason == "That clue says your own word. Give a clue without it. Try again."
    for other in state.game.roles[1:]:
        assert after.observe(other) == state.observe(other)
    lost = after.step({who: clue})
    assert lost.forfeits == (who,)
    assert lost.payoffs[who] == -1.0
    assert sum(lost.payoffs.values()) == pytest.approx(0)


@pytest.mark.parametrize("clue", ["It has steam.", "a team drinks it", "like coffee", "teatime?"])
def test_other_words_may_be_said(clue: str) -> None:
    state, who = holder("tea")
    assert state.step({who: clue}).rejected == ()


def holder(word: str) -> tuple[Any, str]:
    """A game in which the first to speak has this word."""
    for seed in range(100):
        state = Refereed(WhoIsTheSpy(pairs=TEA)).start(seed)
        if told(state, "player_0")[0] == f"Your word: {word}.":
            return state, "player_0"
    raise AssertionError


def test_examples_never_say_the_own_word() -> None:
    for word in ("children", "week", "tea"):
        game = WhoIsTheSpy(players=3, pairs=[(word, "xylophone")], simultaneous=True)
        state = Refereed(game).start(1)
        examples = {r: state.observe(r).examples for r in game.roles}
        assert sorted(map(len, examples.values())) in ([4, 4, 5], [4, 5, 5], [5, 5, 5])
        for i in range(4):
            assert state.step({r: examples[r][i] for r in game.roles}).rejected == ()


# --- votes


def test_ballots() -> None:
    state = talked(new(players=4))
    assert state.observe("player_2").legal == ("player_0", "player_1", "player_3", NOBODY)
    assert state.to_act == state.game.roles
    alone = talked(new(players=4, spy_votes=False))
    assert len(alone.to_act) == 3
    assert f"player_{alone.spy}" not in alone.to_act


def test_votes_are_secret() -> None:
    start = talked(Refereed(WhoIsTheSpy(players=3, pairs=TEA)).start(0))
    waiting = voted(start, "1", "7", NOBODY)
    assert waiting.rejected == ("player_1",)
    for role in ("player_0", "player_2"):
        assert waiting.observe(role).messages == start.observe(role).messages
    ways = []
    for first, third in (("player_1", NOBODY), (NOBODY, "player_1")):
        end = start.step({"player_0": first, "player_1": NOBODY, "player_2": third})
        assert f"You vote {first}." in told(end, "player_0")
        ways.append(told(end, "player_1"))
    assert ways[0] == ways[1]  # only how many votes each got is told


def test_the_end_is_told() -> None:
    state = talked(new(3, players=3))
    end = voted(state, NOBODY, NOBODY, "1")
    spy, had, others = state.spy, state.words[1], state.words[0]
    verdict = "caught" if spy == 1 else "not caught"
    assert told(end, "player_2")[-1] == (
        f"Votes: player_1 1, n/a 2. player_{spy} is the spy, with the word {had}; the others "
        f"have the word {others}. The spy is {verdict}."
    )
    blank = voted(talked(new(players=3, spy="blank")), NOBODY, NOBODY, NOBODY)
    assert "is the spy, with no word;" in told(blank, "player_0")[-1]
    assert "The spy is not caught." in told(blank, "player_0")[-1]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ((1, 0, 0, 0), True),
        ((1, 0, 0, 2), True),  # two against one each
        ((1, 0, 0, 1), False),  # a tie
        ((None, 0, 1, 1), False),
        ((None, None, None, None), False),
        ((None, None, 0, None), True),
        ((2, 2, None, 0), False),
    ],
)
def test_caught(votes: Votes, expected: bool) -> None:
    assert caught(votes, 0) == expected
    won = -1.0 if expected else 1.0
    assert outcome(votes, 0) == (won, -won / 3, -won / 3, -won / 3)


# --- the rewards of Vision-Zero


def test_clue_reward_by_hand() -> None:
    """Four civilians; three votes for the spy, one for player_1: mean 1/4, gap 11/4."""
    tenth = F(1, 10)
    rewards = clue_rewards((3, 1, 0, 0, 0), 0, tenth, tenth)
    gain = tenth / 4 * F(11, 4)
    assert rewards == (
        -tenth * F(11, 4),
        gain - tenth * F(3, 4),
        *[gain + tenth * F(1, 4)] * 3,
    )
    assert sum(rewards) == 0


@pytest.mark.parametrize("spy_votes", [False, True])
@pytest.mark.parametrize("players", [3, 4, 5])
def test_clue_rewards_sum_to_zero_for_all_votes(players: int, spy_votes: bool) -> None:
    """Every vote that there can be, with fractions; and the declared bounds are not passed."""
    spy, beta, lambda_ = 1, F(1, 10), F(3, 10)
    voters = players - 1 + spy_votes
    low, high = clue_bounds(players - 1, voters, float(beta), float(lambda_))
    ballots = [
        [None, *(x for x in range(players) if x != seat)] if spy_votes or seat != spy else [None]
        for seat in range(players)
    ]
    reached: set[F] = set()
    for votes in product(*ballots):
        got = counts(votes)
        mean = F(sum(got) - got[spy], players - 1)
        rewards = clue_rewards(got, spy, beta, lambda_)
        gap = got[spy] - mean
        for seat, reward in enumerate(rewards):
            share = beta / (players - 1) * gap - lambda_ * (got[seat] - mean)
            assert reward == (-beta * gap if seat == spy else share)
        assert sum(rewards) == 0
        reached.update(rewards)
    assert low - 1e-12 <= float(min(reached))
    assert float(max(reached)) <= high + 1e-12
    assert float(min(reached)) == pytest.approx(low)


@given(st.data(), st.integers(3, 12), st.floats(0, 100), st.floats(0, 100))
def test_payoffs_sum_to_zero_for_any_votes(
    data: st.DataObject, players: int, beta: float, lambda_: float
) -> None:
    """Legal or not, in tables of every size; they are within what the game declares."""
    seats = st.integers(0, players - 1)
    spy = data.draw(seats)
    votes = data.draw(st.lists(st.none() | seats, min_size=players, max_size=players))
    for payoff in ("clue", "outcome"):
        game = WhoIsTheSpy(players=players, payoff=payoff, beta=beta, lambda_=lambda_)
        paid = game.pays(votes, spy).values()
        assert sum(paid) == pytest.approx(0, abs=1e-9)
        legal = [None if vote == seat else vote for seat, vote in enumerate(votes)]
        paid, said = game.pays(legal, spy).values(), game.declares
        assert said.low - 1e-9 <= min(paid) <= max(paid) <= said.high + 1e-9


@given(
    st.integers(3, 12),
    st.booleans(),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_forfeits_stay_within_the_bounds(
    players: int, spy_votes: bool, beta: float, lambda_: float
) -> None:
    game = WhoIsTheSpy(
        players=players, spy_votes=spy_votes, payoff="clue", beta=beta, lambda_=lambda_
    )
    said = game.declares
    for k in range(1, players + 1):
        paid = forfeit_payoffs(game, game.roles[:k]).values()
        assert sum(paid) == pytest.approx(0, abs=1e-6)
        assert said.low - 1e-9 <= min(paid) <= max(paid) <= said.high + 1e-9


def test_paper_variant_is_played_and_paid() -> None:
    """A blank spy, civilians vote: all against the spy pays it −β n, each civilian β."""
    state = talked(new(spy="blank", spy_votes=False, payoff="clue"))
    spy = state.spy
    end = voted(state, *[str(spy)] * 4)
    assert end.payoffs == pytest.approx(
        {r: -0.4 if seat == spy else 0.1 for seat, r in enumerate(state.game.roles)}
    )
    nobody = voted(state, *[NOBODY] * 4)
    assert set(map(str, nobody.payoffs.values())) == {"0.0"}


def test_vote_reward() -> None:
    state = talked(new(2, players=4, payoff="vote"))
    spy = state.spy
    other = next(s for s in range(4) if s != spy)
    votes = [str(spy)] * 4
    votes[spy], votes[other] = str(other), NOBODY
    wrong = next(s for s in range(4) if s not in (spy, other))
    votes[wrong] = str(other)
    end = voted(state, *votes)
    expected = dict.fromkeys(range(4), 1.0) | {spy: 0.0, other: -0.5, wrong: -1.0}
    assert end.payoffs == {f"player_{seat}": paid for seat, paid in expected.items()}
    assert state.game.declares.sum is Sum.GENERAL


def test_no_payoff_before_the_votes() -> None:
    assert set(talked(new()).payoffs.values()) == {0.0}


# --- options and contract


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"players": 2}, "players must be a whole number from 3 to 12, not 2"),
        ({"rounds": 0}, "rounds must be a whole number of at least 1"),
        ({"simultaneous": 1}, "simultaneous must be True or False"),
        ({"spy": "none"}, "spy must be one of similar, blank, not 'none'"),
        ({"spy_votes": None}, "spy_votes must be True or False"),
        ({"payoff": "win"}, "payoff must be one of outcome, clue, vote"),
        ({"beta": -1}, "beta must be a number from 0 to 100"),
        ({"lambda_": "x"}, "lambda_ must be a number from 0 to 100"),
        ({"pairs": []}, "pairs must be pairs of words, like"),
        ({"pairs": ["ab"]}, "pairs must be pairs of words, like"),
        ({"pairs": [("a", "b", "c")]}, "pairs must be pairs of words, like"),
        ({"pairs": [("tea", "teas")]}, "the words of a pair must differ, not 'tea' and 'teas'"),
        ({"pairs": [("tea", "7up")]}, "the words of a pair have letters"),
        ({"pairs": [("tea", "won't")]}, "the words of a pair have letters"),
    ],
)
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        WhoIsTheSpy(**options)


@pytest.mark.parametrize(
    "options", [{}, {"rounds": 3, "spy_votes": False}, {"players": 3, "simultaneous": True}]
)
def test_every_game_is_as_long_as_declared(options: dict[str, Any]) -> None:
    state, answers = new(**options), 0
    while state.to_act:
        said = {r: (state.observe(r).legal or ("I like it.",))[0] for r in state.to_act}
        state, answers = state.step(said), answers + len(said)
    assert answers == state.game.declares.max_turns


def test_pairs_of_ones_own_may_be_lists() -> None:
    game = WhoIsTheSpy(pairs=[["tea", "coffee"]])
    assert game == WhoIsTheSpy(pairs=(("tea", "coffee"),))
    assert hash(game) == hash(WhoIsTheSpy(pairs=(("tea", "coffee"),)))
    assert set(game.start(0).words) == {"tea", "coffee"}


def test_rules_say_the_options() -> None:
    default = WhoIsTheSpy().rules("player_0")
    assert "nobody is told who that is. In each of 2 rounds all give a clue in turn" in default
    assert "each civilian gets 1/4" in default
    assert "such as player_1." in default
    paper = WhoIsTheSpy(rounds=1, spy="blank", spy_votes=False, payoff="clue", lambda_=0.2)
    text = paper.rules("player_4")
    for words in ("has no word", "In one round", "the civilians vote in secret", "pays 0.2"):
        assert words in text
    assert "all give a clue at once" in WhoIsTheSpy(simultaneous=True).rules("player_0")
    assert "n/a -0.5" in WhoIsTheSpy(payoff="vote").rules("player_0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"spy": "blank", "spy_votes": False, "payoff": "clue"},
        {"players": 3, "rounds": 1, "simultaneous": True, "payoff": "vote"},
    ],
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(WhoIsTheSpy(**options)) == []

"""Avalon phase by phase: who knows whom, who may do what, and how each game ends."""

import random
from collections import Counter
from math import comb
from typing import Any

import pytest

from sparring.envs.contract import check
from sparring.envs.core import BadInput, IllegalAction, Role
from sparring.envs.games.avalon import parts as cast
from sparring.envs.games.avalon.game import Avalon, AvalonState, read_team
from sparring.envs.messages import rules_first
from sparring.envs.referee import Refereed

ALL = {"percival": True, "morgana": True, "mordred": True, "oberon": True}
FIVE = ("merlin", "servant", "servant", "assassin", "minion")


def dealt(*parts: str, leader: int = 0, **options: Any) -> AvalonState:
    """A game in which the seats have these parts."""
    game = Avalon(players=len(parts), **options)
    assert sorted(parts) == sorted(game.deck)
    return AvalonState(game, parts, leader, rules_first(game))._headed()


def propose(state: Any, *seats: int) -> Any:
    (leader,) = state.to_act
    return state.step({leader: " ".join(f"player_{seat}" for seat in seats)})


def vote(state: Any, ayes: int) -> Any:
    """The first ``ayes`` seats approve."""
    assert state.to_act == state.game.roles
    votes = {role: "approve" if i < ayes else "reject" for i, role in enumerate(state.game.roles)}
    return state.step(votes)


def quest(state: Any, *failing: int) -> Any:
    """The team plays its cards; ``failing`` seats play fail."""
    return state.step(
        {role: "fail" if int(role[7:]) in failing else "success" for role in state.to_act}
    )


def run(state: Any, *outcomes: bool) -> Any:
    """Quests on which the first seats and, to fail, the last seats go."""
    for good in outcomes:
        n, size = state.game.players, cast.QUESTS[state.game.players][len(state.won)]
        team = range(size) if good else range(n - size, n)
        state = vote(propose(state, *team), n)
        state = quest(state, *(() if good else range(n)[-2:]))
    return state


def texts(state: Any, role: Role = "player_0") -> list[str]:
    return [m.text for m in state.observe(role).messages[1:]]


def last(state: Any) -> str:
    return state.observe("player_0").messages[-1].text


# --- the published numbers


@pytest.mark.parametrize(
    ("players", "good", "evil", "sizes", "two_fails"),
    [
        (5, 3, 2, (2, 3, 2, 3, 3), False),
        (6, 4, 2, (2, 3, 4, 3, 4), False),
        (7, 4, 3, (2, 3, 3, 4, 4), True),
        (8, 5, 3, (3, 4, 4, 5, 5), True),
        (9, 6, 3, (3, 4, 4, 5, 5), True),
        (10, 6, 4, (3, 4, 4, 5, 5), True),
    ],
)
def test_table(players: int, good: int, evil: int, sizes: tuple[int, ...], two_fails: bool) -> None:
    game = Avalon(players=players)
    sides = Counter(map(cast.side, game.deck))
    assert (sides["good"], sides["evil"], len(game.deck)) == (good, evil, players)
    assert cast.QUESTS[players] == sizes
    expected = [1, 1, 1, 2 if two_fails else 1, 1]
    assert [cast.fails(players, q) for q in range(5)] == expected
    assert ("the fourth takes two" in game.rules("player_0")) == two_fails
    said = game.declares
    assert said.high == -said.low == pytest.approx(good / evil)
    assert said.max_turns == 25 * (1 + players) + sum(sizes) + 1


def test_decks() -> None:
    assert sorted(Avalon().deck) == sorted(FIVE)
    ten = Avalon(players=10, **ALL).deck
    assert Counter(ten) == Counter(
        merlin=1, percival=1, servant=4, assassin=1, morgana=1, mordred=1, oberon=1
    )
    assert Counter(Avalon(players=7, mordred=True).deck)["minion"] == 1


def test_dealing() -> None:
    n = 3000
    states = [Avalon().start(seed) for seed in range(n)]
    deals = Counter(state.dealt for state in states)
    assert len(deals) == 60  # 5!/2!
    assert all(abs(count - 50) < 43 for count in deals.values())  # six standard deviations
    leaders = Counter(state.leader for state in states)
    assert all(abs(leaders[seat] - 600) < 132 for seat in range(5))


# --- who knows whom

TEN = (
    "merlin", "percival", "servant", "servant", "servant", "servant",
    "assassin", "morgana", "mordred", "oberon",
)  # fmt: skip


@pytest.mark.parametrize(
    ("seat", "told"),
    [
        (0, "You are merlin, good. The evil players (all but mordred): player_6, player_7, "
            "player_9."),
        (1, "You are percival, good. One of these is merlin, the other morgana: player_0, "
            "player_7."),
        (2, "You are servant, good."),
        (5, "You are servant, good."),
        (6, "You are assassin, evil. The other evil players (all but oberon): player_7, "
            "player_8."),
        (7, "You are morgana, evil. The other evil players (all but oberon): player_6, "
            "player_8."),
        (8, "You are mordred, evil. The other evil players (all but oberon): player_6, "
            "player_7."),
        (9, "You are oberon, evil."),
    ],
)  # fmt: skip
def test_what_each_is_told(seat: int, told: str) -> None:
    assert cast.told(TEN, seat, Avalon(players=10).roles) == told


def test_what_each_is_told_without_extras() -> None:
    game = Avalon()
    assert cast.told(FIVE, 0, game.roles).endswith("The evil players: player_3, player_4.")
    assert cast.told(FIVE, 3, game.roles).endswith("The other evil players: player_4.")
    assert cast.told(FIVE, 4, game.roles).endswith("The other evil players: player_3.")
    percival = ("percival", "assassin", "merlin", "oberon", "servant")
    assert cast.told(percival, 0, game.roles).endswith("This is merlin: player_2.")
    assert cast.told(percival, 1, game.roles).endswith("(all but oberon): none.")
    rules = Avalon(percival=True, oberon=True).rules("player_0")
    assert "evil players but oberon know each other; percival knows merlin." in rules


@pytest.mark.parametrize(
    ("players", "options"),
    [(5, {}), (6, {"percival": True, "morgana": True}), (7, {"mordred": True}), (10, ALL)],
)
def test_views_tell_exactly_what_is_told(players: int, options: dict[str, bool]) -> None:
    """Two deals look the same to a seat if its part and the seats that it knows of are the same."""
    game = Avalon(players=players, **options)
    seen: dict[tuple[Any, ...], set[Any]] = {}
    for seed in range(300):
        state = game.start(seed)
        for seat, role in enumerate(game.roles):
            known = cast.knows(state.dealt, seat)
            key = (seat, state.leader, state.dealt[seat], known)
            seen.setdefault(key, set()).add(state.observe(role).messages)
    assert {len(views) for views in seen.values()} == {1}
    assert len({view for views in seen.values() for view in views}) == len(seen)


def test_percival_cannot_tell_merlin_from_morgana() -> None:
    swapped = list(TEN)
    swapped[0], swapped[7] = swapped[7], swapped[0]
    assert cast.told(TEN, 1, Avalon(players=10).roles) == cast.told(
        swapped, 1, Avalon(players=10).roles
    )


def test_parts_are_told_at_the_end_only() -> None:
    state = dealt(*FIVE)
    assert state.parts == dict(zip(state.game.roles, FIVE, strict=True))
    end = run(state, False, False, False)
    assert last(end).endswith("Parts: player_0 merlin, player_1 servant, player_2 servant, "
                              "player_3 assassin, player_4 minion.")  # fmt: skip


# --- proposals


def test_leader_proposes_a_listed_team() -> None:
    state = dealt(*FIVE, leader=3)
    assert state.to_act == ("player_3",)
    assert last(state) == "Quest 1: player_3 proposes a team of 2."
    legal = state.observe("player_3").legal
    assert legal is not None
    assert len(set(legal)) == comb(5, 2)
    assert legal[0] == "player_0 player_1"
    after = propose(state, 4, 1)
    assert last(after) == "player_3 proposes player_1 player_4."
    assert after.to_act == state.game.roles


@pytest.mark.parametrize("players", range(5, 11))
def test_proposals_are_listed_or_have_examples(players: int) -> None:
    game = Avalon(players=players)
    listed = players <= 7
    assert game.declares.free_speech == (not listed)
    for size in cast.QUESTS[players]:
        teams, some = game.teams(size), game.some_teams(size)
        assert (teams is not None) == listed
        assert teams is None or len(teams) == comb(players, size)
        assert 3 <= len(set(some)) == len(some) <= 6
    state = game.start(0)
    (leader,) = state.to_act
    seen = state.observe(leader)
    assert bool(seen.legal) == listed
    assert bool(seen.examples) != listed


@pytest.mark.parametrize(
    "text",
    [
        "player_2 player_0",
        "Player_0, PLAYER_2",
        "player_0 and player_2",
        " player_2,player_0 \n",
        "player_2, and player_0",
        "I trust myself. [player_0 player_2]",
        "[player_2 and player_0], yes: [player_0, player_2]",
    ],
)
def test_team_is_read(text: str) -> None:
    roles = Avalon().roles
    assert read_team(text, "player_0", roles, 2) == (0, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "player_0",
        "player_0 player_0",
        "player_0 player_2 player_2",
        "player_0 player_1 player_2",
        "player_0 player_5",
        "player_0 player_22",
        "player_0player_2",
        "player_0 or player_2",
        "player_0: player_0 player_2",
        "not player_0 player_2",
        "[player_0] [player_2]",
        "[player_0 player_2] or [player_0 player_1]",
        "[player_0 player_2] or [player_0 player_1 player_2]",
        "0 2",
    ],
)
def test_team_is_not_guessed(text: str) -> None:
    with pytest.raises(IllegalAction, match="does not name one team of 2 different players"):
        read_team(text, "player_0", Avalon().roles, 2)


# --- discussion


def test_talk_goes_round_from_the_leader_before_the_vote() -> None:
    assert Avalon(talk=1).declares.free_speech
    state = propose(dealt(*FIVE, leader=3, talk=2), 0, 1)
    order = []
    while len(state.to_act) == 1:
        (role,) = state.to_act
        order.append(int(role[7:]))
        assert state.observe(role).legal is None
        state = state.step({role: f"words {len(order)} "})
    assert order == [3, 4, 0, 1, 2] * 2
    said = [(m.sender, m.text) for m in state.observe("player_0").messages[-10:]]
    assert said == [(f"player_{seat}", f"words {i + 1}") for i, seat in enumerate(order)]
    assert state.to_act == state.game.roles
    again = vote(state, 0)
    assert propose(again, 0, 1).to_act == ("player_4",)  # all speak anew about the next team


def test_empty_words_are_refused() -> None:
    state = Refereed(Avalon(talk=1)).start(0)
    state = propose(state, 0, 1)
    (role,) = state.to_act
    assert state.step({role: " "}).rejected == (role,)


# --- votes


@pytest.mark.parametrize("players", range(5, 11))
def test_only_a_majority_approves(players: int) -> None:
    for ayes in range(players + 1):
        state = Avalon(players=players).start(0)
        team = range(cast.QUESTS[players][0])
        after = vote(propose(state, *team), ayes)
        if 2 * ayes > players:
            assert after.to_act == tuple(f"player_{seat}" for seat in team)
            assert last(after).endswith("The team goes on the quest.")
        else:
            leader = f"player_{(state.leader + 1) % players}"
            assert after.to_act == (leader,)
            assert after.log[-2].text.endswith("The team is rejected (1 of 5 in a row).")
            assert after.log[-1].text.startswith(f"Quest 1: {leader} proposes a team of")


def test_votes_are_shown_when_all_are_in() -> None:
    state = propose(Refereed(Avalon()).start(0), 0, 1)
    roles = state.game.roles
    views = []
    for first in ("approve", "reject"):
        waiting = state.step({**dict.fromkeys(roles, "approve"), "player_0": first, roles[4]: "?"})
        assert waiting.to_act == (roles[4],)
        for role in roles[:4]:
            assert waiting.observe(role).messages == state.observe(role).messages
        views.append(waiting.observe(roles[4]))
        done = waiting.step({roles[4]: "reject"})
        shown = done.observe("player_2").messages
        line = f"Votes: player_0 {first}, player_1 approve, player_2 approve, player_3 approve, "
        assert any(m.text.startswith(line + "player_4 reject.") for m in shown)
    assert views[0] == views[1]


def test_five_rejected_teams_in_a_row_and_evil_wins() -> None:
    state = dealt(*FIVE)
    for leader in range(4):
        assert state.to_act == (f"player_{leader}",)
        state = vote(propose(state, 0, 1), 2)
    state = run(state, True)  # the fifth is approved, the count starts anew
    for _ in range(5):
        assert state.to_act
        state = vote(propose(state, 0, 1, 2), 0)
    assert state.to_act == ()
    assert last(state).startswith("5 teams in a row are rejected. Evil wins.")
    assert state.payoffs["player_0"] == -1.0


# --- quests


def test_good_players_can_only_succeed() -> None:
    state = vote(propose(dealt(*FIVE), 0, 4), 5)
    assert state.observe("player_0").legal == ("success",)
    assert state.observe("player_4").legal == ("success", "fail")
    with pytest.raises(IllegalAction) as fault:
        state.step({"player_0": "fail", "player_4": "fail"})
    assert fault.value.role == "player_0"
    assert fault.value.also == ()


def test_cards_are_secret_and_the_number_of_fails_is_shown() -> None:
    state = vote(propose(dealt("merlin", "servant", "servant", "minion", "assassin"), 3, 4), 5)
    one, other = quest(state, 3), quest(state, 4)
    for role in ("player_0", "player_1", "player_2"):
        assert one.observe(role) == other.observe(role)
    assert one.log[-2].text == (
        "Cards: 1 success, 1 fail. Quest 1 fails. Quests so far: 0 succeeded, 1 failed."
    )
    assert "You play fail." in texts(one, "player_3")
    assert "You play success." in texts(one, "player_4")
    assert "You play" not in str(texts(one, "player_0"))
    assert one.to_act == ("player_1",)  # the next leader
    assert last(one) == "Quest 2: player_1 proposes a team of 3."


@pytest.mark.parametrize("players", range(5, 11))
def test_the_fourth_quest_of_many_takes_two_fails(players: int) -> None:
    evil = cast.EVIL[players]
    parts = ("assassin", *["minion"] * (evil - 1), "merlin")
    parts += ("servant",) * (players - len(parts))
    state = dealt(*parts)
    for number, size in enumerate(cast.QUESTS[players][:4]):
        state = vote(propose(state, *range(size)), players)
        state = quest(state, *(() if number < 2 else (0,)))  # one fail in the third and fourth
    assert state.won == (True, True, False, players >= 7)
    again = dealt(*parts)
    for number, size in enumerate(cast.QUESTS[players][:4]):
        again = vote(propose(again, *range(size)), players)
        again = quest(again, *((), (), (0,), (0, 1))[number])
    assert again.won == (True, True, False, False)
    assert ("It takes 2 fails" in str(texts(again))) == (players >= 7)


def test_three_failed_quests_and_evil_wins() -> None:
    end = run(dealt(*FIVE), True, False, True, False, False)
    assert end.to_act == ()
    assert last(end).startswith("3 quests failed. Evil wins.")
    assert end.payoffs == {f"player_{i}": -1.0 if i < 3 else 1.5 for i in range(5)}


# --- the assassin


def test_assassin_names_merlin() -> None:
    state = run(dealt(*FIVE), True, True, True)
    assert state.to_act == ("player_3",)
    assert last(state) == "3 quests succeeded. The assassin now names Merlin."
    assert state.observe("player_3").legal == ("player_0", "player_1", "player_2")
    assert set(state.payoffs.values()) == {0.0}
    found = state.step({"player_3": "player_0"})
    assert found.to_act == ()
    assert last(found).startswith("The assassin names player_0. Evil wins.")
    assert found.payoffs == {f"player_{i}": -1.0 if i < 3 else 1.5 for i in range(5)}
    missed = state.step({"player_3": "player_1"})
    assert last(missed).startswith("The assassin names player_1. Good wins.")
    assert missed.payoffs == {f"player_{i}": 1.0 if i < 3 else -1.5 for i in range(5)}


def test_assassin_may_name_whom_it_does_not_know_as_evil() -> None:
    state = run(dealt(*TEN, **ALL), True, True, True)
    expected = tuple(f"player_{seat}" for seat in (0, 1, 2, 3, 4, 5, 9))  # oberon is one of them
    assert state.observe("player_6").legal == expected


# --- payoffs and forfeits


@pytest.mark.parametrize("players", range(5, 11))
def test_payoffs_sum_to_zero(players: int) -> None:
    game = Avalon(players=players)
    for winner, sign in (("good", 1), ("evil", -1), ("", 0)):
        paid = game.pays(game.deck, winner)
        assert sum(paid.values()) == pytest.approx(0)
        assert {paid[f"player_{i}"] for i in range(players - cast.EVIL[players])} == {sign}


def test_the_team_of_who_forfeits_loses() -> None:
    state = propose(Refereed(Avalon(), retries=0).start(4), 0, 1)
    parts = state.parts
    good = [role for role, part in parts.items() if cast.side(part) == "good"]
    evil = [role for role, part in parts.items() if cast.side(part) == "evil"]
    votes = dict.fromkeys(parts, "approve")
    for losers, winner in (
        (good[:1], "evil"), (good[1:], "evil"), (evil[:1], "good"), (evil, "good"),
        ((good[0], evil[0]), ""),
    ):  # fmt: skip
        end = state.step(votes | dict.fromkeys(losers, "?"))
        assert set(end.forfeits) == set(losers)
        assert end.payoffs == state.game.pays(tuple(parts.values()), winner)


# --- whole games


@pytest.mark.parametrize("players", range(5, 11))
def test_random_games(players: int) -> None:
    """Whatever is played, exactly one of the four ways to end is reached."""
    options: dict[str, Any] = ALL if players == 10 else {"percival": players % 2 == 1}
    game = Avalon(players=players, talk=players % 2, **options)
    ends = Counter[str]()
    for seed in range(60):
        rng, state, answers = random.Random(seed), game.start(seed), 0
        habit, share = rng.choice((0, -1)), rng.random()  # most often the first answer, or the last
        while state.to_act:
            said = {}
            for role in state.to_act:
                seen = state.observe(role)
                offers = seen.legal or seen.examples
                said[role] = offers[habit] if rng.random() < share else rng.choice(offers)
            answers += len(said)
            state = state.step(said)
        assert answers <= game.declares.max_turns
        good, evil = state.won.count(True), state.won.count(False)
        end = state.log[-1].text
        if "rejected" in end:
            assert max(good, evil) < 3
            assert state.winner == "evil"
            assert state.rejected == 5
        elif "assassin names" in end:
            assert (good, evil < 3) == (3, True)
            named = end.split()[3].rstrip(".")
            assert state.winner == ("evil" if state.parts[named] == "merlin" else "good")
        else:
            assert (good < 3, evil, state.winner) == (True, 3, "evil")
        ends["rejected" if "rejected" in end else end.split()[1]] += 1
        assert sum(state.payoffs.values()) == pytest.approx(0)
    assert len(ends) == 3, ends


# --- options and contract


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"players": 4}, "players must be a whole number from 5 to 10, not 4"),
        ({"players": 11}, "players must be a whole number from 5 to 10"),
        ({"talk": -1}, "talk must be a whole number of at least 0"),
        ({"oberon": 1}, "oberon must be True or False"),
        ({"mordred": True, "oberon": True}, "with 5 players there are 2 evil, the assassin and at "
            "most 1 of morgana, mordred and oberon"),
        ({"players": 9, "mordred": True, "oberon": True, "morgana": True}, "at most 2 of"),
    ],
)  # fmt: skip
def test_bad_options(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        Avalon(**options)


def test_rules_name_the_parts() -> None:
    text = Avalon(players=10, talk=2, **ALL).rules("player_9")
    for words in (
        "You are player_9, one of 10 players: 6 good, 4 evil.",
        "Merlin knows all evil players but mordred; evil players but oberon know each other; "
        "percival knows merlin and morgana, but not who is which.",
        "teams of 3, 4, 4, 5, 5",
        "each player speaks 2 times, the leader first; then all vote",
        "each evil one loses 3/2; if evil wins",
        "Without a majority, and after each quest, the next player leads",
    ):
        assert words in text


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"players": 6, "talk": 1, "percival": True}, {"players": 8, "morgana": True}]
)
def test_contract(options: dict[str, Any]) -> None:
    assert check(Avalon(**options)) == []

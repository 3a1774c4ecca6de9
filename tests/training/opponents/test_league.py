"""The league: AlphaStar's rules by hand, whose seat trains whom, snapshots and new beginnings."""

import random
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput, Episode
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training import weights
from sparring.training.advantages.keys import player_game_and_role
from sparring.training.mixture import Entry, Mixture
from sparring.training.opponents.league import League
from sparring.training.opponents.matchmaking import Kind, Matchmaker, forgotten
from sparring.training.opponents.pool import Pool
from sparring.training.opponents.records import Records
from sparring.training.selfplay import SelfPlay

KINDS: dict[str, Kind] = {
    "main": "main",
    "hunter": "main_exploiter",
    "critic": "league_exploiter",
}
GAME = TicTacToe(board=False)


@pytest.mark.parametrize(
    ("rates", "old"),
    [
        ([], 0),
        ([0.5], 0),
        ([0.9, 0.8, 0.7], 0),  # the newer the harder: as it should be
        ([0.9, 0.6, 0.65, 0.6], 3),
        ([0.2, 0.9], 2),
        ([0.5, 0.5], 0),
    ],
)
def test_what_is_forgotten(rates: list[float], old: int) -> None:
    assert forgotten(rates) == old


def rules(rates: Mapping[str, Mapping[str, float]], *past: str) -> Matchmaker:
    """A pool of past selves named "PLAYER@STEP", and a record of 100 games for each win rate."""
    records = Records()
    for player, against in rates.items():
        for name, x in against.items():
            for game in range(100):
                payoff = 1.0 if game < round(100 * x) else -1.0
                records.add(
                    player, name, Episode("G", 0, (), {"a": payoff, "b": -payoff}, {}, {}), "a"
                )
    members = {name: SimpleNamespace(name=name, copies={name.split("@")[0]: {}}) for name in past}
    pool: Any = SimpleNamespace(members=members, past=list(members.values()), records=records)
    return Matchmaker(pool, KINDS, soonest=10, latest=20)


def shares(made: Matchmaker, player: str) -> dict[str, float]:
    luck = random.Random(0)
    met = Counter(made.opponent(player, luck) for _ in range(20_000))
    return {name: number / 20_000 for name, number in met.items()}


def test_whom_a_main_player_meets() -> None:
    """Half by f_hard, from win rates .1, .5, .7, .29 by hand. 0.35 itself. 0.15: the frozen hunter,
    to which it loses, is the only exploiter that counts."""
    found = shares(
        rules(
            {"main": {"main@0": 0.1, "main@1": 0.5, "critic@5": 0.7, "hunter@5": 0.29}},
            *("main@0", "main@1", "critic@5", "hunter@5"),
        ),
        "main",
    )
    total = 0.81 + 0.25 + 0.09 + 0.71**2
    assert found == pytest.approx(
        {
            "main": 0.35,
            "main@0": 0.5 * 0.81 / total,
            "main@1": 0.5 * 0.25 / total,
            "critic@5": 0.5 * 0.09 / total,
            "hunter@5": 0.5 * 0.71**2 / total + 0.15,
        },
        abs=0.015,
    )


def test_whom_a_main_player_has_forgotten() -> None:
    """Win rates 0.6, 0.8, 0.75 from old to new: the newest one is as it should be, the other two
    are forgotten, 0.6 is below 0.7: 0.15 of the games by f_hard, .16 : .04."""
    past = {"main@0": 0.6, "main@1": 0.8, "main@2": 0.75}
    found = shares(rules({"main": {**past, "hunter@3": 0.9}}, *past, "hunter@3"), "main")
    total = 0.16 + 0.04 + 0.0625 + 0.01
    assert found == pytest.approx(
        {
            "main": 0.35,
            "main@0": 0.5 * 0.16 / total + 0.15 * 0.8,
            "main@1": 0.5 * 0.04 / total + 0.15 * 0.2,
            "main@2": 0.5 * 0.0625 / total,
            "hunter@3": 0.5 * 0.01 / total,
        },
        abs=0.015,
    )


def test_a_main_player_with_nothing_to_verify_plays_itself() -> None:
    assert shares(rules({"main": {"main@0": 0.9}}, "main@0"), "main") == pytest.approx(
        {"main": 0.5, "main@0": 0.5}, abs=0.015
    )


def test_whom_exploiters_meet() -> None:
    past = ("main@0", "main@1", "critic@5")
    strong = rules({"hunter": {"main": 0.2, "main@0": 0.9}}, *past)
    assert shares(strong, "hunter") == {"main": 1.0}
    weak = rules({"hunter": {"main": 0.1, "main@0": 0.9, "main@1": 0.5}}, *past)
    assert shares(weak, "hunter") == pytest.approx(  # f_var: .09 and .25
        {"main@0": 9 / 34, "main@1": 25 / 34}, abs=0.015
    )
    critic = rules({"critic": {"main@0": 0.1, "main@1": 0.8, "critic@5": 0.3}}, *past)
    assert shares(critic, "critic") == pytest.approx(  # f_capped: .5, .2, .5
        {"main@0": 5 / 12, "main@1": 2 / 12, "critic@5": 5 / 12}, abs=0.015
    )


def test_when_a_player_is_frozen() -> None:
    beats = rules(
        {
            "main": {"main@0": 0.75, "critic@5": 0.8},
            "hunter": {"main": 0.71, "main@0": 0.1},
            "critic": {"main@0": 0.9, "critic@5": 0.69},
        },
        *("main@0", "critic@5"),
    )
    for player, strong in (("main", True), ("hunter", True), ("critic", False)):
        assert not beats.ready(player, 9)
        assert beats.ready(player, 10) == strong
        assert beats.ready(player, 20)


# -- in a run ---------------------------------------------------------------------------------


@pytest.fixture
def loop(new_player: Any, method: Any) -> SelfPlay:
    players = {name: new_player(name) for name in KINDS}
    league = League(Pool(players, fixed=[RandomAgent()]), KINDS, soonest=2, latest=2)
    return SelfPlay(
        mixture=Mixture([Entry(GAME)]),
        players=players,
        method=method,
        steps=5,
        games_a_step=60,
        seed=0,
        opponents=league,
        player_of=lambda role: "main",
    )


def test_every_player_learns_from_its_own_seats_only(loop: SelfPlay, method: Any) -> None:
    for metrics in loop.run():
        assert {f"reward@{name}" for name in KINDS} <= set(metrics)
    assert len(method.seen) == 5 * 3
    against: dict[str, set[str]] = {name: set() for name in KINDS}
    both = 0
    for samples in method.seen:
        (player,) = {sample.player for sample in samples}
        for sample in samples:
            assert sample.episode.seats[sample.role] == player
            assert player_game_and_role(sample) == (player, sample.episode.game, sample.role)
            (other,) = {name for role, name in sample.episode.seats.items() if role != sample.role}
            against[player].add(other)
            both += other == player
    assert both > 50, "the main player plays itself, and both seats learn"
    assert against["hunter"] <= {"main", *(f"main@step-{step}" for step in range(6))}
    assert "main" in against["hunter"]
    assert "random" in against["critic"]
    assert "main" in against["main"]
    assert not any(name in ("hunter", "critic") for some in against.values() for name in some), (
        "exploiters are met when they are frozen"
    )
    assert any(name.startswith("hunter@") for name in against["main"] | against["critic"])
    games = sum(len({id(s.episode) for s in samples}) for samples in method.seen)
    assert games == 5 * 60, "a game trains one player"


def test_exploiters_begin_anew_after_they_were_frozen_as_they_were(loop: SelfPlay) -> None:
    league = loop.opponents
    assert isinstance(league, League)
    run = loop.run()
    next(run)
    start = league.pool.members["main@step-0"].copies["main"]
    before = {name: weights.copy_of(player.model) for name, player in loop.players.items()}
    next(run)  # the second update freezes all
    names = ["random", "main@step-0", "main@step-2", "hunter@step-2", "critic@step-2"]
    assert list(league.pool.members) == names
    hunter = weights.copy_of(loop.players["hunter"].model)
    frozen = league.pool.members["hunter@step-2"].copies["hunter"]
    for name in start:
        assert torch.equal(hunter[name], start[name]), "it begins anew"
        assert not torch.equal(frozen[name], start[name]), "what was frozen is what it had learned"
        assert not torch.equal(frozen[name], before["hunter"][name])
    assert league.pool.records.games("hunter", "main") == 0
    main = league.pool.members["main@step-2"].copies["main"]
    assert all(
        torch.equal(weight, main[name])
        for name, weight in weights.copy_of(loop.players["main"].model).items()
    ), "a main player goes on"


def test_a_league_exploiter_begins_anew_a_quarter_of_the_time(new_player: Any, nudge: Any) -> None:
    players = {name: new_player(name) for name in KINDS}
    league = League(Pool(players, capacity=4), KINDS, soonest=1, latest=1)
    league.seat(GAME, {}, random.Random(0))
    critic, anew = players["critic"].model, 0
    start = weights.copy_of(critic)
    for step in range(1, 201):
        nudge(critic)
        league.updated(step)
        anew += all(torch.equal(w, start[n]) for n, w in weights.trained(critic).items())
    assert 35 < anew < 65
    kept = [member.name for member in league.pool.past]
    assert kept[0] == "main@step-0", "the start is needed for ever"
    assert {name.split("@")[0] for name in kept} == set(KINDS)
    assert len(kept) <= 5


def test_all_begin_as_the_main_player_does(new_player: Any, nudge: Any) -> None:
    players = {name: new_player(name) for name in KINDS}
    nudge(players["main"].model)
    league = League(Pool(players), KINDS)
    league.seat(GAME, {}, random.Random(0))
    first = weights.copy_of(players["main"].model)
    for player in players.values():
        assert all(torch.equal(w, first[n]) for n, w in weights.trained(player.model).items())


def test_bad_leagues(new_player: Any) -> None:
    players = {name: new_player(name) for name in ("main", "hunter")}
    pool = Pool(players)
    with pytest.raises(BadInput, match="a kind for each player"):
        League(pool, {"main": "main"})
    with pytest.raises(BadInput, match="and a main player"):
        League(pool, {"main": "main_exploiter", "hunter": "main_exploiter"})
    with pytest.raises(BadInput, match="the kinds of players of a league are: main, "):
        League(pool, {"main": "main", "hunter": "spy"})  # type: ignore[dict-item]
    with pytest.raises(BadInput, match="soonest at most latest"):
        League(pool, {"main": "main", "hunter": "main_exploiter"}, soonest=5, latest=4)

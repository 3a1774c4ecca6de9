"""What a run keeps at every save."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparring.agents.optimal import optimal
from sparring.agents.play import Match, play
from sparring.agents.random import RandomAgent
from sparring.envs import game
from sparring.envs.core import Action, Episode, Game, Observation
from sparring.envs.solve import walk
from sparring.training.report import keep as keeping
from sparring.training.report.keep import keep, policy

KUHN = game("KuhnPoker-v0")


TREES = {KUHN.name: walk(KUHN)}


@dataclass
class Loop:
    """What ``keep`` reads of a ``SelfPlay``."""

    step: int
    player: Any = field(default_factory=RandomAgent)
    shown: list[Episode] = field(default_factory=list)
    retries: int = 0

    def agents(self, game: Game) -> dict[str, Any]:
        return dict.fromkeys(game.roles, self.player)


@dataclass
class Silent:
    """Does not say how likely its answers are, and now and then gives one that is refused."""

    name: str = "silent"

    async def act(self, observation: Observation) -> Action:
        return Action("no" if observation.seed % 2 else (observation.legal or ("",))[0])


def loop(step: int, player: Any = None, games: int = 3) -> Any:
    player = player or RandomAgent()
    seats = dict.fromkeys(KUHN.roles, player)
    shown = [asyncio.run(play(Match(KUHN, seats, i, 7 * i + step), 0)) for i in range(games)]
    return Loop(step, player, shown)


def folder(path: Path) -> Path:
    (path / "metrics.jsonl").write_text('{"step": 0, "nash_conv": 0.9}\n')
    return path


def kept(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "replays.jsonl").read_text().splitlines()]


def test_saves_add_up_and_one_made_again_replaces_itself(tmp_path: Path) -> None:
    folder(tmp_path)
    for step in (10, 20, 30, 20):  # it died after 30 and went on from 10
        keep(loop(step), tmp_path, TREES, last=False)
    assert [game["step"] for game in kept(tmp_path)] == [10] * 3 + [20] * 3
    answers = [a for g in kept(tmp_path) for s in g["steps"] for a in s["answers"]]
    assert all(set(a["chances"].values()) == {0.5} for a in answers)
    assert (tmp_path / "report.html").is_file()
    assert not (tmp_path / "figures").exists()
    assert not (tmp_path / "curves.png").exists()
    keep(loop(30), tmp_path, TREES, last=True)
    assert (tmp_path / "curves.png").is_file()
    assert (tmp_path / "figures" / "nashconv.png").is_file()
    assert not list(tmp_path.glob(".*"))


def test_only_the_newest_games_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "GAMES", 4)
    folder(tmp_path)
    for step in (1, 2, 3):
        keep(loop(step), tmp_path, {}, last=False)
    assert [game["step"] for game in kept(tmp_path)] == [1, 2, 2, 2, 3, 3, 3]


def test_an_agent_that_does_not_say_how_likely(tmp_path: Path) -> None:
    folder(tmp_path)
    keep(loop(1, Silent(), games=8), tmp_path, TREES, last=False)
    answers = [a for g in kept(tmp_path) for s in g["steps"] for a in s["answers"]]
    assert {a["chances"] for a in answers} == {None}
    assert {a["accepted"] for a in answers} == {True, False}
    assert any(g["forfeits"] for g in kept(tmp_path))
    assert not (tmp_path / "policy.json").exists()


def test_a_game_that_does_not_play_the_same_twice_is_left_out(tmp_path: Path) -> None:
    folder(tmp_path)
    some = loop(1)
    some.shown[1] = SimpleNamespace(
        **{name: getattr(some.shown[1], name) for name in Episode.__slots__}
        | {"payoffs": {"player_0": 5.0}}
    )
    keep(some, tmp_path, {}, last=False)
    assert [game["index"] for game in kept(tmp_path)] == [0, 2]


def test_the_policy_is_that_of_the_first_game_that_can_be_solved(tmp_path: Path) -> None:
    folder(tmp_path)
    three = game("KuhnPoker-v0(players=3)")
    trees = {"KuhnPoker-v0(players=3)": walk(three), **TREES}
    keep(loop(5), tmp_path, trees, last=False)
    kept = json.loads((tmp_path / "policy.json").read_text())
    assert (kept["game"], kept["step"]) == ("KuhnPoker-v0(players=3)", 5)
    assert {row["role"] for row in kept["rows"]} == set(three.roles)


def test_each_game_is_replayed_by_its_own_rules(tmp_path: Path) -> None:
    folder(tmp_path)
    other = game("TicTacToe-v0(board=False)")
    mixed = loop(1, games=1)
    seats = dict.fromkeys(other.roles, RandomAgent())
    mixed.shown.append(asyncio.run(play(Match(other, seats, 3, 3), 0)))
    keep(mixed, tmp_path, TREES, last=False)
    assert [g["game"] for g in kept(tmp_path)] == ["KuhnPoker-v0", "TicTacToe-v0(board=False)"]


def test_the_policy_of_an_equilibrium_costs_nothing() -> None:
    found = policy(optimal(KUHN.name, "0.2"), walk(KUHN), 7)
    assert (found["step"], found["sets"], len(found["rows"])) == (7, 12, 12)
    assert "0.2" in found["note"]
    assert max(row["loss"] for row in found["rows"]) == pytest.approx(0, abs=1e-9)
    for row in found["rows"]:
        assert row["chances"] == pytest.approx(row["equilibrium"])


def test_only_the_situations_that_come_up_most(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = walk(KUHN)
    whole = policy(RandomAgent(), tree, 1)["rows"]
    monkeypatch.setattr(keeping, "SITUATIONS", 6)
    found = policy(RandomAgent(), tree, 1)
    assert found["sets"] == 12
    assert [r for r in whole if r in found["rows"]] == found["rows"], "in the order of the table"
    assert min(r["reach"] for r in found["rows"]) >= max(
        r["reach"] for r in whole if r not in found["rows"]
    )

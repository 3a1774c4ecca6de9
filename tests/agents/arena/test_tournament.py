"""A tournament is kept game by game, and goes on after any stop as if there had been none."""

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sparring.agents.arena.folder import Folder, finite, to_show
from sparring.agents.arena.schedule import Contest, RoundRobin, Schedule
from sparring.agents.arena.swiss import Swiss
from sparring.agents.arena.table import SCHEMA
from sparring.agents.arena.tournament import play
from sparring.agents.arena.until import Until
from sparring.agents.optimal import optimal
from sparring.agents.random import RandomAgent
from sparring.envs import game
from sparring.envs.core import Action, BadInput, Observation


def kuhn(*names: str) -> Contest:
    rules = game("KuhnPoker-v0")
    agents = {"optimal": optimal(rules.name), **{name: RandomAgent(name) for name in names}}
    return Contest(rules, agents)


def ran(contest: Contest, schedule: Schedule, path: Path | None = None, **more: Any) -> Any:
    if path is None:
        return asyncio.run(play([contest], schedule, **more))
    with Folder(path, *to_show([contest])) as folder:
        return asyncio.run(play([contest], schedule, keeper=folder, **more))


class Stop(Exception):
    pass


def stop_after(games: int) -> Any:
    def progress(done: int, planned: int) -> None:
        if done >= games:
            raise Stop

    return progress


SCHEDULES = {
    "round robin": RoundRobin(20),
    "swiss": Swiss(rounds=3, games=8),
    "until": Until(half_width=0.35, games=400),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_stopped_tournament_goes_on_as_if_it_had_not(name: str, tmp_path: Path) -> None:
    contest, schedule = kuhn("a", "b", "c"), SCHEDULES[name]
    whole = ran(contest, schedule, tmp_path / "whole")
    for stop in (1, 17, 40):
        with pytest.raises(Stop):
            ran(contest, schedule, tmp_path / "broken", progress=stop_after(stop), at_once=8)
    lines = (tmp_path / "broken" / "games.jsonl").read_text()
    assert lines.count("\n") == 40
    with (tmp_path / "broken" / "games.jsonl").open("a") as file:
        file.write(lines.splitlines()[-1][:30])  # what a kill in the middle of a line leaves
    again = ran(contest, schedule, tmp_path / "broken")
    assert_frame_equal(again, whole)
    assert (tmp_path / "broken" / "games.jsonl").read_text().startswith(lines), "none played twice"
    replays = {
        run: sorted(
            json.loads(line)["index"]
            for line in (tmp_path / run / "replays.jsonl").read_text().splitlines()
        )
        for run in ("whole", "broken")
    }
    assert replays["whole"] == replays["broken"]


def test_the_table_is_tidy() -> None:
    found = ran(kuhn("a"), RoundRobin(6))
    assert dict(found.schema) == SCHEMA
    assert found.null_count().sum_horizontal().item() == 0
    assert found["index"].to_list() == [i for i in range(6) for _ in range(2)]
    assert found["deal"].to_list() == [d for d in range(3) for _ in range(4)]
    assert (found["answers"] == found["legal"]).all()


def test_results_can_be_read_by_others(tmp_path: Path) -> None:
    found = ran(kuhn("a"), RoundRobin(6), tmp_path)
    with Folder(tmp_path) as folder:
        assert_frame_equal(folder.table(), found, check_row_order=False)
        folder.write_results(found)
    assert_frame_equal(pl.read_parquet(tmp_path / "results.parquet"), found)
    assert pl.read_csv(tmp_path / "results.csv").height == 12
    assert not list(tmp_path.glob(".*")), "nothing half-written is left"


def test_replays_have_the_chances_of_those_who_can_say(tmp_path: Path) -> None:
    class Silent:
        name = "silent"

        async def act(self, observation: Observation) -> Action:
            return Action((observation.legal or ("",))[0])

    rules = game("KuhnPoker-v0")
    contest = Contest(rules, {"optimal": optimal(rules.name), "silent": Silent()})
    ran(contest, RoundRobin(4), tmp_path)
    for line in (tmp_path / "replays.jsonl").read_text().splitlines():
        shown = json.loads(line)
        for step in shown["steps"]:
            for answer in step["answers"]:
                silent = shown["seats"][answer["role"]] == "silent"
                assert (answer["chances"] is None) == silent
                assert silent or sum(answer["chances"].values()) == pytest.approx(1)


def test_replays_tell_agents_of_one_name_apart(tmp_path: Path) -> None:
    contest = Contest(game("KuhnPoker-v0"), {"one": RandomAgent(), "two": RandomAgent()})
    ran(contest, RoundRobin(2), tmp_path)
    first, second = map(json.loads, (tmp_path / "replays.jsonl").read_text().splitlines())
    assert {*first["seats"].values()} == {*second["seats"].values()} == {"one", "two"}


def test_a_folder_of_other_games_is_refused(tmp_path: Path) -> None:
    ran(kuhn("a"), RoundRobin(4), tmp_path)
    with pytest.raises(BadInput, match="another folder"):
        ran(kuhn("z"), RoundRobin(4), tmp_path)
    with pytest.raises(BadInput, match="another folder"):
        ran(kuhn("a"), RoundRobin(4), tmp_path, seed=5)
    (tmp_path / "games.jsonl").write_text("nonsense\n")
    with pytest.raises(BadInput, match="damaged"):
        ran(kuhn("a"), RoundRobin(4), tmp_path)


def test_one_agent_is_no_tournament() -> None:
    with pytest.raises(BadInput, match="at least two agents, not 1"):
        ran(kuhn(), RoundRobin(4))


# -- until ------------------------------------------------------------------------------------


def test_until_stops_where_every_interval_is_narrow_enough() -> None:
    said: list[str] = []
    contest = kuhn("a", "b")
    found = ran(contest, Until(0.1, 20_000, said.append))
    for one, two in contest.pairings():
        mine = found.filter((pl.col("agent") == one) & (pl.col("opponent") == two))
        deals = mine.group_by("deal").agg(pl.col("payoff").mean())["payoff"]
        half = 1.96 * float(deals.std()) / len(deals) ** 0.5
        assert half <= 0.1
        assert half > 0.06, "and not much narrower: games cost time"
    assert said
    assert "more games until ±0.1" in said[0]


def test_until_never_plays_more_than_it_may() -> None:
    found = ran(kuhn("a"), Until(0.001, 240))
    assert found["index"].n_unique() == 240


def test_until_needs_two_deals_that_count_before_it_guesses() -> None:
    assert ran(kuhn("a"), Until(0.02, 2))["index"].n_unique() == 2
    until = Until(0.02, 1000)
    played = ran(kuhn("a"), Until(0.5, 100))
    lost = played.with_columns(pl.lit("void").alias("end"))
    (batch,) = until.plan([kuhn("a")], 1, lost)
    assert len(batch.deals) == 50, "another pilot"


@pytest.mark.parametrize("half", [0.0, -1.0, float("nan"), float("inf")])
def test_until_needs_a_width(half: float) -> None:
    with pytest.raises(BadInput, match="half width above 0"):
        Until(half, 100)


def test_json_has_no_infinities() -> None:
    assert finite({"a": (float("inf"), 1.0), "b": [float("nan")]}) == {
        "a": [None, 1.0],
        "b": [None],
    }

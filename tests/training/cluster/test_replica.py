"""A replica plays what the loop itself would have played, whatever the loop remembers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra ray")

from sparring.envs.core import Episode
from sparring.training.cluster.on_ray import memory_of
from sparring.training.cluster.parcels import Sender
from sparring.training.cluster.replica import Moment, Order, Replica, own_weights
from sparring.training.cluster.wire import unpacked
from sparring.training.execution import Local
from sparring.training.measure import solvable
from sparring.training.recipes import kuhn, league, psro, spiral
from sparring.training.rollouts import play_out
from sparring.training.selfplay import SelfPlay

SMALL: Mapping[str, Any] = {
    "games": 12, "imitation_steps": 4, "imitation_games": 8, "max_tokens": 3, "trackers": (),
}  # fmt: skip
CONFIGS: Mapping[str, tuple[Any, Any]] = {
    "kuhn": (kuhn, kuhn.Config(steps=5, **SMALL)),
    "psro": (psro, psro.Config(against="nash", matrix_games=8, every=1, steps=5, **SMALL)),
    "league": (league, league.Config(steps=5, soonest=1, latest=2, **SMALL)),
}


@pytest.fixture(autouse=True)
def tiny(tiny_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Pair:
    """A loop that learns, and a replica that is sent what it needs."""

    def __init__(self, recipe: str):
        module, config = CONFIGS[recipe]
        experiment = module.build(config)
        for _ in experiment.stage_one():
            pass
        self.loop: SelfPlay = experiment.loop
        self.stored: list[Any] = []
        self.weights, self.memory = Sender(self._put), Sender(self._put)
        self.replica = self.another(recipe)

    def another(self, recipe: str) -> Replica:
        return Replica(recipe, CONFIGS[recipe][1], ".", self.stored.__getitem__)

    def _put(self, arrays: Any) -> int:
        copied = {name: (array.copy(), dtype) for name, (array, dtype) in arrays.items()}
        self.stored.append(copied)
        return len(self.stored) - 1

    def moment(self) -> Moment:
        players = {name: own_weights(p) for name, p in self.loop.players.items()}
        return Moment(self.weights.pack(players), self.memory.pack(memory_of(self.loop)))


def words(episodes: list[Episode]) -> list[Any]:
    return [(e.seed, e.seats, e.payoffs, [t.action.tokens for t in e.turns]) for e in episodes]


@pytest.mark.parametrize("recipe", CONFIGS)
def test_the_parts_together_are_the_step(recipe: str) -> None:
    pair = Pair(recipe)
    loop = pair.loop
    for metrics in loop.run():
        at = pair.moment()
        planned = loop.plan(loop.step)
        expected = [some[0] for some in play_out(planned, None, 0)]
        found: list[Episode | None] = [None] * len(planned)
        late = pair.another(recipe)  # one that was there from the start, and one that was not
        for part in range(3):
            who = late if part == 1 else pair.replica
            report = who.play(Order(loop.step, part, 3, at))
            episodes = unpacked(report.episodes)
            assert report.games == len(episodes) == 4
            assert report.tokens == sum(len(t.action.tokens) for [e] in episodes for t in e.turns)
            found[part::3] = [episode for [episode] in episodes]
        assert words(found) == words(expected)  # type: ignore[arg-type]
        assert metrics["step"] == loop.step
        if loop.step == 3:
            break
    assert recipe == "kuhn" or len({name for e in expected for name in e.seats.values()}) > 1


@pytest.mark.parametrize("recipe", CONFIGS)
def test_the_first_step_too(recipe: str) -> None:
    """Planning it may make past selves, and give players other weights; also those planned ahead
    are then played with the right ones, by a replica that has seen no step before."""
    pair = Pair(recipe)
    loop = pair.loop
    memories, plans = [], []
    for step in range(2):
        memories.append(pair.memory.pack(memory_of(loop)))
        plans.append(loop.plan(step))
    weights = pair.weights.pack({name: own_weights(p) for name, p in loop.players.items()})
    for step, replica in ((1, pair.another(recipe)), (0, pair.replica)):
        report = replica.play(Order(step, 0, 1, Moment(weights, memories[step])))
        found = [episode for [episode] in unpacked(report.episodes)]
        assert words(found) == words([some[0] for some in play_out(plans[step], None, 0)])


def test_a_replica_measures_as_the_loop_does() -> None:
    pair = Pair("psro")
    loop = pair.loop
    next(loop.run())
    trees = solvable(loop)
    here = Local().evaluate(loop, trees).result()
    there = pair.replica.evaluate(pair.moment())
    assert there == pytest.approx(here, abs=1e-6)
    assert "nash_conv_average" in there


def test_members_that_stay_are_not_made_again() -> None:
    pair = Pair("psro")
    loop = pair.loop
    run = loop.run()
    next(run)
    pair.replica.play(Order(loop.step, 0, 1, pair.moment()))
    pool = pair.replica.loop.opponents.pool  # type: ignore[attr-defined]
    before = dict(pool.members)
    next(run)
    pair.replica.play(Order(loop.step, 0, 1, pair.moment()))
    assert pool.members.keys() > before.keys()
    assert all(pool.members[name] is member for name, member in before.items())


def test_planning_ahead_does_not_change_a_plan() -> None:
    """Where playing runs ahead, later steps are planned before an earlier one is recorded."""
    a, b = (Pair(recipe).loop for recipe in ("league", "league"))
    alone = b.plan(1)
    a.plan(0)
    ahead = a.plan(1)
    assert [p.match.seed for p in ahead] == [p.match.seed for p in alone]
    assert [p.seating.against for p in ahead] == [p.seating.against for p in alone]


def test_warnings_of_a_worker_are_in_its_report() -> None:
    import logging

    pair = Pair("kuhn")
    order = Order(0, 0, 1, pair.moment())
    logging.getLogger("sparring.agents.engines").warning("out of %s", "memory")
    assert pair.replica.play(order).warnings == ("out of memory",)
    assert pair.replica.play(order).warnings == ()


def test_recipes_with_paths_work_from_the_folder_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    config = kuhn.Config(steps=1, **SMALL)
    Replica("kuhn", config, str(tmp_path / "there"), lambda where: where)
    assert Path.cwd() == tmp_path / "there"
    assert spiral.Config().ray == "off"

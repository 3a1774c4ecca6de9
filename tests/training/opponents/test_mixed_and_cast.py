"""Strategies put together: several in one batch, and fixed agents in some roles."""

import random
from typing import Any

import pytest

from sparring.agents.random import RandomAgent
from sparring.envs.core import Episode, Role
from sparring.envs.games.debate import Debate
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training.opponents.cast import Cast
from sparring.training.opponents.core import Seating
from sparring.training.opponents.fixed import Against
from sparring.training.opponents.mirror import Mirror
from sparring.training.opponents.mixed import Mixed

KUHN = KuhnPoker()
LEARNER, OTHER, JUDGE = RandomAgent("learner"), RandomAgent("other"), RandomAgent("judge")


def own(game: Any) -> dict[Role, Any]:
    return dict.fromkeys(game.roles, LEARNER)


class Notes(Mirror):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.recorded: list[Seating] = []
        self.steps: list[int] = []

    def record(self, seating: Seating, episode: Episode) -> None:
        self.recorded.append(seating)

    def updated(self, step: int) -> None:
        self.steps.append(step)

    def metrics(self) -> dict[str, float]:
        return {"noted": float(len(self.recorded))}

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: Any) -> None:
        self.steps = list(state["steps"])


def test_against_seats_the_learner_once() -> None:
    luck = random.Random(0)
    seatings = [Against(OTHER).seat(KUHN, own(KUHN), luck) for _ in range(200)]
    for seating in seatings:
        (role,) = seating.learning
        assert seating.seats == {r: LEARNER if r == role else OTHER for r in KUHN.roles}
    assert 70 < sum(s.learning == {"player_0"} for s in seatings) < 130


def test_a_mixture_seats_by_weight_and_tells_each_strategy_its_own_games() -> None:
    first, second = Notes(), Notes()
    mixed = Mixed((3.0, first), (1.0, second))
    luck = random.Random(0)
    seatings = [mixed.seat(KUHN, own(KUHN), luck) for _ in range(400)]
    episode = Episode("g", 0, (), {}, {}, {}, ())
    for seating in [*seatings, *seatings[:10]]:  # a game that branched is recorded again
        mixed.record(seating, episode)
    assert 260 < len(first.recorded) < 340
    assert len(first.recorded) + len(second.recorded) == 410
    assert not {id(s) for s in first.recorded} & {id(s) for s in second.recorded}
    mixed.updated(7)
    assert first.steps == second.steps == [7]
    assert mixed.metrics() == {"noted": float(len(second.recorded))}
    loaded = Mixed((3.0, Notes()), (1.0, Notes()))
    loaded.load_state_dict(mixed.state_dict())
    assert [s.steps for s in loaded.strategies] == [[7], [7]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("parts", [(), ((0.0, Mirror()),)])
def test_a_mixture_needs_positive_weights(parts: Any) -> None:
    with pytest.raises(ValueError, match="positive weight"):
        Mixed(*parts)


def test_a_cast_sits_in_its_roles_and_does_not_learn() -> None:
    debate = Debate()
    seating = Cast({"judge": JUDGE}).seat(debate, own(debate), random.Random(0))
    assert seating.seats == {"debater_0": LEARNER, "debater_1": LEARNER, "judge": JUDGE}
    assert seating.learning == {"debater_0", "debater_1"}
    assert Cast({"judge": JUDGE}).seat(KUHN, own(KUHN), random.Random(0)).seats == own(KUHN)

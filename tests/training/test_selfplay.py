"""The loop: the order of what it does, what it plays, and what it says of a batch."""

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sparring.agents.engines.core import Sampling
from sparring.agents.pretrained import player
from sparring.agents.random import RandomAgent
from sparring.envs.core import Action, BadInput, Episode, Observation, Role, Turn
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training import selfplay
from sparring.training.advantages.constant import Constant
from sparring.training.deals import balanced
from sparring.training.learner import Learner, Ramp, UpdateConfig
from sparring.training.opponents import Seating, against, mirror
from sparring.training.selfplay import SHOWN, SelfPlay, summary

KUHN = KuhnPoker(hands=2)


class Watched:
    """A learner, an estimator and an engine that write down what they are asked to do."""

    config = UpdateConfig()

    def __init__(self) -> None:
        self.done: list[Any] = []

    def update(self, batch: Any, progress: float) -> dict[str, float]:
        self.done.append(("update", progress))
        return {"loss": 1.0}

    def __call__(self, episodes: Sequence[Episode], rewards: Sequence[Any]) -> Sequence[Any]:
        self.done.append(("estimate", len(episodes)))
        return rewards

    def publish(self) -> None:
        self.done.append("publish")

    def state_dict(self) -> dict[str, Any]:
        return {"done": len(self.done)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.done.append(("load", state))


@pytest.fixture
def loop(new_model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> SelfPlay:
    """Noise plays: most games are forfeited at once."""
    watched = Watched()
    agent, _ = player("noise", new_model(layers=1), tokenizer, Sampling(max_tokens=3))
    play_all = selfplay.play_all

    def playing(matches: Any, **options: Any) -> Any:
        watched.done.append(("play", options["retries"]))
        return play_all(matches, **options)

    monkeypatch.setattr(selfplay, "play_all", playing)
    return SelfPlay(
        game=KUHN,
        player=agent,
        learner=watched,  # type: ignore[arg-type]
        estimator=watched,
        publish=watched.publish,
        steps=3,
        games=8,
        seed=0,
    )


def test_every_step_plays_estimates_updates_and_publishes(loop: SelfPlay) -> None:
    done = loop.learner.done  # type: ignore[attr-defined]
    for step, metrics in enumerate(loop.run(), start=1):
        assert done == [("play", 0), ("estimate", 8), ("update", (step - 1) / 2), "publish"]
        done.clear()
        assert metrics["step"] == loop.step == step
        assert metrics["loss"] == 1.0
        assert metrics["games"] == 8
        assert len(loop.shown) == SHOWN
    assert loop.step == 3
    assert not list(loop.run()), "it is finished"


def test_a_loop_goes_on_from_its_step(loop: SelfPlay) -> None:
    assert loop.state_dict() == {"step": 0, "learner": {"done": 0}, "estimator": {"done": 0}}
    loop.load_state_dict({"step": 2, "learner": {"a": 1}, "estimator": {"b": 2}})
    done = loop.learner.done  # type: ignore[attr-defined]
    assert done == [("load", {"a": 1}), ("load", {"b": 2}), "publish"]
    assert [metrics["step"] for metrics in loop.run()] == [3]
    assert ("update", 1.0) in done


def test_steps_differ_and_seeds_differ_and_nothing_else_does(loop: SelfPlay) -> None:
    def played(seed: int, step: int) -> list[tuple[int, tuple[int, ...]]]:
        loop.seed, loop.step = seed, step
        next(loop.run())
        return [(e.seed, e.turns[0].action.tokens) for e in loop.shown]

    first = played(0, 0)
    random.seed(1)
    assert played(0, 0) == first
    assert played(0, 1) != first
    assert played(1, 0) != first


def test_deals_and_retries_are_those_of_the_loop(loop: SelfPlay) -> None:
    loop.game = KuhnPoker()
    loop.deals, loop.games, loop.retries = balanced(loop.game), 12, 2
    seen: list[Episode] = []

    class Keeps(Constant):
        def __call__(self, episodes: Any, rewards: Any) -> Any:
            seen.extend(episodes)
            return super().__call__(episodes, rewards)

    loop.estimator = Keeps()
    next(loop.run())
    dealt = [KuhnPoker().start(e.seed).deals for e in seen]
    assert sorted(dealt.count(deal) for deal in set(dealt)) == [2] * 6
    assert max(len(e.turns) for e in seen) > 2, "more than one try"


def test_the_engine_plays_with_the_weights_of_the_last_update(taught: Any, tokenizer: Any) -> None:
    """The log-probabilities of what was sampled are those of the weights when they are trained."""
    model = copy.deepcopy(taught)
    agent, engine = player("learner", model, tokenizer, Sampling(max_tokens=3))
    config = UpdateConfig(inner_steps=2, learning_rate=Ramp(1e-2, 1e-2))
    loop = SelfPlay(
        game=TicTacToe(board=False),
        player=agent,
        learner=Learner(model, config),
        estimator=Constant(),
        publish=engine.forget,
        steps=3,
        games=24,
        seed=0,
        retries=2,
    )
    for metrics in loop.run():
        assert metrics["turns"] > 4, "games too short to go on from the cache"
        assert metrics["kl_step"] > 1e-3, "the weights do not change: the test shows nothing"
        assert metrics["mismatch_max"] < 1e-4


# -- what is said of a batch ------------------------------------------------------------------


def episode(
    payoff: float, *turns: tuple[Role, bool, int], forfeits: tuple[str, ...] = ()
) -> Episode:
    """Of turns by (role, accepted, tokens)."""
    said = tuple(
        Turn(Observation(role, ()), Action("x", tokens=(7,) * tokens), accepted=accepted)
        for role, accepted, tokens in turns
    )
    return Episode("g", 0, said, {"a": payoff, "b": -payoff}, {}, {}, forfeits)


def test_a_summary_worked_out_by_hand() -> None:
    games = [
        episode(1.0, ("a", True, 1), ("b", True, 3)),
        episode(-2.0, ("a", False, 2), forfeits=("a",)),
    ]
    assert summary(games, [e.payoffs for e in games]) == {
        "games": 2.0,
        "reward/a": -0.5,
        "reward/b": 0.5,
        "legal": 2 / 3,
        "forfeits": 0.5,
        "turns": 1.5,
        "answer_tokens": 2.0,
    }
    learning = summary(games, [{"b": -1.0}, {"a": -2.0}])  # one seat of each learns
    assert learning == {
        "games": 2.0,
        "reward/a": -2.0,
        "reward/b": -1.0,
        "legal": 0.5,
        "forfeits": 0.5,
        "turns": 1.0,
        "answer_tokens": 2.5,
    }


# -- seatings ---------------------------------------------------------------------------------


def test_seatings() -> None:
    learner, other = RandomAgent("learner"), RandomAgent("other")
    luck = random.Random(0)
    assert mirror(KUHN, learner, luck) == Seating(
        dict.fromkeys(KUHN.roles, learner), frozenset(KUHN.roles)
    )
    seatings = [against(other)(KUHN, learner, luck) for _ in range(200)]
    for seating in seatings:
        (own,) = seating.learning
        assert seating.seats == {r: learner if r == own else other for r in KUHN.roles}
    assert 70 < sum(s.learning == {"player_0"} for s in seatings) < 130


def test_void_games_are_counted_and_not_trained_on(
    loop: SelfPlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_all = selfplay.play_all

    async def some_void(matches: Any, **options: Any) -> list[Episode]:
        episodes = await play_all(matches, **options)
        return [
            replace(e, void="no verdict" if i % 4 == 0 else None) for i, e in enumerate(episodes)
        ]

    monkeypatch.setattr(selfplay, "play_all", some_void)
    loop.games, loop.steps = 8, 1
    (metrics,) = loop.run()
    assert (metrics["void"], metrics["games"]) == (0.25, 6.0)
    assert ("estimate", 6) in loop.learner.done  # type: ignore[attr-defined]

    async def all_void(matches: Any, **options: Any) -> list[Episode]:
        return [replace(e, void="no verdict") for e in await play_all(matches, **options)]

    monkeypatch.setattr(selfplay, "play_all", all_void)
    loop.steps = 2
    with pytest.raises(BadInput, match="every game of this step was void: no verdict"):
        list(loop.run())

"""The loop: the order of what it does, what it plays, and what it says of a batch."""

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sparring.agents.engines.core import Sampling
from sparring.agents.pretrained import player
from sparring.envs.core import Action, BadInput, Episode, Observation, Role, Turn
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.training import rollouts
from sparring.training.advantages.constant import Constant
from sparring.training.core import Sample
from sparring.training.credit import last
from sparring.training.deals import balanced
from sparring.training.learner import Learner
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.mixture import Entry, Mixture
from sparring.training.player import Player
from sparring.training.rewards import mixed
from sparring.training.schedules.core import Everyone
from sparring.training.selfplay import SHOWN, SelfPlay
from sparring.training.summary import summary
from sparring.training.update import Ramp, UpdateConfig

KUHN = KuhnPoker(hands=2)


class Watched:
    """A learner, a method and an engine that write down what they are asked to do."""

    def __init__(self, model: Any) -> None:
        self.done: list[Any] = []
        self.model = model

    def learn(self, learner: Any, samples: Sequence[Sample], progress: float) -> dict[str, float]:
        self.done.append(("learn", len(samples), progress))
        return {"loss": 1.0}

    def mismatch(self, samples: Sequence[Sample]) -> dict[str, float]:
        return {"mismatch_mean": float(len(samples))}

    def publish(self) -> None:
        self.done.append("publish")

    def state_dict(self) -> dict[str, Any]:
        return {"done": len(self.done)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.done.append(("load", state))


def only(loop: SelfPlay) -> Any:
    return loop.players["learner"].learner


@pytest.fixture
def loop(new_model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> SelfPlay:
    """Noise plays: most games are forfeited at once."""
    watched = Watched(new_model(layers=1))
    agent, _ = player("noise", watched.model, tokenizer, Sampling(max_tokens=3))
    play_all = rollouts.play_all

    def playing(matches: Any, **options: Any) -> Any:
        watched.done.append(("play", options["retries"]))
        return play_all(matches, **options)

    monkeypatch.setattr(rollouts, "play_all", playing)
    return SelfPlay(
        mixture=Mixture([Entry(KUHN)]),
        players={"learner": Player(agent, watched, watched.publish, tokenizer)},  # type: ignore[arg-type]
        method=watched,
        steps=3,
        games_a_step=8,
        seed=0,
    )


def test_every_step_plays_learns_and_publishes(loop: SelfPlay) -> None:
    done = only(loop).done
    for step, metrics in enumerate(loop.run(), start=1):
        assert done == [("play", 0), ("learn", 16, (step - 1) / 2), "publish"]
        done.clear()
        assert metrics["step"] == loop.step == step
        assert metrics["loss"] == 1.0
        assert metrics["games"] == 8
        assert len(loop.shown) == SHOWN
    assert loop.step == 3
    assert not list(loop.run()), "it is finished"


def test_a_loop_goes_on_from_its_step(loop: SelfPlay) -> None:
    state = loop.state_dict()
    assert state == {
        "step": 0,
        "learners": {"learner": {"done": 0}},
        "method": {"done": 0},
        "mixture": {},
        "opponents": {},
        "schedule": {},
    }
    changed = {"step": 2, "learners": {"learner": {"a": 1}}, "method": {"b": 2}}
    loop.load_state_dict({**state, **changed})
    assert only(loop).done == [("load", {"a": 1}), ("load", {"b": 2}), "publish"]
    assert [metrics["step"] for metrics in loop.run()] == [3]
    assert ("learn", 16, 1.0) in only(loop).done


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
    loop.mixture = Mixture([Entry(KuhnPoker(), balanced(KuhnPoker()))])
    loop.games_a_step, loop.retries = 12, 2
    seen: list[Episode] = []

    def keep(samples: Sequence[Sample]) -> list[Sample]:
        seen.extend(s.episode for s in samples if s.role == "player_0")
        return list(samples)

    loop.filters = [keep]
    next(loop.run())
    dealt = [KuhnPoker().start(e.seed).deals for e in seen]
    assert sorted(dealt.count(deal) for deal in set(dealt)) == [2] * 6
    assert max(len(e.turns) for e in seen) > 2, "more than one try"


def test_reward_credit_filters_and_schedule_come_before_the_method(loop: SelfPlay) -> None:
    class Second(Everyone):
        def learns(self, role: Role, step: int) -> bool:
            return role == "player_0" and step < 1

    got: list[Sample] = []

    class Keeps(Watched):
        def learn(self, learner: Any, samples: Any, progress: float) -> dict[str, float]:
            got.extend(samples)
            return {}

    loop.method = Keeps(None)
    loop.reward, loop.credit = mixed(1.0), last
    loop.filters = [lambda samples: list(samples[:3])]
    loop.schedule = Second()
    (first, second, _) = loop.run()
    assert [s.role for s in got] == ["player_0"] * 3
    assert [s.reward for s in got] == [0.0] * 3, "a zero-sum game, all for all"
    assert all(sum(s.credit) == (len(s.turns) > 0) for s in got)
    assert (first["kept"], second["kept"]) == (3 / 16, 0.0)


def test_several_games_in_one_run(loop: SelfPlay) -> None:
    loop.mixture = Mixture([Entry(KuhnPoker()), Entry(TicTacToe())])
    metrics = next(loop.run())
    assert metrics["games"] == 8
    assert metrics["reward/KuhnPoker-v0/player_0"] == -metrics["reward/KuhnPoker-v0/player_1"]
    assert {"legal", "legal/TicTacToe-v0", "share/TicTacToe-v0"} < set(metrics)
    assert sorted({e.game for e in loop.shown}) == ["KuhnPoker-v0", "TicTacToe-v0"]


def test_a_player_for_each_role(taught: Any, tokenizer: Any) -> None:
    """Each learns from its own seat only, and its metrics bear its name."""
    models = {name: copy.deepcopy(taught) for name in ("first", "second")}
    players = {}
    for name, model in models.items():
        agent, engine = player(name, model, tokenizer, Sampling(max_tokens=3))
        learner = Learner(model, UpdateConfig(inner_steps=1))
        players[name] = Player(agent, learner, engine.forget, tokenizer)
    got: dict[str, set[Role]] = {}

    class Notes(PolicyGradient):
        def learn(self, learner: Any, samples: Any, progress: float) -> dict[str, float]:
            name = next(n for n, p in players.items() if p.learner is learner)
            got.setdefault(name, set()).update(s.role for s in samples)
            return super().learn(learner, samples, progress)

    loop = SelfPlay(
        mixture=Mixture([Entry(TicTacToe(board=False))]),
        players=players,
        method=Notes(Constant()),
        steps=2,
        games_a_step=8,
        seed=0,
        retries=2,
        player_of={"player_0": "first", "player_1": "second"}.__getitem__,
    )
    metrics = list(loop.run())[-1]
    assert got == {"first": {"player_0"}, "second": {"player_1"}}
    assert {"loss@first", "loss@second"} < set(metrics)
    assert loop.shown[0].seats == {"player_0": "first", "player_1": "second"}
    loaded = loop.state_dict()
    assert set(loaded["learners"]) == {"first", "second"}


def test_the_engine_plays_with_the_weights_of_the_last_update(taught: Any, tokenizer: Any) -> None:
    """The log-probabilities of what was sampled are those of the weights when they are trained."""
    model = copy.deepcopy(taught)
    agent, engine = player("learner", model, tokenizer, Sampling(max_tokens=3))
    config = UpdateConfig(inner_steps=2, learning_rate=Ramp(1e-2, 1e-2))
    loop = SelfPlay(
        mixture=Mixture([Entry(TicTacToe(board=False))]),
        players={"learner": Player(agent, Learner(model, config), engine.forget, tokenizer)},
        method=PolicyGradient(Constant()),
        steps=3,
        games_a_step=24,
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


def sample(episode: Episode, role: Role) -> Sample:
    return Sample(episode, role, episode.payoffs[role], (1.0,) * len(episode.turns_of(role)))


def test_a_summary_worked_out_by_hand() -> None:
    games = [
        episode(1.0, ("a", True, 1), ("b", True, 3)),
        episode(-2.0, ("a", False, 2), forfeits=("a",)),
    ]
    assert summary([sample(e, role) for e in games for role in "ab"]) == {
        "games": 2.0,
        "reward/a": -0.5,
        "reward/b": 0.5,
        "wins/a": 0.5,
        "wins/b": 0.5,
        "legal": 2 / 3,
        "forfeits": 0.5,
        "turns": 1.5,
        "answer_tokens": 2.0,
    }
    learning = summary([sample(games[0], "b"), sample(games[1], "a")])  # one seat of each
    assert learning == {
        "games": 2.0,
        "reward/a": -2.0,
        "reward/b": -1.0,
        "wins/a": 0.0,
        "wins/b": 0.0,
        "legal": 0.5,
        "forfeits": 0.5,
        "turns": 1.0,
        "answer_tokens": 2.5,
    }


def test_void_games_are_counted_and_not_trained_on(
    loop: SelfPlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_all = rollouts.play_all

    async def some_void(matches: Any, **options: Any) -> list[Episode]:
        episodes = await play_all(matches, **options)
        return [
            replace(e, void="no verdict" if i % 4 == 0 else None) for i, e in enumerate(episodes)
        ]

    monkeypatch.setattr(rollouts, "play_all", some_void)
    loop.steps = 1
    (metrics,) = loop.run()
    assert (metrics["void"], metrics["games"]) == (0.25, 6.0)
    assert ("learn", 12, 0.0) in only(loop).done

    async def all_void(matches: Any, **options: Any) -> list[Episode]:
        return [replace(e, void="no verdict") for e in await play_all(matches, **options)]

    monkeypatch.setattr(rollouts, "play_all", all_void)
    loop.steps = 2
    with pytest.raises(BadInput, match="every game of this step was void: no verdict"):
        list(loop.run())

"""Debate: branches, the judge's seat, soft targets, and that a run goes on exactly."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import exp
from statistics import mean
from typing import Any

import pytest

from sparring.agents.judges import JudgeAgent, LabelJudge
from sparring.agents.random import RandomAgent
from sparring.envs.core import BadInput, Episode
from sparring.envs.games.debate import Debate
from sparring.envs.games.debate.record import mirrored
from sparring.training.cli import main
from sparring.training.core import Sample
from sparring.training.methods import preference
from sparring.training.pairs import Pairs, softmax
from sparring.training.recipes import debate
from sparring.training.recipes.debate import Config, build, chance, judge
from sparring.training.rows import Row

Make = Callable[..., Any]
DEBATERS = {"debater_0", "debater_1"}


@pytest.fixture
def config(tiny: Make) -> Make:
    return lambda **options: tiny(Config, **{"games": 6, **options})


def watched_pairs(experiment: Any) -> list[Pairs]:
    """The pairs of each step, as the loss gets them."""
    method, found = experiment.loop.method.method, []
    pairs = method.pairs

    def watch(samples: Sequence[Sample]) -> Pairs:
        found.append(pairs(samples))
        return found[-1]

    method.pairs = watch
    return found


def test_every_debate_is_played_again_from_each_speech(config: Make, played: Make) -> None:
    """Two rounds of two debaters: five games of a deal."""
    given, metrics, _ = played(build(config()))
    assert [line["games"] for line in metrics] == [30, 30]
    deals: dict[int, set[int]] = defaultdict(set)
    for s in given[0]:
        deals[s.episode.seed].add(id(s.episode))
    assert sorted(map(len, deals.values())) == [5] * 6


def test_the_judge_is_never_trained(
    config: Make, played: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[Sequence[Row]] = []
    collate = preference.collate

    def watch(rows: Sequence[Row], **options: Any) -> Any:
        batches.append(rows)
        return collate(rows, **options)

    monkeypatch.setattr(preference, "collate", watch)
    given, _, _ = played(build(config()))
    samples = [s for some in given for s in some]
    assert {s.role for s in samples} == DEBATERS
    assert {s.episode.seats["judge"] for s in samples} == {"quotes"}
    assert len(batches) == 2
    assert {row.role for rows in batches for row in rows} == DEBATERS


def test_the_soft_targets(config: Make, played: Make) -> None:
    """p = e^(7·s⁺)/(e^(7·s⁺) + e^(7·s⁻)), s the mean P(win) of the games with the speech."""
    experiment = build(config())
    found = watched_pairs(experiment)
    given, metrics, _ = played(experiment)
    worth: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for s in given[0]:
        for t in s.turns:
            key = s.role, s.episode.seed, t.action.prompt, t.action.tokens
            worth[key].append((1 + s.episode.payoffs[s.role]) / 2)
    first = found[0].pairs
    assert len(first) == metrics[0]["pairs"] > 0
    prompts = set()
    for pair in first:
        turns = [item.sample.turns[item.turn] for item in (pair.chosen, pair.rejected)]
        assert turns[0].action.prompt == turns[1].action.prompt
        assert turns[0].action.tokens != turns[1].action.tokens
        keys = [
            (i.sample.role, i.sample.episode.seed, t.action.prompt, t.action.tokens)
            for i, t in zip((pair.chosen, pair.rejected), turns, strict=True)
        ]
        better, worse = (mean(worth[key]) for key in keys)
        assert 0 <= worse < better <= 1
        assert pair.target == pytest.approx(exp(7 * better) / (exp(7 * better) + exp(7 * worse)))
        assert sum(pair.targets) == pytest.approx(1)
        prompts.add(keys[0][:3])
    assert len(prompts) == len(first), "one pair in each place at most"
    assert {len(worth[key]) for key in worth} >= {1, 2, 3, 4}, (
        "the trunk's opening is in four games"
    )


def test_a_target_by_hand() -> None:
    """P(win) 0.8 against 0.6, hence payoffs 0.6 against 0.2: σ(7·0.2) = σ(1.4)."""

    def paid(payoff: float) -> Sample:
        e = Episode("g", 0, (), {"debater_0": payoff, "debater_1": -payoff}, {}, {})
        return Sample(e, "debater_0", payoff, ())

    assert chance(paid(0.6)) == pytest.approx(0.8)
    assert chance(paid(-1.0)) == 0
    assert softmax(7.0)(chance(paid(0.6)), chance(paid(0.2))) == pytest.approx(0.802184, abs=1e-6)


def test_the_second_round_learns_from_both(config: Make, played: Make) -> None:
    experiment = build(config(steps=3, games=3))
    found = watched_pairs(experiment)
    given, metrics, _ = played(experiment)
    counts = [len(samples) for samples in given]
    assert [line["rounds"] for line in metrics] == [1, 2, 2]
    assert [line["round_samples"] for line in metrics] == [
        counts[0],
        counts[0] + counts[1],
        counts[1] + counts[2],
    ]
    assert len(found[1].pairs) > len(found[0].pairs)
    alone = build(config(rounds_kept=1, games=3))
    assert [line["rounds"] for line in played(alone)[1]] == [1, 1]


# -- who judges -------------------------------------------------------------------------------


def test_who_sits_in_the_judges_seat(monkeypatch: pytest.MonkeyPatch, config: Make) -> None:
    rules = Debate(question=0)
    verifier = judge("quotes", rules)
    assert isinstance(verifier, JudgeAgent)
    assert verifier.labels == ("debater_0", "debater_1")
    assert isinstance(judge("random", rules), RandomAgent)
    model = build(config()).loop.players["learner"].agent
    monkeypatch.setattr(debate, "agent", lambda name, game: model)
    asked = judge("run:somewhere", rules)
    assert isinstance(asked, LabelJudge)
    assert (asked.model, asked.mirror) == (model, mirrored)
    alone = judge("run:somewhere", Debate(consultancy=True))
    assert isinstance(alone, LabelJudge)
    assert (alone.labels, alone.mirror) == (("consultant", "other"), None)


def test_a_model_judges_and_is_not_trained(
    config: Make, played: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = build(config(seed=1)).loop.players["learner"]
    monkeypatch.setattr(debate, "agent", lambda name, game: other.agent)
    before = [p.clone() for p in other.model.parameters()]
    given, _, _ = played(build(config(judge="run:other", games=2, steps=1)))
    verdicts = [t for s in given[0] for t in s.episode.turns_of("judge")]
    assert verdicts
    assert {t.role for s in given[0] for t in s.turns} == DEBATERS
    assert all((a == b).all() for a, b in zip(before, other.model.parameters(), strict=True))


@pytest.mark.parametrize(
    "game", ["Debate-v0(judge=quotes)", "Debate-v0(payoff=log-odds)", "KuhnPoker-v0"]
)
def test_a_game_without_a_seat_for_the_judge_is_one_line(
    game: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInput, match="--judge"):
        build(Config(game=game))
    assert main(["train", "debate", "--game", game]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_consultant_learns_alone(config: Make, played: Make) -> None:
    given, metrics, _ = played(build(config(game="Debate-v0(question=0,consultancy=True)")))
    assert {s.role for samples in given for s in samples} == {"consultant"}
    assert all(line["pairs"] > 0 for line in metrics)


def test_a_resumed_run_goes_on_exactly(config: Make, driven: Make) -> None:
    """A judge who draws lots tells apart what a tiny model says; its luck is the run's."""
    options = {"game": "Debate-v0(question=0,rounds=1,length=100)", "judge": "random"}
    taught = {"imitation_steps": 20, "imitation_games": 6, "imitation_rate": 1e-2}
    whole, again = driven("debate", config(**options, **taught))
    assert again == whole
    assert [line["step"] for line in whole] == [0, 1, 2]
    assert whole[2]["rounds"] == 2
    assert whole[2]["pairs"] > whole[1]["pairs"] > 0
    assert whole[2]["mismatch_max"] < 1e-4, "of the fresh games, not of the round before"

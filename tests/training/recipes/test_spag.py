"""SPAG: whose turns are learned from, how much each counts, and that a run goes on exactly."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sparring.envs.games.adversarial_taboo import SMALL_TALK
from sparring.envs.registry import game
from sparring.training.methods import utterance
from sparring.training.recipes.spag import STEPS_ON_A_BATCH, Config, build, demonstrations
from sparring.training.rows import Row

Make = Callable[..., Any]


@pytest.fixture
def config(tiny: Make) -> Make:
    return lambda **options: tiny(Config, **{"games": 60, **options})


def test_only_winners_reach_the_method(config: Make, played: Make) -> None:
    given, metrics, _ = played(build(config()))
    assert len(given) == len(metrics) == 2
    for samples, line in zip(given, metrics, strict=True):
        assert {s.role for s in samples} == {"attacker", "defender"}
        for s in samples:
            assert s.reward == s.episode.payoffs[s.role] == 1.0
            assert not s.episode.forfeits
            assert s.episode.void is None
        lost, tied = line["dropped/lost"], line["dropped/tie"]
        assert lost == len(samples), "for every winner there is a loser"
        assert lost + tied + len(samples) == 2 * line["games"]
        assert tied > 0


def test_a_win_is_split_over_the_turns_and_the_last_gets_most(config: Make, played: Make) -> None:
    """0.8², 0.8 and 1 over their sum 2.44."""
    given, _, _ = played(build(config()))
    by_turns = {len(s.turns): s.credit for samples in given for s in samples}
    assert set(by_turns) == {1, 2, 3}
    assert by_turns[1] == (1.0,)
    assert by_turns[2] == pytest.approx((0.444444, 0.555556), abs=1e-6)
    assert by_turns[3] == pytest.approx((0.262295, 0.327869, 0.409836), abs=1e-6)


def test_both_roles_count_half(config: Make, played: Make) -> None:
    """N/(2·N_role), N the number of decided games."""
    given, _, _ = played(build(config()))
    for samples in given:
        wins = Counter(s.role for s in samples)
        assert wins["attacker"] != wins["defender"], "else the weights are all 1"
        for s in samples:
            assert s.weight == pytest.approx(len(samples) / (2 * wins[s.role]))
        for role in wins:
            total = sum(s.weight for s in samples if s.role == role)
            assert total == pytest.approx(len(samples) / 2)


def test_only_the_winners_tokens_are_in_the_batch(
    config: Make, played: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[Sequence[Row]] = []
    collate = utterance.collate

    def watch(rows: Sequence[Row], **options: Any) -> Any:
        batches.append(rows)
        return collate(rows, **options)

    monkeypatch.setattr(utterance, "collate", watch)
    given, _, _ = played(build(config()))
    assert len(batches) == len(given)
    for rows, samples in zip(batches, given, strict=True):
        trained = Counter(row.tokens[a:b] for row in rows for a, b in row.spans)
        assert trained == Counter(t.action.tokens for s in samples for t in s.turns)
        assert sum(a for row in rows for a in row.advantages) == pytest.approx(len(samples))
        assert {row.weight for row in rows} == {s.weight for s in samples}


def test_the_first_step_starts_at_the_policy_that_sampled(config: Make) -> None:
    """There the ratio is 1 and the drift 0: the loss is −Σ w·A over the number of utterances."""
    once = replace(STEPS_ON_A_BATCH, inner_steps=1)
    experiment = build(config(imitation_steps=60, imitation_games=24, steps=1, update=once))
    for _ in experiment.stage_one():
        pass
    method: Any = experiment.loop.method
    learn, seen = method.learn, []
    method.learn = lambda learner, samples, progress: (
        seen.append(samples) or learn(learner, samples, progress)
    )
    (line,) = experiment.loop.run()
    (samples,) = seen
    assert samples, "the tiny model has won games"
    utterances = sum(len(s.turns) for s in samples)
    expected = -sum(s.weight * sum(s.credit) for s in samples) / utterances
    assert line["loss"] == pytest.approx(expected, abs=1e-4)
    assert line["mismatch_max"] < 1e-4


def test_the_side_loss_is_of_random_play_and_for_the_embedded_model_only(config: Make) -> None:
    rules = game(Config.game)
    player = build(config()).loop.players["learner"]
    shown = demonstrations(player, rules, config())
    assert shown is not None
    assert shown.weight == 0.5
    decode = player.agent.renderer.decode
    texts = {decode(row.tokens[a:b]) for row in shown.rows for a, b in row.spans}
    assert texts <= {text for some in SMALL_TALK.values() for text in some}
    again = demonstrations(player, rules, config())
    assert again is not None
    assert again.rows == shown.rows, "a resumed run has the same"
    assert demonstrations(player, rules, config(side=0.0)) is None
    assert demonstrations(player, rules, config(model="some/folder")) is None


def test_a_resumed_run_goes_on_exactly(config: Make, driven: Make) -> None:
    whole, again = driven("spag", config(imitation_steps=60, imitation_games=24, games=24))
    assert again == whole
    assert [line["step"] for line in whole] == [0, 1, 2]
    for line in whole[1:]:
        assert line["kept"] > 0, "the second stage did learn something"
        assert line["side_loss"] > 0

"""Two checkpoints on held-out games: exact values, common luck, what is left out, what is said."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from scipy.stats import ttest_ind

from sparring.agents.arena.estimates import UNKNOWN, Estimate, bounded, estimate
from sparring.agents.arena.table import SCHEMA
from sparring.agents.optimal import optimal
from sparring.agents.random import RandomAgent
from sparring.agents.runs import MODEL, checkpoint_folder
from sparring.envs.core import Action, BadInput, Observation
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.nim import Nim
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.games.who_is_the_spy import WhoIsTheSpy
from sparring.envs.registry import game
from sparring.envs.specs import describe
from sparring.training.cli import main
from sparring.training.commands.transfer import verdict
from sparring.training.transfer import (
    CHECKPOINT,
    HELD_OUT,
    OPPONENT,
    Change,
    Comparison,
    compare,
    equal_weight,
    held_out,
    trained_on,
    transfer,
)

KUHN = KuhnPoker()
RANDOM = RandomAgent()


def at_random(rules: Any) -> RandomAgent:
    return RANDOM


@dataclass
class Failing:
    """Random, but it raises in games whose rules hold this word."""

    fault: BaseException
    word: str
    name: str = "failing"

    async def act(self, observation: Observation) -> Action:
        if self.word in observation.messages[0].text:
            raise self.fault
        return await RANDOM.act(observation)


@dataclass
class Mixed:
    """Plays Kuhn poker perfectly, and all else at random."""

    name: str = "mixed"

    async def act(self, observation: Observation) -> Action:
        known = "Kuhn" in observation.messages[0].text
        return await (optimal(KUHN.name) if known else RANDOM).act(observation)


# --- what is measured


def test_the_exact_gain_in_kuhn_poker() -> None:
    """Uniform play gets 0 from uniform play over both seats, the equilibrium 1/6."""
    found = transfer([KUHN], RANDOM, optimal(KUHN.name), at_random, number=2000)
    (change,) = found.changes
    assert change.before.low < 0 < change.before.high
    assert change.after.low < 1 / 6 < change.after.high
    assert change.difference.low < 1 / 6 < change.difference.high
    assert change.difference.low > 0
    assert change.difference.clusters == 1000
    assert change.share.mean == pytest.approx(change.difference.mean / 4)
    assert found.overall.mean == change.share.mean
    assert found.overall.low == pytest.approx(change.share.low, rel=0.02)  # that is not symmetric
    assert (change.trained, change.void, found.unplayed, found.stopped) == (False, 0, {}, False)
    for pair in (change.legal, change.forfeits):
        assert [each.mean for each in pair] in ([1, 1], [0, 0])


def test_a_checkpoint_and_itself_do_the_same_in_every_game() -> None:
    """Both have the same deals, seats and luck: what they share goes out of the difference."""
    games = [KUHN, TicTacToe(), game("BuySell-v0"), WhoIsTheSpy(players=3, rounds=1)]
    found = transfer(games, RANDOM, RandomAgent(), at_random, number=20)
    assert len(found.changes) == 4
    for change in found.changes:
        assert (change.difference.mean, change.changed) == (0, 0)
        assert change.before == change.after
        assert change.difference.low < 0 < change.difference.high, "ten deals prove nothing"
    assert found.overall.mean == 0
    assert found.overall.clusters == 40
    other = transfer([KUHN], RANDOM, RANDOM, at_random, number=20, seed=1)
    assert other.changes[0].before != found.changes[0].before


def test_every_game_counts_alike_and_what_was_trained_on_does_not() -> None:
    def found(*trained: str) -> Comparison:
        games = [KUHN, WhoIsTheSpy(players=3, rounds=1)]
        return transfer(games, RANDOM, Mixed(), at_random, trained=trained, number=40)

    every = found()
    one, two = every.changes
    assert one.difference.mean != 0
    assert every.overall.mean == pytest.approx((one.share.mean + two.share.mean) / 2)
    assert every.overall.clusters == 40
    other = found(KUHN.name)
    assert [each.trained for each in other.changes] == [True, False]
    assert other.overall.mean == two.share.mean
    alone = transfer([KUHN], RANDOM, RANDOM, at_random, trained=[KUHN.name], number=4)
    assert alone.overall is UNKNOWN


def rows(payoffs: Mapping[int, tuple[float, ...]], **changed: Any) -> pl.DataFrame:
    """The checkpoint's payoffs by deal; the opponent gets the opposite and counts for nothing."""
    found = []
    for deal, each in payoffs.items():
        for index, payoff in enumerate(each):
            for agent, sign in ((CHECKPOINT, 1), (OPPONENT, -1)):
                row = dict.fromkeys(SCHEMA, None) | {
                    "index": 10 * deal + index,
                    "deal": deal,
                    "agent": agent,
                    "payoff": sign * payoff,
                    "answers": 2 if sign > 0 else 100,
                    "legal": 1 if sign > 0 else 100,
                    "end": "played",
                    "forfeited": sign < 0,
                }
                found.append(row | (changed if agent == CHECKPOINT else {}))
    return pl.DataFrame(found, schema=SCHEMA)


def test_a_comparison_by_hand() -> None:
    before = rows({0: (1.0, -1.0), 1: (-2.0, 1.0), 2: (2.0, 2.0)})
    after = rows({2: (2.0, 1.0), 1: (1.0, 1.0), 0: (1.0, 1.0)}, legal=2, forfeited=True)
    found = compare(KUHN, before, after, trained=False)
    assert found.game == describe(KUHN)
    assert found.before.mean == pytest.approx(0.5)  # of 0, -0.5, 2
    assert found.after.mean == pytest.approx(3.5 / 3)  # of 1, 1, 1.5
    # deal by deal, in whatever order: 1, 1.5, -0.5, whose standard deviation is √(13/12)
    error = math.sqrt(13 / 12 / 3)
    for e, unit in ((found.difference, 1), (found.share, 4)):
        known = bounded(2 / 3 / unit, error / unit, 3, (-4 / unit, 4 / unit))
        assert (e.mean, e.low, e.high) == pytest.approx((known.mean, known.low, known.high))
        assert e.clusters == 3
    assert found.changed == 3
    assert [e.mean for e in found.legal] == [0.5, 1]
    assert [e.mean for e in found.forfeits] == [0, 1]


def test_a_void_game_takes_its_deal_out_of_both() -> None:
    before, after = rows({0: (1.0, 1.0), 1: (0.0, 0.0), 2: (1.0, -1.0)}), rows(
        {0: (2.0, 2.0), 1: (0.0, 2.0), 2: (1.0, 1.0)}
    )  # fmt: skip
    spoilt = before.with_columns(
        end=pl.when(pl.col("index") == 1).then(pl.lit("void")).otherwise(pl.col("end"))
    )
    found = compare(KUHN, spoilt, after, trained=False)
    assert found.void == 1
    assert (found.before.mean, found.before.clusters) == (0, 2)
    assert (found.difference.mean, found.difference.clusters) == (1, 2)
    nothing = before.with_columns(end=pl.lit("void"))
    with pytest.raises(BadInput, match="every deal has a game that did not count"):
        compare(KUHN, nothing, after, trained=False)


def test_means_of_equal_weight_are_welchs() -> None:
    one, two = [1.0, 3.0, 2.0, 5.0, 4.0], [0.1, 0.2, 0.15]
    found = equal_weight([estimate(one), estimate(two)])
    known = ttest_ind(one, [-v for v in two], equal_var=False).confidence_interval(0.95)
    assert found.mean == pytest.approx((3 + 0.15) / 2)
    assert (found.low, found.high) == pytest.approx((known.low / 2, known.high / 2))
    assert found.clusters == 8
    alone = equal_weight([estimate(one)])
    assert (alone.low, alone.high) == pytest.approx((estimate(one).low, estimate(one).high))
    assert equal_weight([estimate([2.0, 2.0]), estimate([4.0, 4.0])]) == Estimate(3, 3, 3, 4)
    assert equal_weight([estimate(one), estimate([1.0])]).low == -math.inf


# --- which games


def test_the_built_in_games_are_many_kinds_and_leave_out_what_was_trained_on() -> None:
    games = held_out(())
    assert [describe(each) for each in games] == [describe(game(spec)) for spec in HELD_OUT]
    assert len({each.name for each in games}) == len(HELD_OUT) >= 8
    assert len({each.declares.sum for each in games}) == 3
    for way in ("free_speech", "hidden_information"):
        assert {getattr(each.declares, way) for each in games} == {True, False}
    assert [g.name for g in games if g not in held_out([KUHN.name])] == [KUHN.name]
    both = ("Nim-v0", "KuhnPoker-v0")
    assert [g.name for g in games if g not in held_out(both)] == list(both)


def test_the_page_names_the_built_in_games() -> None:
    page = (Path(__file__).parents[2] / "docs/transfer.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert tuple(rows[1:]) == HELD_OUT  # after the head


def test_the_game_of_a_run_is_known_with_its_options(tmp_path: Path) -> None:
    def config(text: str) -> Path:
        (tmp_path / "config.json").write_text(text)
        return tmp_path

    options = {"game": "KuhnPoker-v0(hands=3)", "model": "embedded"}
    assert trained_on(config(json.dumps({"options": options}))) == (options, ("KuhnPoker-v0",))
    gone = {"game": "no_such_file.py:MyGame"}
    assert trained_on(config(json.dumps({"options": gone}))) == (gone, (gone["game"],))
    several = {"mix": ["Nim-v0", "TicTacToe-v0(board=False)"]}
    found = trained_on(config(json.dumps({"options": several})))
    assert found == (several, ("Nim-v0", "TicTacToe-v0"))
    for broken in ("{", "[]", "{}", '{"options": 1}', '{"options": {"mix": 5}}'):
        with pytest.raises(BadInput, match="cannot be read"):
            trained_on(config(broken))
    with pytest.raises(BadInput, match=r"is not a run: it has no config\.json"):
        trained_on(tmp_path / "nowhere")


def test_a_game_that_cannot_be_played_is_named() -> None:
    long = Failing(BadInput("too long a prompt"), "Nim")
    found = transfer([KUHN, Nim(), TicTacToe()], RANDOM, long, at_random, number=4)
    assert [change.game for change in found.changes] == ["KuhnPoker-v0", "TicTacToe-v0"]
    assert found.unplayed == {"Nim-v0": "too long a prompt"}
    with pytest.raises(BadInput, match="no game could be played; Nim-v0: too long a prompt"):
        transfer([Nim()], RANDOM, long, at_random, number=4)


def test_a_stop_keeps_the_games_that_are_compared() -> None:
    stop = Failing(KeyboardInterrupt(), "Nim")
    found = transfer([KUHN, Nim(), TicTacToe()], RANDOM, stop, at_random, number=4)
    assert ([change.game for change in found.changes], found.stopped) == (["KuhnPoker-v0"], True)
    with pytest.raises(KeyboardInterrupt):
        transfer([Nim(), KUHN], RANDOM, stop, at_random, number=4)


@pytest.mark.parametrize("number", [-2, 0, 3])
def test_both_seatings_of_every_deal(number: int) -> None:
    with pytest.raises(BadInput, match=f"even.*{number}"):
        transfer([KUHN], RANDOM, RANDOM, at_random, number=number)


def test_progress() -> None:
    told: list[int] = []
    transfer([KUHN, Nim()], RANDOM, RANDOM, at_random, number=4, progress=told.append)
    assert told == sorted(told)
    assert set(told) == set(range(17))


# --- what is said

SURE, UNSURE = Estimate(0.02, 0.01, 0.03, 50), Estimate(0.02, -0.01, 0.05, 50)
LEGAL, LOST = Estimate(1, 0.9, 1, 50), Estimate(0.8, 0.7, 0.9, 50)
NONE = Estimate(0, 0, 0, 50)
PLAYED = Change("A-v0", False, NONE, NONE, SURE, SURE, 3, (LEGAL, LEGAL), (NONE, NONE), 0)
FORFEITED = replace(PLAYED, game="B-v0", forfeits=(LOST, LOST))


@pytest.mark.parametrize(
    ("changes", "overall", "says", "never"),
    [
        ((PLAYED,), SURE, "It transfers: after training it gained over the 1 game", "illegal"),
        ((PLAYED,) * 3, SURE, "over the 3 games here, each of the same weight (+2.00%", "illegal"),
        ((PLAYED,), UNSURE, "Not told: no difference is sure", "transfers"),
        ((PLAYED,), Estimate(-0.02, -0.03, -0.01, 50), "After training it lost", "transfers"),
        ((replace(PLAYED, changed=0),), UNSURE, "No deal ended differently", "Not told"),
        ((PLAYED,), estimate([1.0]), "one deal of a game is too few", "inf"),
        ((PLAYED, FORFEITED), SURE, "Most games of B-v0 are lost by illegal", "It transfers"),
        ((PLAYED, PLAYED, FORFEITED), SURE, "It transfers", "A-v0 are lost"),
        ((replace(PLAYED, trained=True),), UNKNOWN, "A-v0 was trained on", "nan"),
        ((replace(PLAYED, void=2),), SURE, "A-v0: 2 games did not count (void)", "trained on"),
    ],
)  # fmt: skip
def test_sentences(changes: Any, overall: Estimate, says: str, never: str) -> None:
    said = " ".join(verdict(Comparison(changes, overall, {}), embedded=False))
    assert says in said
    assert never not in said
    assert "embedded" not in said


def test_sentences_of_what_is_missing() -> None:
    found = Comparison((PLAYED,), SURE, {"C-v0": "too long"}, stopped=True)
    said = [*verdict(found, embedded=True)]
    assert said[-2:] == ["C-v0 was not played: too long.", "Stopped before all games were played."]
    assert any("embedded model knows only the words of the game" in each for each in said)


# --- the command


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    new_model: Callable[..., Any],
    taught: Any,
    tokenizer: Any,
) -> Path:
    """Before: noise. After: a model that answers TicTacToe legally about half the time."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    for step, model in ((0, new_model(seed=1, loud=1.0)), (25, taught)):
        model.save_pretrained(checkpoint_folder(folder, step) / MODEL)
        tokenizer.save_pretrained(checkpoint_folder(folder, step) / MODEL)
    options = {"game": "KuhnPoker-v0", "model": "embedded"}
    (folder / "config.json").write_text(json.dumps({"recipe": "kuhn", "options": options}))
    return folder


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["transfer", str(run), "--game", "TicTacToe-v0(board=False)"]
    assert main([*args, "--games", "36", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["before"], found["after"]) == (0, 25)
    (change,) = found["games"]["changes"]
    before, after = change["legal"]
    assert before["high"] < after["low"], "it has learned to answer"
    assert change["difference"]["clusters"] == 18
    assert found["lm_eval"] == []
    assert main([*args, "--games", "4"]) == 0
    shown = capsys.readouterr().out
    assert "payoff against random, step 0 and step 25, 4 games each" in shown
    assert "legal answers" in shown
    assert "embedded model" in found["said"][-1]
    assert found["said"][-1] in shown


def test_bad_input(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = tmp_path / "alone"
    (checkpoint_folder(alone, 20) / MODEL).mkdir(parents=True)
    (alone / "config.json").write_text('{"options": {}}')
    for args, says in (
        (["nowhere"], "there is no run nowhere"),
        ([str(alone)], "only the checkpoint of step 20"),
        ([str(run), "--games", "3"], "even number"),
        ([str(run), "--games", "0"], "name tasks with --lm-eval"),
        ([str(run), "--game", "Chess-v0"], "no game 'Chess-v0'"),
        ([str(run), "--game", "Nim-v0", "--against", "nobody"], "no agent 'nobody'"),
    ):
        assert main(["transfer", *args]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert len(said.splitlines()) == 1

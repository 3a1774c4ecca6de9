"""Two checkpoints in the lm-evaluation-harness: what is paired or not known, and a real task."""

import json
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sparring.agents.arena.estimates import estimate
from sparring.agents.runs import MODEL, checkpoint_folder
from sparring.envs.core import BadInput
from sparring.training import harness
from sparring.training.cli import main
from sparring.training.harness import TaskChange, compare

NUMBERS = [1.0, 0.0, 1.0, 1.0]
OTHERS = [1.0, 1.0, 0.0, 1.0]


def found(
    values: dict[str, Any], samples: list[tuple[str, dict[str, Any]]] | None = None
) -> dict[str, Any]:
    """What the harness finds of one task; samples by filter."""
    lines = [{"doc_id": n, "filter": how, **each} for n, (how, each) in enumerate(samples or ())]
    better = {key.partition(",")[0]: "perplexity" not in key for key in values}
    return {
        "results": {"t": {"alias": "t", "name": "t", "sample_len": 4, **values}},
        "samples": {"t": lines} if samples else {},
        "higher_is_better": {"t": better},
    }


def changes(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, Any], after: dict[str, Any]
) -> list[TaskChange]:
    runs = iter((before, after))
    monkeypatch.setattr(harness, "check_installed", lambda: None)
    monkeypatch.setattr(harness, "_known", lambda *options: None)
    monkeypatch.setattr(harness, "_run", lambda *options: next(runs))
    return compare(Path("a"), Path("b"), ["t"])


def test_a_mean_over_documents_is_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(values: list[float]) -> dict[str, Any]:
        mean = sum(values) / 4
        return found(
            {"acc,none": mean, "acc_stderr,none": 0.1},
            [("none", {"acc": v}) for v in values],
        )

    (change,) = changes(monkeypatch, of(NUMBERS), of(OTHERS))
    assert (change.task, change.metric, change.higher_is_better) == ("t", "acc,none", True)
    assert (change.before, change.before_error, change.after) == (0.75, 0.1, 0.75)
    assert change.paired
    assert change.difference == estimate([0, 1, -1, 0])


def test_filters_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(strict: list[float], loose: list[float]) -> dict[str, Any]:
        made = found(
            {"em,strict": sum(strict) / 2, "em,loose": sum(loose) / 2},
            [("strict", {"em": v}) for v in strict] + [("loose", {"em": v}) for v in loose],
        )
        return made

    one, two = changes(monkeypatch, of([0.0, 0.0], [0.0, 1.0]), of([1.0, 0.0], [1.0, 1.0]))
    assert (one.metric, one.difference.mean, one.paired) == ("em,strict", 0.5, True)
    assert (two.metric, two.difference.mean, two.paired) == ("em,loose", 0.5, True)
    assert one.difference.clusters == two.difference.clusters == 2


@pytest.mark.parametrize(
    "samples",
    [
        None,  # a group of tasks has none
        [("none", {"acc": (1.0, 2)})] * 4,  # parts of something that is no mean
        [("none", {"acc": 1.0})] * 4,  # not what the whole is the mean of
        [("none", {})] * 4,
    ],
)
def test_else_the_harness_own_errors_count(samples: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = found({"acc,none": 0.5, "acc_stderr,none": 0.03}, samples)
    after = found({"acc,none": 0.6, "acc_stderr,none": 0.04}, samples)
    (change,) = changes(monkeypatch, before, after)
    assert not change.paired
    assert change.difference.mean == pytest.approx(0.1)
    assert change.difference.high == pytest.approx(0.1 + 1.959964 * 0.05, abs=1e-6)


def test_other_documents_are_not_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"acc,none": 1.0, "acc_stderr,none": 0.0}
    fewer = found(values, [("none", {"acc": 1.0})] * 3)
    (change,) = changes(monkeypatch, found(values, [("none", {"acc": 1.0})] * 4), fewer)
    assert not change.paired


def test_without_errors_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"perplexity,none": 9.0, "perplexity_stderr,none": "N/A"}
    (change,) = changes(monkeypatch, found(values), found({**values, "perplexity,none": 8.0}))
    assert (change.before_error, change.after_error, change.higher_is_better) == (None, None, False)
    assert (change.difference.mean, change.difference.low) == (-1.0, -math.inf)


def test_without_the_extra_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"pip install 'sparring\[lm-eval\]'"):
        compare(tmp_path, tmp_path, ["t"])
    for step in (0, 1):
        (checkpoint_folder(tmp_path, step) / MODEL).mkdir(parents=True)
    (tmp_path / "config.json").write_text('{"options": {}}')
    assert main(["transfer", str(tmp_path), "--lm-eval", "arc_easy"]) == 2
    said = capsys.readouterr().err
    assert "needs the extra lm-eval" in said
    assert len(said.splitlines()) == 1


TASK = """\
task: counting
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: {kind}
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
"""
CHOICE = '{kind}doc_to_choice: ["yes", "no"]\nmetric_list:\n  - metric: acc\n'


@pytest.mark.lm_eval
@pytest.mark.skipif(find_spec("lm_eval") is None, reason="pip install 'sparring[lm-eval]'")
def test_a_task_of_our_own(
    tmp_path: Path,
    new_model: Callable[..., Any],
    tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the command to the harness and back, on files here: no network."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    run, tasks = tmp_path / "run", tmp_path / "tasks"
    for step in (0, 7):
        new_model(seed=step, layers=1).save_pretrained(checkpoint_folder(run, step) / MODEL)
        tokenizer.save_pretrained(checkpoint_folder(run, step) / MODEL)
    (run / "config.json").write_text('{"recipe": "kuhn", "options": {"game": "KuhnPoker-v0"}}')
    tasks.mkdir()
    lines = [{"question": f"Is {n} more than 15?", "answer": int(n <= 15)} for n in range(30)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, lines)))
    yaml = TASK.format(data=tmp_path / "data.jsonl", kind="multiple_choice")
    (tasks / "counting.yaml").write_text(CHOICE.format(kind=yaml))
    args = ["transfer", str(run), "--games", "0", "--tasks-from", str(tasks), "--lm-eval"]
    assert main([*args, "counting", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (change,) = told["lm_eval"]
    assert (change["task"], change["metric"], change["paired"]) == ("counting", "acc,none", True)
    assert told["games"] is None
    before, after = change["before"], change["after"]
    for share, error in ((before, change["before_error"]), (after, change["after_error"])):
        assert error == pytest.approx(math.sqrt(share * (1 - share) / 29))  # s/√n of 30 documents
    assert change["difference"]["mean"] == pytest.approx(after - before)
    assert change["difference"]["clusters"] == 30
    assert main([*args, "counting", "--limit", "10"]) == 0
    assert "counting acc" in capsys.readouterr().out
    (tasks / "counting.yaml").write_text(CHOICE.format(kind=yaml).replace("data.jsonl", "gone"))
    assert main([*args, "counting"]) == 2
    said = capsys.readouterr().err
    assert "sparring: lm-eval cannot run counting: " in said
    assert main([*args[:4], "--tasks-from", str(tmp_path / "gone"), "--lm-eval", "counting"]) == 2
    assert "there is no folder" in capsys.readouterr().err

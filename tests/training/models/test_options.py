"""The options of a pretrained model from the command line to the run and back."""

import json
from pathlib import Path

import pytest

from sparring.agents.registry import agent
from sparring.training.cli import main
from sparring.training.config import from_json, read_config, to_json
from sparring.training.models.options import LoraOptions
from sparring.training.recipes.kuhn import Config

SMALL = ["--games", "4", "--max-tokens", "3", "--save-every", "1", "--evaluate-every", "9"]
FAST = [*SMALL, "--update.inner-steps", "1"]


def test_lora_options_survive_a_folder(tmp_path: Path) -> None:
    options = LoraOptions(rank=4, alpha=8.0, targets="q_proj,v_proj")
    given = Config(lora=options, dtype="bfloat16", gradient_checkpointing=True)
    (tmp_path / "config.json").write_text(json.dumps(to_json("kuhn", given)))
    assert read_config("kuhn", tmp_path, Config) == given
    plain = json.loads(json.dumps(to_json("kuhn", Config())["options"]))
    assert from_json(Config, plain).lora == LoraOptions()


def test_a_pretrained_model_from_the_command_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    names = ["train", "kuhn", "--model", str(folder), "--run-dir", str(run), "--steps", "1"]
    lora = ["--lora.rank", "4", "--lora.alpha", "8", "--gradient-checkpointing"]
    assert main([*names, *lora, *FAST]) == 0
    said = capsys.readouterr().out
    assert "memory: at most about" in said
    assert "engine:" in said
    saved = run / "checkpoints" / "step-000001" / "model"
    adapter = json.loads((saved / "adapter_config.json").read_text())
    assert (adapter["r"], adapter["lora_alpha"]) == (4, 8)
    assert adapter["base_model_name_or_path"] == str(folder)
    assert main(["train", "kuhn", "--resume", str(run), "--steps", "2"]) == 0
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1, 2]
    assert read_config("kuhn", run, Config).lora == LoraOptions(rank=4, alpha=8.0)
    player = agent(f"run:{run}", "KuhnPoker-v0")
    assert player.name == f"run:{run}"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--lora.rank", "4"], "--model"),
        (["--gradient-checkpointing"], "--model"),
        (["--model", "FOLDER", "--lora.rank", "0"], "at least 1"),
        (["--model", "FOLDER", "--lora.rank", "4", "--lora.targets", "no_such"], "no_such"),
    ],
)
def test_bad_input(
    args: list[str],
    says: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [str(folder) if arg == "FOLDER" else arg for arg in args]
    run = tmp_path / "run"
    assert main(["train", "kuhn", "--run-dir", str(run), *given]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert not run.exists()

"""The options of a run, and how they are kept in its folder."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from sparring.envs.core import BadInput
from sparring.training.cluster.options import Resources
from sparring.training.models.options import Dtype, LoraOptions
from sparring.training.update import UpdateConfig

EMBEDDED = "embedded"
CONFIG = "config.json"


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What every recipe has."""

    steps: int = 100
    """Updates."""
    seed: int = 0
    """The same seed gives the same run, number for number, on the same machine."""
    evaluate_every: int = 5
    """Steps between exact evaluations."""
    save_every: int = 20
    """Steps between checkpoints, pictures and transcripts."""
    trackers: tuple[str, ...] = ("tensorboard",)
    """Where metrics go beside metrics.jsonl: tensorboard, wandb, trackio; or nowhere else."""
    ray: str = "off"
    """Run on Ray: local starts it here, auto finds it or starts it, else the ADDRESS of a cluster
    (docs/scaling.md)."""
    rollout_workers: int = 2
    """On Ray: processes that play, each with an engine of its own."""
    learners: int = 1
    """On Ray: processes that learn together, each with a part of the weights (FSDP)."""
    rollout_pieces: int | None = None
    """Pieces that the games of a step are played in; by default one, and on Ray one for each
    worker. The same pieces give the same run, bit for bit, by however many workers."""
    staleness: int = 0
    """On Ray: how many updates old the policy may be that plays. 0: the learner waits for the games
    of its own policy, and the run is the one without Ray."""
    resources: Resources = Resources()  # noqa: RUF009  it is frozen

    def __post_init__(self) -> None:
        for name in (
            "evaluate_every",
            "save_every",
            "steps",
            "games",
            "rollout_workers",
            "learners",
        ):
            if getattr(self, name, 1) < 1:
                raise BadInput(f"{name.replace('_', '-')} must be at least 1")
        if self.staleness < 0:
            raise BadInput("staleness must be at least 0")
        if self.rollout_pieces is not None and self.rollout_pieces < 1:
            raise BadInput("rollout-pieces must be at least 1")
        if self.ray == "off" and (self.staleness or self.learners > 1):
            raise BadInput(
                "--staleness and --learners are for runs on Ray; add --ray local, or leave them out"
            )

    @property
    def pieces(self) -> int:
        """``rollout_pieces``, or what it is by default."""
        return self.rollout_pieces or (1 if self.ray == "off" else self.rollout_workers)


@dataclass(frozen=True, kw_only=True)
class SelfPlayConfig(RunConfig):
    """What recipes of self-play have: the model, its first stage, and how it learns."""

    model: str = EMBEDDED
    """The embedded model, or the folder or hub id of a transformers model."""
    engine: Literal["local", "vllm"] = "local"
    """What generates: our own engine, or vLLM (docs/vllm.md)."""
    engine_memory: float | None = None
    """GiB of keys and values that the engine may have; by default 1, and 8 for vLLM on a GPU."""
    lora: LoraOptions = LoraOptions()  # noqa: RUF009  it is frozen
    """Train a low-rank adapter of a pretrained model instead of all its weights."""
    dtype: Dtype = "auto"
    """What a pretrained model computes in; auto is bfloat16 on a GPU and float32 on a CPU."""
    gradient_checkpointing: bool = False
    """Compute a pretrained model's activations twice instead of keeping them."""
    games: int = 2048
    """Games played for each update."""
    imitation_steps: int = 100
    """Steps of stage one (random legal play), for the embedded model only."""
    imitation_games: int = 512
    """Random games for each step of stage one."""
    imitation_rate: float = 2e-3
    """Highest learning rate of stage one."""
    max_tokens: int = 8
    """Longest answer, in tokens."""
    show_legal: bool | None = True
    """Whether each prompt lists the legal answers: without the list there is less to read, but
    only what trains long enough learns to do without. None: for a pretrained model."""
    threads: int | None = None
    """Threads of torch on a CPU; by default one for a model of less than 20 million parameters,
    which is the safe choice on a busy machine."""
    update: UpdateConfig = UpdateConfig()  # noqa: RUF009  it is frozen

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threads is not None and self.threads < 1:
            raise BadInput("threads must be at least 1")
        if self.engine_memory is not None and self.engine_memory <= 0:
            raise BadInput("engine-memory must be greater than 0 GiB")

    @property
    def stage_one_steps(self) -> int:
        """Steps of stage one that there will be: a model that can already talk has none."""
        return self.imitation_steps if self.model == EMBEDDED else 0


def to_json(recipe: str, config: RunConfig) -> dict[str, Any]:
    """A run's configuration as JSON values."""
    return {"recipe": recipe, "options": asdict(config)}


def read_config(recipe: str, folder: Path, kind: type[Any]) -> Any:
    """The configuration that a run was started with.

    Raises:
        BadInput: the folder holds no run of this recipe.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise BadInput(f"{folder} is not a run: it has no {CONFIG}")
    try:
        saved = json.loads(path.read_text())
        if saved["recipe"] != recipe:
            raise BadInput(f"{folder} is a run of {saved['recipe']}, not of {recipe}")
        return from_json(kind, saved["options"])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as fault:
        raise BadInput(f"{path} cannot be read ({fault}); is it from another version?") from fault


def from_json(kind: Any, options: Any) -> Any:
    """A frozen dataclass from the JSON values of ``asdict``; nested ones by their defaults.

    It holds no lists, so a list was a tuple. Options that did not exist yet have their defaults.
    """
    values = {}
    for field in fields(kind):
        if field.name not in options and field.default is not MISSING:
            continue
        value = options[field.name]
        if is_dataclass(field.default) and isinstance(value, dict):
            value = from_json(type(field.default), value)
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def games_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The games that a run with these options plays: "mix", or the one "game"; empty if they do
    not say."""
    found = options.get("mix") or options.get("game") or ()
    return (found,) if isinstance(found, str) else tuple(map(str, found))

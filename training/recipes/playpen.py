"""Playpen (arXiv 2504.08590): SFT, DPO and GRPO on dialogue games, side by side.

One model, one mixture of cooperative games, and three ways to learn from the same deals: clone the
games that succeeded, prefer them to those that failed, or the advantage over the group. What the
paper did, what differs here, and how to run it small and in full: docs/recipes/playpen.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Literal

from sparring.agents.registry import agent
from sparring.envs.core import BadInput, Game
from sparring.envs.registry import game
from sparring.training.advantages.group import Group
from sparring.training.assembly import learn_language, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Sample
from sparring.training.deals import repeated
from sparring.training.experiment import Experiment
from sparring.training.filters.core import Filters, each
from sparring.training.items import games as whole_games
from sparring.training.losses.preference import dpo
from sparring.training.methods.cloning import Cloning
from sparring.training.methods.core import Method
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.methods.preference import Preference
from sparring.training.mixture import Entry, Mixture
from sparring.training.opponents.cast import Cast
from sparring.training.opponents.core import Opponents
from sparring.training.opponents.mirror import Mirror
from sparring.training.pairs import Builder, all_ordered
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig

LEARN: dict[str, Callable[[], Method]] = {
    "sft": lambda: Cloning(epochs=1, rows_a_step=32),
    "dpo": lambda: Preference(Builder(whole_games(), all_ordered()), partial(dpo, beta=0.1)),
    "grpo": lambda: PolicyGradient(Group(scale="deviation"), length="mean"),
}

UPDATE = UpdateConfig(
    inner_steps=4,
    learning_rate=Ramp(1e-3, 1e-3),
    step_size=Ramp(inf, inf),
    magnet=0.0,
    reference=0.04,
    kl="k3",
    clip=0.2,
)
"""GRPO's terms, with the weight of KL to the first policy from the paper's code; the rate and the
number of inner steps, which all three methods use, are for the embedded model."""


@each
def spoke(sample: Sample) -> str | None:
    """Drop who was never asked, as by a guesser that is right at once ("silent")."""
    return None if sample.turns else "silent"


@each
def successful(sample: Sample) -> str | None:
    """Keep the games that paid something ("failed")."""
    return None if sample.reward > 0 else "failed"


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train playpen`."""

    learn: Literal["sft", "dpo", "grpo"] = "grpo"
    """From the games that succeeded, from pairs of success and failure, or from the advantage over
    the other games of the same deal."""
    mix: tuple[str, ...] = (
        "ReferenceGame-v0",
        "Taboo-v0",
        "TwentyQuestions-v0(questions=5)",
    )
    """The games, as many of each in every batch."""
    group: int = 8
    """Games of each deal."""
    teacher: str = ""
    """An agent (run:DIR@STEP, hf:PATH) that plays with the learner; none: the learner plays with
    itself."""
    seats: tuple[str, ...] = ("guesser", "listener")
    """The learner's roles where there is a teacher, who plays all others."""
    steps: int = 40
    games: int = 192
    imitation_steps: int = 100
    imitation_games: int = 48
    imitation_rate: float = 4e-3
    max_tokens: int = 16
    update: UpdateConfig = UPDATE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.group < 2:
            raise BadInput(f"--group needs at least 2 games of each deal, not {self.group}")
        if self.games % (self.group * len(self.mix)):
            whole = self.group * len(self.mix)
            raise BadInput(
                f"--games {self.games} do not divide into groups of {self.group} for each of "
                f"{len(self.mix)} games; make it a multiple of {whole}"
            )


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    games = [game(spec) for spec in config.mix]
    player = new_player(games, config, checkpoint, width=64, layers=2)  # prompts are long
    keep = (spoke, successful) if config.learn == "sft" else (spoke,)
    loop = SelfPlay(
        mixture=Mixture([Entry(rules, repeated(config.group)) for rules in games]),
        players={"learner": player},
        method=LEARN[config.learn](),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
        opponents=opponents(config, games),
        filters=[Filters(*keep)],
    )
    return Experiment(loop, lambda: learn_language(player, games, config), config.stage_one_steps)


def opponents(config: Config, games: Sequence[Game]) -> Opponents:
    """The learner in all seats, or with the teacher in those that are not its own.

    Raises:
        BadInput: a game has no seat for the learner, or none for the teacher.
    """
    if not config.teacher:
        return Mirror()
    for rules in games:
        if not 0 < len(set(rules.roles) & set(config.seats)) < len(rules.roles):
            raise BadInput(
                f"{rules.name} has the roles {', '.join(rules.roles)}; name with --seats those of "
                "the learner, and leave the teacher at least one"
            )
    teacher = agent(config.teacher, games[0].name)
    roles = {role for rules in games for role in rules.roles} - set(config.seats)
    return Cast(dict.fromkeys(sorted(roles), teacher))

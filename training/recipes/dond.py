"""Deal or No Deal against oneself by filtered behaviour cloning (arXiv 2406.18872).

Each step is an iteration: games of the current model with itself, of which each player's part is
cloned if it scored more than the mean of all players of the iteration. What the paper did, what
differs here, and how to run it small and in full: docs/recipes/dond.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from sparring.envs.core import BadInput, Episode, Role
from sparring.envs.games.negotiation.deal_or_no_deal import DealOrNoDeal
from sparring.envs.registry import game
from sparring.envs.specs import describe
from sparring.training.assembly import learn_language, mixture_of, new_player
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Sample
from sparring.training.experiment import Experiment
from sparring.training.filters.answers import legal_only
from sparring.training.filters.core import Filters, Rule
from sparring.training.filters.outcome import above_mean
from sparring.training.methods.cloning import Cloning
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig

RATE = UpdateConfig(learning_rate=Ramp(1e-3, 1e-3), step_size=Ramp(inf, inf), magnet=0.0)
"""The learning rate is for the embedded model; of the rest cloning uses nothing."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train dond`."""

    game: str = "DealOrNoDeal-v0(messages=2)"
    """The game; the paper's dialogues may be longer than the two messages of this default."""
    weight: float | None = None
    """λ: how much the other's points count, from -1 (competitive) over 0 (selfish) to 1
    (cooperative). It is the game's option `other`, and by default what the game says."""
    steps: int = 10
    """Iterations."""
    games: int = 400
    retries: int = 0
    """How often an illegal answer may be tried again; the paper's code allows 4."""
    epochs: int = 3
    """Passes over what was kept."""
    rows_a_step: int = 64
    """Players' games for each step of AdamW."""
    imitation_steps: int = 200
    imitation_games: int = 16
    imitation_rate: float = 4e-3
    max_tokens: int = 16
    update: UpdateConfig = RATE

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = game(self.game)
        if not isinstance(rules, DealOrNoDeal):
            raise BadInput(f"dond plays DealOrNoDeal-v0 with options of yours, not {self.game}")
        if self.weight is not None:
            if rules.other not in (0, self.weight):
                raise BadInput(f"--weight {self.weight:g}, or other={rules.other:g}? name one")
            weighed = replace(rules, other=float(self.weight))
            object.__setattr__(self, "game", describe(weighed))  # so all commands see it


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules = game(config.game)
    competitive = isinstance(rules, DealOrNoDeal) and rules.other == -1
    player = new_player([rules], config, checkpoint, width=64, layers=2)  # prompts are long
    loop = SelfPlay(
        mixture=mixture_of([rules]),
        players={"learner": player},
        method=Cloning(config.epochs, config.rows_a_step),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
        retries=config.retries,
        reward=score,
        filters=[Filters(worth_cloning(competitive), legal_only)],
    )
    return Experiment(loop, lambda: learn_language(player, [rules], config), config.stage_one_steps)


def score(episode: Episode, role: Role) -> float:
    """X_i + λ·X_j; 0 for both players where illegal answers ended the game."""
    return 0.0 if episode.forfeits else episode.payoffs[role]


def worth_cloning(competitive: bool) -> Rule:
    """Above the mean of all players; ``competitive`` (λ = −1): a deal that scored 0 too.

    There the mean is 0, and an even deal too is worth cloning: else only the winners of uneven
    ones would be, and agreeing at all would be lost.
    """

    def rule(samples: Sequence[Sample]) -> list[Sample | str]:
        return [
            sample if competitive and _even_deal(sample) else verdict
            for sample, verdict in zip(samples, above_mean()(samples), strict=True)
        ]

    return rule


def _even_deal(sample: Sample) -> bool:
    return sample.reward == 0 and sample.episode.outcome.get("agreed") == 1

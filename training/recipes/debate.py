"""Debate against oneself before a judge, by preferences with soft targets (arXiv 2409.16636).

Each step is a round: debates of the current model with itself, played again from each speech with
another one; the judge's verdicts say how much better one of two speeches in the same place was. The
judge sits in a seat of its own and never learns. What the paper did, what differs here, and how to
run it small and in full: docs/recipes/debate.md.
"""

from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from sparring.agents.core import Agent
from sparring.agents.judges import JudgeAgent, LabelJudge
from sparring.agents.llm import LLMAgent
from sparring.agents.registry import agent
from sparring.envs.core import BadInput
from sparring.envs.games.debate import Debate
from sparring.envs.games.debate.record import mirrored, quotes, record
from sparring.envs.registry import game
from sparring.training.assembly import learn_language, new_player
from sparring.training.branching import comb
from sparring.training.config import SelfPlayConfig
from sparring.training.core import Sample
from sparring.training.experiment import Experiment
from sparring.training.items import siblings
from sparring.training.losses.preference import dpo
from sparring.training.methods.preference import Preference
from sparring.training.methods.rounds import Rounds
from sparring.training.mixture import Entry, Mixture
from sparring.training.opponents.cast import Cast
from sparring.training.pairs import Builder, best_and_worst, softmax
from sparring.training.selfplay import SelfPlay
from sparring.training.update import Ramp, UpdateConfig

QUOTES = "quotes"
STEPS_ON_A_BATCH = UpdateConfig(
    inner_steps=8,
    learning_rate=Ramp(5e-4, 5e-4),
    step_size=Ramp(inf, inf),
    magnet=0.0,
)
"""Of these the method uses the number of inner steps and the rate, which are for the embedded model
(the paper's rate, for LoRA on 8B parameters, is 5e-5)."""


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train debate`."""

    game: str = "Debate-v0(question=0)"
    """Debate-v0 with a judge in the seat; one question by default, which keeps prompts short."""
    judge: str = QUOTES
    """Who sits in the judge's seat: quotes (a verifier), or an agent such as run:DIR or hf:PATH;
    a model is asked for the probability of its verdict."""
    steps: int = 2
    """Rounds."""
    games: int = 64
    """Debates for each round; each is played again from every speech."""
    rounds_kept: int = 2
    """How many rounds' pairs are learned from together."""
    imitation_steps: int = 100
    imitation_games: int = 16
    imitation_rate: float = 4e-3
    max_tokens: int = 48
    update: UpdateConfig = STEPS_ON_A_BATCH


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules = game(config.game)
    if not isinstance(rules, Debate) or not rules.seated or rules.payoff != "probability":
        raise BadInput(
            f"the debate recipe needs Debate-v0 with judge=seat and payoff=probability, not "
            f"{config.game}; say who judges with --judge"
        )
    player = new_player([rules], config, checkpoint, width=64, layers=2)  # prompts are long
    pairs = Builder(siblings(score=chance), best_and_worst(target=softmax(7.0)))
    loss = partial(dpo, beta=0.5, likelihood=0.005)
    loop = SelfPlay(
        mixture=Mixture([Entry(rules)]),  # each debate has a deal of its own: siblings share one
        players={"learner": player},
        method=Rounds(Preference(pairs, loss, average=True), keep=config.rounds_kept),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
        opponents=Cast({"judge": judge(config.judge, rules)}),
        branching=comb(),
    )
    return Experiment(loop, lambda: learn_language(player, [rules], config), config.stage_one_steps)


def chance(sample: Sample) -> float:
    """The judge's P(win) of a debater, from its payoff 2·P(win) − 1."""
    return (1 + sample.episode.payoffs[sample.role]) / 2


def judge(name: str, rules: Debate) -> Agent:
    """Who sits in the judge's seat.

    Raises:
        BadInput: no such agent.
    """
    if name == QUOTES:
        return JudgeAgent(QUOTES, quotes, lambda seen: record(seen.messages), rules.labels)
    found = agent(name, rules.name)
    if isinstance(found, LLMAgent):
        return LabelJudge(found, rules.labels, None if rules.consultancy else mirrored)
    return found
